"""Network faults for tests. A gate stands before a server, and does to its traffic what a test asks for:

    import chaosgate

    with chaosgate.Client() as client, client.gate("redis", "127.0.0.1:6379") as gate:
        cache = connect(gate.host, gate.port)
        with gate.to_client.add(chaosgate.Delay(by=3)) as slow:
            with pytest.raises(CacheTimeout):
                cache.get("k")
            assert slow.hits > 0  # a fault that never fired proves nothing
        chaosgate.recovers(lambda: cache.get("k"), within=5)

The client speaks to a daemon, chaosgate serve. chaosgate.daemon starts one as a child, and the pytest plugin does so by itself: its
fixtures are chaosgate and gate_factory. chaosgate.aio is all this for asyncio.
"""

from . import aio, faults
from .daemon import Daemon, NoBinary, NotStarted
from .errors import DaemonGone, Error, Forbidden, Gone, Invalid, Restarted, Taken, TimedOut, Unable, Unauthorized, Unknown
from .fault import Entry, Fault
from .faults import *  # noqa: F403
from .told import Event, Healed, Offset
from .sync import Client, Conn, Events, Flow, Gate, Hold, Imposed, recovers

__all__ = [
    "Client", "Conn", "Daemon", "DaemonGone", "Entry", "Error", "Event", "Events", "Fault", "Flow", "Forbidden", "Gate", "Gone", "Healed", "Imposed",
    "Invalid", "NoBinary", "NotStarted", "Offset", "Restarted", "Taken", "TimedOut", "Unable", "Unauthorized", "Unknown", "aio", "recovers", *faults.__all__,
]  # fmt: skip

"""chaosgate for asyncio: the same names, with await.

    async with chaosgate.aio.Client() as client:
        async with await client.gate("redis", "127.0.0.1:6379") as gate:
            slow = await gate.to_client.add(chaosgate.Delay(by=0.2))
            ...
            assert await slow.hits > 0

Properties that ask the daemon are awaited as well. A call that is cancelled costs the connection to the daemon that it has used, and
nothing else: whether the daemon has done what it was asked is not known then.
"""

from .client import Client
from .events import Events
from .flow import Flow, Imposed
from .gate import Conn, Gate
from .hold import Hold
from .recovery import recovers

__all__ = ["Client", "Conn", "Events", "Flow", "Gate", "Hold", "Imposed", "recovers"]

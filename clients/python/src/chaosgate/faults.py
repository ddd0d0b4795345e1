# Generated from the daemon's /v1/faults by generate.py: do not edit.
"""The kinds of faults, as the daemon describes them.

Durations are seconds, a timedelta or text such as "200ms"; sizes bytes or text such as "64KiB". What is left out has its default.
"""

import dataclasses
from typing import Optional

from .fault import Fault, FaultLike
from .quantities import Chance, Duration, Rate, Size

__all__ = [
    "After",
    "Bandwidth",
    "Close",
    "CloseOnData",
    "Concat",
    "Corrupt",
    "Delay",
    "Detour",
    "Discard",
    "Duplicate",
    "During",
    "Idle",
    "Lifetime",
    "Limit",
    "Lose",
    "MTU",
    "Only",
    "Rebind",
    "Reorder",
    "Slice",
    "SlowClose",
    "Sometimes",
    "Stall",
    "Substitute",
    "Truncate",
    "Vanish",
]


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class After(Fault):
    """A fault that begins after a number of bytes, or after a time.

    bytes: how many bytes go by before; either this or time
    time: how long it takes before; either this or bytes
    fault: what is imposed then
    """

    kind = "after"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("bytes", "bytes", "size"),
        ("time", "time", "duration"),
        ("fault", "fault", "fault"),
    )

    fault: FaultLike
    bytes: Optional[Size] = None
    time: Optional[Duration] = None

    def __init__(self, *, bytes: Optional[Size] = None, time: Optional[Duration] = None, fault: FaultLike) -> None:
        self._set(bytes=bytes, time=time, fault=fault)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Bandwidth(Fault):
    """Bytes pass at a limited rate.

    rate: how many bytes pass each second
    burst: how many bytes may pass at once after a pause (default: 10 ms of rate, at least 1 byte)
    shared: the rate is one for all connections together, not for each
    queue: datagrams only: how many bytes may wait; a datagram that finds more is dropped (default: 100 ms of rate, at least 64KiB)
    """

    kind = "bandwidth"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("rate", "rate", "rate"),
        ("burst", "burst", "size"),
        ("shared", "shared", "flag"),
        ("queue", "queue", "size"),
    )

    rate: Rate
    burst: Optional[Size] = None
    shared: Optional[bool] = None
    queue: Optional[Size] = None

    def __init__(self, *, rate: Rate, burst: Optional[Size] = None, shared: Optional[bool] = None, queue: Optional[Size] = None) -> None:
        self._set(rate=rate, burst=burst, shared=shared, queue=queue)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Close(Fault):
    """The connection is closed or reset.

    reset: with RST instead of FIN
    after: how long after the fault was imposed, or the connection was opened (default: at once)
    abrupt: what the peers' kernels have not taken is destroyed; needs reset
    """

    kind = "close"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("reset", "reset", "flag"),
        ("after", "after", "duration"),
        ("abrupt", "abrupt", "flag"),
    )

    reset: Optional[bool] = None
    after: Optional[Duration] = None
    abrupt: Optional[bool] = None

    def __init__(self, *, reset: Optional[bool] = None, after: Optional[Duration] = None, abrupt: Optional[bool] = None) -> None:
        self._set(reset=reset, after=after, abrupt=abrupt)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class CloseOnData(Fault):
    """The first byte of data closes the connection.

    reset: with RST instead of FIN
    """

    kind = "close_on_data"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("reset", "reset", "flag"),
    )

    reset: Optional[bool] = None

    def __init__(self, *, reset: Optional[bool] = None) -> None:
        self._set(reset=reset)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Concat(Fault):
    """Data waits until there is more of it, and arrives in one piece.

    size: how many bytes make a write, at least; 64MiB at most
    within: how long a byte waits for others at most (default: no limit)

    Only for tcp and unix.
    """

    kind = "concat"
    networks = ("tcp", "unix")
    parameters = (
        ("size", "size", "size"),
        ("within", "within", "duration"),
    )

    size: Size
    within: Optional[Duration] = None

    def __init__(self, *, size: Size, within: Optional[Duration] = None) -> None:
        self._set(size=size, within=within)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Corrupt(Fault):
    """Bytes arrive changed.

    rate: the chance of each byte to be hit (default: every byte)
    flip: what is changed of a byte that is hit: any of its bits, or just one; bytes or bits (default: bytes)
    """

    kind = "corrupt"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("rate", "rate", "chance"),
        ("flip", "flip", "choice"),
    )
    choices = {"flip": "bytes"}

    rate: Optional[Chance] = None
    flip: Optional[str] = None

    def __init__(self, *, rate: Optional[Chance] = None, flip: Optional[str] = None) -> None:
        self._set(rate=rate, flip=flip)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Delay(Fault):
    """Everything arrives later, without a loss of throughput.

    by: how long everything is held back
    jitter: how far the delay varies
    distribution: how the jitter is distributed; uniform, normal or pareto (default: uniform)
    ordered: a datagram with a shorter delay waits for those before it; a stream always does
    """

    kind = "delay"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("by", "by", "duration"),
        ("jitter", "jitter", "duration"),
        ("distribution", "distribution", "choice"),
        ("ordered", "ordered", "flag"),
    )
    choices = {"distribution": "uniform"}

    by: Optional[Duration] = None
    jitter: Optional[Duration] = None
    distribution: Optional[str] = None
    ordered: Optional[bool] = None

    def __init__(self, *, by: Optional[Duration] = None, jitter: Optional[Duration] = None, distribution: Optional[str] = None, ordered: Optional[bool] = None) -> None:
        self._set(by=by, jitter=jitter, distribution=distribution, ordered=ordered)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Detour(Fault):
    """Data goes out to an address of the test's own and comes back changed.

    address: the TCP address, host:port, that changes the bytes
    ends: when what comes back ends, the connection does, not just its direction
    """

    kind = "detour"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("address", "address", "text"),
        ("ends", "ends", "flag"),
    )

    address: str
    ends: Optional[bool] = None

    def __init__(self, *, address: str, ends: Optional[bool] = None) -> None:
        self._set(address=address, ends=ends)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Discard(Fault):
    """Data is read and thrown away.

    resume: lifted, a connection that has lost bytes goes on without them instead of being reset
    """

    kind = "discard"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("resume", "resume", "flag"),
    )

    resume: Optional[bool] = None

    def __init__(self, *, resume: Optional[bool] = None) -> None:
        self._set(resume=resume)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Duplicate(Fault):
    """Datagrams arrive more than once.

    chance: the share of datagrams that are duplicated
    copies: how many more of each arrive (default: 1)

    Only for udp.
    """

    kind = "duplicate"
    networks = ("udp",)
    parameters = (
        ("chance", "chance", "chance"),
        ("copies", "copies", "count"),
    )

    chance: Chance
    copies: Optional[int] = None

    def __init__(self, *, chance: Chance, copies: Optional[int] = None) -> None:
        self._set(chance=chance, copies=copies)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class During(Fault):
    """A fault that comes for a while and goes, once or periodically.

    start: when it begins (default: at once)
    for_: how long it lasts
    every: how long from one beginning to the next, not less than for (default: only once)
    fault: what is imposed meanwhile
    """

    kind = "during"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("start", "start", "duration"),
        ("for_", "for", "duration"),
        ("every", "every", "duration"),
        ("fault", "fault", "fault"),
    )

    for_: Duration
    fault: FaultLike
    start: Optional[Duration] = None
    every: Optional[Duration] = None

    def __init__(self, *, start: Optional[Duration] = None, for_: Duration, every: Optional[Duration] = None, fault: FaultLike) -> None:
        self._set(start=start, for_=for_, every=every, fault=fault)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Idle(Fault):
    """The connection is closed when it was silent for long.

    for_: how long a connection may be silent
    reset: with RST instead of FIN
    """

    kind = "idle"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("for_", "for", "duration"),
        ("reset", "reset", "flag"),
    )

    for_: Duration
    reset: Optional[bool] = None

    def __init__(self, *, for_: Duration, reset: Optional[bool] = None) -> None:
        self._set(for_=for_, reset=reset)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Lifetime(Fault):
    """The connection is closed when it gets old.

    for_: how long a connection lives
    jitter: how far that varies from one connection to the next, evenly
    from_: when it begins; accept or data (default: accept)
    reset: with RST instead of FIN
    """

    kind = "lifetime"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("for_", "for", "duration"),
        ("jitter", "jitter", "duration"),
        ("from_", "from", "choice"),
        ("reset", "reset", "flag"),
    )
    choices = {"from": "accept"}

    for_: Duration
    jitter: Optional[Duration] = None
    from_: Optional[str] = None
    reset: Optional[bool] = None

    def __init__(self, *, for_: Duration, jitter: Optional[Duration] = None, from_: Optional[str] = None, reset: Optional[bool] = None) -> None:
        self._set(for_=for_, jitter=jitter, from_=from_, reset=reset)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Limit(Fault):
    """The connection is closed after a number of bytes.

    bytes: how many bytes are delivered
    shared: counted over all connections together
    reset: with RST instead of FIN
    """

    kind = "limit"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("bytes", "bytes", "size"),
        ("shared", "shared", "flag"),
        ("reset", "reset", "flag"),
    )

    bytes: Size
    shared: Optional[bool] = None
    reset: Optional[bool] = None

    def __init__(self, *, bytes: Size, shared: Optional[bool] = None, reset: Optional[bool] = None) -> None:
        self._set(bytes=bytes, shared=shared, reset=reset)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Lose(Fault):
    """Datagrams are lost, by chance or by number.

    chance: the share of datagrams that are lost
    burst: with chance: how many are lost in a row (default: 1)
    p: the chance that the wire gets bad before a datagram
    r: with p: the chance that it gets good again
    h: with p: the chance of a datagram to pass while it is bad (default: none passes)
    k: with p: the chance of a datagram to pass while it is good (default: all pass)
    every: each datagram whose number is a multiple of this is lost
    list: the numbers of the datagrams that are lost, such as 1,4,7-9

    Only for udp.
    """

    kind = "lose"
    networks = ("udp",)
    parameters = (
        ("chance", "chance", "chance"),
        ("burst", "burst", "count"),
        ("p", "p", "chance"),
        ("r", "r", "chance"),
        ("h", "h", "chance"),
        ("k", "k", "chance"),
        ("every", "every", "count"),
        ("list", "list", "text"),
    )

    chance: Optional[Chance] = None
    burst: Optional[int] = None
    p: Optional[Chance] = None
    r: Optional[Chance] = None
    h: Optional[Chance] = None
    k: Optional[Chance] = None
    every: Optional[int] = None
    list: Optional[str] = None

    def __init__(self, *, chance: Optional[Chance] = None, burst: Optional[int] = None, p: Optional[Chance] = None, r: Optional[Chance] = None, h: Optional[Chance] = None, k: Optional[Chance] = None, every: Optional[int] = None, list: Optional[str] = None) -> None:
        self._set(chance=chance, burst=burst, p=p, r=r, h=h, k=k, every=every, list=list)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class MTU(Fault):
    """Datagrams that are too large are lost.

    size: how many bytes a datagram has at most that passes

    Only for udp.
    """

    kind = "mtu"
    networks = ("udp",)
    parameters = (
        ("size", "size", "size"),
    )

    size: Size

    def __init__(self, *, size: Size) -> None:
        self._set(size=size)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Only(Fault):
    """A fault that hits only certain connections.

    first: the first so many connections
    nth: the connection of that number
    every: each connection whose number is a multiple of this
    from_: connections from that IP address, or from one with that prefix, such as 10.1.0.0/16
    fault: what is imposed on them
    """

    kind = "only"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("first", "first", "count"),
        ("nth", "nth", "count"),
        ("every", "every", "count"),
        ("from_", "from", "text"),
        ("fault", "fault", "fault"),
    )

    fault: FaultLike
    first: Optional[int] = None
    nth: Optional[int] = None
    every: Optional[int] = None
    from_: Optional[str] = None

    def __init__(self, *, first: Optional[int] = None, nth: Optional[int] = None, every: Optional[int] = None, from_: Optional[str] = None, fault: FaultLike) -> None:
        self._set(first=first, nth=nth, every=every, from_=from_, fault=fault)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Rebind(Fault):
    """The server sees the client come from another port.

    every: how long the client has each port (default: only once)

    Only for udp.
    """

    kind = "rebind"
    networks = ("udp",)
    parameters = (
        ("every", "every", "duration"),
    )

    every: Optional[Duration] = None

    def __init__(self, *, every: Optional[Duration] = None) -> None:
        self._set(every=every)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Reorder(Fault):
    """Datagrams overtake others.

    chance: the share of datagrams that others overtake
    gap: how many overtake it (default: 1)
    within: how long it waits for them at most (default: 100ms)

    Only for udp.
    """

    kind = "reorder"
    networks = ("udp",)
    parameters = (
        ("chance", "chance", "chance"),
        ("gap", "gap", "count"),
        ("within", "within", "duration"),
    )

    chance: Chance
    gap: Optional[int] = None
    within: Optional[Duration] = None

    def __init__(self, *, chance: Chance, gap: Optional[int] = None, within: Optional[Duration] = None) -> None:
        self._set(chance=chance, gap=gap, within=within)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Slice(Fault):
    """Data arrives in small pieces.

    size: how many bytes a piece has at most
    vary: how many bytes a piece may be shorter, by chance
    gap: how long each piece leaves after the one before, at least

    Only for tcp and unix.
    """

    kind = "slice"
    networks = ("tcp", "unix")
    parameters = (
        ("size", "size", "size"),
        ("vary", "vary", "size"),
        ("gap", "gap", "duration"),
    )

    size: Size
    vary: Optional[Size] = None
    gap: Optional[Duration] = None

    def __init__(self, *, size: Size, vary: Optional[Size] = None, gap: Optional[Duration] = None) -> None:
        self._set(size=size, vary=vary, gap=gap)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class SlowClose(Fault):
    """The end of the stream arrives late.

    by: how much later the stream ends

    Only for tcp and unix.
    """

    kind = "slow_close"
    networks = ("tcp", "unix")
    parameters = (
        ("by", "by", "duration"),
    )

    by: Duration

    def __init__(self, *, by: Duration) -> None:
        self._set(by=by)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Sometimes(Fault):
    """A fault that hits only a share of the connections.

    chance: the share of connections, from 0 to 1
    group: those of the same group hit the same connections, in both directions (default: each decides for itself)
    fault: what is imposed on them
    """

    kind = "sometimes"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("chance", "chance", "chance"),
        ("group", "group", "text"),
        ("fault", "fault", "fault"),
    )

    fault: FaultLike
    chance: Optional[Chance] = None
    group: Optional[str] = None

    def __init__(self, *, chance: Optional[Chance] = None, group: Optional[str] = None, fault: FaultLike) -> None:
        self._set(chance=chance, group=group, fault=fault)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Stall(Fault):
    """Nothing is read any more, and nothing is lost."""

    kind = "stall"
    networks = ("tcp", "udp", "unix")

    def __init__(self) -> None:
        self._set()


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Substitute(Fault):
    """Text is replaced by other text.

    pattern: the regular expression (RE2), at most 1KiB
    with_: what replaces a match; $1 or ${name} is a group, $$ a dollar (default: nothing)
    max: how many bytes are held back, and a match can have, at most (default: the longest match, or 4KiB if there is none)
    """

    kind = "substitute"
    networks = ("tcp", "udp", "unix")
    parameters = (
        ("pattern", "pattern", "text"),
        ("with_", "with", "text"),
        ("max", "max", "size"),
    )

    pattern: str
    with_: Optional[str] = None
    max: Optional[Size] = None

    def __init__(self, *, pattern: str, with_: Optional[str] = None, max: Optional[Size] = None) -> None:
        self._set(pattern=pattern, with_=with_, max=max)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Truncate(Fault):
    """Datagrams arrive cut short.

    size: how many bytes are left of a datagram at most

    Only for udp.
    """

    kind = "truncate"
    networks = ("udp",)
    parameters = (
        ("size", "size", "size"),
    )

    size: Size

    def __init__(self, *, size: Size) -> None:
        self._set(size=size)


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Vanish(Fault):
    """Nothing passes, neither data nor the end of a connection, and nobody is told."""

    kind = "vanish"
    networks = ("tcp", "udp", "unix")

    def __init__(self) -> None:
        self._set()

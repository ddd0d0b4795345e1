"""What userver's conditions are in chaosgate's faults, in the order in which data meets them. The last of each is the one whose hits count."""

import re
from typing import List, Union

from ..fault import Fault
from ..faults import Bandwidth, CloseOnData, Concat, Corrupt, Delay, Discard, Lifetime, Limit, Slice, Stall, Substitute, Truncate

LEAST_GAP = 0.001  # seconds between pieces: without a pause the kernel joins them before they are read


def noop() -> List[Fault]:
    """Nothing is read. What waits arrives when the condition is over."""
    return [Stall()]


def drop() -> List[Fault]:
    """Data is read and lost. The connection goes on when the condition is over."""
    return [Discard(resume=True)]


def delay(seconds: float) -> List[Fault]:
    """Data arrives later."""
    return [Delay(by=seconds)]


def close_on_data() -> List[Fault]:
    """The connection that gets data is closed."""
    return [CloseOnData()]


def corrupt_data() -> List[Fault]:
    """Every byte is changed."""
    return [Corrupt()]


def limit_bps(bytes_per_second: float, datagrams: bool) -> List[Fault]:
    """Bytes pass at a rate. A datagram is cut to what one second allows, as userver's users expect."""
    rate = int(bytes_per_second)
    if 0 < bytes_per_second < 1:
        rate = 1  # the least there is
    cut: List[Fault] = [Truncate(size=rate)] if datagrams and rate > 0 else []
    return [*cut, Bandwidth(rate=rate)]


def limit_time(timeout: float, jitter: float) -> List[Fault]:
    """A connection is closed some time after its first data."""
    return [Lifetime(for_=timeout, jitter=jitter, from_="data")]


def smaller_parts(max_size: int, sleep_per_packet: float) -> List[Fault]:
    """Data arrives in pieces."""
    return [Slice(size=max_size, gap=max(sleep_per_packet, LEAST_GAP))]


def concat_packets(packet_size: int) -> List[Fault]:
    """Data waits until there is enough of it."""
    return [Concat(size=packet_size)]


def limit_bytes(bytes_limit: int) -> List[Fault]:
    """All connections are closed when so many bytes have passed through them together; then counting begins again."""
    return [Limit(bytes=bytes_limit, shared=True)]


def substitute(pattern: str, repl: str) -> List[Fault]:
    """What a pattern matches is replaced."""
    return [Substitute(pattern=pattern, with_=template(repl))]


_ESCAPE = re.compile(r"\\(?:(?P<group>[1-9]\d?)|g<(?P<name>\w+)>|(?P<other>.))|(?P<dollar>\$)", re.DOTALL)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "b": "\b", "0": "\0", "\\": "\\"}


def template(repl: Union[str, bytes]) -> str:
    r"""Returns what re.sub takes as a replacement as the daemon reads it: \1 and \g<name> are ${1} and ${name} there."""
    text = repl.decode() if isinstance(repl, bytes) else repl

    def written(match: "re.Match[str]") -> str:
        if match["dollar"]:
            return "$$"
        if match["other"] is None:
            return f"${{{match['group'] or match['name']}}}"
        if match["other"] in _CONTROLS:
            return _CONTROLS[match["other"]]
        if match["other"].isascii() and match["other"].isalnum():
            raise ValueError(f"repl: got {text!r}, want no escape like \\{match['other']}, which means nothing")
        return match[0]

    return _ESCAPE.sub(written, text)

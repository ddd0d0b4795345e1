"""The methods that set a condition, for both directions."""

from typing import Any, Awaitable, Callable, List, Optional

from ..fault import Fault
from . import conditions
from .calls import CallQueue

# An interceptor: async f(loop, socket_from, socket_to). It is called when data is there to be read from socket_from.
Interceptor = Callable[[Any, Any, Any], Awaitable[Any]]

TO_SERVER, TO_CLIENT = "to_server", "to_client"


class Setters:
    """Is what a gate can be told to do to the data of a direction. Each method replaces what the direction had, and holds when it returns.

    What is returned is a queue of the moments at which the condition really fired. It may be awaited, and is itself then.
    """

    _datagrams = False

    def _impose(self, direction: str, condition: str, faults: List[Fault]) -> CallQueue:
        raise NotImplementedError

    def _intercept(self, direction: str, interceptor: Interceptor) -> CallQueue:
        raise NotImplementedError

    def set_to_server_interceptor(self, interceptor: Interceptor) -> CallQueue:
        """Has a coroutine pass on what clients send."""
        return self._intercept(TO_SERVER, interceptor)

    def set_to_client_interceptor(self, interceptor: Interceptor) -> CallQueue:
        """Has a coroutine pass on what the server sends."""
        return self._intercept(TO_CLIENT, interceptor)

    def to_server_pass(self) -> CallQueue:
        """Passes on what clients send as it is."""
        return self._impose(TO_SERVER, "pass", [])

    def to_client_pass(self) -> CallQueue:
        """Passes on what the server sends as it is."""
        return self._impose(TO_CLIENT, "pass", [])

    def to_server_noop(self) -> CallQueue:
        """Reads nothing from clients."""
        return self._impose(TO_SERVER, "noop", conditions.noop())

    def to_client_noop(self) -> CallQueue:
        """Reads nothing from the server."""
        return self._impose(TO_CLIENT, "noop", conditions.noop())

    def to_server_drop(self) -> CallQueue:
        """Reads from clients and throws away what they send."""
        return self._impose(TO_SERVER, "drop", conditions.drop())

    def to_client_drop(self) -> CallQueue:
        """Reads from the server and throws away what it sends."""
        return self._impose(TO_CLIENT, "drop", conditions.drop())

    def to_server_delay(self, delay_seconds: Optional[float] = None, *, delay: Optional[float] = None) -> CallQueue:
        """Has what clients send arrive later."""
        return self._impose(TO_SERVER, "delay", conditions.delay(_delay(delay_seconds, delay)))

    def to_client_delay(self, delay_seconds: Optional[float] = None, *, delay: Optional[float] = None) -> CallQueue:
        """Has what the server sends arrive later."""
        return self._impose(TO_CLIENT, "delay", conditions.delay(_delay(delay_seconds, delay)))

    def to_server_close_on_data(self) -> CallQueue:
        """Closes the connections whose clients send."""
        return self._impose(TO_SERVER, "close_on_data", conditions.close_on_data())

    def to_client_close_on_data(self) -> CallQueue:
        """Closes the connections on which the server sends."""
        return self._impose(TO_CLIENT, "close_on_data", conditions.close_on_data())

    def to_server_corrupt_data(self) -> CallQueue:
        """Changes each byte that clients send."""
        return self._impose(TO_SERVER, "corrupt_data", conditions.corrupt_data())

    def to_client_corrupt_data(self) -> CallQueue:
        """Changes each byte that the server sends."""
        return self._impose(TO_CLIENT, "corrupt_data", conditions.corrupt_data())

    def to_server_limit_bps(self, bytes_per_second: float) -> CallQueue:
        """Limits how many bytes a second each client can send."""
        return self._impose(TO_SERVER, "limit_bps", conditions.limit_bps(bytes_per_second, self._datagrams))

    def to_client_limit_bps(self, bytes_per_second: float) -> CallQueue:
        """Limits how many bytes a second the server can send to each client."""
        return self._impose(TO_CLIENT, "limit_bps", conditions.limit_bps(bytes_per_second, self._datagrams))

    def to_server_limit_time(self, timeout: float, jitter: float) -> CallQueue:
        """Closes connections some seconds after the client's first data."""
        return self._impose(TO_SERVER, "limit_time", conditions.limit_time(timeout, jitter))

    def to_client_limit_time(self, timeout: float, jitter: float) -> CallQueue:
        """Closes connections some seconds after the server's first data."""
        return self._impose(TO_CLIENT, "limit_time", conditions.limit_time(timeout, jitter))

    def to_server_smaller_parts(self, max_size: int, *, sleep_per_packet: float = 0) -> CallQueue:
        """Has what clients send arrive in pieces."""
        return self._impose(TO_SERVER, "smaller_parts", conditions.smaller_parts(max_size, sleep_per_packet))

    def to_client_smaller_parts(self, max_size: int, *, sleep_per_packet: float = 0) -> CallQueue:
        """Has what the server sends arrive in pieces."""
        return self._impose(TO_CLIENT, "smaller_parts", conditions.smaller_parts(max_size, sleep_per_packet))

    def to_server_concat_packets(self, packet_size: int) -> CallQueue:
        """Has what clients send wait until there is enough of it."""
        return self._impose(TO_SERVER, "concat_packets", conditions.concat_packets(packet_size))

    def to_client_concat_packets(self, packet_size: int) -> CallQueue:
        """Has what the server sends wait until there is enough of it."""
        return self._impose(TO_CLIENT, "concat_packets", conditions.concat_packets(packet_size))

    def to_server_limit_bytes(self, bytes_limit: int) -> CallQueue:
        """Closes all connections when clients have sent so many bytes, and begins to count again."""
        return self._impose(TO_SERVER, "limit_bytes", conditions.limit_bytes(bytes_limit))

    def to_client_limit_bytes(self, bytes_limit: int) -> CallQueue:
        """Closes all connections when the server has sent so many bytes, and begins to count again."""
        return self._impose(TO_CLIENT, "limit_bytes", conditions.limit_bytes(bytes_limit))

    def to_server_substitute(self, pattern: str, repl: str) -> CallQueue:
        """Replaces what a pattern matches in what clients send."""
        return self._impose(TO_SERVER, "substitute", conditions.substitute(pattern, repl))

    def to_client_substitute(self, pattern: str, repl: str) -> CallQueue:
        """Replaces what a pattern matches in what the server sends."""
        return self._impose(TO_CLIENT, "substitute", conditions.substitute(pattern, repl))


def _delay(delay_seconds: Optional[float], delay: Optional[float]) -> float:
    """Returns the delay by whichever name it was given: versions of userver differ in it."""
    seconds = delay if delay_seconds is None else delay_seconds
    if seconds is None or (delay is not None and delay_seconds is not None):
        raise TypeError("delay: got none or two, want the seconds that data is late by")
    return seconds

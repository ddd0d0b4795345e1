"""What a gate is made from, and what it may raise."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class GateRoute:
    """Is where a gate stands: clients connect to host_for_client and port_for_client, any free port if that is 0, and the gate connects to
    host_to_server and port_to_server for each of them.
    """

    name: str
    host_to_server: str
    port_to_server: int
    host_for_client: str = "127.0.0.1"
    port_for_client: int = 0


class GateException(Exception):
    """Is that a gate cannot do what it was asked."""


class GateInterceptException(Exception):
    """Is what an interceptor raises to close the connection. What it has sent before arrives."""


class ConnectionClosedError(Exception):
    """Is that a connection has ended: raised to an interceptor that reads on behind the end."""

"""The gates of pytest_userver.chaos, driven by chaosgate's daemon. Change one import, and keep your tests:

    from chaosgate import userver as chaos

    @pytest.fixture
    async def gate(database):
        route = chaos.GateRoute(name="postgres", host_to_server="localhost", port_to_server=database.port)
        async with chaos.TcpGate(route) as gate:
            yield gate

    async def test_congestion_control(service, gate):
        gate.to_server_close_on_data()
        gate.to_client_close_on_data()
        assert (await service.get("/orders")).status == 500
        gate.to_server_pass()
        gate.to_client_pass()
        await gate.wait_for_connections(timeout=10)
        assert (await service.get("/orders")).status == 200

What is set holds when the call returns. What it returns tells when it really fired: await it or not, as your version of userver has it.
"""

from .calls import CallQueue, CallQueueEmpty, CallQueueTimeout
from .gates import BaseGate, TcpGate, UdpGate
from .route import ConnectionClosedError, GateException, GateInterceptException, GateRoute
from .setters import Interceptor

__all__ = [
    "BaseGate", "CallQueue", "CallQueueEmpty", "CallQueueTimeout", "ConnectionClosedError", "GateException", "GateInterceptException", "GateRoute",
    "Interceptor", "TcpGate", "UdpGate",
]  # fmt: skip

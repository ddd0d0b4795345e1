"""What the tests of the drop-in share: a gate, and what stands on both sides of it."""

import pytest

from chaosgate import userver as chaos

from .wire import Way, bound, dialled, listening

try:
    import pytest_asyncio
except ImportError:  # the tests say so, and skip themselves
    pytest_asyncio = pytest


@pytest.fixture(autouse=True)
def nothing_left(client):
    """Has each test leave no gate behind."""


@pytest_asyncio.fixture
async def server():
    """Returns the listening socket of a server."""
    with listening() as sock:
        yield sock


@pytest_asyncio.fixture
async def gate(server):
    """Returns a gate before that."""
    async with chaos.TcpGate(chaos.GateRoute("tcp proxy", "localhost", server.port)) as gate:
        yield gate


@pytest_asyncio.fixture
async def connect(gate, server):
    """Makes connections through the gate: returns both ends of one."""
    socks = []

    async def connect():
        client = await dialled(gate)
        socks.append(client)
        accepted = await server.accept()
        socks.append(accepted)
        return client, accepted

    yield connect
    for sock in socks:
        sock.close()


@pytest_asyncio.fixture
async def udp_server():
    """Returns the socket of a server of datagrams."""
    with bound() as sock:
        yield sock


@pytest_asyncio.fixture
async def udp_gate(udp_server):
    """Returns a gate before that."""
    async with chaos.UdpGate(chaos.GateRoute("udp proxy", "127.0.0.1", udp_server.port)) as gate:
        yield gate


@pytest_asyncio.fixture
async def udp_connect(udp_gate, udp_server):
    """Makes sessions through the gate: returns a client, and the server's side of its session."""
    socks = []

    async def connect():
        client = await dialled(udp_gate, datagrams=True)
        socks.append(client)
        await client.send(b"hello")
        assert await udp_server.recv_from() == b"hello"
        return client, udp_server.answering()

    yield connect
    for sock in socks:
        sock.close()


@pytest.fixture(params=["to_server", "to_client"])
def way(request):
    """Returns a direction."""
    return Way(request.param)

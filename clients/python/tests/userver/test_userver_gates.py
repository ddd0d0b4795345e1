"""Opening and closing gates, waiting for connections, closing them."""

import asyncio
import socket

import pytest

from chaosgate import userver as chaos

from .wire import NEEDS, Sock, Way, dialled, passes, passes_both

pytest_asyncio = pytest.importorskip("pytest_asyncio", reason=NEEDS)
pytestmark = pytest.mark.asyncio


async def test_basic(gate, connect, way):
    pair = await connect()
    await passes_both(way, pair)
    assert gate.connections_count() == 1
    await gate.sockets_close()
    assert gate.connections_count() == 0
    for sock in pair:
        await sock.ended()


async def test_sockets_close_so_many(gate, connect):
    pairs = [await connect() for _ in range(3)]
    await gate.sockets_close(count=0)
    assert gate.connections_count() == 3
    await gate.sockets_close(count=2)
    assert gate.connections_count() == 1
    for pair in pairs[:2]:
        for sock in pair:
            await sock.ended()
    await passes_both(Way("to_server"), pairs[2])
    await gate.sockets_close(count=5)
    assert gate.connections_count() == 0


async def test_sockets_close_where_nobody_reads(gate, connect, way):
    pair = await connect()
    source, _ = way.ends(pair)
    source.sock.setblocking(False)
    try:
        for _ in range(1000):
            source.sock.send(b"x" * (1 << 16))
    except BlockingIOError:
        pass
    await gate.sockets_close()
    assert gate.connections_count() == 0


async def test_a_clients_end_reaches_the_server(gate, connect):
    client, server = await connect()
    client.sock.shutdown(socket.SHUT_WR)
    assert await server.recv() == b""
    await passes(Way("to_client"), (client, server))


async def test_wait_for_connections(gate, connect, way):
    first = await connect()
    await gate.wait_for_connections()
    await gate.wait_for_connections(count=1, timeout=10)
    with pytest.raises(asyncio.TimeoutError):
        await gate.wait_for_connections(count=2, timeout=0.1)
    waiting = asyncio.ensure_future(gate.wait_for_connections(count=2))
    await asyncio.sleep(0)
    second = await connect()
    await waiting
    assert gate.connections_count() == 2
    for pair in (first, second):
        await passes_both(way, pair)


async def test_start_stop_accepting(gate, connect, server, way):
    first = await connect()
    await gate.stop_accepting()
    await passes_both(way, first)
    client = await dialled(gate)
    with pytest.raises(asyncio.TimeoutError):
        await server.accept(within=0.2)
    gate.start_accepting()
    second = client, await server.accept()
    for pair in (first, second):
        await passes_both(way, pair)
    for sock in second:
        sock.close()


async def test_start_stop(gate, connect, server, way):
    pair = await connect()
    address = gate.get_sockname_for_clients()
    way.set(gate, "noop")
    await gate.stop()
    assert gate.connections_count() == 0
    for sock in pair:
        await sock.ended()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await dialled(gate)
    await gate.stop()  # does nothing
    gate.start()
    gate.start()  # does nothing
    assert gate.get_sockname_for_clients() == address
    await passes_both(way, await connect())  # all was lifted


async def test_a_stopped_gate_takes_conditions(gate, connect, way):
    await gate.stop()
    calls = way.set(gate, "noop")
    gate.start()
    pair = await connect()
    await way.ends(pair)[0].send(b"ping")
    await calls.wait_call()
    way.set(gate, "pass")
    assert await way.ends(pair)[1].recv_exactly(4) == b"ping"


async def test_conditions_before_the_start(server, way):
    gate = chaos.TcpGate(chaos.GateRoute("early", "localhost", server.port))
    calls = way.set(gate, "close_on_data")
    assert calls.times_called == 0
    way.back.set(gate, "pass")
    with pytest.raises(chaos.GateException, match="was not started"):
        gate.get_sockname_for_clients()
    assert gate.connections_count() == 0
    async with gate:
        client = await dialled(gate)
        accepted = await server.accept()
        await way.ends((client, accepted))[0].send(b"die")
        await calls.wait_call()
        for sock in (client, accepted):
            await sock.ended()
            sock.close()


async def test_the_same_gate_twice(server, way):
    gate = chaos.TcpGate(chaos.GateRoute("twice", "localhost", server.port), asyncio.get_running_loop())
    addresses = []
    for _ in range(2):
        async with gate as same:
            assert same is gate
            addresses.append(gate.get_sockname_for_clients())
            client = await dialled(gate)
            accepted = await server.accept()
            await passes_both(way, (client, accepted))
            way.set(gate, "noop")
            for sock in (client, accepted):
                sock.close()
        assert gate.connections_count() == 0
        with pytest.raises(ConnectionRefusedError):
            await dialled(gate)
    assert addresses[0] == addresses[1]


async def test_gates_of_one_name(server):
    route = chaos.GateRoute("tcp proxy / one\n", "localhost", server.port)
    async with chaos.TcpGate(route) as first, chaos.TcpGate(route) as second, chaos.TcpGate(route) as third:
        ports = {gate.get_sockname_for_clients()[1] for gate in (first, second, third)}
        assert len(ports) == 3


async def test_route():
    route = chaos.GateRoute(name="db", host_to_server="localhost", port_to_server=5432)
    assert (route.host_for_client, route.port_for_client) == ("127.0.0.1", 0)
    with pytest.raises(AttributeError):
        route.name = "other"


async def test_route_with_names_and_a_port(server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with chaos.TcpGate(chaos.GateRoute("names", "localhost", server.port, "localhost", port)) as gate:
        assert gate.get_sockname_for_clients() == ("127.0.0.1", port)


async def test_port_in_use(server):
    gate = chaos.TcpGate(chaos.GateRoute("taken", "localhost", 1, "127.0.0.1", server.port))
    with pytest.raises(chaos.GateException, match="'taken' cannot start.*in use"):
        gate.start()
    with pytest.raises(chaos.GateException, match="not started"):
        gate.start_accepting()
    with pytest.raises(chaos.GateException, match="not started"):
        await gate.stop_accepting()
    with pytest.raises(chaos.GateException, match="not started"):
        await gate.wait_for_connections()
    await gate.stop()
    await gate.sockets_close()


async def test_a_server_that_is_away(server):
    server.close()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with chaos.TcpGate(chaos.GateRoute("away", "127.0.0.1", nobody.getsockname()[1])) as gate:
            client = Sock(socket.socket())
            try:
                await asyncio.get_running_loop().sock_connect(client.sock, gate.get_sockname_for_clients())
                await client.ended()
            except ConnectionError:
                pass
            finally:
                client.close()


async def test_info(gate, connect):
    host, port = gate.get_sockname_for_clients()
    assert f"tcp proxy: {host}:{port} -> localhost:" in gate.info()
    client, _ = await connect()
    await gate.wait_for_connections()
    assert f"127.0.0.1:{client.port} -> " in gate.info()
    await gate.stop()
    assert gate.info() == f"tcp proxy: {host}:{port} <stopped>"


async def test_many_gates_at_once(server):
    async def one(n):
        async with chaos.TcpGate(chaos.GateRoute("many", "localhost", server.port)) as gate:
            gate.to_client_delay(0.001)
            client = await dialled(gate)
            await gate.wait_for_connections(timeout=30)
            client.close()

    await asyncio.gather(*(one(n) for n in range(20)))


class TestKept:
    """A gate that is kept for the tests of a class, and reset between them, as userver's users do."""

    @pytest_asyncio.fixture
    async def ready(self, kept, server):
        gate, route_server = kept
        gate.to_server_pass()
        gate.to_client_pass()
        gate.start_accepting()
        await gate.sockets_close()
        yield gate, route_server

    @pytest.fixture(scope="class")
    def kept(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            sock.listen()
            gate = chaos.TcpGate(chaos.GateRoute("kept", "127.0.0.1", sock.getsockname()[1]))
            gate.start()
            yield gate, Sock(sock)
            asyncio.run(gate.__aexit__(None, None, None))

    @pytest.fixture(autouse=True)
    def nothing_left(self):
        """Stands for what looks for gates that are left: this one is kept."""

    @pytest.mark.parametrize("condition", ["noop", "drop", "corrupt_data", "pass"])
    async def test_each_finds_it_as_it_was(self, ready, condition):
        gate, server = ready
        client = await dialled(gate)
        accepted = await server.accept()
        await passes_both(Way("to_client"), (client, accepted))
        Way("to_server").set(gate, condition)
        await gate.stop_accepting()
        client.close()
        accepted.close()

    async def test_an_interceptor_of_another_tests_loop(self, ready):
        gate, server = ready

        async def louder(loop, socket_from, socket_to):
            await loop.sock_sendall(socket_to, (await loop.sock_recv(socket_from, 4096)).upper())

        gate.set_to_server_interceptor(louder)
        client = await dialled(gate)
        accepted = await server.accept()
        await client.send(b"quiet")
        assert await accepted.recv() == b"QUIET"
        client.close()
        accepted.close()

    async def test_behind_that(self, ready):
        gate, server = ready
        client = await dialled(gate)
        accepted = await server.accept()
        await passes_both(Way("to_client"), (client, accepted))
        client.close()
        accepted.close()

"""Interceptors of a test's own, in both directions."""

import asyncio
import logging
import os
import socket

import pytest

from chaosgate import userver as chaos

from .wire import NEEDS, dialled, passes, passes_both

pytest.importorskip("pytest_asyncio", reason=NEEDS)
pytestmark = pytest.mark.asyncio


async def as_it_is(loop, socket_from, socket_to):
    await loop.sock_sendall(socket_to, await loop.sock_recv(socket_from, 4096))


async def louder(loop, socket_from, socket_to):
    await loop.sock_sendall(socket_to, (await loop.sock_recv(socket_from, 4096)).upper())


async def test_gets_what_userver_hands_out(gate, connect, way):
    pair = await connect()
    got = []

    async def look(loop, socket_from, socket_to):
        got.append((loop, socket_from, socket_to))
        await as_it_is(loop, socket_from, socket_to)

    calls = way.intercept(gate, look)
    await passes(way, pair)
    call = await calls.wait_call()
    [(loop, socket_from, socket_to)] = got
    assert loop is asyncio.get_running_loop()
    assert isinstance(socket_from, socket.socket) and isinstance(socket_to, socket.socket)
    assert socket_from.fileno() != socket_to.fileno()
    assert call == {"loop": loop, "socket_from": socket_from, "socket_to": socket_to}
    await passes(way.back, pair)


async def test_changes_data(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.intercept(gate, louder)
    for text in (b"hello", b"again"):
        await source.send(text)
        assert await sink.recv() == text.upper()
    await passes(way.back, pair, b"quiet")


async def test_both_directions_at_once(gate, connect, way):
    pair = await connect()
    for direction in (way, way.back):
        direction.intercept(gate, louder)
    for direction in (way, way.back):
        source, sink = direction.ends(pair)
        await source.send(b"hello")
        assert await sink.recv() == b"HELLO"


async def test_may_be_any_callable(gate, connect, way):
    class Prefix:
        def __init__(self, prefix):
            self.prefix = prefix

        async def __call__(self, loop, socket_from, socket_to):
            await loop.sock_sendall(socket_to, self.prefix + await loop.sock_recv(socket_from, 4096))

    pair = await connect()
    source, sink = way.ends(pair)
    way.intercept(gate, Prefix(b"> "))
    await source.send(b"x")
    assert await sink.recv() == b"> x"


async def test_reads_on_until_it_has_a_message(gate, connect, way):
    async def whole_lines(loop, socket_from, socket_to):
        line = b""
        while not line.endswith(b"\n"):
            line += await loop.sock_recv(socket_from, 3)
        await loop.sock_sendall(socket_to, b"line: " + line)

    pair = await connect()
    source, sink = way.ends(pair)
    calls = way.intercept(gate, whole_lines)
    await source.send(b"in two ")
    await passes(way.back, pair)
    assert calls.times_called == 0
    await source.send(b"parts\n")
    assert await sink.recv() == b"line: in two parts\n"


async def test_is_not_called_without_data(gate, connect, way):
    pair = await connect()
    calls = way.intercept(gate, as_it_is)
    await passes(way.back, pair)
    assert calls.times_called == 0
    await passes(way, pair)
    await calls.wait_call()
    assert calls.times_called == 0


async def test_may_leave_data_where_it_is(gate, connect, way):
    async def noop(loop, socket_from, socket_to):
        pass

    pair = await connect()
    source, sink = way.ends(pair)
    calls = way.intercept(gate, noop)
    await source.send(b"ping")
    for _ in range(3):
        await calls.wait_call()
    assert not sink.has_data()
    way.set(gate, "pass")
    assert await sink.recv_exactly(4) == b"ping"
    await passes_both(way, pair)


async def test_closes_the_connection_behind_what_it_has_sent(gate, connect, way):
    async def error(loop, socket_from, socket_to):
        await loop.sock_recv(socket_from, 4096)
        await loop.sock_sendall(socket_to, b"error")
        raise chaos.GateInterceptException("closing")

    first, second = await connect(), await connect()
    calls = way.intercept(gate, error)
    source, sink = way.ends(first)
    await source.send(b"request")
    assert await sink.recv_exactly(5) == b"error"
    assert await sink.ended() == "closed"
    assert await source.ended() == "closed"
    await calls.wait_call()
    way.set(gate, "pass")
    await passes_both(way, second)


async def test_closes_the_connection_with_data_unread(gate, connect, way):
    async def error(loop, socket_from, socket_to):
        await loop.sock_recv(socket_from, 1)
        await loop.sock_sendall(socket_to, b"error")
        raise chaos.GateInterceptException("closing")

    pair = await connect()
    source, sink = way.ends(pair)
    way.intercept(gate, error)
    await source.send(b"x" * 20000)
    assert await sink.recv_exactly(5) == b"error"
    assert await sink.ended() == "closed"
    await source.ended()


async def test_failing_is_reported_and_closes_the_connection(gate, connect, way, caplog):
    async def fails(loop, socket_from, socket_to):
        raise KeyError("a bug in a test")

    first, second = await connect(), await connect()
    way.intercept(gate, fails)
    source, sink = way.ends(first)
    with caplog.at_level(logging.ERROR, "chaosgate.userver"):
        await source.send(b"x")
        await source.ended()
        await sink.ended()
    [record] = [r for r in caplog.records if r.name == "chaosgate.userver"]
    assert f"tcp proxy {way.name}: the interceptor has failed" in record.getMessage()
    assert record.exc_info[0] is KeyError
    way.set(gate, "pass")
    await passes_both(way, second)


async def test_ends_are_passed_on(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.intercept(gate, louder)
    await source.send(b"last words")
    source.sock.shutdown(socket.SHUT_WR)
    assert await sink.recv_exactly(10) == b"LAST WORDS"
    assert await sink.recv() == b""
    await passes(way.back, pair)


async def test_that_reads_on_behind_the_end_is_stopped(gate, connect, way):
    """What waits for something in a loop, and looks at no end, must not keep the event loop for ever."""

    async def until_it_comes(loop, socket_from, socket_to):
        data = b""
        while b"never" not in data:
            data += await loop.sock_recv(socket_from, 4096)

    pair = await connect()
    source, sink = way.ends(pair)
    way.intercept(gate, until_it_comes)
    await source.send(b"x")
    source.sock.shutdown(socket.SHUT_WR)
    assert await sink.ended() == "closed"
    await passes(way.back, pair)


async def test_an_end_is_read_once(gate, connect, way):
    got = []

    async def whole_stream(loop, socket_from, socket_to):
        while data := await loop.sock_recv(socket_from, 4096):
            got.append(data)
        await loop.sock_sendall(socket_to, b"".join(got)[::-1])

    pair = await connect()
    source, sink = way.ends(pair)
    way.intercept(gate, whole_stream)
    await source.send(b"abc")
    source.sock.shutdown(socket.SHUT_WR)
    assert await sink.recv_exactly(3) == b"cba"
    assert await sink.recv() == b""
    await passes(way.back, pair)


async def test_sockets_have_one_direction(gate, connect, way):
    said = []

    async def wrong(loop, socket_from, socket_to):
        with pytest.raises(chaos.GateException, match="use socket_to"):
            await loop.sock_sendall(socket_from, b"back")
        with pytest.raises(chaos.GateException, match="use socket_from"):
            await loop.sock_recv(socket_to, 1)
        said.append(True)
        await as_it_is(loop, socket_from, socket_to)

    pair = await connect()
    way.intercept(gate, wrong)
    await passes(way, pair)
    assert said == [True]


async def test_is_replaced_between_two_calls(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    first = way.intercept(gate, as_it_is)
    await passes(way, pair)
    second = way.intercept(gate, louder)
    await source.send(b"hello")
    assert await sink.recv() == b"HELLO"
    await second.wait_call()
    assert (first.times_called, second.times_called) == (1, 0)


async def test_is_replaced_by_a_condition_and_back(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    for _ in range(3):
        way.intercept(gate, louder)
        await source.send(b"hello")
        assert await sink.recv() == b"HELLO"
        way.set(gate, "pass")
        await passes_both(way, pair)
        way.set(gate, "noop")
        await source.send(b"wait")
        way.set(gate, "pass")
        assert await sink.recv_exactly(4) == b"wait"


async def test_is_replaced_before_the_loop_has_turned(gate, connect, way):
    pair = await connect()
    for _ in range(5):
        way.intercept(gate, louder)
        way.set(gate, "pass")
    await passes_both(way, pair)


async def test_new_connections_pass_through_it(gate, connect, way):
    way.intercept(gate, louder)
    for _ in range(5):
        source, sink = way.ends(await connect())
        await source.send(b"hello")
        assert await sink.recv() == b"HELLO"


async def test_much_data(gate, connect, way):
    async def slowly(loop, socket_from, socket_to):
        data = await loop.sock_recv(socket_from, 1 << 16)
        await asyncio.sleep(0)
        await loop.sock_sendall(socket_to, data)

    pair = await connect()
    source, sink = way.ends(pair)
    way.intercept(gate, slowly)
    data = os.urandom(3 << 20)
    sending = asyncio.ensure_future(source.send(data))
    assert await sink.recv_exactly(len(data)) == data
    await sending


async def test_many_connections_at_once(gate, connect, way):
    way.intercept(gate, louder)
    pairs = [await connect() for _ in range(30)]

    async def one(n, pair):
        source, sink = way.ends(pair)
        for _ in range(5):
            await source.send(b"n%d" % n)
            assert await sink.recv() == b"N%d" % n

    await asyncio.gather(*(one(n, pair) for n, pair in enumerate(pairs)))


async def test_calls_are_counted_for_all_connections(gate, connect, way):
    calls = way.intercept(gate, as_it_is)
    pairs = [await connect() for _ in range(3)]
    for pair in pairs:
        await passes(way, pair)
    handed = [await calls.wait_call() for _ in pairs]
    assert len({call["socket_from"].fileno() for call in handed}) == 3


async def test_stop_ends_it(gate, connect, way):
    cancelled = asyncio.Event()

    async def hangs(loop, socket_from, socket_to):
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    pair = await connect()
    calls = way.intercept(gate, hangs)
    await way.ends(pair)[0].send(b"x")
    await asyncio.sleep(0.05)
    await gate.stop()
    for sock in pair:
        await sock.ended()
    if calls.times_called:
        assert cancelled.is_set()
    gate.start()
    await passes_both(way, await connect())


async def test_sockets_close_with_it(gate, connect, way):
    pair = await connect()
    way.intercept(gate, louder)
    source, sink = way.ends(pair)
    await source.send(b"x")
    assert await sink.recv() == b"X"
    await gate.sockets_close()
    assert gate.connections_count() == 0
    for sock in pair:
        await sock.ended()


async def test_before_the_start(server, way):
    gate = chaos.TcpGate(chaos.GateRoute("early", "localhost", server.port))
    way.intercept(gate, louder)
    async with gate:
        client = await dialled(gate)
        source, sink = way.ends((client, await server.accept()))
        await source.send(b"x")
        assert await sink.recv() == b"X"
        source.close()
        sink.close()


async def test_without_an_event_loop():
    gate = chaos.TcpGate(chaos.GateRoute("nowhere", "localhost", 1))
    with pytest.raises(chaos.GateException, match="no event loop"):
        await asyncio.get_running_loop().run_in_executor(None, gate.set_to_server_interceptor, louder)

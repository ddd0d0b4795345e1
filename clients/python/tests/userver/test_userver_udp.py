"""Gates of datagrams."""

import asyncio
import logging
import time

import pytest

from chaosgate import userver as chaos

from .wire import NEEDS, dialled

pytest_asyncio = pytest.importorskip("pytest_asyncio", reason=NEEDS)
pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def session(udp_connect):
    """Returns a client and the server's side of its session."""
    return await udp_connect()


async def passes(way, pair, data=b"one datagram"):
    source, sink = way.ends(pair)
    await source.send(data)
    assert await sink.recv() == data


async def passes_both(way, pair):
    await passes(way, pair, b"there")
    await passes(way.back, pair, b"and back")


async def test_basic(udp_gate, session, way):
    await passes_both(way, session)
    assert udp_gate.is_connected()
    await udp_gate.sockets_close()
    assert not udp_gate.is_connected()


async def test_has_no_connections_to_wait_for(udp_gate, session):
    assert udp_gate.is_connected()
    for name in ("wait_for_connections", "connections_count"):
        with pytest.raises(AttributeError):
            getattr(udp_gate, name)


async def test_order(udp_gate, session, way):
    source, sink = way.ends(session)
    for n in range(20):
        await source.send(b"message %d" % n)
    assert [await sink.recv() for _ in range(20)] == [b"message %d" % n for n in range(20)]


async def test_noop_then_pass(udp_gate, session, way):
    source, sink = way.ends(session)
    calls = way.set(udp_gate, "noop")
    await source.send(b"ping")
    await passes(way.back, session)
    await calls.wait_call()
    assert not sink.has_data()
    way.set(udp_gate, "pass")
    assert await sink.recv() == b"ping"
    await passes_both(way, session)


async def test_drop_then_pass(udp_gate, session, way):
    source, sink = way.ends(session)
    calls = await way.set(udp_gate, "drop")
    await source.send(b"ping")
    await passes(way.back, session)
    await calls.wait_call()
    way.set(udp_gate, "pass")
    await passes_both(way, session)
    assert not sink.has_data()


async def test_delay(udp_gate, session, way):
    way.set(udp_gate, "delay", 0.3)
    await passes(way.back, session)
    begun = time.monotonic()
    await passes(way, session)
    assert time.monotonic() - begun >= 0.3


async def test_close_on_data(udp_gate, session, way, udp_server):
    calls = way.set(udp_gate, "close_on_data")
    await passes(way.back, session)
    assert udp_gate.is_connected()
    source, sink = way.ends(session)
    await source.send(b"die")
    await calls.wait_call()
    way.set(udp_gate, "pass")
    await source.send(b"lost with it")
    client, _ = session
    if way.name == "to_server":  # the client's next begins a new session
        await client.send(b"again")
        assert await udp_server.recv_from() == b"again"
    await asyncio.sleep(0.05)
    assert not sink.has_data()


async def test_corrupt_data(udp_gate, session, way):
    source, sink = way.ends(session)
    way.set(udp_gate, "corrupt_data")
    await passes(way.back, session)
    await source.send(b"break me")
    got = await sink.recv()
    assert len(got) == 8
    assert not [1 for sent, came in zip(b"break me", got) if sent == came]
    way.set(udp_gate, "pass")
    await passes_both(way, session)


async def test_limit_bps_cuts_to_what_a_second_allows(udp_gate, session, way):
    source, sink = way.ends(session)
    calls = way.set(udp_gate, "limit_bps", 4)
    begun = time.monotonic()
    for _ in range(2):
        await source.send(b"hello")
        assert await sink.recv() == b"hell"
    assert time.monotonic() - begun >= 1
    await calls.wait_call()


async def test_limit_bps_of_less_than_a_byte(udp_gate, session, way):
    source, sink = way.ends(session)
    way.set(udp_gate, "limit_bps", 0.5)
    await source.send(b"hello")
    assert await sink.recv() == b"h"


async def test_limit_time(udp_gate, session, way):
    calls = way.set(udp_gate, "limit_time", 0.3, jitter=0.0)
    await passes(way.back, session)
    begun = time.monotonic()
    await passes(way, session)
    await calls.wait_call()
    assert time.monotonic() - begun >= 0.25
    source, sink = way.ends(session)
    await source.send(b"die")
    await asyncio.sleep(0.1)
    assert not sink.has_data()


async def test_limit_bytes(udp_gate, session, way):
    source, sink = way.ends(session)
    calls = way.set(udp_gate, "limit_bytes", 14)
    await passes(way.back, session)
    await passes(way, session, b"hello")
    await passes(way, session, b"die after")
    await calls.wait_call()
    await source.send(b"dead now")
    await asyncio.sleep(0.1)
    assert not sink.has_data()


async def test_substitute(udp_gate, session, way):
    source, sink = way.ends(session)
    way.set(udp_gate, "substitute", "hello", "die")
    await source.send(b"hello and hello")
    assert await sink.recv() == b"die and die"
    await passes(way.back, session, b"hello")


@pytest.mark.parametrize("condition, args", [("concat_packets", (10,)), ("smaller_parts", (2,))])
async def test_what_datagrams_do_not_have(udp_gate, way, condition, args):
    with pytest.raises(NotImplementedError, match=condition):
        way.set(udp_gate, condition, *args)


async def test_start_stop(udp_gate, udp_connect, udp_server, way):
    client, _ = await udp_connect()
    address = udp_gate.get_sockname_for_clients()
    way.set(udp_gate, "noop")
    await udp_gate.stop()
    assert not udp_gate.is_connected()
    try:
        await client.send(b"lost")
    except ConnectionRefusedError:
        pass
    udp_gate.start()
    assert udp_gate.get_sockname_for_clients() == address
    await passes_both(way, await udp_connect())


async def test_start_stop_accepting(udp_gate, session, way, udp_server):
    await udp_gate.stop_accepting()
    client = await dialled(udp_gate, datagrams=True)
    await client.send(b"waits")
    await asyncio.sleep(0.1)
    assert not udp_server.has_data()
    udp_gate.start_accepting()
    assert await udp_server.recv_from() == b"waits"
    await passes_both(way, (client, udp_server.answering()))
    client.close()


async def test_sessions_are_apart(udp_gate, udp_connect, way):
    pairs = [await udp_connect() for _ in range(3)]
    for n, pair in enumerate(pairs):
        await passes(way, pair, b"for %d" % n)
    for n, pair in enumerate(reversed(pairs)):
        await passes(way.back, pair, b"back %d" % n)


async def louder(loop, socket_from, socket_to):
    await loop.sock_sendall(socket_to, (await loop.sock_recv(socket_from, 4096)).upper())


async def test_interceptor(udp_gate, session, way):
    source, sink = way.ends(session)
    calls = way.intercept(udp_gate, louder)
    for text in (b"hello", b"again"):
        await source.send(text)
        assert await sink.recv() == text.upper()
    await calls.wait_call()
    assert calls.times_called == 1
    await passes(way.back, session, b"quiet")


async def test_interceptor_has_datagrams_apart(udp_gate, session, way):
    async def reversed_pairs(loop, socket_from, socket_to):
        first, second = [await loop.sock_recv(socket_from, 1 << 16) for _ in range(2)]
        await loop.sock_sendall(socket_to, second)
        await loop.sock_sendall(socket_to, first)

    source, sink = way.ends(session)
    way.intercept(udp_gate, reversed_pairs)
    large = b"x" * 60000
    for data in (b"", b"one", large, b"", b"two", b"three"):
        await source.send(data)
    assert [await sink.recv() for _ in range(6)] == [b"one", b"", b"", large, b"three", b"two"]


async def test_interceptor_loses_and_adds(udp_gate, session, way):
    async def odd(loop, socket_from, socket_to):
        data = await loop.sock_recv(socket_from, 4096)
        if data != b"lose me":
            for _ in range(3):
                await loop.sock_sendall(socket_to, data)

    source, sink = way.ends(session)
    way.intercept(udp_gate, odd)
    await source.send(b"lose me")
    await source.send(b"thrice")
    assert [await sink.recv() for _ in range(3)] == [b"thrice"] * 3


async def test_interceptor_reads_cut_short_as_a_socket_does(udp_gate, session, way):
    async def short(loop, socket_from, socket_to):
        await loop.sock_sendall(socket_to, await loop.sock_recv(socket_from, 3))

    source, sink = way.ends(session)
    way.intercept(udp_gate, short)
    await source.send(b"hello")
    await source.send(b"world")
    assert [await sink.recv() for _ in range(2)] == [b"hel", b"wor"]


async def test_interceptor_of_too_much(udp_gate, session, way):
    got = []

    async def huge(loop, socket_from, socket_to):
        await loop.sock_recv(socket_from, 4096)
        with pytest.raises(OSError):
            await loop.sock_sendall(socket_to, b"x" * 65508)
        got.append(True)
        await loop.sock_sendall(socket_to, b"small")

    source, sink = way.ends(session)
    way.intercept(udp_gate, huge)
    await source.send(b"x")
    assert await sink.recv() == b"small"
    assert got == [True]


async def test_interceptor_closes_the_session(udp_gate, session, way):
    async def error(loop, socket_from, socket_to):
        await loop.sock_recv(socket_from, 4096)
        await loop.sock_sendall(socket_to, b"error")
        raise chaos.GateInterceptException("closing")

    source, sink = way.ends(session)
    way.intercept(udp_gate, error)
    await source.send(b"x")
    assert await sink.recv() == b"error"
    for _ in range(500):
        if not udp_gate.is_connected():
            break
        await asyncio.sleep(0.02)
    assert not udp_gate.is_connected()


async def test_interceptor_that_fails(udp_gate, session, way, caplog):
    async def fails(loop, socket_from, socket_to):
        raise KeyError("a bug in a test")

    way.intercept(udp_gate, fails)
    with caplog.at_level(logging.ERROR, "chaosgate.userver"):
        await way.ends(session)[0].send(b"x")
        for _ in range(500):
            if not udp_gate.is_connected():
                break
            await asyncio.sleep(0.02)
    assert not udp_gate.is_connected()
    [record] = [r for r in caplog.records if r.name == "chaosgate.userver"]
    assert record.exc_info[0] is KeyError


async def test_interceptor_is_replaced_by_a_condition_and_back(udp_gate, session, way):
    source, sink = way.ends(session)
    for _ in range(3):
        way.intercept(udp_gate, louder)
        await source.send(b"hello")
        assert await sink.recv() == b"HELLO"
        way.set(udp_gate, "pass")
        await passes_both(way, session)


async def test_interceptor_that_leaves_datagrams(udp_gate, session, way):
    async def noop(loop, socket_from, socket_to):
        pass

    source, sink = way.ends(session)
    calls = way.intercept(udp_gate, noop)
    await source.send(b"one")
    await source.send(b"two")
    await calls.wait_call()
    assert not sink.has_data()
    way.set(udp_gate, "pass")
    assert [await sink.recv() for _ in range(2)] == [b"one", b"two"]
    await passes_both(way, session)


async def test_interceptor_that_waits_for_more_is_ended(udp_gate, session, way):
    async def two(loop, socket_from, socket_to):
        await loop.sock_recv(socket_from, 4096)
        await loop.sock_recv(socket_from, 4096)

    way.intercept(udp_gate, two)
    await way.ends(session)[0].send(b"only one")
    await asyncio.sleep(0.05)
    await udp_gate.stop()
    assert len([t for t in asyncio.all_tasks() if t is not asyncio.current_task()]) == 0

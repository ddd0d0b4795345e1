"""Each condition, in both directions."""

import asyncio
import time

import pytest

import chaosgate

from .wire import NEEDS, passes, passes_both

pytest.importorskip("pytest_asyncio", reason=NEEDS)
pytestmark = pytest.mark.asyncio


async def test_noop_then_pass(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    calls = way.set(gate, "noop")
    await source.send(b"ping")
    await passes(way.back, pair)
    await calls.wait_call()
    assert not sink.has_data()
    way.set(gate, "pass")
    assert await sink.recv_exactly(4) == b"ping"
    await passes_both(way, pair)


async def test_drop_then_pass(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    calls = way.set(gate, "drop")
    await source.send(b"ping")
    await passes(way.back, pair)
    await calls.wait_call()
    way.set(gate, "pass")
    await passes_both(way, pair)  # ping would come first
    assert not sink.has_data()


async def test_delay(gate, connect, way):
    pair = await connect()
    await way.set(gate, "delay", 0.3)
    await passes(way.back, pair)
    begun = time.monotonic()
    await passes(way, pair)
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize("given", [((0.1,), {}), ((), {"delay_seconds": 0.1}), ((), {"delay": 0.1})], ids=str)
async def test_delay_by_any_name(gate, way, given, client):
    args, kwargs = given
    way.set(gate, "delay", *args, **kwargs)
    [imposed] = client.gates()[0].faults()
    assert imposed.fault == chaosgate.Delay(by=0.1)


async def test_delay_wants_one_value(gate, way):
    with pytest.raises(TypeError, match="delay"):
        way.set(gate, "delay")
    with pytest.raises(TypeError, match="delay"):
        way.set(gate, "delay", 0.1, delay=0.1)


async def test_close_on_data(gate, connect, way):
    first, second = await connect(), await connect()
    calls = way.set(gate, "close_on_data")
    await passes(way.back, first)
    assert gate.connections_count() == 2
    source, sink = way.ends(first)
    await source.send(b"die")
    await sink.ended()
    await source.ended()
    await calls.wait_call()
    assert calls.times_called == 0
    way.set(gate, "pass")
    await passes_both(way, second)


async def test_corrupt_data(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.set(gate, "corrupt_data")
    await passes(way.back, pair)
    await source.send(b"break me")
    got = await sink.recv_exactly(8)
    assert len(got) == 8
    assert not [1 for sent, came in zip(b"break me", got) if sent == came]
    way.set(gate, "pass")
    await passes_both(way, pair)


async def test_limit_bps(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.set(gate, "limit_bps", 2)
    begun = time.monotonic()
    await source.send(b"hello")
    got = await sink.recv(5)
    assert b"hello".startswith(got)
    assert 0 < len(got) < 5
    for _ in range(5):
        if got == b"hello":
            break
        got += await sink.recv(5)
    assert got == b"hello"
    assert time.monotonic() - begun >= 1


async def test_limit_time(gate, connect, way):
    with_data, without = await connect(), await connect()
    way.set(gate, "limit_time", 0.3, jitter=0.0)
    await passes(way.back, with_data)
    await passes(way.back, without)
    begun = time.monotonic()
    await passes(way, with_data)
    source, sink = way.ends(with_data)
    await sink.ended()
    await source.ended()
    assert time.monotonic() - begun >= 0.3
    way.set(gate, "pass")
    await passes_both(way, without)


async def test_limit_time_varies(gate, way, client):
    way.set(gate, "limit_time", 1, 0.5)
    [imposed] = client.gates()[0].faults()
    assert imposed.fault == chaosgate.Lifetime(for_=1, jitter=0.5, from_="data")


async def test_smaller_parts(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.set(gate, "smaller_parts", 2)
    parts = 0
    for _ in range(20):
        await source.send(b"hello")
        got = await sink.recv(5)
        parts += 0 < len(got) < 5
        if len(got) < 5:
            got += await sink.recv_exactly(5 - len(got))
        assert got == b"hello"
    # The pieces are a millisecond apart: a reader that the machine keeps from reading for longer finds them all.
    assert parts >= 10


async def test_smaller_parts_with_sleep(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.set(gate, "smaller_parts", 1, sleep_per_packet=0.05)
    begun = time.monotonic()
    await source.send(b"hello")
    assert await sink.recv_exactly(5) == b"hello"
    assert time.monotonic() - begun >= 0.2  # four pauses


async def test_concat_packets(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.set(gate, "concat_packets", 10)
    await source.send(b"hello")
    await passes(way.back, pair)
    assert not sink.has_data()
    await source.send(b"world")
    assert await sink.recv(10) == b"helloworld"
    way.set(gate, "pass")
    await passes_both(way, pair)


async def test_concat_packets_above_a_buffer(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.set(gate, "concat_packets", 9000)
    for _ in range(3):
        await source.send(b"x" * 3000)
    assert await sink.recv_exactly(9000) == b"x" * 9000


async def test_limit_bytes(gate, connect, way):
    pairs = [await connect(), await connect()]
    calls = way.set(gate, "limit_bytes", 12)
    for pair, data in zip(pairs, (b"hello", b"die now")):
        await passes(way.back, pair)
        await passes(way, pair, data)
    for pair in pairs:
        for sock in pair:
            await sock.ended()
    await calls.wait_call()
    pair = await connect()
    await passes(way.back, pair)
    await passes(way, pair, b"XXXX die now")
    for sock in pair:
        await sock.ended()


async def test_limit_bytes_set_again_counts_anew(gate, connect, way):
    pair = await connect()
    way.set(gate, "limit_bytes", 8)
    await passes(way, pair, b"hello")
    way.set(gate, "limit_bytes", 8)
    await passes(way, pair, b"all of 8")
    for sock in pair:
        await sock.ended()


@pytest.mark.parametrize(
    "pattern, repl, said, want",
    [
        ("hello", "die", b"hello", b"die"),
        ("hello", "$1 and $", b"hello", b"$1 and $"),
        (r"(\w+)@(\w+)", r"\2 at \g<1>", b"me@home", b"home at me"),
        (r"(?P<who>me)", r"<\g<who>>", b"me", b"<me>"),
        (r"x+", r"a\\b\n", b"xxx", b"a\\b\n"),
        ("nothing", "else", b"hello", b"hello"),
    ],
)
async def test_substitute(gate, connect, way, pattern, repl, said, want):
    pair = await connect()
    source, sink = way.ends(pair)
    way.set(gate, "substitute", pattern, repl)
    await source.send(said + b"\n")
    assert await sink.recv_exactly(len(want) + 1) == want + b"\n"
    await passes(way.back, pair, said)


async def test_substitute_leaves_a_message_in_one_piece(gate, connect, way):
    pair = await connect()
    source, sink = way.ends(pair)
    way.set(gate, "substitute", "hello", "die")
    for _ in range(20):
        await source.send(b"hello")
        assert await sink.recv(10) == b"die"


async def test_what_is_refused_changes_nothing(gate, connect, way):
    pair = await connect()
    calls = way.set(gate, "delay", 0.01)
    for condition, args, words in (
        ("substitute", ("(?=lookahead)", "x"), "pattern"),
        ("substitute", ("x", r"\q"), "repl"),
        ("limit_bps", (0,), "rate"),
        ("limit_bytes", (-1,), "bytes"),
        ("smaller_parts", (0,), "size"),
        ("delay", (-1,), "by"),
    ):
        with pytest.raises(ValueError, match=words):
            way.set(gate, condition, *args)
    await passes(way, pair)
    await calls.wait_call()


async def test_a_condition_replaces_the_one_before(gate, connect, way, client):
    pair = await connect()
    for condition, args in (("noop", ()), ("delay", (0.01,)), ("drop", ()), ("corrupt_data", ()), ("smaller_parts", (3,))):
        way.set(gate, condition, *args)
        assert len(client.gates()[0].faults()) == 1
    way.set(gate, "pass")
    assert client.gates()[0].faults() == []
    await passes_both(way, pair)


async def test_directions_are_apart(gate, connect):
    client, server = await connect()
    gate.to_server_noop()
    gate.to_client_delay(0.01)
    gate.to_client_pass()
    await client.send(b"ping")
    await server.send(b"pong")
    assert await client.recv_exactly(4) == b"pong"
    assert not server.has_data()
    gate.to_server_pass()
    assert await server.recv_exactly(4) == b"ping"


async def test_setters_from_other_threads(gate, connect, way):
    pair = await connect()
    await asyncio.get_running_loop().run_in_executor(None, way.set, gate, "delay", 0.01)
    await passes(way, pair)

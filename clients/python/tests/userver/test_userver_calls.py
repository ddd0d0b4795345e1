"""The queues that setters return."""

import asyncio

import pytest

from chaosgate import userver as chaos

from .wire import NEEDS, passes

pytest.importorskip("pytest_asyncio", reason=NEEDS)
pytestmark = pytest.mark.asyncio


async def test_may_be_awaited_or_not(gate, way):
    for condition, args in (("noop", ()), ("delay", (0.01,)), ("pass", ())):
        calls = way.set(gate, condition, *args)
        assert isinstance(calls, chaos.CallQueue)
        assert await calls is calls


async def test_counts_what_fired(gate, connect, way):
    pair = await connect()
    calls = await way.set(gate, "delay", 0.001)
    assert (calls.times_called, calls.has_calls) == (0, False)
    with pytest.raises(chaos.CallQueueEmpty):
        calls.next_call()
    for _ in range(3):
        await passes(way, pair)
    assert (calls.times_called, calls.has_calls) == (3, True)
    calls.next_call()
    await calls.wait_call(timeout=0)
    assert calls.times_called == 1
    calls.flush()
    assert calls.times_called == 0
    with pytest.raises(asyncio.TimeoutError):
        await calls.wait_call(timeout=0.05)


async def test_wait_call_waits(gate, connect, way):
    pair = await connect()
    calls = way.set(gate, "drop")
    waiting = asyncio.ensure_future(calls.wait_call(timeout=30))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await way.ends(pair)[0].send(b"x")
    await waiting


async def test_outlives_its_condition(gate, connect, way):
    pair = await connect()
    calls = way.set(gate, "delay", 0.001)
    never = way.back.set(gate, "noop")
    await passes(way, pair)
    way.set(gate, "pass")
    way.back.set(gate, "pass")
    assert calls.times_called == 1
    await calls.wait_call()
    for queue in (calls, never):
        with pytest.raises(chaos.CallQueueTimeout, match="replaced"):
            await queue.wait_call()


async def test_outlives_its_gate(server, way):
    async with chaos.TcpGate(chaos.GateRoute("short", "localhost", server.port)) as gate:
        calls = way.set(gate, "noop")
    assert calls.times_called == 0


async def test_the_same_condition_again_begins_at_none(gate, connect, way):
    pair = await connect()
    first = way.set(gate, "delay", 0.001)
    await passes(way, pair)
    second = way.set(gate, "delay", 0.001)
    assert (first.times_called, second.times_called) == (1, 0)
    await passes(way, pair)
    assert (first.times_called, second.times_called) == (1, 1)


async def test_of_pass(gate, connect, way):
    pair = await connect()
    await passes(way, pair)
    calls = way.set(gate, "pass")
    with pytest.raises(chaos.CallQueueTimeout):
        await calls.wait_call(timeout=0.05)
    await passes(way, pair)
    await calls.wait_call()
    assert calls.times_called == 0


async def test_of_an_interceptor_times_out(gate, way):
    async def nothing(loop, socket_from, socket_to):
        pass

    calls = way.intercept(gate, nothing)
    with pytest.raises(chaos.CallQueueTimeout, match=way.name):
        await calls.wait_call(timeout=0.05)
    with pytest.raises(chaos.CallQueueEmpty):
        calls.next_call()

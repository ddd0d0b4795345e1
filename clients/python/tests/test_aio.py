import asyncio
import inspect

import pytest
from peers import dial

import chaosgate as package
from chaosgate import Delay, Stall, TimedOut, Unknown, aio


@pytest.fixture
def url(client):
    return client.url


async def say(gate, data=b"ping"):
    reader, writer = await asyncio.open_connection(*gate.address)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.readexactly(len(data)), 30)
    finally:
        writer.close()


def test_a_gate_from_its_making_to_its_end(url, echo):
    async def story():
        async with aio.Client(url) as client:
            async with await client.gate("g", echo, to_client=[Delay(by=0.001)]) as gate:
                assert await say(gate) == b"ping"
                assert [await imposed.hits > 0 for imposed in await gate.faults()] == [True]
                assert await gate.door == "open"
                assert (await client["g"]).address == gate.address
                async with await gate.to_server.add(Delay(by=0.001)) as slow:
                    assert await say(gate) == b"ping"
                    assert await slow.wait(1, timeout=30) >= 1
                assert await slow.hits > 0
                await gate.set_door("refuse")
                with pytest.raises(ConnectionRefusedError):
                    await say(gate)
                await gate.heal()
                with pytest.raises(asyncio.TimeoutError) as late:
                    await gate.wait_connections(5, timeout=0.05)
                assert type(late.value) is TimedOut
            with pytest.raises(Unknown):
                await gate.status()

    asyncio.run(story())


def test_a_call_that_is_cancelled_costs_nothing_else(url, echo):
    async def story():
        async with aio.Client(url) as client:
            async with await client.gate("g", echo) as gate:
                for wait in (0, 0.001, 0.05):
                    waiting = asyncio.ensure_future(gate.wait_connections(1, timeout=None))
                    await asyncio.sleep(wait)
                    waiting.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await waiting
                    await gate.to_client.set(Delay(by=wait))
                    assert [i.fault for i in await gate.faults()] == [Delay(by=wait)]

    asyncio.run(story())


def test_many_ask_at_once(url, echo):
    async def one(client, n):
        async with await client.gate(f"g{n}", echo) as gate:
            [slow] = await gate.to_client.set(Delay(by=0.001))
            assert await say(gate) == b"ping"
            return await slow.hits > 0

    async def story():
        async with aio.Client(url) as client:
            return await asyncio.gather(*(one(client, n) for n in range(50)))

    assert asyncio.run(story()) == [True] * 50


def test_one_client_serves_many_loops(url):
    client = aio.Client(url)
    for _ in range(3):
        assert asyncio.run(client.gates()) == []
    client.drop()


def test_events_and_leases(url, echo):
    async def story():
        async with aio.Client(url) as client, await client.events(types=("created", "removed")) as events:
            async with await client.hold("held", 10):
                await client.gate("g", echo, lease="held")
            assert [(await events.next(30)).type for _ in range(2)] == ["created", "removed"]
            with pytest.raises(TimedOut):
                await events.next(0.02)
            following = asyncio.ensure_future(collect(events))
            await asyncio.sleep(0.01)
            await events.aclose()
            assert await asyncio.wait_for(following, 30) == []

    async def collect(events):
        return [event async for event in events]

    asyncio.run(story())


def test_recovers(url, echo):
    async def story():
        async with aio.Client(url) as client:
            async with await client.gate("g", echo, door="refuse") as gate:
                opening = asyncio.ensure_future(open_later(gate))
                assert await aio.recovers(lambda: say(gate), within=30) > 0
                await opening
                await gate.to_client.set(Stall())
                with pytest.raises(AssertionError, match="has not recovered within 0.2 s"):
                    await aio.recovers(lambda: say(gate), within="200ms")

    async def open_later(gate):
        await asyncio.sleep(0.05)
        await gate.set_door("open")

    asyncio.run(story())


def test_the_same_names_as_for_threads():
    for name in aio.__all__:
        both = getattr(aio, name), getattr(package, name)
        names = [{n for n in vars(cls) if not n.startswith("_")} - {"aclose", "close"} for cls in both if inspect.isclass(cls)]
        assert names == [] or names[0] == names[1]


def test_recovers_for_threads(client, echo):
    calls = []

    def third():
        calls.append(1)
        return len(calls) == 3

    assert package.recovers(third, within=30) > 0 and len(calls) == 3
    with pytest.raises(AssertionError, match="the last error: it returned False"):
        package.recovers(lambda: False, within=0.05)
    with client.gate("g", echo, door="refuse") as gate, pytest.raises(AssertionError, match="ConnectionRefusedError") as failed:
        package.recovers(lambda: dial(gate), within=0.05)
    assert isinstance(failed.value.__cause__, ConnectionRefusedError)

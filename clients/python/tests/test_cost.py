import asyncio
import statistics
import time

from chaosgate import Delay, aio

TIMES = 300


def told(what, seconds):
    ordered = sorted(seconds)
    print(f"{what}: {statistics.median(ordered) * 1e3:.2f} ms at the median, {ordered[len(ordered) * 99 // 100] * 1e3:.2f} ms at the 99th percentile")


def test_what_a_setter_costs(client, echo, capsys):
    """Measures, and says so with -s or -rP: a busy machine is no failure. What is asserted is that one connection does for all of it."""
    seconds = []
    with client.gate("g", echo) as gate:
        for n in range(TIMES):
            start = time.perf_counter()
            gate.to_client.set(Delay(by=n / 1000))
            seconds.append(time.perf_counter() - start)
        assert [imposed.fault for imposed in gate.to_client.faults()] == [Delay(by=(TIMES - 1) / 1000)]
    assert len(client._transport._idle) <= 8

    async def story():
        took = []
        async with aio.Client(client.url) as other, await other.gate("g", echo) as gate:
            for n in range(TIMES):
                start = time.perf_counter()
                await gate.to_client.set(Delay(by=n / 1000))
                took.append(time.perf_counter() - start)
            assert len(other._transport._idle) == 1
        return took

    told("a setter", seconds)
    told("a setter of chaosgate.aio", asyncio.run(story()))

"""What the service does when the network before its database is bad, and that it recovers."""

import asyncio

import pytest
from conftest import works

from chaosgate import userver as chaos

pytestmark = pytest.mark.asyncio


async def check_that_restores(service, gate):
    """Lifts what was imposed, and waits until connections are there and requests succeed."""
    gate.to_server_pass()
    gate.to_client_pass()
    gate.start_accepting()
    await gate.wait_for_connections(timeout=30)
    assert gate.connections_count() >= 1
    await works(service)


async def test_works(service, gate):
    status, [order] = await service("POST", "/orders", {"item": "tea"})
    assert (status, order["item"]) == (201, "tea")
    status, orders = await service("GET", "/orders")
    assert status == 200
    assert order in orders


async def test_congestion_control(service, gate):
    """A database that sheds load closes connections as soon as data arrives."""
    to_server = gate.to_server_close_on_data()
    gate.to_client_close_on_data()
    for _ in range(gate.connections_count()):
        status, _ = await service("GET", "/orders")
        assert status == 503
    await to_server.wait_call()  # it was the gate that has closed them

    await check_that_restores(service, gate)


async def test_database_does_not_answer(service, gate):
    silence = gate.to_client_noop()
    status, said = await service("GET", "/orders")
    assert status == 503
    assert "has not answered" in said["error"] or "no connection" in said["error"]
    await silence.wait_call()

    await check_that_restores(service, gate)


async def test_database_accepts_no_connections(service, gate):
    await gate.stop_accepting()
    await gate.sockets_close()
    assert (await service("GET", "/orders"))[0] == 503

    await check_that_restores(service, gate)


async def test_database_is_restarted(service, gate):
    await gate.stop()
    assert (await service("GET", "/orders"))[0] == 503
    gate.start()

    await check_that_restores(service, gate)


@pytest.mark.parametrize("condition", ["smaller_parts", "delay"])
async def test_slow_but_sound(service, gate, condition):
    """A bad connection is no error."""
    value = {"smaller_parts": 20, "delay": 0.05}[condition]
    fired = [getattr(gate, f"{direction}_{condition}")(value) for direction in ("to_server", "to_client")]
    status, _ = await service("POST", "/orders", {"item": "coffee"})
    assert status == 201
    for calls in fired:
        await calls.wait_call()


async def test_answers_end_anywhere(service, gate):
    for limit in (10, 60):
        limited = gate.to_client_limit_bytes(limit)
        statuses = {(await service("GET", "/orders"))[0] for _ in range(2)}
        assert statuses <= {200, 503}
        assert 503 in statuses
        await limited.wait_call()

    await check_that_restores(service, gate)


async def test_database_is_shut_down_behind_its_answer(service, gate):
    """An interceptor speaks PostgreSQL: it puts the administrator's farewell in the place of the end of an answer."""
    fields = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
    farewell = b"E" + (len(fields) + 4).to_bytes(4, "big") + fields

    async def shut_down(loop, socket_from, socket_to):
        answer = b""
        while b"Z\0\0\0\5" not in answer:  # ready for the next query
            answer += await loop.sock_recv(socket_from, 4096)
        await loop.sock_sendall(socket_to, answer[: answer.index(b"Z\0\0\0\5")] + farewell)
        raise chaos.GateInterceptException("shut down")

    calls = gate.set_to_client_interceptor(shut_down)
    status, said = await service("GET", "/orders")
    assert status == 503
    await asyncio.wait_for(calls.wait_call(), 30)

    await check_that_restores(service, gate)

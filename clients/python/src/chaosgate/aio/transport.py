"""How chaosgate.aio reaches a daemon: sockets that no event loop owns, so that one client serves the loops of many tests.

Only this module knows that it is asyncio; chaosgate.sync has another in its place.
"""

import asyncio
import inspect
import socket
from typing import Any, Awaitable, Callable, List, Optional, Tuple, Type

from ..http import Address, Broken, Reply
from ..line import KEPT, Line, Tail

TIMEOUTS: Tuple[Type[BaseException], ...] = (asyncio.TimeoutError, TimeoutError)


class Transport:
    """Sends requests and reads answers. One that is cancelled costs its connection, and nothing else."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._idle: List[Line] = []

    async def exchange(self, message: bytes, within: float, again: bool) -> Reply:
        """Returns the answer to a request; again says that it may be sent twice. It raises OSError or Broken."""
        return await asyncio.wait_for(self._exchange(message, again), within)

    async def stream(self, message: bytes, within: float) -> "Stream":
        """Returns the answer to a request as soon as it has begun."""
        return await asyncio.wait_for(self._stream(message), within)

    def drop(self) -> None:
        """Lets go of the connections that are kept."""
        while self._idle:
            self._idle.pop().close()

    async def _exchange(self, message: bytes, again: bool) -> Reply:
        line = await self._line()
        try:
            reply = await _ask(line, message)
        except (OSError, Broken):
            line.close()
            if not (line.used and again):
                raise
            line = await _connected(self.address)  # the daemon may have ended the other as the request was on its way
            reply = await _ask(line, message)
        line.used = True
        if reply.keeps and len(self._idle) < KEPT:
            self._idle.append(line)
        else:
            line.close()
        return reply

    async def _stream(self, message: bytes) -> "Stream":
        line = await _connected(self.address)
        try:
            await asyncio.get_running_loop().sock_sendall(line.socket, message)
            reply = Reply()
            while not reply.begun:
                reply.feed(await _read(line))
        except BaseException:
            line.close()
            raise
        return Stream(line, reply)

    async def _line(self) -> Line:
        while self._idle:
            line = self._idle.pop()
            if line.usable():
                return line
            line.close()
        return await _connected(self.address)


async def _connected(address: Address) -> Line:
    loop = asyncio.get_running_loop()
    why: Optional[OSError] = None
    flags = socket.AI_NUMERICHOST  # which cannot block
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=flags)
    except socket.gaierror:
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, where in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            await loop.sock_connect(connection, where)
            return Line(connection)
        except OSError as err:
            connection.close()
            why = err
        except BaseException:
            connection.close()
            raise
    raise why or OSError(f"{address.host} has no address")


async def _ask(line: Line, message: bytes) -> Reply:
    try:
        await asyncio.get_running_loop().sock_sendall(line.socket, message)
        reply = Reply()
        while not reply.done:
            reply.feed(await _read(line))
        return reply
    except BaseException:
        line.close()
        raise


async def _read(line: Line) -> bytes:
    return await asyncio.get_running_loop().sock_recv(line.socket, 1 << 16)


class Stream(Tail):
    """Is an answer that goes on."""

    async def read(self, within: float) -> bytes:
        """Returns more of the body; nothing at its end, or when it was closed meanwhile."""
        if not self.begin():
            return b""
        try:
            while not (data := self.reply.body()) and not self.reply.done:
                self.reply.feed(await asyncio.wait_for(_read(self.line), within))
            return data
        finally:
            self.finish()

    async def rest(self, within: float) -> bytes:
        """Returns the rest of the body."""
        data = bytearray()
        while part := await self.read(within):
            data += part
        return bytes(data)

    async def aclose(self) -> None:
        """Ends it, also where another task reads."""
        self.end()


class Worker:
    """Is a task that works on the side."""

    def __init__(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        self._task = asyncio.ensure_future(work())
        self._task.set_name(name)

    async def join(self) -> None:
        """Ends the task, and waits for that."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def pause(seconds: float) -> None:
    """Lets time go by."""
    await asyncio.sleep(seconds)


async def outcome(call: Callable[[], Any], within: float) -> Any:
    """Returns what a call returns; one that is asynchronous is waited for, and given up when its time is over."""
    result = call()
    if inspect.isawaitable(result):
        result = await asyncio.wait_for(result, within)
    return result

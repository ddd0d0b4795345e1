"""How chaosgate.aio reaches a daemon: connections of asyncio's, kept to be used again. Only this module knows that it is asyncio."""

import asyncio
import inspect
import os
import ssl
from typing import Any, Awaitable, Callable, List, Optional, Tuple

from ..http import Address, Broken, Reply

KEPT = 8  # connections that are kept at most while nothing is asked


class _Line:
    """Is one connection, in one event loop of one process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.owner = (os.getpid(), asyncio.get_running_loop())
        self.used = False

    def usable(self) -> bool:
        """Tells whether the connection still stands: a daemon that has ended it has said so."""
        return self.owner == (os.getpid(), asyncio.get_running_loop()) and not self.reader.at_eof() and not self.writer.is_closing()

    def close(self) -> None:
        if not self.owner[1].is_closed() and self.owner[0] == os.getpid():
            self.writer.transport.abort()


class Transport:
    """Sends requests and reads answers. One that is cancelled costs its connection, and nothing else."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._idle: List[_Line] = []

    async def exchange(self, message: bytes, within: Optional[float], again: bool) -> Reply:
        """Returns the answer to a request; again says that it may be sent twice. It raises OSError or Broken."""
        return await asyncio.wait_for(self._exchange(message, again), within)

    async def stream(self, message: bytes, within: Optional[float]) -> "Stream":
        """Returns the answer to a request as soon as it has begun."""

        async def begin() -> Stream:
            line = await self._open()
            try:
                line.writer.write(message)
                reply = Reply()
                while not reply.begun:
                    reply.feed(await line.reader.read(1 << 16))
                return Stream(line, reply)
            except BaseException:
                line.close()
                raise

        return await asyncio.wait_for(begin(), within)

    async def aclose(self) -> None:
        """Lets go of the connections that are kept."""
        while self._idle:
            self._idle.pop().close()
        await asyncio.sleep(0)  # in which asyncio closes them

    async def _exchange(self, message: bytes, again: bool) -> Reply:
        line = await self._line()
        reply = Reply()
        try:
            line.writer.write(message)
            while not reply.done:
                reply.feed(await line.reader.read(1 << 16))
        except (OSError, Broken):
            line.close()
            if line.used and again and not reply.begun:  # the daemon may have ended it as the request was on its way
                line = await self._open()
                reply = Reply()
                try:
                    line.writer.write(message)
                    while not reply.done:
                        reply.feed(await line.reader.read(1 << 16))
                except BaseException:
                    line.close()
                    raise
            else:
                raise
        except BaseException:
            line.close()
            raise
        line.used = True
        if reply.keeps and len(self._idle) < KEPT:
            self._idle.append(line)
        else:
            line.close()
        return reply

    async def _line(self) -> _Line:
        while self._idle:
            line = self._idle.pop()
            if line.usable():
                return line
            line.close()
        return await self._open()

    async def _open(self) -> _Line:
        context = ssl.create_default_context() if self.address.secure else None
        return _Line(*await asyncio.open_connection(self.address.host, self.address.port, ssl=context))


class Stream:
    """Is an answer that goes on."""

    def __init__(self, line: _Line, reply: Reply) -> None:
        self._line = line
        self.reply = reply

    async def read(self, within: Optional[float]) -> bytes:
        """Returns more of the body; nothing at its end."""
        while not (data := self.reply.body()) and not self.reply.done:
            self.reply.feed(await asyncio.wait_for(self._line.reader.read(1 << 16), within))
        return data

    async def rest(self, within: Optional[float]) -> bytes:
        """Returns the rest of the body."""
        data = bytearray()
        while part := await self.read(within):
            data += part
        return bytes(data)

    async def aclose(self) -> None:
        """Ends it."""
        self._line.close()


class Worker:
    """Is a task that works on the side."""

    def __init__(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        self._task = asyncio.ensure_future(work())

    async def join(self) -> None:
        """Ends the task, and waits for that."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


Event = asyncio.Event


async def wait_event(event: asyncio.Event, within: Optional[float]) -> bool:
    """Waits for an event, and tells whether it has come."""
    try:
        await asyncio.wait_for(event.wait(), within)
    except asyncio.TimeoutError:
        return False
    return True


async def pause(seconds: float) -> None:
    """Lets time go by."""
    await asyncio.sleep(seconds)


async def outcome(call: Callable[[], Any], within: float) -> Any:
    """Returns what a call returns; one that is asynchronous is waited for, and given up when its time is over."""
    result = call()
    if inspect.isawaitable(result):
        result = await asyncio.wait_for(result, within)
    return result


TIMEOUTS: Tuple[type, ...] = (asyncio.TimeoutError, TimeoutError)

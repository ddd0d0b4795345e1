"""How datagrams reach an interceptor: the daemon sends each behind its length, and here each is one again."""

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from .pump import CHUNK, pump, readable
from .sockets import pairs

if TYPE_CHECKING:
    from .interception import Interception

LENGTH = struct.Struct(">H")
GRACE = 0.9  # seconds for which an interceptor may go on when nothing more will come: the daemon waits for one


async def carry_datagrams(interception: "Interception", conn: socket.socket) -> None:
    """Carries a session's datagrams in one direction through the interceptor."""
    loop = interception.loop
    source, from_, to, sink = pairs()
    said, done = loop.create_future(), loop.create_future()  # the source has said all, the interceptor has
    reading = loop.create_task(_unframe(loop, conn, source, said))
    working = loop.create_task(pump(interception, from_, to, said))
    writing = loop.create_task(_frame(loop, sink, conn, done))
    try:
        await asyncio.wait([said, working], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait([working], timeout=GRACE)
        done.set_result(None)
        await asyncio.wait([writing], timeout=GRACE)
    finally:
        for task in (reading, working, writing):
            task.cancel()
        await asyncio.gather(reading, working, writing, return_exceptions=True)
        for end in (source, from_, to, sink, conn):
            end.close()


async def _unframe(loop: asyncio.AbstractEventLoop, conn: socket.socket, source: socket.socket, said: "asyncio.Future[None]") -> None:
    """Hands over the datagrams that the daemon sends."""
    held = b""
    try:
        while data := await loop.sock_recv(conn, CHUNK):
            held += data
            while len(held) >= LENGTH.size:
                end = LENGTH.size + LENGTH.unpack_from(held)[0]
                if len(held) < end:
                    break
                datagram, held = held[LENGTH.size : end], held[end:]
                await loop.sock_sendall(source, datagram)
    except OSError:  # the session is over, or the interceptor has closed its end
        pass
    finally:
        if not said.done():
            said.set_result(None)


async def _frame(loop: asyncio.AbstractEventLoop, sink: socket.socket, conn: socket.socket, done: "asyncio.Future[None]") -> None:
    """Sends the datagrams of the interceptor to the daemon."""
    try:
        while await readable(loop, sink, done):
            datagram = await loop.sock_recv(sink, CHUNK)
            await loop.sock_sendall(conn, LENGTH.pack(len(datagram)) + datagram)
    except OSError:  # the session is over
        pass

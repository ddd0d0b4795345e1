"""How an interceptor is called for one connection: again and again while data is there, and never for nothing."""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Any, Optional

from .route import ConnectionClosedError, GateInterceptException
from .sockets import SocketFrom, SocketTo

if TYPE_CHECKING:
    from .interception import Interception

REST = 0.001  # seconds after a call that has left all data where it was
CHUNK = 1 << 16  # bytes: the largest datagram, and more than a read of a stream needs

logger = logging.getLogger("chaosgate.userver")


async def readable(loop: asyncio.AbstractEventLoop, sock: socket.socket, over: "Optional[asyncio.Future[None]]" = None) -> bool:
    """Waits until there is something to read, and tells whether that is data: False is the end of the stream; of datagrams, that over is
    done and nothing is left.
    """
    while True:
        try:
            return socket.socket.recv(sock, 1, socket.MSG_PEEK) != b"" or sock.type == socket.SOCK_DGRAM
        except (BlockingIOError, InterruptedError):
            pass
        if over is not None and over.done():
            return False
        ready: "asyncio.Future[None]" = loop.create_future()
        loop.add_reader(sock, _done, ready)
        try:
            await asyncio.wait([ready] if over is None else [ready, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(sock)


def _done(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


async def pump(interception: "Interception", from_: SocketFrom, to: SocketTo, over: "Optional[asyncio.Future[None]]" = None) -> bool:
    """Has data pass through whatever interceptor there is, and tells at the end whether that was the source's: False if the interceptor has
    closed the connection, or has failed, which is reported.
    """
    loop = interception.loop
    while await readable(loop, from_, over):
        f = interception.interceptor
        if f is None:  # it was replaced: what it has left goes on as it came
            await loop.sock_sendall(to, await loop.sock_recv(from_, CHUNK))
            continue
        before = _waiting(from_)
        try:
            await f(loop, from_, to)
        except GateInterceptException as err:
            logger.info("%s: the interceptor closes the connection: %s", interception.name, err)
            return False
        except ConnectionClosedError:  # it waited for more, and the source has ended
            return True
        except ConnectionError:
            return False
        except Exception:
            logger.exception("%s: the interceptor has failed, and its connection is closed", interception.name)
            return False
        finally:
            interception.calls.note({"loop": loop, "socket_from": from_, "socket_to": to})
        await asyncio.sleep(REST if before is not None and _waiting(from_) == before else 0)
    return True


def _waiting(sock: socket.socket) -> Optional[Any]:
    """Returns what is there to be read, or None for nothing."""
    try:
        return socket.socket.recv(sock, CHUNK, socket.MSG_PEEK)
    except OSError:
        return None

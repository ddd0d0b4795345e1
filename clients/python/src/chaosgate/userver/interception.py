"""What stands behind an interceptor: an address in the test's own loop, to which the daemon sends a direction's data on a detour."""

import asyncio
import logging
import socket
import struct
from typing import Any, Callable, Coroutine, Optional, Set

from .calls import Calls
from .datagrams import carry_datagrams
from .pump import CHUNK, pump
from .setters import Interceptor
from .sockets import SocketFrom, ends

# How long, in seconds, the daemon may still come after the interceptor was replaced: it waits a second for what is under way.
LAST_CALL = 2.0

logger = logging.getLogger("chaosgate.userver")

# A way to carry one connection's data through an interceptor, up to its end.
Carrier = Callable[["Interception", socket.socket], Coroutine[Any, Any, None]]


class Interception:
    """Is an interceptor at work on a direction. Everything happens in one event loop.

    The interceptor may be replaced by another while it works: each call takes the one that there is. Without one, data goes on as it is.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, datagrams: bool) -> None:
        self.name = name
        self.loop = loop
        self.interceptor: Optional[Interceptor] = None
        self.calls = Calls(name)
        self._carry: Carrier = carry_datagrams if datagrams else carry_stream
        self._tasks: "Set[asyncio.Task[None]]" = set()
        self._listener = socket.socket()
        self._listener.setblocking(False)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"
        loop.add_reader(self._listener, self._accept)

    def use(self, interceptor: Interceptor) -> Calls:
        """Has an interceptor called from now on."""
        self.interceptor = interceptor
        self.calls = Calls(self.name)
        return self.calls

    def retire(self) -> None:
        """Lets what is under way come to its end, after the daemon was told to send no more."""
        self.interceptor = None
        if not self.loop.is_running():
            self.close()
        else:
            self.loop.call_later(LAST_CALL, self.close)

    async def aclose(self) -> None:
        """Ends everything at once."""
        self.interceptor = None
        self.close()
        if self.loop is asyncio.get_running_loop():
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self) -> None:
        try:
            conn, _ = self._listener.accept()
        except OSError:  # it went away again
            return
        conn.setblocking(False)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self.loop.create_task(self._carry(self, conn))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("%s: the connection has failed", self.name, exc_info=task.exception())

    def close(self) -> None:
        """Lets the daemon connect no more."""
        if self._listener.fileno() >= 0:
            if not self.loop.is_closed():
                self.loop.remove_reader(self._listener)
            self._listener.close()


async def carry_stream(interception: Interception, conn: socket.socket) -> None:
    """Carries a connection's data in one direction through the interceptor.

    An end before the source's has the daemon close the connection. When the source has ended already only a reset does that.
    """
    loop = interception.loop
    from_, to = ends(conn)
    whole = False
    try:
        whole = await pump(interception, from_, to) or not from_.ended
        if whole:
            to.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(_rest(loop, from_), LAST_CALL)
    except (OSError, asyncio.TimeoutError):  # the connection is over
        pass
    finally:
        if not whole:
            from_.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        to.close()
        from_.close()


async def _rest(loop: asyncio.AbstractEventLoop, from_: SocketFrom) -> None:
    """Reads what is left: to close a socket that was not read to its end is to reset it, and what was sent could be lost."""
    while not from_.ended:
        await loop.sock_recv(from_, CHUNK)

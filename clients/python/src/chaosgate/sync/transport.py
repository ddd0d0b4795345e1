"""How chaosgate reaches a daemon: connections that are kept to be used again. All threads may use them."""

import os
import select
import socket
import ssl
import threading
import time
from typing import Any, Callable, List, Optional, Tuple

from ..http import Address, Broken, Reply

KEPT = 8  # connections that are kept at most while nothing is asked


class _Line:
    """Is one connection, in one process."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.owner = os.getpid()
        self.used = False

    def usable(self) -> bool:
        """Tells whether the connection still stands: one that is readable, although nothing was asked, was ended by the daemon."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return self.owner == os.getpid() and not poll.poll(0)

    def read(self, deadline: Optional[float]) -> bytes:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout("timed out")
            self.socket.settimeout(left)
        else:
            self.socket.settimeout(None)
        return self.socket.recv(1 << 16)

    def close(self) -> None:
        self.socket.close()


class Transport:
    """Sends requests and reads answers. Each request that is under way has a connection of its own."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._idle: List[_Line] = []  # append and pop need no lock

    def exchange(self, message: bytes, within: Optional[float], again: bool) -> Reply:
        """Returns the answer to a request; again says that it may be sent twice. It raises OSError or Broken."""
        deadline = None if within is None else time.monotonic() + within
        line = self._line(within)
        try:
            reply = _ask(line, message, deadline)
        except BaseException as err:
            line.close()
            if not (isinstance(err, (OSError, Broken)) and line.used and again) or isinstance(err, socket.timeout):
                raise
            line = self._open(within)  # the daemon may have ended the other as the request was on its way
            try:
                reply = _ask(line, message, deadline)
            except BaseException:
                line.close()
                raise
        line.used = True
        if reply.keeps and len(self._idle) < KEPT:
            self._idle.append(line)
        else:
            line.close()
        return reply

    def stream(self, message: bytes, within: Optional[float]) -> "Stream":
        """Returns the answer to a request as soon as it has begun."""
        line = self._open(within)
        try:
            deadline = None if within is None else time.monotonic() + within
            line.socket.sendall(message)
            reply = Reply()
            while not reply.begun:
                reply.feed(line.read(deadline))
            return Stream(line, reply)
        except BaseException:
            line.close()
            raise

    def close(self) -> None:
        """Lets go of the connections that are kept."""
        while self._idle:
            self._idle.pop().close()

    def _line(self, within: Optional[float]) -> _Line:
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return self._open(within)
            if line.usable():
                return line
            line.close()

    def _open(self, within: Optional[float]) -> _Line:
        connection = socket.create_connection((self.address.host, self.address.port), within)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.address.secure:
                connection = ssl.create_default_context().wrap_socket(connection, server_hostname=self.address.host)
        except BaseException:
            connection.close()
            raise
        return _Line(connection)


def _ask(line: _Line, message: bytes, deadline: Optional[float]) -> Reply:
    line.socket.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.001))
    line.socket.sendall(message)
    reply = Reply()
    while not reply.done:
        reply.feed(line.read(deadline))
    return reply


class Stream:
    """Is an answer that goes on."""

    def __init__(self, line: _Line, reply: Reply) -> None:
        self._line = line
        self.reply = reply

    def read(self, within: Optional[float]) -> bytes:
        """Returns more of the body; nothing at its end."""
        deadline = None if within is None else time.monotonic() + within
        while not (data := self.reply.body()) and not self.reply.done:
            self.reply.feed(self._line.read(deadline))
        return data

    def rest(self, within: Optional[float]) -> bytes:
        """Returns the rest of the body."""
        data = bytearray()
        while part := self.read(within):
            data += part
        return bytes(data)

    def close(self) -> None:
        """Ends it, also where another thread reads."""
        try:
            self._line.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._line.close()


class Worker:
    """Is a thread that works on the side. What it does has to end by itself: here it is only waited for."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        self._thread = threading.Thread(target=work, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Waits until the thread has ended."""
        self._thread.join()


Event = threading.Event


def wait_event(event: threading.Event, within: Optional[float]) -> bool:
    """Waits for an event, and tells whether it has come."""
    return event.wait(within)


def pause(seconds: float) -> None:
    """Lets time go by."""
    time.sleep(seconds)


def outcome(call: Callable[[], Any], within: float) -> Any:
    """Returns what a call returns."""
    return call()


TIMEOUTS: Tuple[type, ...] = (socket.timeout, TimeoutError)

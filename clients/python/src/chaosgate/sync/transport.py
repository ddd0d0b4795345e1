"""How chaosgate reaches a daemon: each request that is under way has a connection of its own, so that all threads may ask at once."""

import socket
import threading
import time
from typing import Any, Callable, List, Tuple, Type

from ..http import Address, Broken, Reply
from ..line import KEPT, Line, Tail

TIMEOUTS: Tuple[Type[BaseException], ...] = (socket.timeout, TimeoutError)


class Transport:
    """Sends requests and reads answers."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._idle: List[Line] = []  # append and pop need no lock

    def exchange(self, message: bytes, within: float, again: bool) -> Reply:
        """Returns the answer to a request; again says that it may be sent twice. It raises OSError or Broken."""
        deadline = time.monotonic() + within
        line = self._line(deadline)
        try:
            reply = _ask(line, message, deadline)
        except TIMEOUTS:
            raise
        except (OSError, Broken):
            if not (line.used and again):
                raise
            line = _connected(self.address, deadline)  # the daemon may have ended the other as the request was on its way
            reply = _ask(line, message, deadline)
        line.used = True
        if reply.keeps and len(self._idle) < KEPT:
            self._idle.append(line)
        else:
            line.close()
        return reply

    def stream(self, message: bytes, within: float) -> "Stream":
        """Returns the answer to a request as soon as it has begun."""
        deadline = time.monotonic() + within
        line = _connected(self.address, deadline)
        try:
            line.socket.sendall(message)
            reply = Reply()
            while not reply.begun:
                reply.feed(_read(line, deadline))
        except BaseException:
            line.close()
            raise
        return Stream(line, reply)

    def drop(self) -> None:
        """Lets go of the connections that are kept."""
        while self._idle:
            self._idle.pop().close()

    def _line(self, deadline: float) -> Line:
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return _connected(self.address, deadline)
            if line.usable():
                return line
            line.close()


def _connected(address: Address, deadline: float) -> Line:
    return Line(socket.create_connection((address.host, address.port), _left(deadline)))


def _ask(line: Line, message: bytes, deadline: float) -> Reply:
    try:
        line.socket.settimeout(_left(deadline))
        line.socket.sendall(message)
        reply = Reply()
        while not reply.done:
            reply.feed(_read(line, deadline))
        return reply
    except BaseException:
        line.close()
        raise


def _read(line: Line, deadline: float) -> bytes:
    line.socket.settimeout(_left(deadline))
    return line.socket.recv(1 << 16)


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


class Stream(Tail):
    """Is an answer that goes on."""

    def read(self, within: float) -> bytes:
        """Returns more of the body; nothing at its end, or when it was closed meanwhile."""
        if not self.begin():
            return b""
        deadline = time.monotonic() + within
        try:
            while not (data := self.reply.body()) and not self.reply.done:
                self.reply.feed(_read(self.line, deadline))
            return data
        finally:
            self.finish()

    def rest(self, within: float) -> bytes:
        """Returns the rest of the body."""
        data = bytearray()
        while part := self.read(within):
            data += part
        return bytes(data)

    def close(self) -> None:
        """Ends it, also where another thread reads."""
        self.end()


class Worker:
    """Is a thread that works on the side. What it does has to end by itself: here that is waited for."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        self._thread = threading.Thread(target=work, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Waits until the thread has ended."""
        self._thread.join()


def pause(seconds: float) -> None:
    """Lets time go by."""
    time.sleep(seconds)


def outcome(call: Callable[[], Any], within: float) -> Any:
    """Returns what a call returns."""
    return call()

"""A connection to a daemon, whatever waits for it: threads or asyncio."""

import os
import select
import socket
import threading

from .http import Reply

KEPT = 8  # connections that are kept at most while nothing is asked


class Line:
    """Is one connection, of one process: one that was inherited by a fork is another's."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.used = False  # an answer has come on it
        self._owner = os.getpid()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def usable(self) -> bool:
        """Tells whether the connection still stands: one that is readable, although nothing was asked, was ended by the daemon."""
        return self._owner == os.getpid() and self.socket.fileno() >= 0 and not _readable(self.socket)

    def close(self) -> None:
        """Ends the connection."""
        self.socket.close()


class Tail:
    """Is the rest of an answer that goes on. Whoever ends it wakes the one who reads, who then closes the socket: were it closed at once,
    its number could be another's while it is still waited for.
    """

    def __init__(self, line: Line, reply: Reply) -> None:
        self.line = line
        self.reply = reply
        self._lock = threading.Lock()  # guards the two flags
        self._reading = False
        self._ended = False

    def begin(self) -> bool:
        """Begins to read, and tells whether there is anything to read."""
        with self._lock:
            self._reading = not self._ended
            return self._reading

    def finish(self) -> None:
        """Ends the reading."""
        with self._lock:
            self._reading = False
            if self._ended:
                self.line.close()

    def end(self) -> None:
        """Ends all of it."""
        with self._lock:
            self._ended = True
            if not self._reading:
                self.line.close()
                return
            try:
                self.line.socket.shutdown(socket.SHUT_RDWR)
            except OSError:  # the daemon was first
                pass


def _readable(connection: socket.socket) -> bool:
    if not hasattr(select, "poll"):  # windows
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))

"""The sockets that interceptors are handed: real ones, that refuse what cannot mean anything."""

import errno
import os
import socket
from typing import Any, Tuple, TypeVar

from .route import ConnectionClosedError, GateException

T = TypeVar("T")

LARGEST_DATAGRAM = 65507  # bytes: what UDP over IPv4 can carry


class SocketFrom(socket.socket):
    """Is where an interceptor reads what the source sends. At the end of the stream it reads b"" once, and after that gets a
    ConnectionClosedError, so that no loop goes on for ever.
    """

    ended = False

    def recv(self, *args: Any) -> bytes:
        return self._unless_ended(super().recv(*args))

    def recv_into(self, *args: Any) -> int:
        return self._unless_ended(super().recv_into(*args))

    def _unless_ended(self, got: T) -> T:
        if not got and self.type == socket.SOCK_STREAM:
            if self.ended:
                raise ConnectionClosedError("socket_from: the stream has ended, and was read beyond that")
            self.ended = True
        return got

    def send(self, *args: Any) -> int:
        raise _one_way("socket_from", "written to", "socket_to")

    sendall = sendto = sendmsg = send  # type: ignore[assignment]


class SocketTo(socket.socket):
    """Is where an interceptor writes what is to arrive."""

    def send(self, data: Any, *args: Any) -> int:
        if self.type == socket.SOCK_DGRAM and memoryview(data).nbytes > LARGEST_DATAGRAM:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        return super().send(data, *args)

    def recv(self, *args: Any) -> bytes:
        raise _one_way("socket_to", "read from", "socket_from")

    recv_into = recvfrom = recvfrom_into = recvmsg = recv  # type: ignore[assignment]


def ends(conn: socket.socket) -> Tuple[SocketFrom, SocketTo]:
    """Returns both ends of what the interceptor of a stream does, each with a descriptor of its own. The connection is theirs then."""
    to = SocketTo(fileno=os.dup(conn.fileno()))
    from_ = SocketFrom(fileno=conn.detach())
    for end in (from_, to):
        end.setblocking(False)
    return from_, to


def pairs() -> Tuple[socket.socket, SocketFrom, SocketTo, socket.socket]:
    """Returns what the interceptor of datagrams reads from and writes to, with the far end of each: pairs that keep datagrams apart."""
    source, from_ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    to, sink = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    four = source, SocketFrom(fileno=from_.detach()), SocketTo(fileno=to.detach()), sink
    for end in four:
        end.setblocking(False)
    return four


def _one_way(name: str, done: str, other: str) -> GateException:
    return GateException(f"{name}: it was {done}, but an interceptor has one direction: use {other}")

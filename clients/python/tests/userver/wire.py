"""Sockets in the test's own event loop."""

import asyncio
import socket

PATIENCE = 30  # seconds for what has to come
NEEDS = "pytest-asyncio is not installed (Debian package python3-pytest-asyncio)"  # by the tests here


class Sock:
    """Is a socket that can be awaited."""

    def __init__(self, sock, peer=None):
        self.sock = sock
        self.peer = peer
        sock.setblocking(False)

    @property
    def port(self):
        return self.sock.getsockname()[1]

    async def accept(self, within=PATIENCE):
        sock, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(self.sock), within)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Sock(sock)

    async def send(self, data):
        if self.peer is not None:
            self.sock.sendto(data, self.peer)
            return
        await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.sock, data), PATIENCE)

    async def recv(self, n=1 << 16):
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, n), PATIENCE)

    async def recv_exactly(self, n):
        data = b""
        while len(data) < n:
            part = await self.recv(n - len(data))
            if not part:
                break
            data += part
        return data

    async def recv_from(self):
        """Returns a datagram, and notes whom to answer."""
        data = await self.recv_peek()
        data, self.last = self.sock.recvfrom(1 << 16)
        return data

    async def recv_peek(self):
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_reader(self.sock, lambda: ready.done() or ready.set_result(None))
        try:
            await asyncio.wait_for(ready, PATIENCE)
        finally:
            loop.remove_reader(self.sock)
        return b""

    def answering(self):
        """Returns the same socket, which sends to whom it has heard last."""
        return Sock(self.sock, self.last)

    def has_data(self):
        try:
            return bool(self.sock.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    async def ended(self):
        """Waits for the end of the stream, and tells how it was: closed or reset. Data before it is an error."""
        try:
            data = await self.recv()
        except ConnectionError:
            return "reset"
        assert data == b"", f"got {data!r}, want the end of the stream"
        return "closed"

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def listening():
    """Returns a socket that listens."""
    sock = socket.socket()
    sock.bind(("localhost", 0))
    sock.listen()
    return Sock(sock)


def bound():
    """Returns a socket for datagrams."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return Sock(sock)


async def dialled(gate, datagrams=False):
    """Returns a connection to a gate."""
    sock = Sock(socket.socket(socket.AF_INET, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM))
    try:
        if not datagrams:
            sock.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock.sock, gate.get_sockname_for_clients())
    except BaseException:
        sock.close()
        raise
    return sock


class Way:
    """Is one direction through a gate."""

    def __init__(self, name):
        self.name = name

    @property
    def back(self):
        """The other direction."""
        return Way({"to_server": "to_client", "to_client": "to_server"}[self.name])

    def set(self, gate, condition, *args, **kwargs):
        """Calls the gate's setter of that condition for this direction."""
        return getattr(gate, f"{self.name}_{condition}")(*args, **kwargs)

    def intercept(self, gate, interceptor):
        """Calls the gate's setter of an interceptor for this direction."""
        return getattr(gate, f"set_{self.name}_interceptor")(interceptor)

    def ends(self, pair):
        """Returns who sends in this direction, and who receives."""
        client, server = pair
        return (client, server) if self.name == "to_server" else (server, client)


async def passes(way, pair, data=b"one and two"):
    """Checks that data passes as it is."""
    source, sink = way.ends(pair)
    await source.send(data)
    assert await sink.recv_exactly(len(data)) == data


async def passes_both(way, pair):
    """Checks that data passes in both directions."""
    await passes(way, pair, b"there")
    await passes(way.back, pair, b"and back")

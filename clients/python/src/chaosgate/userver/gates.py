"""The gates."""

import asyncio
import itertools
import secrets
from types import TracebackType
from typing import Any, Dict, Iterator, List, Optional, Tuple, Type, TypeVar

from .. import aio, daemon, sync
from ..errors import Taken, Unable
from ..fault import Entry, Fault
from ..faults import Detour
from .calls import CallQueue, Hits, Passed
from .evidence import Evidence, asking
from .interception import Interception
from .route import GateException, GateRoute
from .setters import TO_CLIENT, TO_SERVER, Interceptor, Setters

G = TypeVar("G", bound="BaseGate")


def _numbers() -> Iterator[str]:
    """Returns what ids end with, so that no two are the same: gates of this process have other letters than those of others."""
    letters = secrets.token_hex(2)
    return (f"{letters}{n}" for n in itertools.count(1))


_ids = _numbers()


class BaseGate(Setters):
    """Is what gates of both protocols have in common. It stands in the daemon from the first start() to the end of async with."""

    _network = ""

    def __init__(self, route: GateRoute, loop: Any = None) -> None:
        self._route = route
        self._loop = loop
        self._gate: Optional[sync.Gate] = None  # in the daemon
        self._evidence: Optional[Evidence] = None  # of what happens at it; stays when it is gone
        self._running = False
        self._address: Optional[Tuple[str, int]] = None  # where it was bound
        self._wanted: Dict[str, List[Entry]] = {TO_SERVER: [], TO_CLIENT: []}  # what is imposed, or will be at the start
        self._interceptions: Dict[str, Interception] = {}

    async def __aenter__(self: G) -> G:
        self.start()
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.stop()
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.remove()

    def start(self) -> None:
        """Opens the gate: it listens when this returns. Does nothing if it is open."""
        if self._running:
            return
        try:
            if self._gate is None:
                self._gate = self._created()
            else:
                self._gate.start()
        except Unable as err:
            raise GateException(f"gate {self._route.name!r} cannot start: {err}") from err
        self._address = self._gate.address
        self._running = True

    async def stop(self) -> None:
        """Closes the gate: connecting is refused, all connections are closed, and everything is lifted. start() opens the same port."""
        if not self._running:
            return
        async with self._asking() as client:
            gate = await client.find(self._open().name)
            await gate.stop()
            self._noted().note(await gate.heal())
        self._running = False
        await self._forget()

    def start_accepting(self) -> None:
        """Accepts connections again."""
        self._open().set_door("open")

    async def stop_accepting(self) -> None:
        """Accepts no more connections: clients still connect, and wait. Those that there are go on."""
        async with self._asking() as client:
            await (await client.find(self._open().name)).set_door("hold")

    async def sockets_close(self, *, count: Optional[int] = None) -> None:
        """Closes the oldest connections, so many or all, and returns when they are closed."""
        if not self._running or count == 0:
            return
        async with self._asking() as client:
            gate = await client.find(self._open().name)
            there = {conn.n for conn in (await gate.conns())[:count]}
            await gate.close(count)
            while there & {conn.n for conn in await gate.conns()}:
                await asyncio.sleep(0.005)

    def get_sockname_for_clients(self) -> Tuple[str, int]:
        """Returns where clients connect."""
        if self._address is None:
            raise GateException(f"gate {self._route.name!r} was not started")
        return self._address

    def info(self) -> str:
        """Tells where the gate stands, and which connections there are."""
        host, port = self._address or (self._route.host_for_client, self._route.port_for_client)
        if not self._running:
            return f"{self._route.name}: {host}:{port} <stopped>"
        conns = [f"{c.data['client']} -> {c.data.get('server', '')} {c.state}" for c in self._open().conns()]
        to = f"{self._route.host_to_server}:{self._route.port_to_server}"
        return "\n  ".join([f"{self._route.name}: {host}:{port} -> {to}, {len(conns)} connections", *conns])

    def _impose(self, direction: str, condition: str, faults: List[Fault]) -> CallQueue:
        entries = [Entry(fault, id=f"{condition}-{next(_ids)}") for fault in faults]
        self._set(direction, entries)
        interception = self._interceptions.pop(direction, None)
        if interception is not None:
            interception.retire()
        name = f"{self._route.name} {direction}_{condition}"
        if not entries:
            return Passed(name, lambda: self._evidence.delivered(direction) if self._evidence else 0)
        return Hits(name, direction, str(entries[-1].id), lambda: self._evidence)

    def _intercept(self, direction: str, interceptor: Interceptor) -> CallQueue:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = self._loop
        if loop is None:
            raise GateException("interceptor: no event loop runs here, want a coroutine around this, or a gate that was given its loop")
        interception = self._interceptions.get(direction)
        if interception is None or interception.loop is not loop:
            fresh = Interception(f"{self._route.name} {direction}", loop, self._datagrams)
            try:
                self._set(direction, [Entry(Detour(address=fresh.address, ends=True), id=f"interceptor-{next(_ids)}")])
            except BaseException:
                fresh.close()
                raise
            if interception is not None:
                interception.retire()
            interception = self._interceptions[direction] = fresh
        return interception.use(interceptor)

    def _set(self, direction: str, entries: List[Entry]) -> None:
        before, self._wanted[direction] = self._wanted[direction], entries
        if self._gate is None:
            return
        flow = self._gate.to_server if direction == TO_SERVER else self._gate.to_client
        try:
            if any(new.fault == old.fault for new in entries for old in before):  # set would keep it, with its hits and what it has counted
                imposed = flow.faults()
                for new in entries:
                    flow.add(new.fault, id=new.id)
                for fault in imposed:
                    fault.lift()
            else:
                flow.set(*entries)
        except BaseException:
            self._wanted[direction] = before
            raise

    def _created(self) -> sync.Gate:
        """Creates the gate in the daemon, under its own name or, if another has that, with a number behind it."""
        client = daemon.shared()
        route = self._route
        port = self._address[1] if self._address else route.port_for_client
        name = "".join(c if c.isprintable() and c != "/" else "-" for c in route.name) or "gate"
        for n in itertools.count(2):
            try:
                gate = client.gate(
                    name,
                    (route.host_to_server, route.port_to_server),
                    listen=(route.host_for_client, port),
                    network=self._network,
                    to_server=self._wanted[TO_SERVER],
                    to_client=self._wanted[TO_CLIENT],
                    lease=daemon.shared_lease(),
                )
            except Taken:
                name = f"{name.rpartition(' #')[0] or name} #{n}"
                continue
            self._evidence = Evidence(client, gate.name)
            return gate
        raise AssertionError("unreachable")

    def _open(self) -> sync.Gate:
        """Returns the gate in the daemon, which is to be open."""
        if self._gate is None or not self._running:
            raise GateException(f"gate {self._route.name!r} is not started")
        return self._gate

    def _asking(self) -> aio.Client:
        """Returns a client that asks without keeping the event loop from its work."""
        return asking(self._noted().client)

    def _noted(self) -> Evidence:
        if self._evidence is None:
            raise GateException(f"gate {self._route.name!r} is not started")
        return self._evidence

    async def _forget(self) -> None:
        """Ends what stands behind interceptors, and what was wanted."""
        self._wanted = {TO_SERVER: [], TO_CLIENT: []}
        for direction in list(self._interceptions):
            await self._interceptions.pop(direction).aclose()


class TcpGate(BaseGate):
    """Is a gate before a server of TCP."""

    _network = "tcp"

    def connections_count(self) -> int:
        """How many connections there are."""
        return len(self._open().conns()) if self._running else 0

    async def wait_for_connections(self, *, count: int = 1, timeout: float = 0.0) -> None:
        """Waits until there are so many connections through to the server. 0 waits for ever; when the time is over, asyncio.TimeoutError."""
        async with self._asking() as client:
            gate = await client.find(self._open().name)
            await gate.wait_connections(count, timeout or None)


class UdpGate(BaseGate):
    """Is a gate before a server of UDP. What one client's address sends, and what is answered to it, is a connection here."""

    _network = "udp"
    _datagrams = True

    def is_connected(self) -> bool:
        """Whether there is a client that has sent something."""
        return self._running and len(self._open().conns()) > 0

    def to_server_concat_packets(self, packet_size: int) -> CallQueue:
        """Is not there for datagrams, which nothing joins."""
        raise NotImplementedError("concat_packets: datagrams are not joined")

    def to_client_concat_packets(self, packet_size: int) -> CallQueue:
        """Is not there for datagrams, which nothing joins."""
        raise NotImplementedError("concat_packets: datagrams are not joined")

    def to_server_smaller_parts(self, max_size: int, *, sleep_per_packet: float = 0) -> CallQueue:
        """Is not there for datagrams, which nothing cuts into pieces."""
        raise NotImplementedError("smaller_parts: datagrams are not cut into pieces")

    def to_client_smaller_parts(self, max_size: int, *, sleep_per_packet: float = 0) -> CallQueue:
        """Is not there for datagrams, which nothing cuts into pieces."""
        raise NotImplementedError("smaller_parts: datagrams are not cut into pieces")

"""The client of a daemon."""

import time
from types import TracebackType
from typing import Any, Dict, List, Optional, Sequence, Tuple, Type, Union

from .. import told
from ..errors import DaemonGone, TimedOut
from ..fault import Entry, FaultLike, entries
from ..http import Broken
from ..protocol import LONGEST_WAIT, WAIT_GRACE, Query, Speaker
from ..quantities import Duration, Size, duration_seconds, duration_text, optional_duration, optional_size
from .events import Events
from .gate import Gate
from .hold import Hold
from .transport import TIMEOUTS, Stream, Transport

Server = Union[str, Tuple[str, int]]  # "127.0.0.1:6379", or as sockets have it
Faults = Union[FaultLike, Entry, Sequence[Union[FaultLike, Entry]]]


class Client:
    """Speaks to a daemon, and means the run of it that answers first: when the daemon was started anew, everything is an error.

    url is where the daemon is: without it $CHAOSGATE_DAEMON, or http://127.0.0.1:8474. There is no TLS, as the daemon has none. token is
    what it wants to be shown, without it $CHAOSGATE_TOKEN. by says who asks, and stands in events beside what was asked for. timeout is for
    how many seconds an answer is waited for; what waits for something to happen has a timeout of its own.
    """

    def __init__(self, url: Optional[str] = None, *, token: Optional[str] = None, by: Optional[str] = None, timeout: float = 30.0) -> None:
        self._speaker = Speaker(url, token, by)
        self._transport = Transport(self._speaker.address)
        self.timeout = timeout

    @property
    def url(self) -> str:
        """Where the daemon is."""
        return self._speaker.address.url

    @property
    def boot(self) -> str:
        """The run of the daemon that is meant; empty before the first answer."""
        return self._speaker.boot

    def pin(self, boot: str) -> None:
        """Says which run of the daemon is meant, before the first answer."""
        self._speaker.boot = boot

    @property
    def by(self) -> str:
        """Who asks."""
        return self._speaker.by

    @by.setter
    def by(self, name: str) -> None:
        self._speaker.by = name

    async def gate(
        self,
        name: Optional[str] = None,
        server: Optional[Server] = None,
        *,
        listen: Optional[Server] = None,
        network: str = "tcp",
        seed: Optional[int] = None,
        door: Optional[str] = None,
        to_server: Faults = (),
        to_client: Faults = (),
        stopped: bool = False,
        window: Optional[Size] = None,
        memory: Optional[Size] = None,
        sessions: Optional[int] = None,
        expire: Optional[Duration] = None,
        lease: Optional[str] = None,
    ) -> Gate:
        """Creates a gate before a server; without a server, returns the gate of that name that there is.

        What it imposes holds before it listens: on any free port of 127.0.0.1, if listen does not say where. Without a name it is given
        one. As a context manager it is removed at the end.
        """
        if server is None:
            if not name:
                raise ValueError("server: got none, want the address that the gate connects to, such as '127.0.0.1:6379'")
            return await self.find(name)
        said = {
            "name": name,
            "server": told.join_address(server),
            "listen": None if listen is None else told.join_address(listen),
            "network": network,
            "seed": seed,
            "door": door,
            "to_server": entries(_sequence(to_server)) or None,
            "to_client": entries(_sequence(to_client)) or None,
            "stopped": stopped or None,
            "window": optional_size(window, "window"),
            "memory": optional_size(memory, "memory"),
            "sessions": sessions,
            "expire": optional_duration(expire, "expire"),
            "lease": lease,
        }
        body = {key: value for key, value in said.items() if value is not None}
        return Gate(self, await self.ask("POST", ("v1", "gates"), body=body), created=True)

    async def find(self, name: str) -> Gate:
        """Returns the gate of that name. As a context manager it is healed at the end, and stays."""
        return Gate(self, await self.ask("GET", ("v1", "gates", name)), created=False)

    async def __getitem__(self, name: str) -> Gate:
        """Returns the gate of that name."""
        return await self.find(name)

    async def gates(self) -> List[Gate]:
        """Returns all gates, sorted by name."""
        return [Gate(self, data, created=False) for data in await self.ask("GET", ("v1", "gates"))]

    async def heal(self) -> told.Healed:
        """Lifts everything and opens every door, of all gates, and tells what that was."""
        return told.healed(await self.ask("POST", ("v1", "heal")))

    async def kinds(self) -> List[Dict[str, Any]]:
        """Returns the kinds of faults that the daemon knows, with their parameters."""
        answer: List[Dict[str, Any]] = await self.ask("GET", ("v1", "faults"))
        return answer

    async def version(self) -> Dict[str, str]:
        """Tells what the daemon is."""
        answer: Dict[str, str] = await self.ask("GET", ("v1", "version"))
        return answer

    async def lease(self, name: str, ttl: Duration) -> None:
        """Makes a lease, or renews it: it ends in ttl, unless it is renewed, and what hangs on it is lifted and removed."""
        await self.ask("PUT", ("v1", "leases", name), body={"ttl": duration_text(ttl, "ttl")})

    async def leases(self) -> List[Dict[str, Any]]:
        """Returns all leases, with what hangs on them."""
        answer: List[Dict[str, Any]] = await self.ask("GET", ("v1", "leases"))
        return answer

    async def end_lease(self, name: str) -> None:
        """Ends a lease: what hangs on it is lifted, opened or removed."""
        await self.ask("DELETE", ("v1", "leases", name))

    async def hold(self, name: str, ttl: Duration = 10.0) -> Hold:
        """Makes a lease, or renews it, and keeps it from ending until it is released, or this process dies: then it lasts for ttl."""
        return Hold(self, name, await self.events(types=("expired",), lease=name, ttl=ttl))

    async def events(
        self,
        *,
        gate: Optional[str] = None,
        types: Sequence[str] = (),
        since: Optional[int] = None,
        lease: Optional[str] = None,
        ttl: Optional[Duration] = None,
        patience: float = 30.0,
    ) -> Events:
        """Follows what happens from now on, at one gate or all; with since, from behind the event of that id, and 0 is all that is kept.

        types, such as "fired", are those that are wanted. A lease is made, and held for as long as one follows. A connection that breaks
        is made again for patience seconds.
        """
        said = {"gate": gate, "type": list(types), "since": None if since is None else str(since), "lease": lease}
        said["ttl"] = optional_duration(ttl, "ttl")
        return await Events(self, {key: value for key, value in said.items() if value}, patience).open()

    async def wait_events(
        self, n: int = 1, *, gate: Optional[str] = None, types: Sequence[str] = (), since: int = 0, timeout: Optional[float] = 30.0
    ) -> List[told.Event]:
        """Waits until there have been n such events behind the one of that id, and returns them."""
        said = {"gate": gate, "type": list(types), "since": str(since)}
        query = {key: value for key, value in said.items() if value}
        return [told.event(data) for data in await self.wait(("v1", "events"), "count", n, timeout, query)]

    async def ask(
        self, method: str, path: Sequence[str], *, query: Optional[Query] = None, body: Any = None, within: Optional[float] = None
    ) -> Any:
        """Asks the daemon anything, and returns its answer: for what no other method does."""
        message = self._speaker.request(method, path, query, body)
        patience = self.timeout if within is None else within
        try:
            reply = await self._transport.exchange(message, patience, again=method in ("GET", "PUT"))
        except TIMEOUTS:
            raise self._speaker.gone(f"it has said nothing for {patience:g} s") from None
        except (OSError, Broken) as err:
            raise self._speaker.gone(err) from None
        return self._speaker.answer(reply)

    async def wait(self, path: Sequence[str], what: str, n: int, timeout: Optional[float], query: Optional[Query] = None) -> Any:
        """Asks the daemon to answer when there are n of something; without a timeout that may take for ever."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LONGEST_WAIT if deadline is None else min(max(deadline - time.monotonic(), 0.001), LONGEST_WAIT)
            asked: Query = {**(query or {}), what: n, "wait": f"{max(round(left * 1000), 1)}ms"}
            try:
                return await self.ask("GET", path, query=asked, within=left + max(self.timeout, WAIT_GRACE))
            except TimedOut:
                if deadline is not None and time.monotonic() >= deadline - 0.001:
                    raise

    async def stream(self, path: Sequence[str], *, query: Query, accept: str) -> Stream:
        """Asks the daemon for something that goes on."""
        message = self._speaker.request("GET", path, query, accept=accept)
        try:
            stream = await self._transport.stream(message, self.timeout)
            try:
                if stream.reply.status >= 300:
                    raise self._speaker.refusal(stream.reply, await stream.rest(self.timeout))
                self._speaker.begin(stream.reply)
            except BaseException:
                await stream.aclose()
                raise
        except DaemonGone:
            raise
        except TIMEOUTS:
            raise self._speaker.gone(f"it has said nothing for {self.timeout:g} s") from None
        except (OSError, Broken) as err:
            raise self._speaker.gone(err) from None
        return stream

    def drop(self) -> None:
        """Lets go of connections to the daemon. What was imposed stays."""
        self._transport.drop()

    async def aclose(self) -> None:
        """Does as drop does: it is what contextlib's closing looks for."""
        self.drop()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.drop()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"


def _sequence(faults: Faults) -> Tuple[Any, ...]:
    return tuple(faults) if isinstance(faults, (list, tuple)) else (faults,)

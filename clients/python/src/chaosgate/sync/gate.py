# Generated from aio/gate.py by generate.py: do not edit.
"""A gate, and its connections."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple, Type

from .. import told
from ..errors import Unknown
from ..quantities import Duration, optional_duration
from .flow import Flow, Imposed

if TYPE_CHECKING:
    from .client import Client


class Gate:
    """Is a gate of a daemon's. As a context manager it is removed at the end if it was created so, and otherwise healed.

    name is what it is called, host and port are where clients connect, server is where the gate does, seed is what randomness comes from.
    """

    def __init__(self, client: "Client", data: Mapping[str, Any], created: bool) -> None:
        self._client = client
        self._created = created
        self._path: Tuple[str, ...] = ("v1", "gates", data["name"])
        self.name: str = data["name"]
        self.to_server = Flow(client, (*self._path, "to_server"))
        self.to_client = Flow(client, (*self._path, "to_client"))
        self._note(data)

    def _note(self, data: Mapping[str, Any]) -> None:
        self.network: str = data["network"]
        self.listen: str = data["listen"]
        self.server: str = data["server"]
        self.seed = int(str(data["seed"]), 0)
        self.host, self.port = told.split_address(self.listen)

    @property
    def address(self) -> Tuple[str, int]:
        """Where clients connect, as sockets have it."""
        return self.host, self.port

    def status(self) -> Dict[str, Any]:
        """Returns all that the daemon tells about the gate, with its figures under "stats"."""
        data: Dict[str, Any] = self._client.ask("GET", self._path)
        self._note(data)
        return data

    @property
    def door(self) -> str:
        """How the gate receives new connections: open, hold, refuse or blackhole."""
        door: str = (self._client.ask("GET", (*self._path, "door")))["door"]
        return door

    def set_door(self, door: str, *, for_: Optional[Duration] = None, lease: Optional[str] = None) -> None:
        """Sets how the gate receives new connections: open, hold, refuse or blackhole; for a time, if for_ says so."""
        said = {"door": door, "for": optional_duration(for_, "for_"), "lease": lease}
        self._client.ask("PUT", (*self._path, "door"), body={key: value for key, value in said.items() if value is not None})

    def wait_door(self, n: int = 1, timeout: Optional[float] = 30.0) -> int:
        """Waits until the door has met n connections, and returns how many it has."""
        hits: int = (self._client.wait((*self._path, "door"), "hits", n, timeout))["door_hits"]
        return hits

    def conns(self) -> "List[Conn]":
        """Returns the live connections, the oldest first."""
        return self._conns(self._client.ask("GET", (*self._path, "conns")))

    def wait_connections(self, n: int = 1, timeout: Optional[float] = 30.0) -> "List[Conn]":
        """Waits until at least n connections are open through to the server, and returns those that there are."""
        return self._conns(self._client.wait((*self._path, "conns"), "count", n, timeout))

    def close(self, count: Optional[int] = None) -> int:
        """Closes the oldest connections, so many or all, and returns how many it closed."""
        return self._end("fin", count)

    def reset(self, count: Optional[int] = None) -> int:
        """Resets the oldest connections, so many or all, and returns how many it reset."""
        return self._end("rst", count)

    def heal(self) -> told.Healed:
        """Lifts everything, of single connections too, and opens the door; tells what that was."""
        return told.healed(self._client.ask("POST", (*self._path, "heal")))

    def faults(self) -> List[Imposed]:
        """Returns what is imposed on either direction."""
        data = self._client.ask("GET", self._path)
        return [Imposed(self._client, (*self._path, fault["direction"]), fault) for fault in data["to_server"] + data["to_client"]]

    def change(self, **values: Any) -> None:
        """Changes some of the gate, as the daemon's API names it; where addresses or bounds become others it is made anew."""
        self._note(self._client.ask("PATCH", self._path, body=values))

    def reseed(self, seed: int) -> None:
        """Sets what randomness comes from and counts connections anew, so that what is random is drawn again as it was."""
        self._note(self._client.ask("POST", (*self._path, "reseed"), body={"seed": seed}))

    def stop(self) -> None:
        """Stops the gate: connections end, and connecting is refused. What is imposed stays."""
        self.change(stopped=True)

    def start(self) -> None:
        """Starts the gate again, at the same address."""
        self.change(stopped=False)

    def remove(self) -> None:
        """Removes the gate, with its connections. That it is gone already is no error."""
        try:
            self._client.ask("DELETE", self._path)
        except Unknown:
            pass

    def _conns(self, answer: List[Mapping[str, Any]]) -> "List[Conn]":
        return [Conn(self._client, self._path, data) for data in answer]

    def _end(self, how: str, count: Optional[int]) -> int:
        query: Dict[str, Any] = {"how": how} if count is None else {"how": how, "count": count}
        ended: int = (self._client.ask("DELETE", (*self._path, "conns"), query=query))["ended"]
        return ended

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        if self._created:
            self.remove()
        else:
            self.heal()

    def __repr__(self) -> str:
        return f"Gate({self.name!r}, {self.listen} -> {self.server})"


class Conn:
    """Is a live connection, as it was when it was asked about; data is all that the daemon tells of it."""

    def __init__(self, client: "Client", gate: Tuple[str, ...], data: Mapping[str, Any]) -> None:
        self._client = client
        self._path = (*gate, "conns", str(data["n"]))
        self.data = data
        self.n: int = data["n"]
        self.state: str = data["state"]
        self.client = told.split_address(data["client"])
        self.bytes_to_server: int = data["bytes_to_server"]
        self.bytes_to_client: int = data["bytes_to_client"]
        self.to_server = Flow(client, (*self._path, "to_server"))
        self.to_client = Flow(client, (*self._path, "to_client"))

    def close(self) -> None:
        """Closes it."""
        self._client.ask("DELETE", self._path, query={"how": "fin"})

    def reset(self) -> None:
        """Resets it."""
        self._client.ask("DELETE", self._path, query={"how": "rst"})

    def __repr__(self) -> str:
        return f"Conn({self.n}, {self.state}, {self.data['client']})"

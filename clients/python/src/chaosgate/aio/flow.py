"""What is imposed on one direction, of a gate or of a connection."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Tuple, Type, Union

from .. import told
from ..errors import Unknown
from ..fault import Entry, FaultLike, entries, from_json, line
from ..quantities import Duration, duration_text

if TYPE_CHECKING:
    from .client import Client


class Flow:
    """Is one direction, of a gate or of one of its connections. What is set holds when the call returns."""

    def __init__(self, client: "Client", path: Tuple[str, ...]) -> None:
        self._client = client
        self._path = path

    @property
    def direction(self) -> str:
        """to_server or to_client."""
        return self._path[-1]

    async def set(self, *faults: Union[FaultLike, Entry]) -> "List[Imposed]":
        """Imposes faults in place of what was imposed; without any, lifts all. Those that stay as they were keep their hits."""
        return self._imposed(await self._client.ask("PUT", self._path, body=entries(faults)))

    async def add(
        self, fault: FaultLike, *, id: Optional[str] = None, for_: Optional[Duration] = None, lease: Optional[str] = None
    ) -> "Imposed":
        """Imposes one more fault, behind those that are: for a time, if for_ says so. As a context manager it is lifted at the end."""
        [imposed] = self._imposed(await self._client.ask("POST", self._path, body=[Entry(fault, id, for_, lease).to_json()]))
        return imposed

    async def extend(self, *faults: Union[FaultLike, Entry]) -> "List[Imposed]":
        """Imposes more faults, behind those that are."""
        return self._imposed(await self._client.ask("POST", self._path, body=entries(faults)))

    async def faults(self) -> "List[Imposed]":
        """Returns what is imposed, in order."""
        return self._imposed(await self._client.ask("GET", self._path))

    def _imposed(self, answer: List[Mapping[str, Any]]) -> "List[Imposed]":
        return [Imposed(self._client, self._path, data) for data in answer]

    def __repr__(self) -> str:
        return f"Flow({'/'.join(self._path[2:])})"


class Imposed:
    """Is a fault that is imposed. As a context manager it is lifted at the end.

    id is its name at its gate, fault what is imposed, offsets from where it holds on each connection that was live when it was imposed or
    changed.
    """

    def __init__(self, client: "Client", flow: Tuple[str, ...], data: Mapping[str, Any]) -> None:
        self._client = client
        self._path = (*flow, data["id"])
        self._last: Optional[int] = None  # its hits, once it is lifted
        self._note(data)

    def _note(self, data: Mapping[str, Any]) -> None:
        self.id: str = data["id"]
        self.fault: FaultLike = from_json(data["fault"])
        self.text: str = data["text"]
        self.offsets: Tuple[told.Offset, ...] = told.offsets(data)

    @property
    async def hits(self) -> int:
        """How often it has changed what would have happened; once it is lifted by this object, how often it had."""
        if self._last is not None:
            return self._last
        hits: int = (await self._client.ask("GET", self._path))["hits"]
        return hits

    async def wait(self, n: int = 1, timeout: Optional[float] = 30.0) -> int:
        """Waits until it has fired n times, and returns how often it has; None as timeout waits for ever."""
        hits: int = (await self._client.wait(self._path, "hits", n, timeout))["hits"]
        return hits

    async def change(self, fault: Optional[FaultLike] = None, *, for_: Optional[Duration] = None) -> "Imposed":
        """Changes it in place: it keeps its id and its hits and, where the kind stays, what it remembers of connections."""
        body = {}
        if fault is not None:
            body["fault"] = line(fault)  # as a line it is the whole fault; an object would be merged into the one that is
        if for_ is not None:
            body["for"] = duration_text(for_, "for_")
        self._note(await self._client.ask("PATCH", self._path, body=body))
        return self

    async def lift(self) -> int:
        """Lifts it, and returns how often it had fired. That it, or its gate, is gone already is no error."""
        if self._last is None:
            try:
                self._last = (await self._client.ask("DELETE", self._path))["hits"]
            except Unknown:
                self._last = 0
        assert self._last is not None
        return self._last

    async def __aenter__(self) -> "Imposed":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.lift()

    def __repr__(self) -> str:
        return f"Imposed({self.id!r}, {self.text!r})"

"""What the daemon knows of what happened at a gate."""

from typing import Dict

from .. import aio, sync
from ..errors import Gone, TimedOut, Unknown
from ..told import Healed

LOOK_BACK = 5.0  # seconds in which the daemon is to tell what a fault had done that was lifted


def asking(client: sync.Client) -> aio.Client:
    """Returns a client for asyncio of the same run of the same daemon, for what may take time."""
    other = aio.Client(client.url, by=client.by, timeout=client.timeout)
    other.pin(client.boot)
    return other


class Evidence:
    """Is what is known of the faults of a gate, also of those that are not imposed any more."""

    def __init__(self, client: sync.Client, gate: str) -> None:
        self.client = client
        self._path = ("v1", "gates", gate)
        self._gate = gate
        self._last: Dict[str, int] = {}  # the hits of faults that were healed

    def note(self, healed: Healed) -> None:
        """Notes what was lifted."""
        self._last.update((fault.id, fault.hits) for fault in healed.faults)

    def hits(self, direction: str, fault: str) -> int:
        """Returns how often a fault has fired."""
        try:
            hits: int = self.client.ask("GET", (*self._path, direction, fault))["hits"]
            return hits
        except (Unknown, Gone):
            return self._lifted(fault)

    async def wait(self, direction: str, fault: str, n: int, timeout: float) -> bool:
        """Waits until a fault has fired n times, and tells whether it has: it has not if it was lifted before."""
        async with asking(self.client) as client:
            try:
                await client.wait((*self._path, direction, fault), "hits", n, timeout)
                return True
            except (Unknown, Gone):
                return self._lifted(fault) >= n

    def delivered(self, direction: str) -> int:
        """Returns how many bytes were delivered in a direction."""
        try:
            bytes_: int = self.client.ask("GET", self._path)["stats"][direction]
            return bytes_
        except (Unknown, Gone):
            return 0

    def _lifted(self, fault: str) -> int:
        """Returns how often a fault had fired when it was lifted, which the daemon tells as an event."""
        since = 0
        while fault not in self._last:
            try:
                events = self.client.wait_events(1, gate=self._gate, types=["lifted"], since=since, timeout=LOOK_BACK)
            except TimedOut:  # it is so long ago that it is not kept
                return 0
            self._last.update((event.fault, event.data["hits"]) for event in events)
            since = events[-1].id
        return self._last[fault]

"""A lease that is held for as long as somebody lives."""

from types import TracebackType
from typing import TYPE_CHECKING, Optional, Type

from ..errors import Error, Unknown
from .events import Events
from .transport import Worker

if TYPE_CHECKING:
    from .client import Client


class Hold:
    """Keeps a lease from ending, by a stream of events that it holds: when this process dies, the lease ends in its ttl.

    As a context manager the lease ends at once at the end, and what hangs on it is lifted and removed.
    """

    def __init__(self, client: "Client", name: str, events: Events) -> None:
        self._client = client
        self._events = events
        self.name = name
        self.error: Optional[Error] = None  # why the lease was not held all the while
        self._worker = Worker(self._run, f"chaosgate lease {name}")

    async def _run(self) -> None:
        try:
            async for _ in self._events:
                pass
        except Error as err:
            self.error = err

    async def release(self) -> None:
        """Ends the lease. If it was not held all the while, that is raised: what hung on it may have been lifted too early."""
        await self._events.aclose()
        await self._worker.join()
        try:
            await self._client.end_lease(self.name)
        except Unknown:
            pass
        if self.error is not None:
            raise self.error

    async def __aenter__(self) -> "Hold":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.release()

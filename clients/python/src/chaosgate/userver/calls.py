"""Queues of the moments at which a condition fired."""

import asyncio
import collections
from typing import Any, Callable, Deque, Dict, Generator, Optional

from ..errors import TimedOut
from .evidence import Evidence
from .route import GateException


class CallQueueEmpty(Exception):
    """Is that a queue has no call to give out."""


class CallQueueTimeout(asyncio.TimeoutError):
    """Is that a call has not come in time."""


class CallQueue:
    """Is a queue of calls: of the moments at which a condition fired that were not given out yet. Each call is given out once.

    It may be awaited, as the setters of newer userver are, and is itself then.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def times_called(self) -> int:
        """How many calls are in the queue."""
        raise NotImplementedError

    @property
    def has_calls(self) -> bool:
        """Whether there are calls in the queue."""
        return self.times_called > 0

    def next_call(self) -> Dict[str, Any]:
        """Gives out a call that is there."""
        if not self.has_calls:
            raise CallQueueEmpty(f"{self.name}: no call is there")
        return self._take()

    async def wait_call(self, timeout: float = 10.0) -> Dict[str, Any]:
        """Gives out a call, and waits for it at most so many seconds."""
        raise NotImplementedError

    def flush(self) -> None:
        """Forgets the calls that are there."""
        raise NotImplementedError

    def _take(self) -> Dict[str, Any]:
        raise NotImplementedError

    def _late(self, timeout: float) -> CallQueueTimeout:
        return CallQueueTimeout(f"{self.name}: no call has come within {timeout:g} s")

    def __await__(self) -> "Generator[Any, None, CallQueue]":
        return self
        yield  # what makes this a generator

    def __repr__(self) -> str:
        return f"<CallQueue of {self.name}>"


class Calls(CallQueue):
    """Is the queue of an interceptor: what it was called with."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._calls: Deque[Dict[str, Any]] = collections.deque()
        self._arrived: Optional["asyncio.Future[None]"] = None

    def note(self, call: Dict[str, Any]) -> None:
        """Adds a call."""
        self._calls.append(call)
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    @property
    def times_called(self) -> int:
        return len(self._calls)

    async def wait_call(self, timeout: float = 10.0) -> Dict[str, Any]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not self._calls:
            if self._arrived is None or self._arrived.done():
                self._arrived = loop.create_future()
            done, _ = await asyncio.wait([self._arrived], timeout=max(deadline - loop.time(), 0))
            if not done:
                raise self._late(timeout)
        return self._take()

    def flush(self) -> None:
        self._calls.clear()

    def _take(self) -> Dict[str, Any]:
        return self._calls.popleft()


class Hits(CallQueue):
    """Is the queue of a fault: the daemon counts its hits. Of a call it tells nothing."""

    def __init__(self, name: str, direction: str, fault: str, evidence: Callable[[], Optional[Evidence]]) -> None:
        super().__init__(name)
        self._direction, self._fault = direction, fault
        self._find = evidence
        self._evidence: Optional[Evidence] = None  # of the gate, once that was started
        self._taken = 0

    @property
    def times_called(self) -> int:
        return self._hits() - self._taken

    async def wait_call(self, timeout: float = 10.0) -> Dict[str, Any]:
        evidence = self._begun()
        if evidence is None:
            raise GateException(f"{self.name}: the gate was not started")
        try:
            if not await evidence.wait(self._direction, self._fault, self._taken + 1, timeout):
                raise CallQueueTimeout(f"{self.name}: no call can come any more, because the condition was replaced")
        except TimedOut:
            raise self._late(timeout) from None
        return self._take()

    def flush(self) -> None:
        self._taken = self._hits()

    def _take(self) -> Dict[str, Any]:
        self._taken += 1
        return {}

    def _hits(self) -> int:
        evidence = self._begun()
        return 0 if evidence is None else evidence.hits(self._direction, self._fault)

    def _begun(self) -> Optional[Evidence]:
        if self._evidence is None:
            self._evidence = self._find()
        return self._evidence


class Passed(CallQueue):
    """Is the queue of a direction on which nothing is imposed: a call is that more data was delivered than at the last look."""

    LOOK = 0.01  # seconds between two looks

    def __init__(self, name: str, delivered: Callable[[], int]) -> None:
        super().__init__(name)
        self._delivered = delivered
        self._seen = delivered()

    @property
    def times_called(self) -> int:
        return int(self._delivered() > self._seen)

    async def wait_call(self, timeout: float = 10.0) -> Dict[str, Any]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not self.has_calls:
            if loop.time() >= deadline:
                raise self._late(timeout)
            await asyncio.sleep(self.LOOK)
        return self._take()

    def flush(self) -> None:
        self._seen = self._delivered()

    def _take(self) -> Dict[str, Any]:
        self.flush()
        return {}

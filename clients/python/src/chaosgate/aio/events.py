"""What happens, as it happens."""

import json
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Deque, Dict, Optional, Type

from .. import told
from ..errors import DaemonGone, Restarted, TimedOut
from ..http import Broken
from .transport import TIMEOUTS, Stream, pause

if TYPE_CHECKING:
    from .client import Client

SILENCE = 45.0  # seconds for which a stream may say nothing: three times what lies between the daemon's heartbeats
SHORTEST_REST, LONGEST_REST = 0.05, 2.0  # seconds between two attempts to make a stream again


class Events(AsyncIterator[told.Event]):
    """Is what happens, in order, until it is closed. A connection that breaks is made again, and no event is missing or comes twice.

    What could not be told is an event of type "lost". When the daemon cannot be reached any more for patience seconds that is DaemonGone,
    and when it was started anew Restarted.
    """

    def __init__(self, client: "Client", query: Dict[str, Any], patience: float) -> None:
        self._client = client
        self._query = query
        self._patience = patience
        self._stream: Optional[Stream] = None
        self._ready: Deque[told.Event] = deque()
        self._raw = bytearray()
        self._id = ""  # of the event that is being read
        self._data = ""
        self._seen: str = query.get("since", "")  # the id of the last event that was read
        self._closed = False

    async def open(self) -> "Events":
        """Connects: what happens from now on is told."""
        query = {**self._query, "since": self._seen} if self._seen else self._query
        stream = await self._client.stream(("v1", "events"), query=query, accept="text/event-stream")
        if self._closed:  # meanwhile
            await stream.aclose()
        self._stream = stream
        return self

    async def next(self, timeout: float) -> told.Event:
        """Returns the next event, or raises TimedOut when there is none in that many seconds."""
        deadline = time.monotonic() + timeout
        while not self._ready:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut(f"no event has come within {timeout:g} s", code="timed_out", boot=self._client.boot)
            if self._closed:
                raise ValueError("events: they are closed")
            await self._more(left)
        return self._ready.popleft()

    def __aiter__(self) -> "Events":
        return self

    async def __anext__(self) -> told.Event:
        while not self._ready:
            if self._closed:
                raise StopAsyncIteration
            await self._more(SILENCE)
        return self._ready.popleft()

    async def aclose(self) -> None:
        """Follows no more."""
        self._closed = True
        if self._stream is not None:
            await self._stream.aclose()

    async def _more(self, within: float) -> None:
        """Reads more of the stream, for so long at most, or makes it again if it has broken."""
        why: object = "the daemon has ended the stream"
        data = b""
        if self._stream is None:
            await self.open()
        assert self._stream is not None
        try:
            data = await self._stream.read(min(within, SILENCE))
        except TIMEOUTS:
            if within < SILENCE:
                return
            why = f"nothing was heard for {SILENCE:g} s"
        except (OSError, Broken) as err:
            why = err
        if data:
            self._read(data)
        elif not self._closed:
            await self._stream.aclose()
            await self._again(why)

    async def _again(self, why: object) -> None:
        """Connects again, and again, until the patience is over."""
        end, rest = time.monotonic() + self._patience, SHORTEST_REST
        self._raw.clear()
        self._id = self._data = ""
        known = self._seen
        while not self._closed:
            try:
                await self.open()
            except Restarted:
                raise
            except DaemonGone:
                if time.monotonic() + rest >= end:
                    raise
                await pause(rest)
                rest = min(2 * rest, LONGEST_REST)
                continue
            if not known:
                now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                self._ready.append(told.Event(0, "lost", now, error=f"the connection has broken before the first event: {why}"))
            return

    def _read(self, data: bytes) -> None:
        """Reads server-sent events: fields on lines, and an empty line at the end of each."""
        self._raw += data
        *lines, rest = bytes(self._raw).split(b"\n")
        self._raw = bytearray(rest)
        for line in lines:
            name, _, value = line.rstrip(b"\r").decode("utf-8", "replace").partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "id":
                self._id = value
            elif name == "data":
                self._data += value
            elif name == "" and not line.strip():
                self._seen = self._id or self._seen
                if self._data:
                    self._ready.append(told.event(json.loads(self._data)))
                self._id = self._data = ""

    async def __aenter__(self) -> "Events":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.aclose()

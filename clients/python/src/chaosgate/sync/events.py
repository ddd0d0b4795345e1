# Generated from aio/events.py by generate.py: do not edit.
"""What happens, as it happens."""

import json
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Iterator, Deque, Dict, Optional, Type

from .. import told
from ..errors import DaemonGone, Restarted, TimedOut
from ..http import Broken
from .transport import TIMEOUTS, Stream, pause

if TYPE_CHECKING:
    from .client import Client

SILENCE = 45.0  # seconds for which a stream may say nothing: three times what lies between the daemon's heartbeats
SHORTEST_REST, LONGEST_REST = 0.05, 2.0  # seconds between two attempts to make a stream again


class Events(Iterator[told.Event]):
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

    def open(self) -> "Events":
        """Connects: what happens from now on is told."""
        query = {**self._query, "since": self._seen} if self._seen else self._query
        stream = self._client.stream(("v1", "events"), query=query, accept="text/event-stream")
        if self._closed:  # meanwhile
            stream.close()
        self._stream = stream
        return self

    def next(self, timeout: float) -> told.Event:
        """Returns the next event, or raises TimedOut when there is none in that many seconds."""
        deadline = time.monotonic() + timeout
        while not self._ready:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut(f"no event has come within {timeout:g} s", code="timed_out", boot=self._client.boot)
            if self._closed:
                raise ValueError("events: they are closed")
            self._more(left)
        return self._ready.popleft()

    def __iter__(self) -> "Events":
        return self

    def __next__(self) -> told.Event:
        while not self._ready:
            if self._closed:
                raise StopIteration
            self._more(SILENCE)
        return self._ready.popleft()

    def close(self) -> None:
        """Follows no more."""
        self._closed = True
        if self._stream is not None:
            self._stream.close()

    def _more(self, within: float) -> None:
        """Reads more of the stream, for so long at most, or makes it again if it has broken."""
        why: object = "the daemon has ended the stream"
        data = b""
        if self._stream is None:
            self.open()
        assert self._stream is not None
        try:
            data = self._stream.read(min(within, SILENCE))
        except TIMEOUTS:
            if within < SILENCE:
                return
            why = f"nothing was heard for {SILENCE:g} s"
        except (OSError, Broken) as err:
            why = err
        if data:
            self._read(data)
        elif not self._closed:
            self._stream.close()
            self._again(why)

    def _again(self, why: object) -> None:
        """Connects again, and again, until the patience is over."""
        end, rest = time.monotonic() + self._patience, SHORTEST_REST
        self._raw.clear()
        self._id = self._data = ""
        known = self._seen
        while not self._closed:
            try:
                self.open()
            except Restarted:
                raise
            except DaemonGone:
                if time.monotonic() + rest >= end:
                    raise
                pause(rest)
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

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

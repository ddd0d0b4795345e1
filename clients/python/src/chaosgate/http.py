"""HTTP/1.1 without a socket: requests as bytes, and answers out of bytes. Both transports, of threads and of asyncio, speak it."""

from dataclasses import dataclass
from typing import Dict, Mapping, Optional
from urllib.parse import urlsplit

MOST_HEAD = 64 << 10  # bytes of a status line with its headers


class Broken(Exception):
    """Is that what answers does not speak HTTP, or ends amid an answer."""


@dataclass(frozen=True)
class Address:
    """Is where a daemon is."""

    url: str  # without a slash at its end
    host: str
    port: int
    path: str  # before each request's own

    @property
    def authority(self) -> str:
        """What the header Host says."""
        return urlsplit(self.url).netloc


def address(url: str) -> Address:
    """Reads the URL of a daemon."""
    full = url if "://" in url else "http://" + url
    try:
        parts = urlsplit(full)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme != "http" or parts.query or parts.fragment or parts.username is not None or not printable(full):
        raise ValueError(f"daemon: got {url!r}, want a URL such as http://127.0.0.1:8474")
    return Address(full.rstrip("/"), host, port or 80, parts.path.rstrip("/"))


def printable(text: str) -> bool:
    """Tells whether a text may stand in a header."""
    return not any(c < " " or c == "\x7f" for c in text)


def request(method: str, target: str, headers: Mapping[str, str], body: Optional[bytes]) -> bytes:
    """Returns a request as it is sent: in one piece, so that it is one segment."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + (body or b"")


class Reply:
    """Is an answer, out of the bytes that were fed to it so far."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Dict[str, str] = {}  # by their names in lower case
        self.begun = False  # the headers are complete
        self.done = False  # and so is the body
        self.keeps = False  # the connection may be used again
        self._raw = bytearray()
        self._body = bytearray()
        self._left: Optional[int] = None  # of the body, or of its chunk; None where the end of the connection ends it
        self._chunked = False
        self._trailing = False

    def feed(self, data: bytes) -> None:
        """Takes bytes from the connection; none are its end."""
        if not data:
            if self.begun and self._left is None and not self._chunked:
                self.done = True
                return
            raise Broken("the connection has ended amid an answer" if self._raw or self.begun else "the connection has ended without an answer")
        self._raw += data
        while not self.begun:
            if not self._head():
                return
        if self._chunked:
            while not self.done and self._chunk():
                pass
        elif self._left is None:
            self._body += self._raw
            self._raw.clear()
        else:
            self._take()
            self.done = self._left == 0
        if self.done and self._raw:
            self.keeps = False  # it has said more than it was asked

    def body(self) -> bytes:
        """Returns what of the body has come since it was asked last."""
        data = bytes(self._body)
        self._body.clear()
        return data

    def _head(self) -> bool:
        end = self._raw.find(b"\r\n\r\n")
        if end < 0:
            if len(self._raw) > MOST_HEAD:
                raise Broken("the answer's headers do not end")
            return False
        first, *rest = bytes(self._raw[:end]).decode("utf-8", "replace").split("\r\n")
        del self._raw[: end + 4]
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            raise Broken(f"what answers does not speak HTTP: it says {first[:80]!r}")
        self.status = int(words[1])
        if 100 <= self.status < 200:  # only interim
            return True
        for header in rest:
            name, _, value = header.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        self.begun = True
        self.keeps = words[0] == "HTTP/1.1" and "close" not in self.headers.get("connection", "").lower()
        length = self.headers.get("content-length", "")
        if self.status in (204, 304):
            self._left = 0
        elif "chunked" in self.headers.get("transfer-encoding", "").lower():
            self._chunked, self._left = True, 0
        elif length.isdecimal():
            self._left = int(length)
        elif length:
            raise Broken(f"the answer's length is {length!r}")
        else:
            self.keeps = False
        return True

    def _chunk(self) -> bool:
        """Reads one step of a chunked body, and tells whether there was enough for it."""
        if self._left:
            return self._take() and self._left == 0 and self._line() is not None
        line = self._line()
        if line is None:
            return False
        if self._trailing:
            self.done = line == b""
            return True
        if line == b"":  # behind a chunk that came apart from it
            return True
        try:
            self._left = int(line.split(b";")[0], 16)
        except ValueError:
            raise Broken(f"the answer's chunk is as long as {line[:80]!r}") from None
        self._trailing = self._left == 0
        return True

    def _line(self) -> Optional[bytes]:
        end = self._raw.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self._raw[:end])
        del self._raw[: end + 2]
        return line

    def _take(self) -> bool:
        """Takes what there is of the body, and tells whether that was anything."""
        assert self._left is not None
        taken = self._raw[: self._left]
        del self._raw[: len(taken)]
        self._body += taken
        self._left -= len(taken)
        return bool(taken)

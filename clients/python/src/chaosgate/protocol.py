"""What is said to a daemon and what its answers mean, without a socket."""

import json
import os
from typing import Any, Dict, Mapping, Optional, Sequence, Union
from urllib.parse import quote, urlencode

from . import http
from .errors import SORTS, DaemonGone, Error, Invalid, Restarted

DEFAULT_URL = "http://127.0.0.1:8474"

LONGEST_WAIT = 600.0  # seconds that a daemon waits at most before it answers
WAIT_GRACE = 5.0  # seconds behind a wait's end for which its answer is waited for, which tells how far it has come

Query = Mapping[str, Union[str, int, Sequence[str]]]


class Speaker:
    """Knows the daemon, who asks it, and the run of it that has answered first: another is not asked anything."""

    def __init__(self, url: Optional[str], token: Optional[str], by: Optional[str]) -> None:
        self.address = http.address(url or os.environ.get("CHAOSGATE_DAEMON") or DEFAULT_URL)
        self.token = token or os.environ.get("CHAOSGATE_TOKEN") or ""
        self.by = by or os.environ.get("CHAOSGATE_BY") or os.environ.get("USER") or os.environ.get("USERNAME") or ""
        self.boot = ""
        for name, text in (("token", self.token), ("by", self.by)):
            if not http.printable(text):
                raise ValueError(f"{name}: got control characters, want a name on one line")

    def request(self, method: str, path: Sequence[str], query: Optional[Query] = None, body: Any = None, accept: str = "") -> bytes:
        """Returns a request as it is sent."""
        for part in path:
            if part in ("", ".", ".."):  # they would make it another path
                raise Invalid(f"got {part!r}, want a name", code="invalid")
        target = self.address.path + "/" + "/".join(quote(part, safe="") for part in path)
        if query:
            target += "?" + urlencode(query, doseq=True)
        headers: Dict[str, str] = {"Host": self.address.authority, "User-Agent": "chaosgate-python"}
        if self.by:
            headers["Chaosgate-By"] = "".join(c if http.printable(c) else " " for c in self.by)
        if self.boot:
            headers["If-Match"] = f'"{self.boot}"'
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if accept:
            headers["Accept"] = accept
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return http.request(method, target, headers, data)

    def begin(self, reply: http.Reply) -> None:
        """Notes which run of the daemon answers."""
        boot = reply.headers.get("chaosgate-boot", "")
        if not boot:
            raise self.gone(f"what does is something else, and says {reply.status}")
        self.boot = self.boot or boot
        if boot != self.boot and reply.status != 412:
            raise Restarted(f"the daemon at {self.address.url} was started anew: what was imposed is not any more", code="restarted", boot=boot)

    def answer(self, reply: http.Reply) -> Any:
        """Returns what an answer says; one that refuses is an error."""
        self.begin(reply)
        if reply.status >= 300:
            raise self.refusal(reply, reply.body())
        data = reply.body()
        try:
            return json.loads(data) if data else None
        except ValueError as err:
            raise self.gone(f"what answers is no JSON: {err}") from None

    def refusal(self, reply: http.Reply, body: bytes) -> Error:
        """Returns the error that an answer is."""
        said: Dict[str, Any] = {}
        if reply.headers.get("content-type", "").startswith("application/problem+json"):
            try:
                said = json.loads(body)
            except ValueError:
                pass
        if not said:
            return self.gone(f"what does says {reply.status}, and not why")
        code = said.get("code", "")
        detail = said.get("detail") or f"the daemon answers {reply.status}"
        boot = reply.headers.get("chaosgate-boot", "")
        return SORTS.get(code, Error)(detail, status=reply.status, code=code, path=said.get("path", ""), boot=boot)

    def gone(self, why: object) -> DaemonGone:
        """Returns the error that no daemon answers."""
        return DaemonGone(f"no daemon answers at {self.address.url}: {why}")

"""The gates that tests make."""

import hashlib
import re
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Type

from .sync import Gate
from .sync.client import Faults, Server

if TYPE_CHECKING:
    from .pytest_plugin import ChaosSession

LONGEST_NAME = 80  # letters of a test's name that stand in its gate's


class Made:
    """Is a gate that was made for a test, or for the session."""

    def __init__(self, gate: Gate, name: str, test: Optional[str], options: Any) -> None:
        self.gate = gate
        self.name = name  # as the test calls it
        self.test = test  # that it was made for; None for the session
        self._options = options
        self.fixture = ""  # whose setup has made it

    def begin(self, seed: int, test: str) -> None:
        """Has a gate of the session draw, for a test, as it would if the test ran alone."""
        if self.test is None and self._options.get("seed") is None:
            self.gate.reseed(derived(seed, test, self.name))

    def impose(self, where: str, what: str) -> None:
        """Imposes a marker's condition."""
        if where == "door":
            self.gate.set_door(what)
        else:
            (self.gate.to_server if where == "to_server" else self.gate.to_client).extend(what)

    def end(self) -> None:
        """Heals a gate of the session, so that it is as it was made."""
        if self.test is not None:
            return
        self.gate.heal()
        for flow, key in ((self.gate.to_server, "to_server"), (self.gate.to_client, "to_client")):
            faults = self._options.get(key)
            if faults:
                flow.set(*(faults if isinstance(faults, (list, tuple)) else (faults,)))
        if self._options.get("door"):
            self.gate.set_door(self._options["door"])


class Gates:
    """Makes gates: it is what the fixture gate_factory is. At the end they are removed."""

    def __init__(self, session: "ChaosSession", suffix: str, test: Optional[str]) -> None:
        self._session = session
        self._suffix = suffix
        self._test = test
        self._mine: List[Made] = []

    def __call__(
        self,
        server: Server,
        *,
        name: Optional[str] = None,
        to_server: Faults = (),
        to_client: Faults = (),
        **options: Any,
    ) -> Gate:
        """Makes a gate before a server. name is what the test and its marker call it; options are those of Client.gate."""
        called = name or _plain((self._test or "gate").rpartition("::")[2])
        wanted = "-".join(part for part in (called, self._suffix) if part)
        there = {made.gate.name for made in self._session.made}
        unique, n = wanted, 1
        while unique in there:
            n += 1
            unique = f"{wanted}-{n}"
        options = {**options, "to_server": to_server, "to_client": to_client}
        seed = derived(self._session.seed, self._test or self._session.test, called if n == 1 else f"{called}-{n}")
        said: Dict[str, Any] = {"seed": seed, "lease": self._session.lease}
        said.update({key: value for key, value in options.items() if value is not None})
        gate = self._session.client().gate(unique, server, **said)
        made = Made(gate, called, self._test, options)
        self._mine.append(made)
        self._session.note(made)
        return gate

    def __enter__(self) -> "Gates":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        for made in self._mine:
            self._session.made.remove(made)
        for made in self._mine:
            made.gate.remove()


def derived(seed: int, test: str, name: str) -> int:
    """Returns the seed of a gate: another for each test and gate, and the same again for the same session's seed."""
    digest = hashlib.sha256(f"{seed}\n{test}\n{name}".encode()).digest()
    return int.from_bytes(digest[:4], "big") or 1


def _plain(name: str) -> str:
    return re.sub(r"[^\w.\-\[\]]+", "_", name, flags=re.ASCII)[:LONGEST_NAME] or "gate"

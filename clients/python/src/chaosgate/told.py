"""What a daemon tells, as values."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple


@dataclass(frozen=True)
class Offset:
    """Is from where a fault holds on a live connection: bytes before it pass as things were before."""

    conn: int
    offset: int


@dataclass(frozen=True)
class Event:
    """Is something that has happened. data is all that the daemon tells about it."""

    id: int
    type: str
    time: str
    gate: str = ""
    conn: Optional[int] = None
    direction: str = ""
    fault: str = ""  # the fault's id
    text: str = ""  # the fault as a line
    by: str = ""
    error: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        """Returns the event on one line."""
        told = " ".join(f"{key}={value}" for key, value in self.data.items() if key not in ("id", "time", "type", "gate"))
        return " ".join(word for word in (self.time, self.type, self.gate, told) if word)


def event(data: Mapping[str, Any]) -> Event:
    """Returns an event as the daemon's JSON has it."""
    names = ("gate", "conn", "direction", "fault", "text", "by", "error")
    return Event(data.get("id", 0), data["type"], data["time"], data=data, **{name: data[name] for name in names if name in data})


@dataclass(frozen=True)
class Lifted:
    """Is a fault that was lifted."""

    gate: str
    direction: str
    id: str
    text: str
    hits: int
    conn: Optional[int] = None


@dataclass(frozen=True)
class Healed:
    """Is what there was to heal: the faults that were lifted, and the gates whose doors were opened, with how they were."""

    faults: List[Lifted]
    doors: Dict[str, str]


def healed(data: Mapping[str, Any]) -> Healed:
    """Returns what was healed as the daemon's JSON has it."""
    faults = [Lifted(f["gate"], f["direction"], f["id"], f["text"], f["hits"], f.get("conn")) for f in data["faults"] or []]
    return Healed(faults, {d["gate"]: d["door"] for d in data["doors"] or []})


def offsets(data: Mapping[str, Any]) -> Tuple[Offset, ...]:
    """Returns the offsets in what the daemon tells about a fault."""
    return tuple(Offset(o["conn"], o["offset"]) for o in data.get("offsets") or [])


def split_address(text: str) -> Tuple[str, int]:
    """Returns host and port of an address; of a unix socket the path and 0."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        return text, 0
    return host.strip("[]"), int(port)


def join_address(address: Any) -> Any:
    """Returns (host, port) as the daemon reads it, and a text as it is."""
    if isinstance(address, str):
        return address
    host, port = address[0], address[1]  # those of IPv6 have more
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

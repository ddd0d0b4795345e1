"""Faults as values: what all the generated classes of chaosgate.faults share."""

import dataclasses
import json
from typing import Any, ClassVar, Dict, Iterator, Mapping, Optional, Tuple, Type, Union

from . import quantities

# A fault as a test may say it: an object, a line such as "delay by=200ms", or what the daemon's JSON has, {"delay": {"by": "200ms"}}.
FaultLike = Union["Fault", str, Mapping[str, Any]]

KINDS: Dict[str, Type["Fault"]] = {}  # the classes by the kinds' names


@dataclasses.dataclass(frozen=True, init=False, eq=False, repr=False)
class Fault:
    """Is what may be imposed on one direction of a gate. It is a value: two that say the same are equal."""

    kind: ClassVar[str]
    networks: ClassVar[Tuple[str, ...]]
    parameters: ClassVar[Tuple[Tuple[str, str, str], ...]] = ()  # the attribute's name, the key's and the type
    choices: ClassVar[Mapping[str, str]] = {}  # what stands for nothing, by keys

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        KINDS[cls.kind] = cls

    def _set(self, **values: Any) -> None:
        for name, key, form in self.parameters:
            value = values[name]
            if value is not None:
                _written(form, value, f"{self.kind}: {key}")  # refuses what can be none
            object.__setattr__(self, name, value)

    def to_json(self) -> Dict[str, Any]:
        """Returns the fault as the daemon's JSON has it."""
        return {self.kind: {key: _written(form, value, key) for key, form, value in self._given()}}

    def __str__(self) -> str:
        """Returns the fault as a line, as the command line and the daemon read it."""
        words = [self.kind]
        for key, form, value in self._given():
            written = _written(form, value, key)
            if form == "fault":
                words.append(str(value) if isinstance(value, Fault) else line(written))
            elif form == "flag":
                words.append(f"{key}={'true' if written else 'false'}")
            else:
                words.append(f"{key}={_quoted(str(written))}")
        return " ".join(words)

    def __repr__(self) -> str:
        given = ((name, getattr(self, name)) for name, _, _ in self.parameters)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given if value is not None)})"

    def _given(self) -> Iterator[Tuple[str, str, Any]]:
        for name, key, form in self.parameters:
            value = getattr(self, name)
            if value is not None:
                yield key, form, value

    def _meaning(self) -> Tuple[Any, ...]:
        said = ((key, _meant(form, value)) for key, form, value in self._given())
        return (self.kind, *((key, meant) for key, meant in said if meant and meant != self.choices.get(key)))  # zero is as good as nothing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash(self._meaning())


def from_json(value: Mapping[str, Any]) -> FaultLike:
    """Returns the fault that the daemon's JSON has; as it is, if this package does not know its kind or one of its keys."""
    if len(value) != 1:
        return value
    [(kind, given)] = value.items()
    cls = KINDS.get(kind)
    if cls is None:
        return value
    names = {key: (name, form) for name, key, form in cls.parameters}
    if not set(given) <= set(names):
        return value
    arguments = {}
    for key, parameter in given.items():
        name, form = names[key]
        arguments[name] = from_json(parameter) if form == "fault" and isinstance(parameter, Mapping) else parameter
    return cls(**arguments)


def line(fault: FaultLike) -> str:
    """Returns a fault as a line."""
    if isinstance(fault, str):
        return fault
    known = from_json(fault) if isinstance(fault, Mapping) else fault
    return str(known) if isinstance(known, Fault) else json.dumps(known)


@dataclasses.dataclass(frozen=True)
class Entry:
    """Is a fault with more said of it: its id at the gate, after how long it is lifted, the lease that it is lifted with."""

    fault: FaultLike
    id: Optional[str] = None
    for_: Optional[quantities.Duration] = None
    lease: Optional[str] = None

    def to_json(self) -> Any:
        said = {"id": self.id, "for": quantities.optional_duration(self.for_, "for_"), "lease": self.lease}
        said = {key: value for key, value in said.items() if value is not None}
        return {"fault": _fault(self.fault), **said} if said else _fault(self.fault)


def entries(faults: Tuple[Union[FaultLike, Entry], ...]) -> Any:
    """Returns faults as the body of a request: a line alone may hold several."""
    if len(faults) == 1 and isinstance(faults[0], str):
        return faults[0]
    return [entry.to_json() if isinstance(entry, Entry) else _fault(entry) for entry in faults]


def _fault(fault: FaultLike) -> Any:
    if isinstance(fault, (str, Mapping)):
        return fault
    if isinstance(fault, Fault):
        return fault.to_json()
    raise TypeError(f"fault: got {fault!r}, want one such as Delay(by=0.2) or 'delay by=200ms'")


def _written(form: str, value: Any, name: str) -> Any:
    """Returns a parameter's value as the daemon's JSON has it."""
    if form == "fault":
        return _fault(value)
    if form == "flag":
        if not isinstance(value, bool):
            raise TypeError(f"{name}: got {value!r}, want True or False")
        return value
    if form == "count":
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name}: got {value!r}, want a whole number such as 3")
        return value
    if form in ("text", "choice"):
        if not isinstance(value, str):
            raise TypeError(f"{name}: got {value!r}, want a text")
        return value
    writers: Dict[str, Any] = {
        "duration": quantities.duration_text,
        "size": quantities.size_text,
        "rate": quantities.rate_text,
        "chance": quantities.chance_text,
    }
    return writers[form](value, name)


def _meant(form: str, value: Any) -> Any:
    """Returns what a parameter's value means, however it is written."""
    if form == "duration":
        try:
            return quantities.duration_seconds(value)
        except ValueError:
            return value
    if form == "fault":
        known = from_json(value) if isinstance(value, Mapping) else value
        return known if isinstance(known, (Fault, str)) else json.dumps(known, sort_keys=True)
    if form == "chance":
        return quantities.chance_number(value)
    if form in ("size", "rate"):
        return quantities.byte_count(value)
    return value


def _quoted(text: str) -> str:
    plain = text != "" and not any(c.isspace() or not c.isprintable() or c in "\"`\\" for c in text)
    return text if plain else json.dumps(text, ensure_ascii=False)

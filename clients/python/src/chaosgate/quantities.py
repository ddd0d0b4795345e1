"""Durations, sizes, rates and chances: as Python has them, and as the daemon reads them.

Text is passed on as it is, so that what is wrong with it is said in the daemon's words.
"""

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Dict, Optional, Union

Duration = Union[float, timedelta, str]  # seconds, or text with its unit, such as "200ms"
Size = Union[int, str]  # bytes, or text with its unit, such as "64KiB"
Rate = Union[int, str]  # bytes a second, or text with its unit, such as "64KiB/s"
Chance = Union[float, str]  # from 0 to 1, or text, such as "10%"

_DURATION_UNITS = (("h", 3600 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1))
_NANOSECONDS = {**dict(_DURATION_UNITS), "µs": 10**3, "μs": 10**3}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_DURATION = re.compile(rf"[+-]?(?:{_DURATION_PART.pattern})+")
_SIZE_UNITS = (("TiB", 2**40), ("TB", 10**12), ("GiB", 2**30), ("GB", 10**9), ("MiB", 2**20), ("MB", 10**6), ("KiB", 2**10), ("KB", 10**3))

_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)([A-Za-z]+)")
_BYTES: Dict[str, Fraction] = {
    **{unit: Fraction(size) for unit, size in _SIZE_UNITS},
    "B": Fraction(1),
    **{unit: Fraction(bits, 8) for unit, bits in (("bit", 1), ("kbit", 10**3), ("Mbit", 10**6), ("Gbit", 10**9))},
}


def duration_text(value: Duration, name: str = "duration") -> str:
    """Returns a duration as the daemon reads it: 0.2 is "200ms"."""
    if isinstance(value, str):
        return value
    if isinstance(value, timedelta):
        nanoseconds = value // timedelta(microseconds=1) * 1000
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{name}: got {value}, want seconds, a timedelta or a duration with its unit, such as '200ms'")
        nanoseconds = round(Decimal(repr(value)) * 10**9)
    else:
        raise _wrong(name, value, "seconds, a timedelta or a duration with its unit, such as '200ms'")
    if nanoseconds == 0:
        return "0s"
    return next(f"{nanoseconds // size}{unit}" for unit, size in _DURATION_UNITS if nanoseconds % size == 0)


def duration_seconds(value: Duration, name: str = "duration") -> float:
    """Returns a duration in seconds: "1m30s" is 90.0."""
    text = duration_text(value, name)
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{name}: got {text!r}, want seconds, a timedelta or a duration with its unit, such as '200ms'")
    total = sum(Fraction(number) * _NANOSECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    return float(total / 10**9) * (-1 if text.startswith("-") else 1)


def size_text(value: Size, name: str = "size") -> str:
    """Returns a size as the daemon reads it: 65536 is "64KiB"."""
    if isinstance(value, str):
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(name, value, "bytes or a size with its unit, such as '64KiB'")
    texts = [f"{value // size}{unit}" for unit, size in _SIZE_UNITS if value and value % size == 0]
    return min([f"{value}B", *texts], key=len)


def rate_text(value: Rate, name: str = "rate") -> str:
    """Returns a rate as the daemon reads it: 65536 is "64KiB/s"."""
    if isinstance(value, str):
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(name, value, "bytes a second or a rate with its unit, such as '64KiB/s'")
    return size_text(value) + "/s"


def chance_text(value: Chance, name: str = "chance") -> str:
    """Returns a chance as the daemon reads it: 0.1 is "0.1"."""
    if isinstance(value, str):
        return value
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _wrong(name, value, "a number from 0 to 1 or a chance such as '10%'")
    return repr(value)


def byte_count(value: Union[Size, Rate]) -> Union[Fraction, str]:
    """Returns how many bytes, or bytes a second, a size or a rate is; as it is, if it is none."""
    if not isinstance(value, str):
        return Fraction(value)
    parts = _QUANTITY.fullmatch(value[:-2] if value.endswith("/s") else value)
    if parts is None or parts[2] not in _BYTES:
        return value
    return Fraction(parts[1]) * _BYTES[parts[2]]


def chance_number(value: Chance) -> Union[float, str]:
    """Returns a chance as a number; as it is, if it is none."""
    try:
        if isinstance(value, str):
            return float(value[:-1] + "e-2") if value.endswith("%") else float(value)
        return float(value)
    except ValueError:
        return value


def optional_duration(value: Optional[Duration], name: str) -> Optional[str]:
    """Returns a duration as the daemon reads it, or None for None."""
    return None if value is None else duration_text(value, name)


def optional_size(value: Optional[Size], name: str) -> Optional[str]:
    """Returns a size as the daemon reads it, or None for None."""
    return None if value is None else size_text(value, name)


def _wrong(name: str, value: object, want: str) -> TypeError:
    return TypeError(f"{name}: got {value!r}, want {want}")

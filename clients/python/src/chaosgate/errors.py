"""What can go wrong: one class for each sort of refusal, with the daemon's own words."""

import asyncio
from typing import Dict, Type


class Error(Exception):
    """Is what a daemon refuses with, or that it cannot be asked.

    status is that of HTTP, 0 if there was no answer; code tells programs what sort of error it is; path is the way to the value that is
    wrong, such as "to_server[0].delay.by"; boot is the run of the daemon that has refused.
    """

    def __init__(self, detail: str, *, status: int = 0, code: str = "", path: str = "", boot: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.path = path
        self.boot = boot

    def __str__(self) -> str:
        return self.detail


class Unknown(Error, LookupError):
    """Is that there is nothing of that name."""


class Taken(Error):
    """Is that the name belongs to another."""


class Invalid(Error, ValueError):
    """Is that a value is wrong; path leads to it."""


class Unable(Error):
    """Is that the daemon's system cannot do it: an address is in use, say."""


class Forbidden(Error):
    """Is that the daemon does not allow it."""


class Unauthorized(Forbidden):
    """Is that the daemon wants a token, and was shown none or another."""


if asyncio.TimeoutError is TimeoutError:  # type: ignore[comparison-overlap]

    class TimedOut(Error, TimeoutError):
        """Is that what was waited for has not come in time. It is a TimeoutError, and asyncio's, as well."""

else:  # before Python 3.11

    class TimedOut(Error, TimeoutError, asyncio.TimeoutError):  # type: ignore[no-redef]
        """Is that what was waited for has not come in time. It is a TimeoutError, and asyncio's, as well."""


class Gone(Error):
    """Is that the gate or the fault was removed meanwhile, or that the daemon is stopping."""


class DaemonGone(Error, ConnectionError):
    """Is that no daemon answers."""


class Restarted(DaemonGone):
    """Is that the daemon was started anew: what was imposed holds no more, and a test would run against a perfect wire."""


SORTS: Dict[str, Type[Error]] = {
    "unknown": Unknown,
    "taken": Taken,
    "invalid": Invalid,
    "malformed": Invalid,
    "unable": Unable,
    "forbidden": Forbidden,
    "unauthorized": Unauthorized,
    "timed_out": TimedOut,
    "gone": Gone,
    "restarted": Restarted,
}

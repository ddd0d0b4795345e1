"""A daemon of one's own: a child process that dies with this one, however this one ends."""

import atexit
import json
import os
import shutil
import subprocess
import threading
import weakref
from collections import deque
from types import TracebackType
from typing import Callable, Deque, Dict, List, Optional, Sequence, Tuple, Type, Union

from .errors import Error
from .sync import Client

PROGRAM = "chaosgate"
ADVICE = "install it with: go install github.com/chaosgate/chaos/cmd/chaosgate@latest"
KEPT_LINES = 2000  # of the log
ENDS_WITHIN = 15.0  # seconds: the daemon itself gives peers that do not read five


class NoBinary(Error, FileNotFoundError):
    """Is that the program was not found, or cannot be run."""


class NotStarted(Error):
    """Is that the daemon has ended before it has said where it listens."""


def find_binary(given: Union[str, "os.PathLike[str]", None] = None) -> str:
    """Returns where the program is: where it was said to be, or else $CHAOSGATE_BIN, or else on the PATH."""
    variable = os.environ.get("CHAOSGATE_BIN")
    for source, path in (("the argument", given), ("$CHAOSGATE_BIN", variable)):
        if path:
            found = shutil.which(os.fspath(path))
            if found is None:
                raise NoBinary(f"{source} says {os.fspath(path)!r}, which is no program; {ADVICE}")
            return found
    found = shutil.which(PROGRAM)
    if found is None:
        raise NoBinary(
            f"there is no program {PROGRAM}: no argument names it, $CHAOSGATE_BIN is not set, and it is in no folder of the PATH, "
            f"{os.environ.get('PATH', '')!r}; {ADVICE}"
        )
    return found


class Daemon:
    """Is a daemon on a free port of 127.0.0.1. It is a context manager; args are more flags of chaosgate serve.

    It ends when its standard input does, which this process holds and never writes to: so it ends with this process, also where that is
    killed. It ignores what a terminal's Ctrl-C does, so that fixtures can still be torn down.
    """

    def __init__(self, binary: Union[str, "os.PathLike[str]", None] = None, args: Sequence[str] = (), *, timeout: float = 60.0) -> None:
        self._binary = binary
        self._args = tuple(args)
        self._timeout = timeout
        self._process: Optional["subprocess.Popen[bytes]"] = None
        self._lines: Deque[str] = deque(maxlen=KEPT_LINES)
        self._listening = threading.Event()  # or it has ended
        self._reader: Optional[threading.Thread] = None
        self.url = ""

    @property
    def log(self) -> str:
        """What it has logged last: JSON, an object a line."""
        return "\n".join(list(self._lines))

    @property
    def pid(self) -> int:
        """The process, 0 if there is none."""
        return self._process.pid if self._process is not None else 0

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> "Daemon":
        """Starts it, and returns when it listens."""
        if self.running:
            return self
        command = [find_binary(self._binary), "serve", "--listen", "127.0.0.1:0", "--until-stdin-closes", "--log-format", "json", *self._args]
        self.url = ""
        self._lines.clear()
        self._listening.clear()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                bufsize=0,  # a fork could inherit a buffer's lock
                env=_environment(),
                start_new_session=True,
            )
        except OSError as err:
            raise NoBinary(f"{command[0]} cannot be run: {err}") from err
        _started.add(self)
        self._reader = threading.Thread(target=self._read, args=(self._process,), name="chaosgate's log", daemon=True)
        self._reader.start()
        came = self._listening.wait(self._timeout)
        if not self.url:
            self.stop()
            why = "has ended" if came else f"has not said where it listens for {self._timeout:g} s"
            raise NotStarted(f"{' '.join(command)} {why}:\n{self.log}")
        return self

    def stop(self) -> None:
        """Ends it, and returns when it has ended: its gates are closed, and what was held back is delivered."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stderr is not None
        process.stdin.close()
        for end in (process.terminate, process.kill):
            try:
                process.wait(ENDS_WITHIN)
                break
            except subprocess.TimeoutExpired:
                end()
        process.wait()
        if self._reader is not None:
            self._reader.join()
        process.stderr.close()

    def client(self, *, by: Optional[str] = None, timeout: float = 30.0) -> Client:
        """Returns a client of it."""
        return Client(self.url, by=by, timeout=timeout)

    def problems(self) -> List[str]:
        """Returns what of its log is warnings and errors."""
        return [line for line in list(self._lines) if _said(line).get("level") in ("WARN", "ERROR") or not line.startswith("{")]

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stderr is not None
        rest = b""
        while part := process.stderr.read(1 << 16):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self._note(line.decode("utf-8", "replace"))
        if rest:
            self._note(rest.decode("utf-8", "replace"))
        self._listening.set()

    def _note(self, line: str) -> None:
        self._lines.append(line)
        said = _said(line)
        if not self.url and said.get("msg") == "listening" and "url" in said:
            self.url = said["url"]
            self._listening.set()

    def __enter__(self) -> "Daemon":
        return self.start()

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.stop()


_shared: Optional[Callable[[], Client]] = None  # returns the client that all of this process share
_lease: Callable[[], Optional[str]] = lambda: None  # returns the lease that what they make is to hang on
_own: Optional[Daemon] = None  # the daemon behind that, if nobody has said another
_sharing = threading.Lock()  # guards these three


def share(client: Optional[Callable[[], Client]], lease: Callable[[], Optional[str]] = lambda: None) -> None:
    """Says what returns the client that all of this process are to share, and the lease; the pytest plugin does. None is nobody."""
    global _shared, _lease
    with _sharing:
        _shared, _lease = client, lease


def shared_lease() -> Optional[str]:
    """Returns the lease that what is made by the shared client is to hang on, if that is needed."""
    return _lease()


def shared() -> Client:
    """Returns the client that all of this process share: that of the pytest plugin, if there is one, or of a daemon that is started here.

    The daemon ends with this process.
    """
    global _shared, _own
    with _sharing:
        if _shared is None:
            if _own is None or not _own.running:
                _own = Daemon().start()
                atexit.register(_own.stop)
            client = _own.client()
            _shared = lambda: client  # noqa: E731
        return _shared()


# Daemons whose standard input a fork of this process would hold as well, which would keep them alive for as long as it lives.
_started: "weakref.WeakSet[Daemon]" = weakref.WeakSet()


def _disown() -> None:
    for daemon in list(_started):
        process, daemon._process = daemon._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.returncode = 0  # it is no child of the fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown)


def _environment() -> Dict[str, str]:
    """Returns the environment for a daemon: no variable that is meant for another one stands for a flag of this."""
    kept: Tuple[str, ...] = ("CHAOSGATE_TOKEN", "CHAOSGATE_ALLOW_HOST", "CHAOSGATE_ALLOW_SERVER", "CHAOSGATE_ALLOW_LISTEN")
    return {name: value for name, value in os.environ.items() if not name.startswith("CHAOSGATE_") or name in kept}


def _said(line: str) -> Dict[str, str]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}

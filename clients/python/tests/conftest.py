"""What the tests share: real sockets behind a gate, and the daemon of the session, which the plugin starts."""

import importlib.metadata
import socketserver
import sys
import threading
from pathlib import Path
from typing import Iterator, Tuple

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"
sys.path.insert(0, str(SOURCE))

pytest_plugins = ["pytester"]
try:
    importlib.metadata.version("chaosgate")
except importlib.metadata.PackageNotFoundError:  # an installed package has its plugin loaded already
    pytest_plugins.append("chaosgate.pytest_plugin")

from chaosgate import Client  # noqa: E402


class _Echo(socketserver.BaseRequestHandler):
    """Says what it is told."""

    def handle(self) -> None:
        try:
            while data := self.request.recv(1 << 16):
                self.request.sendall(data)
        except OSError:  # a reset, which some tests want
            pass


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture(scope="session")
def echo() -> Iterator[Tuple[str, int]]:
    """Returns the address of a server that says what it is told."""
    with _Server(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server.server_address
        server.shutdown()
        thread.join()


@pytest.fixture
def client(chaosgate: Client) -> Iterator[Client]:
    """Returns a client of the session's daemon, on which a test must leave no gate and no lease."""
    yield chaosgate
    assert chaosgate.gates() == []
    assert chaosgate.leases() == []

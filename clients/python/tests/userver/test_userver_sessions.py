"""What is left behind: nothing. And the page of the manual, as a project of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chaosgate

from .wire import NEEDS

ROOT = Path(__file__).resolve().parents[4]
SOURCE = ROOT / "clients" / "python" / "src"

LEAVES_A_GATE = """
from chaosgate import userver as chaos

def test_leaves_a_gate():
    gate = chaos.TcpGate(chaos.GateRoute("left", "127.0.0.1", 1))
    gate.to_server_noop()
    gate.start()
    assert chaos.TcpGate(chaos.GateRoute("left", "127.0.0.1", 1)).start() is None
"""

PROCESS = """
import sys
from chaosgate import daemon, userver as chaos
gate = chaos.TcpGate(chaos.GateRoute("mine", "127.0.0.1", 1))
gate.start()
print(daemon.shared().url, daemon.shared().gates()[0].name, flush=True)
sys.stdin.read()
"""

GIVEN = """
import asyncio, types
import pytest

@pytest.fixture
async def database():
    async def serve(reader, writer):
        while data := await reader.read(100):
            writer.write(data)
        writer.close()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield types.SimpleNamespace(port=server.sockets[0].getsockname()[1])

@pytest.fixture
async def service(gate):
    async def get(path):
        try:
            reader, writer = await asyncio.open_connection(*gate.get_sockname_for_clients())
            writer.write(b"ping")
            return types.SimpleNamespace(status=200 if await reader.read(4) == b"ping" else 500)
        except ConnectionError:
            return types.SimpleNamespace(status=500)
    asyncio.get_running_loop().create_task(connected(gate))
    yield types.SimpleNamespace(get=get)

async def connected(gate):
    connections = []
    while True:
        connections.append(await asyncio.open_connection(*gate.get_sockname_for_clients()))
        await asyncio.sleep(0.05)
"""


@pytest.fixture(autouse=True)
def nothing_left():
    """Stands for what looks for gates that are left: these have daemons of their own."""


def project(folder, *args):
    """Runs a project's tests in a process of their own, and returns what pytest says."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "chaosgate.pytest_plugin", *args]
    run = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert re.search(r"\b1 passed\b", run.stdout), run.stdout
    assert run.returncode == 0, run.stdout
    return run.stdout


def test_somebody_elses_daemon_is_left_as_it_was(tmp_path):
    (tmp_path / "test_it.py").write_text(LEAVES_A_GATE)
    with chaosgate.Daemon() as daemon, daemon.client() as client:
        project(tmp_path, "--chaosgate-url", daemon.url)
        created = client.wait_events(2, types=["created"], timeout=10)
        assert [event.gate for event in created] == ["left", "left #2"]
        client.wait_events(2, types=["removed"], timeout=30)
        assert client.gates() == []


def test_the_plugins_daemon_is_used(tmp_path):
    (tmp_path / "test_it.py").write_text(
        LEAVES_A_GATE.replace("def test_leaves_a_gate():", "def test_leaves_a_gate(chaosgate):")
        + "    assert [gate.name for gate in chaosgate.gates()] == ['left', 'left #2']\n"
    )
    project(tmp_path)


@pytest.mark.parametrize("end", ["exits", "is killed"])
def test_the_daemon_ends_with_the_process(tmp_path, end):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PROCESS]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        url, name = process.stdout.readline().split()
        assert name == "mine"
        with chaosgate.Client(url) as client:
            events = client.events(patience=0.1)
            if end == "exits":
                process.stdin.close()
            else:
                process.kill()
            with pytest.raises(chaosgate.DaemonGone):
                for _ in events:
                    pass
            events.close()


def test_the_page_of_the_manual(tmp_path):
    pytest.importorskip("pytest_asyncio", reason=NEEDS)
    [block] = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "userver.md").read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "conftest.py").write_text(GIVEN)
    (tmp_path / "test_it.py").write_text(block)
    project(tmp_path, "-o", "asyncio_mode=auto")

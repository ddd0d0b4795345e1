import re
from pathlib import Path

import pytest
from test_plugin import project, run  # noqa: F401 (a fixture)

from chaosgate import fault

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)

# What the manual's examples are given: a server, and a client of it.
GIVEN = """
import asyncio, builtins, socket, sys
import pytest

class Client:
    def __init__(self, host, port, timeout):
        self.address, self.timeout, self.socket = (host, port), timeout, None
    def ask(self, key):
        try:
            if self.socket is None:
                self.socket = socket.create_connection(self.address, self.timeout)
            self.socket.settimeout(self.timeout)
            self.socket.sendall(b"v")
            answer = self.socket.recv(1).decode()
            if not answer:
                raise ConnectionResetError("closed")
            return answer
        except OSError as err:
            self.socket.close()
            self.socket = None
            raise TimeoutError(str(err)) if isinstance(err, socket.timeout) else err
    async def ask_async(self, key):
        return await asyncio.get_running_loop().run_in_executor(None, self.ask, key)

@pytest.fixture(scope="session", autouse=True)
def given(echo):
    builtins.server, builtins.connect = echo, Client
"""


def blocks(page):
    return BLOCK.findall(page.read_text())


@pytest.mark.parametrize("kind", sorted(fault.KINDS))
def test_the_pages_of_faults(client, kind):
    page = ROOT / "docs" / "faults" / f"{kind}.md"
    examples = blocks(page)
    assert examples
    for block in examples:
        with client.gate("db", "127.0.0.1:1", network=fault.KINDS[kind].networks[0]) as gate:
            exec(compile(block, page.name, "exec"), {"gate": gate})
            assert [imposed.text.split()[0] for imposed in gate.faults()] == [kind]


def test_the_page_of_doors(client):
    [block] = blocks(ROOT / "docs" / "doors.md")
    with client.gate("db", "127.0.0.1:1") as gate:
        exec(compile(block, "doors.md", "exec"), {"gate": gate})
        assert gate.door == "hold"


@pytest.mark.parametrize("file", ["docs/pytest.md", "README.md"])
def test_the_guide(project, file):  # noqa: F811
    written = blocks(ROOT / file)
    wanted = 0
    for n, block in enumerate(written):
        if "pytest.mark.asyncio" in block:
            pytest.importorskip("pytest_asyncio", reason="pytest-asyncio (Debian package python3-pytest-asyncio) is not there")
        if "def test_" not in block:
            block = "def test_it():\n" + "".join(f"    {line}\n" for line in block.splitlines())
        wanted += block.count("def test_")
        project.makepyfile(**{f"test_block_{n}": "import pytest, chaosgate\n" + block})
    assert wanted > 0
    conftest = project.path / "conftest.py"
    conftest.write_text(conftest.read_text() + GIVEN)
    run(project).assert_outcomes(passed=wanted)

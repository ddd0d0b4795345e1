import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import SOURCE

import chaosgate as package
from chaosgate.daemon import find_binary

CONFTEST = f"""
import socket, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
pytest_plugins = ["chaosgate.pytest_plugin"]
from conftest import echo
from peers import say
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """Returns a project of a user's, whose tests run in a process of their own."""
    monkeypatch.setenv("CHAOSGATE_BIN", find_binary())
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeconftest(CONFTEST.replace("from conftest import echo", "import importlib.util as u\n" + _LOADED))
    return pytester


_LOADED = f"""spec = u.spec_from_file_location("outer", {str(Path(__file__).parent / "conftest.py")!r})
outer = u.module_from_spec(spec); spec.loader.exec_module(outer); echo = outer.echo"""


def run(project, *args):
    return project.runpytest_subprocess("-p", "no:cacheprovider", "-ra", *args, timeout=120)


def test_fixtures(project):
    project.makepyfile(
        """
        from peers import say
        import pytest

        def test_a(gate_factory, chaosgate, echo):
            one, two = gate_factory(echo), gate_factory(echo, name="two", to_client="corrupt")
            assert (one.name, two.name, len(chaosgate.gates())) == ("test_a", "two", 2)
            assert say(one) == b"ping" and say(two) != b"ping"
            assert [g.name for g in (gate_factory(echo), gate_factory(echo, name="two"))] == ["test_a-2", "two-2"]

        def test_b(chaosgate):
            assert chaosgate.gates() == []
            assert chaosgate.by.endswith("::test_b")

        @pytest.fixture(scope="session")
        def gate(session_gate_factory, echo):
            return session_gate_factory(echo, name="kept", to_server="delay by=1ms")

        @pytest.mark.parametrize("n", [1, 2])
        def test_session(gate, n):
            assert [str(i.fault) for i in gate.faults()] == ["delay by=1ms"] and gate.door == "open"
            gate.to_client.set("stall")
            gate.set_door("refuse")
        """
    )
    run(project).assert_outcomes(passed=4)


def test_markers(project):
    project.makepyfile(
        """
        import pytest
        from peers import say

        @pytest.fixture(scope="session")
        def kept(session_gate_factory, echo):
            return session_gate_factory(echo, name="kept")

        @pytest.mark.chaos("to_client: corrupt delay by=1ms", "to_server: delay by=1ms")
        def test_made_by_the_test(gate_factory, echo):
            gate = gate_factory(echo)
            assert say(gate) != b"ping" and [len(f.faults()) for f in (gate.to_server, gate.to_client)] == [1, 2]

        @pytest.mark.chaos("door: refuse", gate="kept")
        def test_of_one_gate(kept, gate_factory, echo):
            assert say(gate_factory(echo)) == b"ping"
            with pytest.raises(ConnectionRefusedError):
                say(kept)

        def test_healed(kept):
            assert say(kept) == b"ping"

        @pytest.mark.chaos("to_client: stall")
        class TestMany:
            def test_it(self, kept):
                assert [i.id for i in kept.faults()] == ["stall"]

        @pytest.mark.chaos("to_client: stall")
        def test_no_gate(): pass

        @pytest.mark.chaos("to_client: stall", gate="othr")
        def test_no_such_gate(kept): pass

        @pytest.mark.chaos("to_client: stal")
        def test_no_such_fault(kept): pass

        @pytest.mark.chaos("stall")
        def test_no_direction(kept): pass

        @pytest.mark.chaos()
        def test_nothing(kept): pass
        """
    )
    result = run(project)
    result.assert_outcomes(passed=4, failed=2, errors=3)
    result.stdout.fnmatch_lines_random(
        [
            "the marker chaos has met no gate: the test has made none",
            "the marker chaos has met no gate: the test has made none that is called othr",
            '*to_client: unknown fault "stal", did you mean stall?',
            "*got 'stall', want to_server: FAULTS, to_client: FAULTS or door: open, hold, refuse, blackhole",
            '*want conditions, such as "to_client: delay by=200ms", and perhaps gate="name"',
        ]
    )


FAILING = """
from peers import say

def test_before(gate_factory, echo):
    say(gate_factory(echo))

def test_fails(gate_factory, echo):
    gate = gate_factory(echo, name="redis", to_client="corrupt rate=10%")
    raise AssertionError("answer " + say(gate, bytes(1000)).hex())
"""


def test_a_failure_says_what_was_and_can_be_repeated(project):
    project.makepyfile(test_it=FAILING)
    first = run(project)
    first.assert_outcomes(passed=1, failed=1)
    first.stdout.fnmatch_lines(
        [
            "*- chaosgate -*",
            "gate redis: 127.0.0.1:* -> 127.0.0.1:*, seed *, door open",
            "  to_client: corrupt rate=10%: * hits",
            "  last events:",
            "    *imposed redis direction=to_client fault=corrupt *by=test_it.py::test_fails",
            "    *closed redis *",
            "repeat it by: pytest test_it.py::test_fails --chaosgate-seed=*",
        ]
    )
    command = re.search(r"repeat it by: pytest (\S+) (\S+)", first.stdout.str())
    again = run(project, *command.groups())  # alone, and with another daemon
    again.assert_outcomes(failed=1)
    answers = {re.search(r"answer ([0-9a-f]+)", result.stdout.str())[1] for result in (first, again)}
    assert len(answers) == 1
    other = run(project, command[1], "--chaosgate-seed=1")
    assert re.search(r"answer ([0-9a-f]+)", other.stdout.str())[1] not in answers


def test_a_daemon_that_dies_is_loud(project):
    project.makepyfile(
        """
        import os, signal

        def test_it(gate_factory, echo, request):
            gate = gate_factory(echo)
            daemon = request.config.pluginmanager.get_plugin("chaosgate-session").daemon
            os.kill(daemon.pid, signal.SIGKILL)
            daemon._process.wait()
            gate.heal()

        def test_next(gate_factory, echo):
            gate_factory(echo)
        """
    )
    result = run(project)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*DaemonGone: no daemon answers*", "the daemon has ended; its log:", '*"msg":"listening"*'])
    assert "FAILED test_a_daemon_that_dies_is_loud.py::test_next" in result.stdout.str() or "ERROR test_a_daemon_that_dies_is_loud.py::test_next" in result.stdout.str()


def test_no_program_is_an_error_that_says_what_to_do(project, monkeypatch):
    monkeypatch.setenv("CHAOSGATE_BIN", "/nowhere/chaosgate")
    project.makepyfile("def test_it(gate_factory): pass\ndef test_without(): pass")
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*NoBinary: $CHAOSGATE_BIN says '/nowhere/chaosgate', which is no program; install it with: go install *"])


def test_asyncio_with_a_plugin_for_it(project):
    pytest.importorskip("pytest_asyncio", reason="pytest-asyncio (Debian package python3-pytest-asyncio) is not there")
    project.makepyfile(
        """
        import asyncio, pytest
        pytestmark = pytest.mark.asyncio

        @pytest.mark.parametrize("n", [1, 2])
        async def test_it(gate_factory, chaosgate_aio, echo, n):
            gate = await chaosgate_aio[gate_factory(echo, name="g").name]
            async with await gate.to_client.add("delay by=1ms") as slow:
                reader, writer = await asyncio.open_connection(*gate.address)
                writer.write(b"x")
                assert await reader.readexactly(1) == b"x"
                assert await slow.wait(timeout=30) > 0
                writer.close()
        """
    )
    run(project, "-W", "error").assert_outcomes(passed=2)
    run(project, "-p", "no:asyncio", "-k", "nothing").assert_outcomes(deselected=2)


def test_asyncio_without_a_plugin_for_it(project):
    project.makepyfile(
        """
        import asyncio

        def test_it(gate_factory, chaosgate_aio, echo):
            name = gate_factory(echo).name
            async def story():
                return await (await chaosgate_aio[name]).door
            assert asyncio.run(story()) == asyncio.run(story()) == "open"
        """
    )
    run(project, "-p", "no:asyncio", "-W", "error").assert_outcomes(passed=1)


PARALLEL = """
import pytest
from peers import say

@pytest.mark.parametrize("n", range(100))
def test_it(gate_factory, echo, n):
    gate = gate_factory(echo, name="redis")
    with gate.to_client.add("delay by=1ms") as slow:
        assert say(gate) == b"ping" and slow.hits > 0
"""


@pytest.mark.parametrize("own", [True, False], ids=["daemons of their own", "a daemon that all share"])
def test_a_hundred_in_parallel_leave_nothing(project, monkeypatch, own, tmp_path):
    pytest.importorskip("xdist", reason="pytest-xdist (Debian package python3-pytest-xdist) is not there")
    project.makepyfile(test_parallel=PARALLEL)
    program = tmp_path / "chaosgate"  # a copy, so that its processes are known by it
    shutil.copy(find_binary(), program)
    monkeypatch.setenv("CHAOSGATE_BIN", str(program))
    if own:
        run(project, "-n", "4").assert_outcomes(passed=100)
    else:
        with package.Daemon() as shared, shared.client() as client:
            run(project, "-n", "4", f"--chaosgate-url={shared.url}").assert_outcomes(passed=100)
            assert (client.gates(), client.leases()) == ([], [])
            assert len(client.wait_events(100, types=("created",), timeout=30)) == 100
            assert len({event.data["lease"] for event in client.wait_events(100, types=("created",), timeout=30)}) > 1
    assert _processes(program) == []


def test_a_session_that_is_killed_leaves_nothing_at_a_shared_daemon(project):
    project.makepyfile(
        """
        import os, signal

        def test_it(gate_factory, echo):
            gate_factory(echo)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    with package.Daemon() as shared, shared.client() as client, client.events(types=("created", "removed")) as events:
        run(project, f"--chaosgate-url={shared.url}")
        assert [events.next(90).type for _ in range(2)] == ["created", "removed"]
        assert (client.gates(), client.leases()) == ([], [])


def test_the_package_as_it_is_installed(pytester, monkeypatch, tmp_path):
    pytest.importorskip("setuptools", reason="setuptools (Debian package python3-setuptools) is not there")
    pytest.importorskip("wheel", reason="wheel (Debian package python3-wheel) is not there")
    source = tmp_path / "source"
    shutil.copytree(SOURCE.parent, source, ignore=shutil.ignore_patterns("__pycache__", "tests", "*.egg-info", "build"))
    build = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
    built = subprocess.run([sys.executable, "-c", build], cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert built.returncode == 0, built.stdout
    [wheel] = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "chaosgate/py.typed" in archive.namelist()
        archive.extractall(tmp_path / "installed")
    monkeypatch.setenv("CHAOSGATE_BIN", find_binary())
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    pytester.makepyfile("def test_it(gate_factory): assert gate_factory('127.0.0.1:1').port > 0")
    run(pytester).assert_outcomes(passed=1)


def test_processes_of_a_program_are_seen():
    with package.Daemon() as daemon:
        assert str(daemon.pid) in _processes(Path(find_binary()))


def _processes(program):
    """Returns the processes of a program."""
    found = []
    for file in Path("/proc").glob("[0-9]*/exe"):
        try:
            if file.readlink() == program.resolve():
                found.append(file.parent.name)
        except OSError:  # it has ended, or is the kernel's
            pass
    return found

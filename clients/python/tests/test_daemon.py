import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import chaosgate as package
from chaosgate import NoBinary, NotStarted, daemon

BINARY = daemon.find_binary


def test_where_the_program_is_looked_for(monkeypatch, tmp_path):
    real = BINARY()
    program = tmp_path / "chaosgate"
    program.symlink_to(real)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHAOSGATE_BIN", raising=False)
    assert daemon.find_binary() == str(program)
    monkeypatch.setenv("CHAOSGATE_BIN", real)
    assert daemon.find_binary() == real
    assert daemon.find_binary(program) == str(program)


@pytest.mark.parametrize(
    "argument, variable, says",
    [
        ("/nowhere/x", None, "the argument says '/nowhere/x', which is no program; install it with: go install "),
        (None, "/nowhere/y", "$CHAOSGATE_BIN says '/nowhere/y', which is no program; install it with: go install "),
        (None, None, "no argument names it, $CHAOSGATE_BIN is not set, and it is in no folder of the PATH, '/nowhere'; install it with: go install "),
    ],
)
def test_a_program_that_is_not_found(monkeypatch, argument, variable, says):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CHAOSGATE_BIN", raising=False)
    if variable:
        monkeypatch.setenv("CHAOSGATE_BIN", variable)
    with pytest.raises(NoBinary) as missing:
        package.Daemon(argument).start()
    assert says in str(missing.value)
    assert isinstance(missing.value, FileNotFoundError)


def test_a_daemon_that_does_not_start():
    with pytest.raises(NotStarted, match="(?s)has ended:.*unknown flag: --unheard"):
        package.Daemon(args=["--unheard"]).start()
    with package.Daemon() as first, pytest.raises(NotStarted, match="(?s)has ended:.*address already in use"):
        package.Daemon(args=["--listen", first.url.rpartition("/")[2]]).start()


def test_a_daemon_is_not_made_by_variables_that_mean_another(monkeypatch, tmp_path):
    monkeypatch.setenv("CHAOSGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CHAOSGATE_LOG_LEVEL", "error")
    with package.Daemon() as started, started.client() as client:
        assert client.gates() == [] and os.listdir(tmp_path) == []
        assert '"msg":"listening"' in started.log and started.running
    assert '"msg":"stopping' in started.log and not started.running


def test_it_can_be_started_again():
    started = package.Daemon()
    for _ in range(2):
        with started, started.client() as client:
            assert client.gates() == []


def test_what_all_of_a_process_share(chaosgate):
    assert daemon.shared() is chaosgate  # the plugin's
    text = """
        from chaosgate import daemon
        client = daemon.shared()
        assert daemon.shared() is client and client.gates() == []
        print(daemon._own.pid)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE, env=_environment(), timeout=60, check=True)
    assert _is_gone(int(ended.stdout))


@pytest.mark.parametrize("fork", [False, True], ids=["alone", "with a fork that lives on"])
def test_no_orphan_is_left_when_the_parent_is_killed(fork):
    text = """
        import os, sys, time
        from chaosgate.daemon import Daemon
        daemon = Daemon().start()
        child = os.fork() if {fork} else 1
        if child == 0:
            time.sleep(600)
        print(daemon.pid, child, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(text.format(fork=fork))], stdout=subprocess.PIPE, env=_environment())
    child = 0
    try:
        pid, child = (int(word) for word in parent.stdout.readline().split())
        os.kill(pid, 0)
        if fork:
            os.kill(child, 0)
        parent.kill()
        parent.wait()
        assert _is_gone(pid)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
        if fork and child:
            os.kill(child, signal.SIGKILL)


def _environment():
    from conftest import SOURCE

    return {**os.environ, "PYTHONPATH": str(SOURCE), "CHAOSGATE_BIN": BINARY()}


def _is_gone(pid):
    """Waits until a process has ended, which tells nobody but its parent."""
    for _ in range(3000):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":  # it waits for a parent that does not look
                    return True
        except OSError:
            return True
        time.sleep(0.01)
    return False

"""A PostgreSQL of the tests' own, a gate before it, and the service behind the gate."""

import asyncio
import contextlib
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import pytest_asyncio

from chaosgate import userver as chaos

SERVICE = Path(__file__).with_name("orders.py")


def program(name):
    """Returns where a program of PostgreSQL's is: Debian keeps them out of the PATH."""
    found = shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)
    if found is None:
        pytest.skip(f"there is no {name}: PostgreSQL is not installed (Debian package postgresql)")
    return found


def unprivileged():
    """Returns how to run PostgreSQL, which refuses to be root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def postgres():
    """Starts a PostgreSQL, and returns its port."""
    pytest.importorskip("psycopg2", reason="there is no psycopg2 (Debian package python3-psycopg2)")
    initdb, server = program("initdb"), program("postgres")
    with tempfile.TemporaryDirectory(prefix="orders-") as folder:
        who = unprivileged()
        if who:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = os.path.join(folder, "data")
        subprocess.run([initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(os.path.join(folder, "log"), "wb") as log:
            process = subprocess.Popen([server, "-D", data, *options], stderr=log, cwd=folder, **who)
        try:
            until(lambda: reachable(port), 60, "PostgreSQL listens")
            yield port
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown
            process.wait()


@pytest.fixture(scope="session")
def gate_started(postgres):
    """Opens a gate before the database, for all tests."""
    gate = chaos.TcpGate(chaos.GateRoute(name="postgres", host_to_server="127.0.0.1", port_to_server=postgres))
    gate.start()
    yield gate
    asyncio.run(gate.stop())


@pytest.fixture(scope="session")
def service(gate_started):
    """Starts the service, whose database is the gate, and returns a function that asks it."""
    host, port = gate_started.get_sockname_for_clients()
    database = f"host={host} port={port} user=postgres dbname=postgres sslmode=disable gssencmode=disable"
    with subprocess.Popen([sys.executable, SERVICE, database], stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()

        async def ask(method, path, body=None):
            return await asyncio.get_running_loop().run_in_executor(None, answer, method, url + path, body)

        yield ask
        process.terminate()


@pytest_asyncio.fixture
async def gate(gate_started, service):
    """Returns the gate as each test is to find it: nothing imposed, and the service at work."""
    gate_started.to_server_pass()
    gate_started.to_client_pass()
    gate_started.start_accepting()
    await works(service)
    return gate_started


async def works(service, within=30):
    """Waits until the service answers 200."""
    end = time.monotonic() + within
    while (got := (await service("GET", "/orders"))[0]) != 200:
        assert time.monotonic() < end, f"the service still answers {got}, {within} s later"
        await asyncio.sleep(0.1)


def answer(method, url, body=None):
    """Asks by HTTP, and returns status and JSON."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as err:
        return err.code, json.load(err)


def reachable(port):
    """Tells whether somebody listens."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def until(condition, within, what):
    """Waits for a condition."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"got nothing for {within} s, want that {what}"
        time.sleep(0.05)

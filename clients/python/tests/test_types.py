import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

GOOD = """
import asyncio
from datetime import timedelta
import chaosgate
from chaosgate import Client, Delay, aio

with Client() as client, client.gate("g", ("127.0.0.1", 1), to_client=[Delay(by=0.2), "limit bytes=1B"]) as gate:
    n: int = gate.to_client.add(Delay(by=timedelta(seconds=1))).hits + len(client["g"].conns())
    door: str = gate.door

async def story() -> int:
    async with aio.Client() as other, await other.gate("h", "127.0.0.1:1") as gate:
        async for event in await other.events():
            print(event.type)
        return await (await gate.to_client.add("stall")).hits
"""

BAD = """
from chaosgate import Client, Delay
Delay(by=[])
Delay(0.2)
Client().gate("g", 5)
Client()["g"].to_client.add(5)
"""


def test_types(tmp_path):
    pytest.importorskip("mypy", reason="mypy (Debian package mypy) is not there")
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)
    package = [str(ROOT / "src" / "chaosgate"), str(ROOT / "generate.py")]
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache"), *package]
    found = subprocess.run([*command, str(tmp_path / "good.py"), str(tmp_path / "bad.py")], cwd=ROOT / "src", stdout=subprocess.PIPE, text=True, timeout=300)
    wrong = [line for line in found.stdout.splitlines() if ": error:" in line]
    assert [line.partition("bad.py:")[2].partition(":")[0] for line in wrong] == ["3", "4", "5", "6"], found.stdout

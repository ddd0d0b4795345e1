"""The worked example, as a project of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .wire import NEEDS

EXAMPLE = Path(__file__).resolve().parents[4] / "examples" / "python-orders"
SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture(autouse=True)
def nothing_left():
    """Stands for what looks for gates that are left: the example has a daemon of its own, which ends with it."""


def test_worked_example():
    pytest.importorskip("pytest_asyncio", reason=NEEDS)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "chaosgate.pytest_plugin", "-rs", EXAMPLE]
    run = subprocess.run(command, cwd=EXAMPLE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    skipped = re.findall(r"^SKIPPED.*?: (.*)$", run.stdout, re.MULTILINE)
    if run.returncode == 0 and skipped:
        pytest.skip(skipped[0])
    assert run.returncode == 0, run.stdout
    assert re.search(r"\b9 passed\b", run.stdout), run.stdout

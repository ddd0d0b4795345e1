import ast
import dataclasses
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import chaosgate as package
from chaosgate import Bandwidth, Close, Delay, Fault, Lifetime, Lose, Sometimes, Stall, Substitute, fault

ROOT = Path(__file__).resolve().parent.parent


def test_what_is_generated_has_not_drifted(chaosgate, tmp_path):
    described = tmp_path / "faults.json"
    described.write_text(json.dumps(chaosgate.kinds()))
    command = [sys.executable, str(ROOT / "generate.py"), "--check", "--faults", str(described)]
    found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert found.returncode == 0, f"{found.stdout}\nrun clients/python/generate.py"


def test_a_drift_is_seen(chaosgate, tmp_path):
    kinds = chaosgate.kinds()
    kinds[0]["params"][0]["name"] = "other"
    described = tmp_path / "faults.json"
    described.write_text(json.dumps(kinds))
    command = [sys.executable, str(ROOT / "generate.py"), "--check", "--faults", str(described)]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60)
    assert (found.returncode, found.stdout) == (1, "differs: src/chaosgate/faults.py\n")


@pytest.mark.parametrize("file", sorted((ROOT / "src").rglob("*.py")), ids=lambda file: file.name)
def test_python_3_9_can_read_it(file):
    ast.parse(file.read_text(), str(file), feature_version=(3, 9))


@pytest.mark.parametrize(
    "given, text",
    [
        (Delay(by=0.2, jitter="20ms"), "delay by=200ms jitter=20ms"),
        (Bandwidth(rate=65536, shared=True), "bandwidth rate=64KiB/s shared=true"),
        (Lifetime(for_=timedelta(minutes=1), from_="data"), "lifetime for=1m from=data"),
        (Substitute(pattern="a b", with_='"\n'), 'substitute pattern="a b" with="\\"\\n"'),
        (Substitute(pattern="a\\d"), 'substitute pattern="a\\\\d"'),
        (Sometimes(chance=0.5, fault=Delay(by=1)), "sometimes chance=0.5 delay by=1s"),
        (Stall(), "stall"),
    ],
    ids=str,
)
def test_the_daemon_understands_what_is_said(client, echo, given, text):
    assert str(given) == text
    with client.gate("g", echo) as gate:
        for said in (given, text, given.to_json()):
            [imposed] = gate.to_client.set(said)
            assert imposed.fault == given
            assert gate.faults()[0].fault == given


@pytest.mark.parametrize(
    "one, other, same",
    [
        (Delay(by=0.2), Delay(by="200ms"), True),
        (Delay(by=0.2), Delay(by=timedelta(seconds=0.2)), True),
        (Delay(by=0.2), Delay(by=0.3), False),
        (Bandwidth(rate="8Mbit/s"), Bandwidth(rate=1000000), True),
        (Close(reset=False), Close(), True),
        (Delay(by=0, distribution="uniform"), Delay(), True),
        (Delay(distribution="normal"), Delay(), False),
        (Close(reset=True), Close(), False),
        (Sometimes(chance="10%", fault=Stall()), Sometimes(chance=0.1, fault=Stall()), True),
    ],
)
def test_faults_are_values(one, other, same):
    assert (one == other, hash(one) == hash(other)) == (same, same)


def test_a_fault_in_another_may_be_a_line(client, echo):
    given = Sometimes(chance=0.5, fault="delay by=1s")
    assert str(given) == "sometimes chance=0.5 delay by=1s"
    with client.gate("g", echo) as gate:
        assert gate.to_client.add(given).fault == Sometimes(chance=0.5, fault=Delay(by=1))


def test_faults_cannot_be_changed():
    given = Delay(by=0.2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        given.by = 1
    assert dataclasses.replace(given, by=1) == Delay(by=1)
    assert repr(Lose(list="1,3")) == "Lose(list='1,3')"


def test_faults_of_a_daemon_that_is_newer_are_left_as_they_are():
    for data in ({"unheard": {}}, {"delay": {"by": "1s", "unheard": 1}}):
        assert fault.from_json(data) is data


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: Delay(by=[]), "delay: by: got [], want seconds"),
        (lambda: Close(reset=1), "close: reset: got 1, want True or False"),
        (lambda: Lose(every=1.5), "lose: every: got 1.5, want a whole number"),
        (lambda: Substitute(pattern=b"x"), "substitute: pattern: got b'x', want a text"),
        (lambda: Sometimes(chance=0.1, fault=5), "fault: got 5, want one such as Delay"),
    ],
)
def test_what_can_be_no_fault_is_refused_at_once(make, says):
    with pytest.raises(TypeError) as refused:
        make()
    assert says in str(refused.value)


def test_every_class_is_exported():
    for cls in fault.KINDS.values():
        assert issubclass(cls, Fault) and getattr(package, cls.__name__) is cls and cls.__name__ in package.__all__

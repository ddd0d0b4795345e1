"""What a report says beside a failure: the gates, what was imposed, what has happened, and how to have it again."""

import shlex
from typing import TYPE_CHECKING, List

from .errors import Error, TimedOut
from .pytest_gates import Made
from .sync import Client

if TYPE_CHECKING:
    from .pytest_plugin import ChaosSession

LAST_EVENTS = 20  # of each gate
LAST_LINES = 20  # of the daemon's log
QUIET = 0.2  # seconds without an event, behind which there are no more


def section(session: "ChaosSession") -> str:
    """Returns the section of a report."""
    lines: List[str] = []
    try:
        for made in session.used():
            lines += _gate(session.client(), made)
    except Error as err:
        lines.append(str(err))
    own = session.daemon
    if own is not None:
        log = own.problems() if own.running else own.log.splitlines()
        if log:
            lines += ["the daemon's log:" if own.running else "the daemon has ended; its log:", *("  " + line for line in log[-LAST_LINES:])]
    words = ["pytest", session.test, f"--chaosgate-seed={session.seed}"]
    if session.url:
        words.append(f"--chaosgate-url={session.url}")
    lines.append("repeat it by: " + " ".join(shlex.quote(word) for word in words))
    return "\n".join(lines)


def _gate(client: Client, made: Made) -> List[str]:
    gate = made.gate
    data = gate.status()
    lines = [f"gate {gate.name}: {gate.listen} -> {gate.server}, seed {gate.seed}, door {data['door']}"]
    for direction in ("to_server", "to_client"):
        lines += [f"  {direction}: {fault['text']}: {fault['hits']} hits" for fault in data[direction]]
    told = _events(client, gate.name)
    if told:
        lines += ["  last events:", *("    " + event for event in told[-LAST_EVENTS:])]
    return lines


def _events(client: Client, gate: str) -> List[str]:
    """Returns the events of a gate that the daemon keeps."""
    told = []
    with client.events(gate=gate, since=0, patience=0) as events:
        try:
            while True:
                told.append(str(events.next(QUIET)))
        except TimedOut:
            return told

import socket
import threading

import pytest
from peers import say

import chaosgate as package
from chaosgate import DaemonGone, Delay, TimedOut


def test_events_as_they_happen(client, echo):
    with client.gate("g", echo) as gate, client.events(gate="g") as events:
        gate.to_client.add(Delay(by=0.001))
        assert say(gate) == b"ping"
        seen = []
        for event in events:
            seen.append(event.type)  # perhaps the gate's beginning, too, which is told a moment later
            if event.type == "fired":
                assert (event.gate, event.direction, event.fault, event.conn) == ("g", "to_client", "delay", 1)
                break
        assert seen[-3:-1] == ["imposed", "opened"]
        with pytest.raises(TimedOut, match="no event has come within 0.05 s"):
            while True:
                events.next(0.05)


def test_events_that_are_kept_and_waited_for(client, echo):
    before = client.wait_events(1, timeout=30)
    with client.gate("kept", echo, to_client="delay by=1ms") as gate:
        told = client.wait_events(2, gate="kept", types=("created", "imposed"), timeout=30)
        assert [event.type for event in told] == ["created", "imposed"]
        assert told[0].id > before[0].id and "created kept" in str(told[0])
        with pytest.raises(TimedOut):
            client.wait_events(1, gate="kept", types=("fired",), timeout=0.05)
        assert say(gate) == b"ping"
        assert client.wait_events(1, gate="kept", types=("fired",), timeout=30)[0].fault == "delay"


def test_a_stream_that_breaks_goes_on(client, echo):
    with client.events(types=("created",)) as events:
        for n in range(5):
            with client.gate(f"g{n}", echo):
                assert events.next(30).gate == f"g{n}"
            events._stream.line.socket.shutdown(socket.SHUT_RDWR)


def test_a_stream_that_is_closed_by_another_thread_ends(client):
    events = client.events()
    ended = threading.Thread(target=lambda: list(events))
    ended.start()
    events.close()
    ended.join(30)
    assert not ended.is_alive()


def test_a_stream_whose_daemon_is_gone(echo):
    with package.Daemon() as daemon, daemon.client() as client, client.events(patience=0.2) as events:
        daemon.stop()
        with pytest.raises(DaemonGone):
            list(events)


def test_a_lease_that_is_held(client, echo):
    with client.hold("held", 0.1):
        gate = client.gate("leased", echo, lease="held")
        assert client.wait_events(1, types=("leased",), timeout=30)[0].data["lease"] == "held"
        with pytest.raises(TimedOut):  # it lives longer than its ttl
            client.wait_events(1, gate="leased", types=("removed",), timeout=0.3)
        [lease] = client.leases()
        assert (lease["name"], lease["held"], lease["gates"]) == ("held", 1, ["leased"])
    with pytest.raises(package.Unknown):
        gate.status()


def test_a_lease_that_could_not_be_held_is_loud():
    with package.Daemon() as daemon, daemon.client() as client:
        hold = client.hold("held")
        hold._events._patience = 0.1
        daemon.stop()
        with pytest.raises(DaemonGone):
            hold.release()

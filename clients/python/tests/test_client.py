import socket
import threading

import pytest
from peers import dial, say

import chaosgate as package
from chaosgate import (
    Close, CloseOnData, DaemonGone, Delay, Entry, Forbidden, Gone, Invalid, Limit, Restarted, Stall, Taken, TimedOut, Unable, Unauthorized, Unknown,
)  # fmt: skip


def test_a_gate_from_its_making_to_its_end(client, echo):
    gate = client.gate("redis", echo, seed=42, to_client=["delay by=1ms", Entry(Limit(bytes="1MiB"), id="small")], door="hold")
    assert (gate.name, gate.host, gate.seed, gate.address, gate.door) == ("redis", "127.0.0.1", 42, (gate.host, gate.port), "hold")
    assert [imposed.id for imposed in gate.to_client.faults()] == ["delay", "small"]
    assert client["redis"].address == client.gate("redis").address == gate.address
    assert [other.name for other in client.gates()] == ["redis"]
    healed = gate.heal()
    assert ([fault.id for fault in healed.faults], healed.doors) == (["delay", "small"], {"redis": "hold"})
    assert say(gate) == b"ping"
    gate.stop()
    with pytest.raises(ConnectionRefusedError):
        dial(gate)
    address = gate.address
    gate.start()
    assert gate.address == address
    assert say(gate) == b"ping"
    gate.remove()
    gate.remove()
    with pytest.raises(Unknown):
        gate.status()
    with pytest.raises(ConnectionRefusedError):
        dial(gate)


def test_context_managers_leave_what_they_found(client, echo):
    with client.gate("mine", echo) as gate:
        with client["mine"] as found:
            found.to_client.add("stall")
        assert gate.faults() == []
        with gate.to_client.add(Delay(by=0.001)) as slow:
            assert say(gate) == b"ping"
            assert slow.hits > 0
        assert gate.faults() == []
        assert slow.hits > 0  # as it was last
        assert slow.lift() == slow.hits
    assert client.gates() == []


def test_what_is_set_holds_when_the_call_returns(client, echo):
    with client.gate("g", echo) as gate, dial(gate) as connection:
        for _ in range(20):
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
            [stalled] = gate.to_client.set(Stall())
            [offset] = stalled.offsets
            connection.sendall(b"y")
            assert stalled.wait(timeout=30) >= 1
            connection.settimeout(0.001)
            with pytest.raises(socket.timeout):
                connection.recv(1)
            assert gate.to_client.set() == []
            connection.settimeout(30)
            assert connection.recv(1) == b"y"
        assert offset.conn == 1 and offset.offset == 2 * 19 + 1


def test_faults_are_set_added_extended_changed(client, echo):
    with client.gate("g", echo) as gate:
        assert [str(i.fault) for i in gate.to_server.set("delay by=1ms limit bytes=9B")] == ["delay by=1ms", "limit bytes=9B"]
        added = gate.to_server.add(Delay(by=0.5), id="more", for_=60)
        assert (added.id, added.fault) == ("more", Delay(by="500ms"))
        assert [i.id for i in gate.to_server.extend("stall", {"close_on_data": {}})] == ["stall", "close_on_data"]
        assert added.change(Delay(jitter=0.1)).fault == Delay(jitter=0.1)  # the whole of it: by is its default again
        assert [i.id for i in gate.faults()] == ["delay", "limit", "more", "stall", "close_on_data"]
        assert gate.to_server.direction == "to_server"


def test_connections(client, echo):
    with client.gate("g", echo) as gate, dial(gate) as one, dial(gate) as two:
        conns = gate.wait_connections(2, timeout=30)
        assert [(conn.n, conn.state) for conn in conns] == [(1, "established"), (2, "established")]
        assert conns[0].client == one.getsockname()
        conns[1].to_server.add(CloseOnData())
        two.sendall(b"x")
        assert two.recv(1) == b""
        one.sendall(b"x")
        assert one.recv(1) == b"x"
        assert gate.close(1) == 1
        assert one.recv(1) == b""
        with dial(gate) as three:
            gate.wait_connections(1, timeout=30)
            assert gate.reset() == 1
            with pytest.raises(ConnectionResetError):
                three.recv(1)
        with dial(gate) as four:
            gate.wait_connections(1, timeout=30)[0].close()
            assert four.recv(1) == b""
        assert gate.status()["stats"]["accepted"] == 4


def test_doors(client, echo):
    with client.gate("g", echo) as gate:
        gate.set_door("hold", for_=60)
        with dial(gate):
            if "linux" in client.version()["system"]:
                assert gate.wait_door(1, timeout=30) >= 1
            assert gate.conns() == []
            gate.set_door("open")
            gate.wait_connections(1, timeout=30)
        gate.set_door("refuse")
        with pytest.raises(ConnectionRefusedError):
            dial(gate)


def test_unix_sockets_and_datagrams(client, tmp_path):
    path = str(tmp_path / "s")
    with client.gate("u", "127.0.0.1:1", listen=path, network="unix") as gate:
        assert (gate.host, gate.port, gate.listen) == (path, 0, path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        server.bind(("127.0.0.1", 0))
        with client.gate("d", server.getsockname(), network="udp", to_server="duplicate chance=1") as gate:
            server.settimeout(30)
            peer.sendto(b"x", gate.address)
            assert [server.recv(10), server.recv(10)] == [b"x", b"x"]


def test_all_is_healed(client, echo):
    with client.gate("a", echo, to_client="stall"), client.gate("b", echo, door="refuse"):
        healed = client.heal()
        assert ([(f.gate, f.text) for f in healed.faults], healed.doors) == ([("a", "stall")], {"b": "refuse"})


def test_the_same_seed_draws_the_same(client, echo):
    with client.gate("g", echo, seed=7, to_client="corrupt rate=10%") as gate:
        first = say(gate, bytes(1000))
        assert first != bytes(1000)
        gate.reseed(7)
        assert say(gate, bytes(1000)) == first
        gate.reseed(8)
        assert say(gate, bytes(1000)) != first


@pytest.mark.parametrize(
    "ask, sort, path, says",
    [
        (lambda c, g: g.to_client.add("delayed"), Invalid, "[0]", 'unknown fault "delayed", did you mean delay?'),
        (lambda c, g: g.to_client.set(Delay(by=0.1), Delay(by="5")), Invalid, "[1].delay.by", "by: got 5, want a duration with its unit"),
        (lambda c, g: g.to_client.set(Limit(bytes=-1)), Invalid, "[0]", "bytes: got -1B"),
        (lambda c, g: g.to_client.add("lose chance=1%"), Invalid, "", "datagrams"),
        (lambda c, g: g.set_door("ajar"), Invalid, "", "want open, hold, refuse or blackhole"),
        (lambda c, g: c["other"], Unknown, "gate", 'unknown gate "other", there is g'),
        (lambda c, g: c.gate("g", "127.0.0.1:1"), Taken, None, "g"),
        (lambda c, g: c.gate("h", "127.0.0.1:1", listen=g.address), Unable, None, "address already in use"),
        (lambda c, g: g.wait_connections(1, timeout=0.05), TimedOut, None, "gate g has 0 open connections, not 1"),
        (lambda c, g: g.to_client.add("stall").wait(3, timeout=0.05), TimedOut, None, "3"),
        (lambda c, g: c.end_lease("none"), Unknown, None, "none"),
        (lambda c, g: c.gate("h", "127.0.0.1:1", lease="none"), Invalid, "lease", 'unknown lease "none"'),
    ],
)
def test_errors_have_the_daemons_words(client, echo, ask, sort, path, says):
    with client.gate("g", echo) as gate:
        with pytest.raises(package.Error) as refused:
            ask(client, gate)
        assert type(refused.value) is sort
        assert says in str(refused.value)
        assert path is None or refused.value.path.startswith(path)
        assert gate.to_server.faults() == []


def test_errors_are_what_python_calls_them(client):
    assert issubclass(TimedOut, TimeoutError) and issubclass(Unknown, LookupError) and issubclass(Invalid, ValueError)
    assert issubclass(DaemonGone, ConnectionError) and issubclass(Restarted, DaemonGone)
    with pytest.raises(ValueError, match="server: got none"):
        client.gate()


def test_a_gate_that_is_removed_ends_who_waits(client, echo):
    gate, said = client.gate("g", echo), []

    def wait():
        try:
            gate.wait_connections(1, timeout=60)
        except package.Error as err:
            said.append(type(err))

    waiting = threading.Thread(target=wait)
    waiting.start()
    with client.events(gate="g", since=0):
        gate.remove()
    waiting.join(60)
    assert said in ([Gone], [Unknown])  # the latter if it had not begun to wait


def test_threads_ask_at_once(client, echo):
    said = []

    def work(n):
        for _ in range(5):
            with client.gate(f"g{n}", echo) as gate, gate.to_client.add(Delay(by=0.001)) as slow:
                said.append((say(gate), slow.hits > 0))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert said == [(b"ping", True)] * 50


def test_no_daemon_and_another_server(echo):
    with package.Client("127.0.0.1:1") as client, pytest.raises(DaemonGone, match="no daemon answers at http://127.0.0.1:1: .*refused"):
        client.gates()
    with package.Client(echo[0] + ":" + str(echo[1])) as client, pytest.raises(DaemonGone, match="does not speak HTTP"):
        client.gates()
    with socket.socket() as silent, package.Client("127.0.0.1:" + str(_listening(silent)), timeout=0.05) as client:
        with pytest.raises(DaemonGone, match="said nothing for 0.05 s"):
            client.gates()


def _listening(server):
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server.getsockname()[1]


def test_what_is_not_allowed(echo):
    with package.Daemon(args=["--allow-listen", "127.0.0.2"]) as daemon, daemon.client() as client, pytest.raises(Forbidden, match="allow-listen"):
        client.gate("g", echo)


def test_tokens(monkeypatch, echo):
    monkeypatch.setenv("CHAOSGATE_TOKEN", "secret")
    with package.Daemon() as daemon, daemon.client() as client:
        assert client.gates() == []
        with package.Client(daemon.url, token="other") as stranger, pytest.raises(Unauthorized):
            stranger.gates()


def test_a_restart_is_loud(echo):
    with package.Daemon() as first, first.client() as client:
        gate = client.gate("g", echo, to_client="close_on_data")
        port = first.url.rpartition(":")[2]
        first.stop()
        with pytest.raises(DaemonGone, match="no daemon answers"):
            gate.heal()
        with package.Daemon(args=["--listen", "127.0.0.1:" + port, "--gate", f"g={gate.listen},{echo[0]}:{echo[1]}"]) as second:
            assert second.url == first.url
            for ask in (gate.faults, client.gates, lambda: gate.to_client.set(Close()), lambda: next(client.events())):
                with pytest.raises(Restarted, match="it was started anew"):
                    ask()


def test_a_connection_that_the_daemon_has_ended_is_made_again(client, echo):
    for line in client._transport._idle:
        line.socket.shutdown(socket.SHUT_RDWR)
    assert client.gates() == []

//go:build linux

package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
	"golang.org/x/sys/unix"
)

// TestWireDatagramDoors holds that a door does to clients what a socket does that is closed, not read, or read by nobody who answers.
func TestWireDatagramDoors(t *testing.T) {
	leavesNothing(t)
	sideBySide(t, wiretest.DatagramDoors(), func() *wiretest.Env { return datagramEnv(t, "udp4", "", nil) })
	sideBySide(t, wiretest.DatagramDoors(), func() *wiretest.Env {
		return datagramEnv(t, "udp6", "", func(g *chaos.Gate) { g.Network = "udp6" })
	})
}

// datagramBinds are the ways in which a front's socket can be bound, with an address for clients.
var datagramBinds = []struct{ name, listen, host string }{
	{"one_address", "127.0.0.1:0", "127.0.0.1"},
	{"another_address", "127.0.0.3:0", "127.0.0.3"},
	{"v6", "[::1]:0", "::1"},
	{"all_of_v4", "0.0.0.0:0", "127.0.0.1"},
	{"all_by_v4", "[::]:0", "127.0.0.2"},
	{"all_by_v6", "[::]:0", "::1"},
}

// TestWireDatagramRefuse holds what the scripts of the harness cannot see of a door that refuses.
func TestWireDatagramRefuse(t *testing.T) {
	for _, bind := range datagramBinds {
		t.Run(bind.name, func(t *testing.T) {
			leavesNothing(t)
			p := newDatagramPair(t, func(g *chaos.Gate) { g.Listen = bind.listen })
			address := p.gate.Addr()
			at := net.JoinHostPort(bind.host, fmt.Sprint(p.gate.port(t)))
			client := dialDatagrams(t, at)
			p.greet(t, client)
			back := p.seen.String()
			for i := range sized(100, 1000) {
				setDoor(t, p.gate.Gate, chaos.Refuse)
				write(t, client, []byte("to nobody"))
				wantError(t, client, unix.ECONNREFUSED)
				// A live session's answers go out, and so do those to clients whose question came before.
				p.answers(t, "an answer")
				wantDatagram(t, client, "an answer")
				setDoor(t, p.gate.Gate, chaos.Open)
				text := fmt.Sprintf("round %d", i)
				write(t, client, []byte(text))
				p.hears(t, text)
				if p.seen.String() != back {
					t.Fatalf("round %d: the server sees the client at %v, and has seen it at %s", i, p.seen, back)
				}
				if p.gate.Addr() != address {
					t.Fatalf("round %d: the gate is at %s, and was at %s", i, p.gate.Addr(), address)
				}
			}
			// A socket that was connected, and is not any more, must have forgotten to whom: else it hears that one only.
			fronts, err := wiretest.DatagramSockets(p.gate.port(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range fronts {
				if int(s.Local.Port()) == p.gate.port(t) && (!s.Remote.Addr().IsUnspecified() || s.Remote.Port() != 0) {
					t.Errorf("open again, the front hears %v only", s.Remote)
				}
			}
			if st := p.gate.Stats(); st.Accepted != 1 || st.Lost+st.KernelDrops+st.Overflowed != 0 || p.gate.DoorHits() != 0 {
				t.Errorf("got %+v and %d hits, want one session that has lost nothing", st, p.gate.DoorHits())
			}
		})
	}
}

// dialDatagrams opens a client's socket, closed when the test ends.
func dialDatagrams(t *testing.T, address string) *net.UDPConn {
	t.Helper()
	c, err := wiretest.DialDatagrams(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestWireDatagramHold holds that what comes while nothing is taken waits, is counted, and is served in order.
func TestWireDatagramHold(t *testing.T) {
	for _, bind := range datagramBinds {
		t.Run(bind.name, func(t *testing.T) {
			leavesNothing(t)
			p := newDatagramPair(t, func(g *chaos.Gate) { g.Listen = bind.listen })
			at := net.JoinHostPort(bind.host, fmt.Sprint(p.gate.port(t)))
			client, other := dialDatagrams(t, at), dialDatagrams(t, at)
			p.greet(t, client)
			setDoor(t, p.gate.Gate, chaos.Hold)
			if got := p.gate.DoorHits(); got != 0 {
				t.Errorf("nothing waits: got %d hits", got)
			}
			// Empty ones are datagrams, and wait as others do.
			sent := []string{"", "one", "two", "", "", "a longer one", ""}
			var wrong []string // hits that are
			for i, text := range sent {
				from := client
				if i%2 == 1 {
					from = other
				}
				write(t, from, []byte(text))
				for range 2 { // looking changes nothing
					if got := p.gate.DoorHits(); got != int64(i+1) {
						wrong = append(wrong, fmt.Sprintf("%d of %d", got, i+1))
					}
				}
			}
			if wrong != nil {
				t.Errorf("of %q wait, as the gate says: %v", sent, wrong)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := p.gate.WaitDoor(ctx, int64(len(sent))); err != nil {
				t.Errorf("WaitDoor for as many as wait: %v", err)
			}
			if err := p.gate.WaitDoor(ctx, int64(len(sent)+1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("WaitDoor for one more than wait: %v", err)
			}
			wantNothing(t, p.server)
			p.answers(t, "an answer")
			wantDatagram(t, client, "an answer")
			if n := len(p.gate.Conns()); n != 1 {
				t.Errorf("%d sessions are live, want 1", n)
			}
			setDoor(t, p.gate.Gate, chaos.Open)
			for _, text := range sent {
				p.hears(t, text)
			}
			wantNothing(t, p.server)
			if got := p.gate.DoorHits(); got != 0 {
				t.Errorf("open: got %d hits", got)
			}

			// Refused from there, what waits is lost, and only that.
			setDoor(t, p.gate.Gate, chaos.Hold)
			write(t, client, []byte("lost"))
			write(t, other, nil)
			setDoor(t, p.gate.Gate, chaos.Refuse)
			write(t, client, []byte("refused"))
			wantError(t, client, unix.ECONNREFUSED)
			setDoor(t, p.gate.Gate, chaos.Hold)
			write(t, other, []byte("kept"))
			setDoor(t, p.gate.Gate, chaos.Open)
			p.hears(t, "kept")
			wantNothing(t, p.server)
		})
	}
}

// TestWireDatagramHoldMany holds that many that wait can be counted, quickly, and that counting them keeps nobody waiting.
func TestWireDatagramHoldMany(t *testing.T) {
	leavesNothing(t)
	p := newDatagramPair(t, nil)
	p.greet(t, p.client)
	setDoor(t, p.gate.Gate, chaos.Hold)
	const many = 3000 // which fit into the least receive buffer that the kernel gives to everybody
	for i := range many {
		write(t, p.client, fmt.Appendf(nil, "%0*d", i%2*100, i))
	}
	fastest := time.Hour
	for range 5 {
		start := time.Now()
		if got := p.gate.DoorHits(); got != many {
			t.Fatalf("%d wait: got %d hits", many, got)
		}
		fastest = min(fastest, time.Since(start))
	}
	t.Logf("%d that wait are counted in %v", many, fastest)
	if fastest > 20*time.Millisecond {
		t.Errorf("%d that wait are counted in %v, want at most 20ms: WaitDoor counts them every 2ms", many, fastest)
	}
}

// TestWireDatagramBlackhole holds that what is thrown away is counted, and nobody is told.
func TestWireDatagramBlackhole(t *testing.T) {
	leavesNothing(t)
	p := newDatagramPair(t, nil)
	other := p.connect(t)
	p.greet(t, p.client)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for round := range 3 {
		setDoor(t, p.gate.Gate, chaos.Blackhole)
		if got := p.gate.DoorHits(); got != 0 {
			t.Errorf("round %d: it was just set: got %d hits", round, got)
		}
		for i := range 10 {
			write(t, p.client, []byte("lost")[:i%5]) // empty ones, too
			write(t, other, []byte("lost"))
		}
		if err := p.gate.WaitDoor(ctx, 20); err != nil {
			t.Fatal(err)
		}
		p.answers(t, "an answer")
		wantDatagram(t, p.client, "an answer")
		wantNothing(t, p.server)
		wantNothing(t, other)
		if hits, st := p.gate.DoorHits(), p.gate.Stats(); hits != 20 || st.Lost != int64(20*(round+1)) || st.Accepted != int64(round+1) {
			t.Errorf("round %d: got %d hits and %+v, want 20 hits, %d lost", round, hits, st, 20*(round+1))
		}
		setDoor(t, p.gate.Gate, chaos.Open)
		write(t, p.client, []byte("passes"))
		p.hears(t, "passes")
		p.greet(t, p.connect(t))
		p.seen, _ = net.ResolveUDPAddr("udp", p.gate.Conns()[0].Info().Back)
	}
}

// TestWireDatagramStop holds that a stopped gate refuses, keeps its port, and serves when it is started again.
func TestWireDatagramStop(t *testing.T) {
	for _, bind := range datagramBinds {
		t.Run(bind.name, func(t *testing.T) {
			leavesNothing(t)
			p := newDatagramPair(t, func(g *chaos.Gate) { g.Listen = bind.listen })
			address := p.gate.Addr()
			client := dialDatagrams(t, net.JoinHostPort(bind.host, fmt.Sprint(p.gate.port(t))))
			for i := range sized(100, 1000) {
				p.greet(t, client)
				if n := len(p.gate.Conns()); n != 1 {
					t.Fatalf("round %d: %d sessions are live, want 1", i, n)
				}
				if err := p.gate.Stop(); err != nil {
					t.Fatal(err)
				}
				if n := len(p.gate.Conns()); n != 0 {
					t.Fatalf("round %d: stopped, and %d sessions are live", i, n)
				}
				write(t, client, []byte("to nobody"))
				wantError(t, client, unix.ECONNREFUSED)
				if err := p.gate.Start(); err != nil {
					t.Fatal(err)
				}
				if p.gate.Addr() != address {
					t.Fatalf("round %d: the gate is at %s, and was at %s", i, p.gate.Addr(), address)
				}
			}
		})
	}
	t.Run("the_door_stays", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		p.greet(t, p.client)
		setDoor(t, p.gate.Gate, chaos.Hold)
		if err := errors.Join(p.gate.Stop(), p.gate.Start()); err != nil {
			t.Fatal(err)
		}
		write(t, p.client, []byte("held"))
		wantNothing(t, p.server)
		if got := p.gate.DoorHits(); got != 1 {
			t.Errorf("got %d hits, want 1", got)
		}
		setDoor(t, p.gate.Gate, chaos.Open)
		p.hears(t, "held")
	})
}

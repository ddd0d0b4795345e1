//go:build linux

package realservers

import (
	"testing"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/quic-go/quic-go"
)

// TestQUICWorks transfers bodies both ways at once, under conditions that QUIC must bear.
func TestQUICWorks(t *testing.T) {
	t.Parallel()
	for _, condition := range datagramConditions {
		t.Run(condition.name, func(t *testing.T) {
			t.Parallel()
			s := startQUIC(t)
			g := datagramGate(t, s.addr)
			imposed := condition.impose(g)
			server := transferOverQUIC(t, s, g.Addr(), nil)
			chaostest.Fired(t, imposed...)
			stats := g.Stats()
			t.Logf("%d datagrams to the server, %d to the client, %d lost, %d dropped by the kernel",
				stats.DatagramsToServer, stats.DatagramsToClient, stats.Lost, stats.KernelDrops)
			if got, want := onlySession(t, g).Info().Back, server.RemoteAddr().String(); got != want {
				t.Errorf("the gate speaks to the server from %s, and the server sees the client at %s", got, want)
			}
			if len(condition.faults) == 0 && stats.Lost+stats.Overflowed+stats.Refused+stats.SendErrors > 0 {
				t.Errorf("the gate has lost datagrams: %+v", stats)
			}
		})
	}
}

// TestQUICFollows changes the client's port in the middle of a transfer, as the server sees it.
func TestQUICFollows(t *testing.T) {
	t.Parallel()
	for _, move := range moves {
		t.Run(move.name, func(t *testing.T) {
			t.Parallel()
			s := startQUIC(t)
			g := datagramGate(t, s.addr)
			var before *chaos.Conn // the gate's session
			var from string        // the client's address as the server sees it, before it moves
			var imposed []*chaos.Imposed
			server := transferOverQUIC(t, s, g.Addr(), func(server *quic.Conn) {
				before, from = onlySession(t, g), server.RemoteAddr().String()
				if back := before.Info().Back; back != from {
					t.Errorf("before the move the gate speaks to the server from %s, and the server sees the client at %s", back, from)
				}
				imposed = move.do(g)
			})
			chaostest.Fired(t, imposed...)

			// The server answers to the new address once it has heard from there what only the client can know.
			until(t, meetsWithin, "the server sees the client move", func() bool { return server.RemoteAddr().String() != from })
			after, to := onlySession(t, g), server.RemoteAddr().String()
			t.Logf("the server saw the client move from %s to %s", from, to)
			if back := after.Info().Back; back != to {
				t.Errorf("the gate speaks to the server from %s, and the server sees the client at %s", back, to)
			}
			if same := after == before; same != move.same {
				t.Errorf("the client has the same session as before: got %t, want %t", same, move.same)
			}
		})
	}
}

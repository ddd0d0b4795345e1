//go:build linux

package chaos_test

import (
	"context"
	"fmt"
	"iter"
	"net"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
)

// TestWireDatagramApart is row 24 for datagrams: however many sessions are stalled or wait, one that is live has the latency that it
// has alone.
func TestWireDatagramApart(t *testing.T) {
	t.Run("row24_waiting_sessions_slow_nobody", func(t *testing.T) {
		leavesNothing(t)
		alone, _ := newCrowd(t, 1, nil)
		exchange(t, alone, 1)
		c, g := newCrowd(t, 501, nil)
		exchange(t, c, 1)
		faults := [][]chaos.Fault{
			{chaos.Stall{}},
			{chaos.Delay{By: time.Hour, Jitter: time.Minute}},
			{chaos.Bandwidth{Rate: 1}},
			{chaos.Edit(mark), chaos.Delay{By: time.Hour}, chaos.Stall{}},
		}
		live, i := c.Clients[0].LocalAddr().String(), 0
		for _, conn := range g.Conns() {
			if conn.Info().Client == live {
				continue
			}
			conn.ToServer.Set(faults[i%len(faults)]...)
			conn.ToClient.Set(faults[i%len(faults)]...)
			i++
		}
		for i := range c.Clients[1:] {
			for range 5 {
				write(t, c.Clients[i+1], make([]byte, 100+i))
				if _, err := c.Server.WriteToUDPAddrPort(make([]byte, 100+i), c.Seen(i+1)); err != nil {
					t.Fatal(err)
				}
			}
		}
		g.takesAll(t)
		var without, with time.Duration
		for range 5 { // a busy machine is busy with both in turn
			without, with = trips(t, alone, 300), trips(t, c, 300)
			if with < 2*without+100*time.Microsecond {
				break
			}
		}
		t.Logf("a round trip takes %v alone, and %v beside %d sessions that wait with %d bytes", without, with, i, g.Stats().Held)
		if with >= 2*without+100*time.Microsecond {
			t.Errorf("a round trip takes %v alone, and %v beside %d sessions that wait", without, with, i)
		}
		if held := g.Stats().Held; held < int64(i*5*100) {
			t.Errorf("%d bytes are held back: that is no test", held)
		}
	})
}

// trips returns the median of so many round trips of the first client.
func trips(t *testing.T, c *wiretest.Crowd, n int) time.Duration {
	t.Helper()
	buf := make([]byte, 1000)
	setPatience(t, c.Server)
	setPatience(t, c.Clients[0])
	var took []time.Duration
	for range n {
		start := time.Now()
		write(t, c.Clients[0], buf[:64])
		if n, from, err := c.Server.ReadFromUDPAddrPort(buf); err != nil || n != 64 || from != c.Seen(0) {
			t.Fatalf("the server read %d bytes from %v, %v", n, from, err)
		}
		if _, err := c.Server.WriteToUDPAddrPort(buf[:64], c.Seen(0)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Clients[0].Read(buf); err != nil || n != 64 {
			t.Fatalf("the client read %d bytes, %v", n, err)
		}
		took = append(took, time.Since(start))
	}
	return middle(took)
}

// TestWireDatagramSwitch is row 38 for datagrams: when Set has returned, nothing is treated the old way, in whichever of a thousand
// sessions it is; and Set is not slow for them.
func TestWireDatagramSwitch(t *testing.T) {
	t.Run("row38_discard_of_a_thousand", func(t *testing.T) {
		leavesNothing(t)
		c, g := newCrowd(t, 1000, nil)
		exchange(t, c, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var setting, lifting []time.Duration
		setPatience(t, c.Server)
		for i := range briefRounds(2000) {
			client := c.Clients[(i*7919)%len(c.Clients)]
			start := time.Now()
			imposed := g.ToServer.Set(chaos.Discard{})
			setting = append(setting, time.Since(start))
			write(t, client, []byte("old"))
			// What waits unread when the fault is lifted passes, and rightly so.
			if err := imposed[0].Wait(ctx, 1); err != nil {
				t.Fatalf("round %d: the datagram sent after Set was not discarded: %v", i, err)
			}
			start = time.Now()
			g.ToServer.Set()
			lifting = append(lifting, time.Since(start))
			wantNew(t, c.Server, client, i)
		}
		t.Logf("Set on %d sessions: %v to impose and %v to lift at the median, in %d rounds", len(c.Clients), middle(setting), middle(lifting), len(setting))
		if slow := max(fastest(setting), fastest(lifting)); slow > 50*time.Millisecond {
			t.Errorf("Set on %d sessions takes %v at best, want at most 50ms", len(c.Clients), slow)
		}
	})
	t.Run("row38_edit_amid_traffic", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		p.greet(t, p.client)
		setPatience(t, p.server)
		buf := make([]byte, 100)
		old, fresh := []byte("old"), []byte("new")
		for i := range briefRounds(2000) {
			for range 20 { // which may go either way
				write(t, p.client, old)
			}
			p.gate.ToServer.Set(chaos.Edit(mark))
			write(t, p.client, fresh)
			p.gate.takesAll(t)
			p.gate.ToServer.Set()
			write(t, p.client, fresh)
			for heard := 0; heard < 2; {
				n, err := p.server.Read(buf)
				if err != nil {
					t.Fatalf("round %d: %v", i, err)
				}
				switch string(buf[:n]) {
				case "old", string(mark([]byte("old"))):
				case string(mark([]byte("new"))):
					if heard++; heard != 1 {
						t.Fatalf("round %d: what was sent after it was lifted came changed", i)
					}
				default:
					if heard++; heard != 2 || string(buf[:n]) != "new" {
						t.Fatalf("round %d: what was sent after Set came as %q", i, buf[:n])
					}
				}
			}
		}
	})
	t.Run("row38_a_session_that_begins", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		for i := range briefRounds(500) {
			c := dialDatagrams(t, p.gate.Addr())
			p.gate.ToServer.Set(chaos.Edit(mark))
			write(t, c, []byte("a"))
			p.hears(t, string(mark([]byte("a"))))
			p.gate.CloseConns(chaos.All)
			p.gate.ToServer.Set()
			write(t, c, []byte("b"))
			p.hears(t, "b")
			if err := c.Close(); err != nil || t.Failed() {
				t.Fatalf("round %d: %v", i, err)
			}
		}
	})
	t.Run("row38_doors", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		p.greet(t, p.client)
		for i := range briefRounds(1000) {
			setDoor(t, p.gate.Gate, chaos.Blackhole)
			write(t, p.client, []byte("old"))
			setDoor(t, p.gate.Gate, chaos.Open)
			wantNew(t, p.server, p.client, i)
			setDoor(t, p.gate.Gate, chaos.Hold)
			write(t, p.client, fmt.Appendf(nil, "held %d", i))
			setDoor(t, p.gate.Gate, chaos.Open)
			p.hears(t, fmt.Sprintf("held %d", i))
		}
	})
}

// briefRounds counts to n, but unless in a soak run no longer than half a second.
func briefRounds(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		start := time.Now()
		for i := range n {
			if !soak && i >= 50 && time.Since(start) > 500*time.Millisecond || !yield(i) {
				return
			}
		}
	}
}

// wantNew sends a datagram that is to pass, and expects the server to read it and nothing older.
func wantNew(t *testing.T, server, client *net.UDPConn, round int) {
	t.Helper()
	want := fmt.Sprintf("new %d", round)
	write(t, client, []byte(want))
	setPatience(t, server)
	buf := make([]byte, 2000)
	if n, err := server.Read(buf); err != nil || string(buf[:n]) != want {
		t.Fatalf("round %d: the server read %.40q, %v, want %q", round, buf[:n], err, want)
	}
}

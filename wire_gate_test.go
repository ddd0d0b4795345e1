//go:build linux

package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"golang.org/x/sys/unix"
)

// TestWireResetWhileReadingStops is the end of row 12: a reset is heard at once on the other side although a fault stops the
// reading, on whichever side of the gate the bytes lie.
func TestWireResetWhileReadingStops(t *testing.T) {
	slow := chaos.Bandwidth{Rate: 10}
	tests := []struct {
		name               string
		toServer, toClient chaos.Fault
		clientResets       bool
	}{
		{name: "server_resets_while_ToServer_stalls", toServer: chaos.Stall{}},
		{name: "server_resets_while_ToClient_stalls", toClient: chaos.Stall{}},
		{name: "server_resets_while_both_stall", toServer: chaos.Stall{}, toClient: chaos.Stall{}},
		{name: "server_resets_while_ToServer_is_slow", toServer: slow},
		{name: "client_resets_while_ToServer_stalls", toServer: chaos.Stall{}, clientResets: true},
		{name: "client_resets_while_ToClient_stalls", toClient: chaos.Stall{}, clientResets: true},
		{name: "client_resets_while_both_stall", toServer: chaos.Stall{}, toClient: chaos.Stall{}, clientResets: true},
		{name: "client_resets_while_ToClient_is_slow", toClient: slow, clientResets: true},
	}
	for _, tt := range tests {
		for _, size := range []int{0, 10, 100_000} {
			t.Run(fmt.Sprintf("row12_%s_with_%d_bytes_there", tt.name, size), func(t *testing.T) {
				leavesNothing(t)
				var took []time.Duration
				for range 3 {
					took = append(took, resetUnder(t, tt.toServer, tt.toClient, tt.clientResets, size))
				}
				if got := fastest(took); got > 50*time.Millisecond {
					t.Errorf("the reset was heard after %v at best, want 50ms", got)
				}
			})
		}
	}
}

// resetUnder has bytes sent into the faults and one side reset, and measures how long the other takes to hear it.
func resetUnder(t *testing.T, toServer, toClient chaos.Fault, clientResets bool, size int) time.Duration {
	p := newWirePair(t)
	// Into a flow without a fault go no bytes: they would be delivered before the reset, to a peer that does not read yet.
	if toServer != nil {
		p.gate.ToServer.Set(toServer)
		write(t, p.client, make([]byte, size))
	}
	if toClient != nil {
		p.gate.ToClient.Set(toClient)
		write(t, p.server, make([]byte, size))
	}
	time.Sleep(20 * time.Millisecond) // the bytes lie where the fault leaves them by then
	if clientResets {
		reset(t, p.client)
		return untilReset(t, p.server)
	}
	reset(t, p.server)
	return untilReset(t, p.client)
}

// TestWireNames is row 19: a name is resolved for each connection, so a server that moves is found.
func TestWireNames(t *testing.T) {
	t.Run("row19_names_are_resolved_for_each_connection", func(t *testing.T) {
		leavesNothing(t)
		first, err := net.Listen("tcp4", "127.0.0.2:0")
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		_, port, err := net.SplitHostPort(first.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		second, err := net.Listen("tcp4", "127.0.0.3:"+port)
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()

		names := fakeNames(t)
		resolver := net.DefaultResolver
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: names.dial}
		g := startWireGate(t, &chaos.Gate{Server: "moving.example:" + port})
		// Registered after the gate's Close and so done before it; no dial is under way by then.
		defer func() { net.DefaultResolver = resolver }()
		for i, ln := range []net.Listener{first, second, first} {
			names.answer.Store(uint32(2 + i%2)) // 127.0.0.2 or 127.0.0.3
			c, err := net.Dial("tcp", g.Addr())
			if err != nil {
				t.Fatal(err)
			}
			if err := ln.(*net.TCPListener).SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			s, err := ln.Accept()
			if err != nil {
				t.Fatalf("connection %d did not reach %v: %v", i, ln.Addr(), err)
			}
			write(t, c, []byte("x"))
			wantByte(t, s, 'x')
			c.Close()
			s.Close()
		}
	})
}

// TestWirePort is row 21: the port is the same after Stop and Start, and serves.
func TestWirePort(t *testing.T) {
	t.Run("row21_the_port_survives_stop_and_start", func(t *testing.T) {
		leavesNothing(t)
		p := newWirePair(t)
		addr := p.gate.Addr()
		for i := range sized(100, 1000) {
			if err := p.gate.Stop(); err != nil {
				t.Fatalf("stop %d: %v", i, err)
			}
			if c, err := net.Dial("tcp", addr); err == nil {
				c.Close()
				t.Fatalf("stop %d: the port still connects", i)
			}
			if err := p.gate.Start(); err != nil {
				t.Fatalf("start %d: %v", i, err)
			}
			if got := p.gate.Addr(); got != addr {
				t.Fatalf("start %d: got %s, want %s", i, got, addr)
			}
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatalf("start %d: %v", i, err)
			}
			s, err := p.ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			write(t, c, []byte("x"))
			wantByte(t, s, 'x')
			if err := errors.Join(c.Close(), s.Close()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestWireServerAway is row 19 for a gate in the hand: its port and its live connections do not mind that the server is gone.
func TestWireServerAway(t *testing.T) {
	t.Run("row19_live_connections_survive_their_listener", func(t *testing.T) {
		leavesNothing(t)
		p := newWirePair(t)
		if err := p.ln.Close(); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			c, err := net.Dial("tcp", p.gate.Addr())
			if errors.Is(err, unix.ECONNRESET) {
				continue // it came before the connect was noticed to have succeeded
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			untilReset(t, c)
			c.Close()
		}
		write(t, p.client, []byte("x"))
		wantByte(t, p.server, 'x')
		if err := p.server.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := p.client.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the server has closed: got %v, want EOF", err)
		}
		if err := p.client.Close(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := p.gate.WaitConns(ctx, 0); err != nil {
			t.Errorf("%v; live are %v", err, p.gate.Conns())
		}
	})
}

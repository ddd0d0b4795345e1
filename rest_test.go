//go:build linux

package chaos_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// pumping counts the goroutines that move bytes.
func pumping() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "chaos.(*pump).run(")
}

// untilAtRest waits until no connection has a goroutine.
func untilAtRest(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); pumping() > 0; {
		if time.Now().After(end) {
			t.Fatalf("after 10s without a byte %d goroutines move bytes, want none", pumping())
		}
		time.Sleep(5 * time.Millisecond) // nothing tells when a goroutine ends
	}
}

// wantEnd reads the end of the stream.
func wantEnd(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("read %d bytes, %v, want the end of the stream", n, err)
	}
}

// TestIdleConnectionsRest has connections that have no goroutine do all that others do.
func TestIdleConnectionsRest(t *testing.T) {
	echo := func(t *testing.T, p *wirePair) {
		write(t, p.client, []byte("a"))
		wantByte(t, p.server, 'a')
		write(t, p.server, []byte("b"))
		wantByte(t, p.client, 'b')
	}
	tests := []struct {
		name string
		act  func(t *testing.T, p *wirePair)
	}{
		{"bytes", echo},
		{"the server's bytes", func(t *testing.T, p *wirePair) {
			write(t, p.server, []byte("b"))
			wantByte(t, p.client, 'b')
		}},
		{"bytes, and rest again", func(t *testing.T, p *wirePair) {
			echo(t, p)
			untilAtRest(t)
			echo(t, p)
		}},
		{"a fault", func(t *testing.T, p *wirePair) {
			p.gate.ToServer.Set(chaos.Substitute{Pattern: "a", With: "z"})
			write(t, p.client, []byte("a"))
			wantByte(t, p.server, 'z')
		}},
		{"a fault and its end", func(t *testing.T, p *wirePair) {
			p.gate.ToServer.Set(chaos.Substitute{Pattern: "a", With: "z"})
			p.gate.ToServer.Set()
			echo(t, p)
		}},
		{"a FIN and the other direction's bytes", func(t *testing.T, p *wirePair) {
			if err := p.client.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			wantEnd(t, p.server)
			write(t, p.server, []byte("b"))
			wantByte(t, p.client, 'b')
		}},
		{"both FINs", func(t *testing.T, p *wirePair) {
			p.client.Close()
			wantEnd(t, p.server)
		}},
		{"the client's reset", func(t *testing.T, p *wirePair) {
			reset(t, p.client)
			untilReset(t, p.server)
		}},
		{"the server's reset", func(t *testing.T, p *wirePair) {
			reset(t, p.server)
			untilReset(t, p.client)
		}},
		{"CloseConns", func(t *testing.T, p *wirePair) {
			if got := p.gate.CloseConns(chaos.All); got != 1 {
				t.Errorf("ended: got %d, want 1", got)
			}
			wantEnd(t, p.client)
			wantEnd(t, p.server)
		}},
		{"ResetConns", func(t *testing.T, p *wirePair) {
			p.gate.ResetConns(chaos.All)
			untilReset(t, p.client)
			untilReset(t, p.server)
		}},
		{"Close", func(t *testing.T, p *wirePair) {
			if err := p.gate.Close(); err != nil {
				t.Error(err)
			}
			wantEnd(t, p.client)
			wantEnd(t, p.server)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leavesNothing(t)
			p := newWirePair(t)
			write(t, p.client, []byte("x"))
			wantByte(t, p.server, 'x')
			untilAtRest(t)
			tt.act(t, p)
		})
	}
}

// TestRestingRacesWithBytesAndKicks has connections fall silent for about as long as makes them rest, while faults come and go.
func TestRestingRacesWithBytesAndKicks(t *testing.T) {
	leavesNothing(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}) // without a pipe, whose descriptors would stay
			}()
		}
	}()
	g := startWireGate(t, &chaos.Gate{Server: ln.Addr().String()})
	const clients, conns, turns = 16, 15, 6
	done := make(chan struct{})
	var setting, visiting sync.WaitGroup
	setting.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				g.ToServer.Set(chaos.Delay{})
				g.ToServer.Set()
			}
		}
	})
	errs := make(chan error, clients)
	for client := range clients {
		rng := rand.New(rand.NewPCG(1, uint64(client)))
		visiting.Go(func() {
			for range conns {
				if err := visitWithPauses(g.Addr(), turns, rng); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	visiting.Wait()
	close(done)
	setting.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

// visitWithPauses connects and has bytes come back, some of them after a pause.
func visitWithPauses(addr string, turns int, rng *rand.Rand) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	for turn := range turns {
		sent, got := []byte(fmt.Sprint("turn ", turn)), make([]byte, 6)
		if _, err := c.Write(sent); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, got); err != nil || string(got) != string(sent) {
			return errors.Join(err, fmt.Errorf("turn %d: got %q back, want %q", turn, got, sent))
		}
		time.Sleep(time.Duration(rng.IntN(int(45 * time.Millisecond)))) // the silence is what is tested
	}
	return nil
}

// TestRestingRacesWithEnds has both sides of connections end, in all ways, when their pumps are about to rest: each of them
// leaves its gate all the same.
func TestRestingRacesWithEnds(t *testing.T) {
	leavesNothing(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var ending sync.WaitGroup
	go func() {
		for draws := rand.NewPCG(2, 2); ; {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			draw := draws.Uint64()
			go endAtRandom(c, draw)
		}
	}()
	g := startWireGate(t, &chaos.Gate{Server: ln.Addr().String()})
	const clients, conns = 32, 30
	for client := range clients {
		ending.Go(func() {
			draws := rand.NewPCG(2, uint64(client)<<8)
			for range conns {
				c, err := net.Dial("tcp", g.Addr())
				if errors.Is(err, syscall.ECONNRESET) {
					continue // the server was faster than the dial's last look
				}
				if err != nil {
					t.Error(err)
					return
				}
				endAtRandom(c, draws.Uint64())
			}
		})
	}
	ending.Wait()
	for end := time.Now().Add(10 * time.Second); len(g.Conns()) > 0; {
		if time.Now().After(end) {
			t.Fatalf("10s after both sides of each connection have ended %d are left, such as %v", len(g.Conns()), g.Conns()[0])
		}
		time.Sleep(5 * time.Millisecond) // nothing tells when a connection has left
	}
}

// endAtRandom sends a byte or none, pauses for about as long as it takes a pump to rest, and ends a connection.
func endAtRandom(c net.Conn, draw uint64) {
	defer c.Close()
	if draw&1 != 0 {
		c.Write([]byte("x"))
	}
	time.Sleep(5*time.Millisecond + time.Duration(draw>>8%10_000)*time.Microsecond) // the silence is what is tested
	switch draw >> 1 & 3 {
	case 0: // with what has not been read it is a reset
	case 1:
		c.(*net.TCPConn).SetLinger(0)
	case 2:
		c.(*net.TCPConn).CloseWrite()
		c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		io.Copy(io.Discard, struct{ io.Reader }{c})
	}
}

//go:build linux

package chaos_test

import (
	"cmp"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
)

// datagramEnv returns an Env whose server is on a network, whose Via starts a gate that prepare has changed, and whose Door is that
// gate's. The clients send to a host, if one is given, in place of what the gate says is its own.
func datagramEnv(t *testing.T, network, host string, prepare func(*chaos.Gate)) *wiretest.Env {
	e := &wiretest.Env{Network: network, Soak: soak, Logf: t.Logf, Patience: 5 * time.Second}
	var g *datagramGate
	e.Via = func(server string) string {
		gate := &chaos.Gate{Network: "udp", Server: server}
		if prepare != nil {
			prepare(gate)
		}
		g = startDatagramGate(t, gate)
		own, port, err := net.SplitHostPort(g.Addr())
		if err != nil {
			t.Fatal(err)
		}
		return net.JoinHostPort(cmp.Or(host, own), port)
	}
	e.Door = func(name string) error {
		var door chaos.Door
		if err := door.UnmarshalText([]byte(name)); err != nil {
			return err
		}
		return g.SetDoor(door)
	}
	return e
}

// sideBySide runs checks a few at a time: they wait more than they work.
func sideBySide(t *testing.T, checks []wiretest.Check, env func() *wiretest.Env) {
	t.Helper()
	var running sync.WaitGroup
	places := make(chan struct{}, 4) // holds one for each that runs
	for _, c := range checks {
		running.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			e := env()
			if err := c.Run(e); err != nil {
				t.Errorf("%v: %v", c, err)
			}
		})
	}
	running.Wait()
}

// A datagramGate is a gate of datagrams, with what it has told.
type datagramGate struct {
	*chaos.Gate

	mu   sync.Mutex // guards told
	told []chaos.Event
}

// startDatagramGate starts a gate and closes it when the test ends.
func startDatagramGate(t *testing.T, gate *chaos.Gate) *datagramGate {
	t.Helper()
	g := &datagramGate{Gate: gate}
	g.Network = cmp.Or(g.Network, "udp")
	g.Observe = func(e chaos.Event) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.told = append(g.told, e)
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("closing the gate: %v", err)
		}
	})
	return g
}

// tell shows the gate's last events when the test has failed.
func (g *datagramGate) tell(t *testing.T) {
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, e := range g.told[max(0, len(g.told)-12):] {
			t.Log(e)
		}
	})
}

// events returns the events of a type.
func (g *datagramGate) events(of chaos.EventType) []chaos.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.told), func(e chaos.Event) bool { return e.Type != of })
}

// port returns the gate's port.
func (g *datagramGate) port(t *testing.T) int {
	t.Helper()
	at, err := net.ResolveUDPAddr("udp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return at.Port
}

// takesAll waits until the gate has taken all that has arrived at its front.
func (g *datagramGate) takesAll(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		all, err := wiretest.DatagramSockets(g.port(t))
		if err != nil {
			t.Fatal(err)
		}
		queued := int64(0)
		for _, s := range all {
			if int(s.Local.Port()) == g.port(t) && s.Remote.Port() == 0 {
				queued += s.Queued
			}
		}
		if queued == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d bytes wait at the front, which is %v", queued, g.Door())
		}
		time.Sleep(time.Millisecond) // the kernel's own progress is awaited
	}
}

// A datagramPair is a server, a gate before it, and a client.
type datagramPair struct {
	gate   *datagramGate
	server *net.UDPConn
	client *net.UDPConn
	seen   net.Addr // where the server has last received from
}

// newDatagramPair starts a server and a gate, and opens a client's socket, which has sent nothing yet.
func newDatagramPair(t *testing.T, prepare func(*chaos.Gate)) *datagramPair {
	t.Helper()
	server := openDatagrams(t, "127.0.0.1:0")
	gate := &chaos.Gate{Network: "udp", Server: server.LocalAddr().String()}
	if prepare != nil {
		prepare(gate)
	}
	p := &datagramPair{gate: startDatagramGate(t, gate), server: server}
	p.gate.tell(t)
	p.client = p.connect(t)
	return p
}

// connect opens one more client's socket, closed when the test ends.
func (p *datagramPair) connect(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := wiretest.DialDatagrams(p.gate.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// openDatagrams opens a server's socket, closed when the test ends.
func openDatagrams(t *testing.T, address string) *net.UDPConn {
	t.Helper()
	c, err := wiretest.ListenDatagrams("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// greet sends a word and has it answered, so that the client has a session.
func (p *datagramPair) greet(t *testing.T, client *net.UDPConn) {
	t.Helper()
	write(t, client, []byte("hello"))
	p.hears(t, "hello")
	p.answers(t, "hello yourself")
	wantDatagram(t, client, "hello yourself")
}

// hears reads a datagram at the server and checks it.
func (p *datagramPair) hears(t *testing.T, want string) {
	t.Helper()
	setPatience(t, p.server)
	buf := make([]byte, 1<<16)
	n, from, err := p.server.ReadFrom(buf)
	if err != nil || string(buf[:n]) != want {
		t.Fatalf("the server read %.40q, %v, want %.40q", buf[:n], err, want)
	}
	p.seen = from
}

// answers sends to where the server has last received from.
func (p *datagramPair) answers(t *testing.T, text string) {
	t.Helper()
	if _, err := p.server.WriteTo([]byte(text), p.seen); err != nil {
		t.Fatal(err)
	}
}

// wantDatagram reads a datagram at a client and checks it.
func wantDatagram(t *testing.T, c *net.UDPConn, want string) {
	t.Helper()
	setPatience(t, c)
	buf := make([]byte, 1<<16)
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != want {
		t.Fatalf("read %.40q, %v, want %.40q", buf[:n], err, want)
	}
}

// wantError reads at a client and expects an error.
func wantError(t *testing.T, c *net.UDPConn, want error) {
	t.Helper()
	setPatience(t, c)
	buf := make([]byte, 1<<16)
	if n, err := c.Read(buf); !errors.Is(err, want) {
		t.Fatalf("read %.40q, %v, want %v", buf[:n], err, want)
	}
}

// wantNothing expects that nothing arrives for a while.
func wantNothing(t *testing.T, c *net.UDPConn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	if n, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %.40q, %v, want nothing", buf[:n], err)
	}
}

func setPatience(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
}

// soon waits until a condition holds, which nothing tells.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("%s: not after 10s", what)
		}
		time.Sleep(time.Millisecond) // the kernel's or the gate's own progress is awaited
	}
}

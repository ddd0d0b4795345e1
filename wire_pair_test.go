//go:build linux

package chaos_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"golang.org/x/sys/unix"
)

// A wirePair is a client, a server, and the gate between them, for rows that need the gate in hand.
type wirePair struct {
	ln             net.Listener
	gate           *chaos.Gate
	client, server *net.TCPConn
}

// newWirePair starts a server and a gate, and connects a client.
func newWirePair(t *testing.T) *wirePair {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	p := &wirePair{ln: ln, gate: startWireGate(t, &chaos.Gate{Server: ln.Addr().String()})}
	p.client, p.server = p.connect(t)
	return p
}

// connect connects one more client, closed when the test ends. Nothing on it may take longer than 20 seconds.
func (p *wirePair) connect(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	c, err := net.Dial("tcp", p.gate.Addr())
	if err != nil {
		t.Fatal(err)
	}
	client = c.(*net.TCPConn)
	t.Cleanup(func() { client.Close() })
	if err := p.ln.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	s, err := p.ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server = s.(*net.TCPConn)
	t.Cleanup(func() { server.Close() })
	end := time.Now().Add(20 * time.Second)
	if err := errors.Join(client.SetDeadline(end), server.SetDeadline(end)); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// write writes all of b.
func write(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatalf("writing: %v", err)
	}
}

// wantByte reads one byte and checks it.
func wantByte(t *testing.T, c net.Conn, want byte) {
	t.Helper()
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		t.Fatalf("reading: %v, want %q", err, want)
	}
	if b[0] != want {
		t.Fatalf("read %q, want %q", b[0], want)
	}
}

// reset ends a connection by RST.
func reset(t *testing.T, c *net.TCPConn) {
	t.Helper()
	if err := errors.Join(c.SetLinger(0), c.Close()); err != nil {
		t.Fatal(err)
	}
}

// untilReset reads until the connection ends and returns how long it took; anything but a reset fails the test.
func untilReset(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	start := time.Now()
	n, err := io.Copy(io.Discard, c)
	if !errors.Is(err, unix.ECONNRESET) {
		t.Fatalf("read %d bytes, then %v, want a reset", n, err)
	}
	return time.Since(start)
}

// fastest is the least of what is measured: what a thing needs when nothing else is in the way.
func fastest(times []time.Duration) time.Duration {
	return slices.Min(times)
}

// middle is the median.
func middle(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

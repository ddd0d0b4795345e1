//go:build linux

package chaos_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// noDeadlines is a connection that knows no deadlines, as a channel in an SSH connection is.
type noDeadlines struct{ net.Conn }

func (noDeadlines) SetDeadline(time.Time) error      { return errors.New("deadline not supported") }
func (noDeadlines) SetReadDeadline(time.Time) error  { return errors.New("deadline not supported") }
func (noDeadlines) SetWriteDeadline(time.Time) error { return errors.New("deadline not supported") }

// unusableConns are what a gate cannot work with, and what it says of each.
var unusableConns = []struct {
	name string
	made func(net.Conn) net.Conn // from a usable one
	want string
}{
	{"nothing", func(c net.Conn) net.Conn { c.Close(); return nil }, "got no connection and no error"},
	{"a nil in a type", func(c net.Conn) net.Conn { c.Close(); return (*net.TCPConn)(nil) }, "got no connection and no error"},
	{"no deadlines", func(c net.Conn) net.Conn { return noDeadlines{c} }, "deadline not supported"},
	{"TLS", func(c net.Conn) net.Conn { return tls.Client(c, &tls.Config{ServerName: "x"}) }, "survives an expired write deadline"},
}

// errorsOf returns what the events of a type say.
func (v *virtual) errorsOf(of chaos.EventType) (texts []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.events {
		if e.Type == of {
			texts = append(texts, e.Err)
		}
	}
	return texts
}

// seesAnEnd checks that a connection ends without a byte.
func seesAnEnd(t *testing.T, name string, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("%s: got %d bytes and %v, want the end", name, n, err)
	}
}

// saysOnce checks that one error was told, and what it says.
func saysOnce(t *testing.T, name string, texts []string, want string) {
	t.Helper()
	if len(texts) != 1 || !strings.Contains(texts[0], want) {
		t.Errorf("%s: got %q, want one error that says %q", name, texts, want)
	}
}

// TestDialContextOfUnusableConns has the first dial come back with what the gate cannot use: that connection ends, and the next one
// is served.
func TestDialContextOfUnusableConns(t *testing.T) {
	tests := unusableConns
	for _, failed := range []net.Conn{(*net.TCPConn)(nil), (*tls.Conn)(nil)} { // what a careless return makes of a failed dial
		tests = append(tests, struct {
			name string
			made func(net.Conn) net.Conn
			want string
		}{"a nil in a type, and an error", func(c net.Conn) net.Conn { c.Close(); return failed }, ""})
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			var dials atomic.Int64
			v := newVirtual(t, func(g *chaos.Gate) {
				dial := g.DialContext
				g.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					c, err := dial(ctx, network, address)
					if err != nil || dials.Add(1) > 1 {
						return c, err
					}
					if c = test.made(c); test.want == "" {
						err = errors.New("the dial has failed")
					}
					return c, err
				}
			})
			client, server := v.connect(t)
			seesAnEnd(t, test.name+", the client", client)
			seesAnEnd(t, test.name+", the server", server)
			saysOnce(t, test.name, v.errorsOf(chaos.EventDialError), test.want)
			client, server = v.connect(t)
			says(t, client, "fine")
			hears(t, server, "fine")
		})
	}
}

// A listenerOf makes something else of the first connection that it accepts.
type listenerOf struct {
	net.Listener
	made     func(net.Conn) net.Conn
	accepted bool
}

func (l *listenerOf) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil || l.accepted {
		return c, err
	}
	l.accepted = true
	return l.made(c), nil
}

// TestListenFuncOfUnusableConns has the first client come as what the gate cannot use: it is turned away, and the next one is served.
func TestListenFuncOfUnusableConns(t *testing.T) {
	for _, test := range unusableConns {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t, func(g *chaos.Gate) {
				listen := g.ListenFunc
				g.ListenFunc = func(ctx context.Context, network, address string) (net.Listener, error) {
					ln, err := listen(ctx, network, address)
					return &listenerOf{Listener: ln, made: test.made}, err
				}
			})
			seesAnEnd(t, test.name, v.dial(t))
			synctest.Wait()
			if got := v.Stats().AcceptErrors; got != 1 {
				t.Errorf("%s: got %d accept errors, want 1", test.name, got)
			}
			saysOnce(t, test.name, v.errorsOf(chaos.EventAcceptError), test.want)
			client, server := v.connect(t)
			says(t, client, "fine")
			hears(t, server, "fine")
		})
	}
}

// realBehind connects a client through a gate on real sockets that was configured before it started.
func realBehind(t *testing.T, configure func(*chaos.Gate)) *real {
	t.Helper()
	servers, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { servers.Close() })
	r := &real{servers: servers, dir: chaos.ToServer, gate: &chaos.Gate{Server: servers.Addr().String(), Seed: 1}}
	configure(r.gate)
	startWireGate(t, r.gate)
	r.flow = &r.gate.ToServer
	r.connect(t)
	return r
}

// wrapped has a gate reach its server by a socket in a wrapper.
func wrapped(wrap func(*net.TCPConn) net.Conn) func(*chaos.Gate) {
	return func(g *chaos.Gate) {
		g.DialContext = func(_ context.Context, network, address string) (net.Conn, error) {
			c, err := net.Dial(network, address)
			if err != nil {
				return nil, err
			}
			return wrap(c.(*net.TCPConn)), nil
		}
	}
}

// swapsCase is a socket whose own Read and Write change the letters' case.
type swapsCase struct{ *net.TCPConn }

func (s swapsCase) Read(p []byte) (int, error) {
	n, err := s.TCPConn.Read(p)
	for i := range p[:n] {
		p[i] ^= ' '
	}
	return n, err
}

func (s swapsCase) Write(p []byte) (int, error) {
	swapped := bytes.Clone(p)
	for i := range swapped {
		swapped[i] ^= ' '
	}
	return s.TCPConn.Write(swapped)
}

// TestWrappersReadAndWriteThemselves has the gate not reach past a wrapper for the socket that it knows below, not in bulk either.
func TestWrappersReadAndWriteThemselves(t *testing.T) {
	leavesNothing(t)
	r := realBehind(t, wrapped(func(c *net.TCPConn) net.Conn { return swapsCase{c} }))
	sent, want := bytes.Repeat([]byte("abCD"), 512<<10), bytes.Repeat([]byte("ABcd"), 512<<10)
	for _, way := range []struct {
		name     string
		from, to net.Conn
	}{{"to the server", r.from, r.to}, {"to the client", r.to, r.from}} {
		go way.from.Write(sent)
		got := make([]byte, len(want))
		if n, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes, %.8q, %v, want %d bytes, %.8q", way.name, n, got, err, len(want), want)
		}
	}
}

// TestConnWithoutCloseWrite has the gate pass a FIN on to what cannot say it alone.
func TestConnWithoutCloseWrite(t *testing.T) {
	leavesNothing(t)
	r := realBehind(t, wrapped(func(c *net.TCPConn) net.Conn { return struct{ net.Conn }{c} }))
	r.sends(t, "abc")
	r.shuts(t)
	r.ends(t, "abc", "FIN")
}

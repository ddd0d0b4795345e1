package chaostest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

func TestNetworkFitsAGate(t *testing.T) {
	n := NewNetwork()
	_ = chaos.Gate{ListenFunc: n.Listen, ListenPacket: n.ListenPacket, DialContext: n.Dial}
}

func TestNetworkListen(t *testing.T) {
	tests := []struct {
		name, network string
		addresses     []string // listened on one after the other; all stay
		want          string   // the last one's address, or its error
	}{
		{"nothing said", "tcp", []string{""}, "127.0.0.1:40001"},
		{"port 0", "tcp", []string{"127.0.0.1:0"}, "127.0.0.1:40001"},
		{"the next free port", "tcp", []string{"127.0.0.1:0", ""}, "127.0.0.1:40002"},
		{"a free port is really free", "tcp", []string{"127.0.0.1:40001", ""}, "127.0.0.1:40002"},
		{"a free port beside a wildcard", "tcp", []string{":40001", ""}, "127.0.0.1:40002"},
		{"a port of its own", "tcp", []string{"127.0.0.1:80"}, "127.0.0.1:80"},
		{"localhost", "tcp", []string{"localhost:80"}, "127.0.0.1:80"},
		{"another host", "tcp", []string{"127.0.0.1:80", "10.0.0.1:80"}, "10.0.0.1:80"},
		{"version 6", "tcp", []string{"[::1]:80"}, "[::1]:80"},
		{"no host", "tcp", []string{":80"}, "[::]:80"},
		{"the wildcard of version 4 leaves version 6", "tcp", []string{"0.0.0.0:80", "[::1]:80"}, "[::1]:80"},
		{"in use", "tcp", []string{"127.0.0.1:80", "127.0.0.1:80"}, "listen tcp 127.0.0.1:80: bind: address already in use"},
		{"in use under a wildcard", "tcp", []string{"0.0.0.0:80", "127.0.0.1:80"}, "listen tcp 127.0.0.1:80: bind: address already in use"},
		{"a wildcard over one in use", "tcp", []string{"127.0.0.1:80", ":80"}, "listen tcp [::]:80: bind: address already in use"},
		{"a name", "tcp", []string{"db.internal:80"}, "listen tcp: lookup db.internal: the memory network has no names but localhost"},
		{"no port", "tcp", []string{"127.0.0.1"}, "listen tcp: address 127.0.0.1: missing port in address"},
		{"a port too high", "tcp", []string{"127.0.0.1:65536"}, `listen tcp: port "65536" of "127.0.0.1:65536" is not a number from 0 to 65535`},
		{"unix", "unix", []string{"/run/db.sock"}, "/run/db.sock"},
		{"unix without a name", "unix", []string{"", ""}, "@40002"},
		{"unix in use", "unix", []string{"/run/db.sock", "/run/db.sock"}, "listen unix /run/db.sock: bind: address already in use"},
		{"udp", "udp", []string{"127.0.0.1:0"}, "listen udp: udp has datagrams and no streams: use ListenPacket"},
		{"unixgram", "unixgram", []string{"/run/s"}, `listen unixgram: the memory network carries tcp, unix and udp, not "unixgram"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := NewNetwork()
			var got string
			for i, address := range tt.addresses {
				l, err := n.Listen(t.Context(), tt.network, address)
				switch {
				case err == nil:
					got = l.Addr().String()
				case i < len(tt.addresses)-1:
					t.Fatal(err)
				default:
					got = err.Error()
					if inUse := strings.Contains(tt.want, "in use"); errors.Is(err, syscall.EADDRINUSE) != inUse {
						t.Errorf("%v is EADDRINUSE: got %v, want %v", err, !inUse, inUse)
					}
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNetworkDial(t *testing.T) {
	tests := []struct {
		name, network, listen, dial string
		want                        string // the addresses of the server's end, or the error
	}{
		{"the address", "tcp", "127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:80 from 127.0.0.1:49152"},
		{"localhost", "tcp", "127.0.0.1:80", "localhost:80", "127.0.0.1:80 from 127.0.0.1:49152"},
		{"no host", "tcp", "127.0.0.1:80", ":80", "127.0.0.1:80 from 127.0.0.1:49152"},
		{"the wildcard", "tcp", "127.0.0.1:80", "0.0.0.0:80", "127.0.0.1:80 from 127.0.0.1:49152"},
		{"the wildcard of version 6", "tcp", "[::1]:80", "[::]:80", "[::1]:80 from [::1]:49152"},
		{"a listener on the wildcard", "tcp", ":80", "10.1.2.3:80", "10.1.2.3:80 from 10.1.2.3:49152"},
		{"another address of the loopback", "tcp", ":80", "127.9.9.9:80", "127.9.9.9:80 from 127.0.0.1:49152"},
		{"unix", "unix", "/run/s", "/run/s", "/run/s from @"},
		{"nobody on the port", "tcp", "127.0.0.1:80", "127.0.0.1:81", "dial tcp 127.0.0.1:81: connect: connection refused"},
		{"nobody on the host", "tcp", "127.0.0.1:80", "[::1]:80", "dial tcp [::1]:80: connect: connection refused"},
		{"nobody on the name", "unix", "/run/s", "/run/t", "dial unix /run/t: connect: connection refused"},
		{"port 0", "tcp", "127.0.0.1:80", "127.0.0.1:0", "dial tcp 127.0.0.1:0: connect: connection refused"},
		{"a name", "tcp", "127.0.0.1:80", "db:80", "dial tcp: lookup db: the memory network has no names but localhost"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := NewNetwork()
			l := memListen(t, n, tt.network, tt.listen)
			c, err := n.Dial(t.Context(), tt.network, tt.dial)
			var got string
			switch {
			case err == nil:
				s := netAccept(t, l)
				got = fmt.Sprint(s.LocalAddr(), " from ", s.RemoteAddr())
				if c.LocalAddr().String() != s.RemoteAddr().String() || c.RemoteAddr().String() != s.LocalAddr().String() {
					t.Errorf("the client sees %v to %v, the server %v from %v", c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr())
				}
			default:
				got = err.Error()
				var op *net.OpError
				if refused := strings.Contains(tt.want, "refused"); !errors.As(err, &op) || errors.Is(err, syscall.ECONNREFUSED) != refused {
					t.Errorf("%#v is an OpError of ECONNREFUSED: want %v", err, refused)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNetworkDialHonoursItsContext(t *testing.T) {
	n := NewNetwork()
	l := memListen(t, n, "tcp", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Dial(ctx, "tcp", l.Addr().String()); !errors.Is(err, context.Canceled) {
		t.Errorf("a dial: got %v, want %v", err, context.Canceled)
	}
	if _, err := n.Listen(ctx, "tcp", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("a listen: got %v, want %v", err, context.Canceled)
	}
	l.(*memListener).SetDeadline(time.Unix(1, 0))
	if c, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the queue has %v, %v; want nothing", c, err)
	}
}

func TestNetworkGivesPortsBack(t *testing.T) {
	n := NewNetwork()
	l := memListen(t, n, "tcp", "127.0.0.1:80")
	held := memDial(t, n, l)
	all := lastLocalPort - firstLocalPort + 1
	for range 2 * all {
		c := memDial(t, n, l)
		if c.LocalAddr().String() == held.LocalAddr().String() {
			t.Fatalf("two live connections from %v", c.LocalAddr())
		}
		c.Close()
	}
	for range all - 1 {
		memDial(t, n, l)
	}
	if _, err := n.Dial(t.Context(), "tcp", "127.0.0.1:80"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("one dial too many: got %v, want %v", err, syscall.EADDRNOTAVAIL)
	}
	held.Close()
	if c := memDial(t, n, l); c.LocalAddr().String() != held.LocalAddr().String() {
		t.Errorf("a dial when one port is free again: got %v, want %v", c.LocalAddr(), held.LocalAddr())
	}
}

func TestNetworkQueuesLikeTheKernel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		l := memListen(t, n, "tcp", "")
		for i := range 3 {
			c := memDial(t, n, l)
			fmt.Fprintf(c, "client %d", i)
			c.Close()
		}
		time.Sleep(time.Hour) // virtual: nobody accepts for long
		for i := range 3 {
			got, err := io.ReadAll(netAccept(t, l))
			if want := fmt.Sprintf("client %d", i); string(got) != want || err != nil {
				t.Errorf("accepted: got %q, %v; want %q", got, err, want)
			}
		}
	})
}

func memListen(t *testing.T, n *Network, network, address string) net.Listener {
	t.Helper()
	l, err := n.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func memDial(t *testing.T, n *Network, l net.Listener) *memConn {
	t.Helper()
	c, err := n.Dial(t.Context(), l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return c.(*memConn)
}

func netAccept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

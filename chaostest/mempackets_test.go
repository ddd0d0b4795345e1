package chaostest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestListenPacket(t *testing.T) {
	const inUse = "bind: address already in use"
	tests := []struct {
		name, network string
		addresses     []string // listened on one after the other; all stay
		want          string   // the last one's address, or its error
	}{
		{"nothing said", "udp", []string{""}, "127.0.0.1:40001"},
		{"nothing said of version 4", "udp4", []string{""}, "127.0.0.1:40001"},
		{"nothing said of version 6", "udp6", []string{""}, "[::1]:40001"},
		{"port 0", "udp", []string{"127.0.0.1:0"}, "127.0.0.1:40001"},
		{"the next free port", "udp", []string{"127.0.0.1:0", ""}, "127.0.0.1:40002"},
		{"a free port is really free", "udp", []string{"127.0.0.1:40001", ""}, "127.0.0.1:40002"},
		{"a free port beside a wildcard", "udp", []string{":40001", ""}, "127.0.0.1:40002"},
		{"localhost", "udp", []string{"localhost:53"}, "127.0.0.1:53"},
		{"another host", "udp", []string{"127.0.0.1:53", "10.0.0.1:53"}, "10.0.0.1:53"},
		{"version 6", "udp6", []string{"[::1]:53"}, "[::1]:53"},
		{"version 4 in the dress of version 6", "udp4", []string{"[::ffff:10.0.0.1]:53"}, "10.0.0.1:53"},
		{"no host", "udp", []string{":53"}, "[::]:53"},
		{"no host of version 4", "udp4", []string{":53"}, "0.0.0.0:53"},
		{"no host of version 6", "udp6", []string{":53"}, "[::]:53"},
		{"the wildcard of version 6 on udp4", "udp4", []string{"[::]:53"}, "0.0.0.0:53"},
		{"the wildcard of version 4 leaves version 6", "udp", []string{"0.0.0.0:53", "[::1]:53"}, "[::1]:53"},
		{"the wildcard of udp6 leaves version 4", "udp6", []string{":53", "udp4 127.0.0.1:53"}, "127.0.0.1:53"},
		{"the wildcards of udp6 and udp4", "udp6", []string{":53", "udp4 :53"}, "0.0.0.0:53"},
		{"in use", "udp", []string{"127.0.0.1:53", "127.0.0.1:53"}, "listen udp 127.0.0.1:53: " + inUse},
		{"in use under a wildcard", "udp", []string{"0.0.0.0:53", "127.0.0.1:53"}, "listen udp 127.0.0.1:53: " + inUse},
		{"in use under both wildcards", "udp", []string{":53", "127.0.0.1:53"}, "listen udp 127.0.0.1:53: " + inUse},
		{"a wildcard over one in use", "udp", []string{"127.0.0.1:53", ":53"}, "listen udp [::]:53: " + inUse},
		{"both wildcards over one", "udp6", []string{":53", "udp :53"}, "listen udp [::]:53: " + inUse},
		{"version 6 on udp4", "udp4", []string{"[::1]:0"}, "listen udp4: address ::1: no suitable address found"},
		{"version 4 on udp6", "udp6", []string{"127.0.0.1:0"}, "listen udp6: address 127.0.0.1: no suitable address found"},
		{"a name", "udp", []string{"db.internal:53"}, "listen udp: lookup db.internal: the memory network has no names but localhost"},
		{"no port", "udp", []string{"127.0.0.1"}, "listen udp: address 127.0.0.1: missing port in address"},
		{"a port too high", "udp", []string{"127.0.0.1:65536"}, `listen udp: port "65536" of "127.0.0.1:65536" is not a number from 0 to 65535`},
		{"a network of streams", "tcp", []string{"127.0.0.1:0"}, `listen tcp: the memory network has datagrams on udp, udp4 and udp6, not on "tcp"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := NewNetwork()
			var got string
			for i, address := range tt.addresses {
				network := tt.network
				if other, rest, ok := strings.Cut(address, " "); ok {
					network, address = other, rest
				}
				c, err := n.ListenPacket(t.Context(), network, address)
				switch {
				case err == nil:
					got = c.LocalAddr().String()
				case i < len(tt.addresses)-1:
					t.Fatal(err)
				default:
					got = err.Error()
					if want := strings.Contains(tt.want, "in use"); errors.Is(err, syscall.EADDRINUSE) != want {
						t.Errorf("%v is EADDRINUSE: got %v, want %v", err, !want, want)
					}
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDialPacket(t *testing.T) {
	tests := []struct {
		name, network, dial string
		want                string // the addresses of the socket, or the error
	}{
		{"the address", "udp", "127.0.0.1:53", "127.0.0.1:49152 to 127.0.0.1:53"},
		{"localhost", "udp", "localhost:53", "127.0.0.1:49152 to 127.0.0.1:53"},
		{"no host", "udp", ":53", "127.0.0.1:49152 to 127.0.0.1:53"},
		{"no host of version 6", "udp6", ":53", "[::1]:49152 to [::1]:53"},
		{"the wildcard", "udp4", "0.0.0.0:53", "127.0.0.1:49152 to 127.0.0.1:53"},
		{"the wildcard of version 6", "udp", "[::]:53", "[::1]:49152 to [::1]:53"},
		{"another host", "udp", "10.1.2.3:53", "10.1.2.3:49152 to 10.1.2.3:53"},
		{"another address of the loopback", "udp", "127.9.9.9:53", "127.0.0.1:49152 to 127.9.9.9:53"},
		{"port 0", "udp", "127.0.0.1:0", "127.0.0.1:49152 to 127.0.0.1:0"},
		{"version 6 on udp4", "udp4", "[::1]:53", "dial udp4: address ::1: no suitable address found"},
		{"a name", "udp", "db:53", "dial udp: lookup db: the memory network has no names but localhost"},
		{"no port", "udp", "", "dial udp: missing port in address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := NewNetwork().Dial(t.Context(), tt.network, tt.dial)
			got := fmt.Sprint(err)
			if err == nil {
				got = fmt.Sprint(c.LocalAddr(), " to ", c.RemoteAddr())
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPacketsHonourTheContext(t *testing.T) {
	n := NewNetwork()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.ListenPacket(ctx, "udp", "127.0.0.1:53"); !errors.Is(err, context.Canceled) {
		t.Errorf("listen: got %v, want %v", err, context.Canceled)
	}
	if _, err := n.Dial(ctx, "udp", "127.0.0.1:53"); !errors.Is(err, context.Canceled) {
		t.Errorf("dial: got %v, want %v", err, context.Canceled)
	}
	packetListen(t, n, "udp", "127.0.0.1:53") // it is free
}

func TestPacketsHaveThePortsOfTheirOwn(t *testing.T) {
	n := NewNetwork()
	tcp := memListen(t, n, "tcp", "127.0.0.1:53")
	udp := packetListen(t, n, "udp", tcp.Addr().String())
	stream, datagrams := memDial(t, n, tcp), packetDial(t, n, udp)
	if stream.LocalAddr().String() != datagrams.LocalAddr().String() {
		t.Errorf("the first ports: got %v of tcp and %v of udp, want the same", stream.LocalAddr(), datagrams.LocalAddr())
	}
	if _, err := n.ListenPacket(t.Context(), "udp", datagrams.LocalAddr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listening where a client is: got %v, want %v", err, syscall.EADDRINUSE)
	}
	tcp.Close()
	if err := packetDial(t, n, udp).Close(); err != nil { // what TCP does is nothing to UDP
		t.Error(err)
	}
}

func TestPacketsGivePortsBack(t *testing.T) {
	n := NewNetwork()
	s := packetListen(t, n, "udp", "127.0.0.1:53")
	held := packetDial(t, n, s)
	all := lastLocalPort - firstLocalPort + 1
	for range 2 * all {
		c := packetDial(t, n, s)
		if c.LocalAddr().String() == held.LocalAddr().String() {
			t.Fatalf("two live sockets at %v", c.LocalAddr())
		}
		c.Close()
	}
	for range all - 1 {
		packetDial(t, n, s)
	}
	if _, err := n.Dial(t.Context(), "udp", "127.0.0.1:53"); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("one dial too many: got %v, want %v, as the kernel has it", err, syscall.EAGAIN)
	}
	held.Close()
	if c := packetDial(t, n, s); c.LocalAddr().String() != held.LocalAddr().String() {
		t.Errorf("a dial when one port is free again: got %v, want %v", c.LocalAddr(), held.LocalAddr())
	}
	for range lastListenPort - firstListenPort + 1 {
		packetListen(t, n, "udp", "")
	}
	if _, err := n.ListenPacket(t.Context(), "udp", ""); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("one ListenPacket too many: got %v, want %v", err, syscall.EADDRINUSE)
	}
}

func packetListen(t *testing.T, n *Network, network, address string) *memPacketConn {
	t.Helper()
	c, err := n.ListenPacket(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*memPacketConn)
}

func packetDial(t *testing.T, n *Network, to net.PacketConn) *memPacketConn {
	t.Helper()
	c, err := n.Dial(t.Context(), "udp", to.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return c.(*memPacketConn)
}

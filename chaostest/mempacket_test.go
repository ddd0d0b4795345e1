package chaostest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestPacketDeadlines(t *testing.T) {
	calls := []struct {
		name string
		set  func(c *memPacketConn, at time.Time) error
		call func(c *memPacketConn) error
	}{
		{"Read", (*memPacketConn).SetReadDeadline, func(c *memPacketConn) error { _, err := c.Read(make([]byte, 1)); return err }},
		{"Read of both", (*memPacketConn).SetDeadline, func(c *memPacketConn) error { _, err := c.Read(make([]byte, 1)); return err }},
		{"ReadFrom", (*memPacketConn).SetReadDeadline, func(c *memPacketConn) error { _, _, err := c.ReadFrom(nil); return err }},
		{"WaitRead", (*memPacketConn).SetReadDeadline, (*memPacketConn).WaitRead},
	}
	const no = 1000 * time.Hour
	tests := []struct {
		name         string
		before, then time.Duration // where the deadline is when the call begins, and where it is moved to at once
		want         time.Duration // when the call returns
	}{
		{"it comes", time.Minute, time.Minute, time.Minute},
		{"it was moved closer", time.Hour, time.Minute, time.Minute},
		{"it was moved away", time.Minute, time.Hour, time.Hour},
		{"it is set while the call is parked", no, time.Minute, time.Minute},
		{"it is set to the past", no, -time.Hour, 0},
		{"it had passed", -time.Hour, -time.Hour, 0},
	}
	for _, call := range calls {
		for _, tt := range tests {
			t.Run(call.name+"/"+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := packetListen(t, NewNetwork(), "udp", "")
					began := time.Now()
					at := func(d time.Duration) time.Time {
						if d == no {
							return time.Time{}
						}
						return began.Add(d)
					}
					call.set(c, at(tt.before))
					go func() {
						synctest.Wait()
						call.set(c, at(tt.then))
					}()
					err := call.call(c)
					var timeout net.Error
					if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
						t.Errorf("got %v, want a timeout", err)
					}
					if got := time.Since(began); got != tt.want {
						t.Errorf("returned after %v, want %v", got, tt.want)
					}
				})
			})
		}
	}
}

func TestPacketWriteDeadline(t *testing.T) {
	n := NewNetwork()
	s := packetListen(t, n, "udp", "")
	c := packetDial(t, n, s)
	for _, tt := range []struct {
		name string
		at   time.Time
		want error
	}{
		{"none", time.Time{}, nil},
		{"to come", time.Now().Add(time.Hour), nil},
		{"passed", time.Unix(1, 0), os.ErrDeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.SetWriteDeadline(tt.at)
			s.SetWriteDeadline(tt.at)
			if _, err := c.Write([]byte("x")); !errors.Is(err, tt.want) {
				t.Errorf("Write: got %v, want %v", err, tt.want)
			}
			if _, err := s.WriteTo([]byte("x"), c.LocalAddr()); !errors.Is(err, tt.want) {
				t.Errorf("WriteTo: got %v, want %v", err, tt.want)
			}
		})
	}
	if got := fmt.Sprint(c.waiting(), s.waiting()); got != "2 2" {
		t.Errorf("delivered: got %v, want 2 2", got)
	}
}

func TestPacketWaitRead(t *testing.T) {
	tests := []struct {
		name   string
		happen func(n *Network, c, s *memPacketConn) // c waits, and s is its peer
		want   error                                 // of WaitRead
		then   error                                 // of the Read after it
	}{
		{"a datagram", func(n *Network, c, s *memPacketConn) { s.WriteTo([]byte("x"), c.LocalAddr()) }, nil, nil},
		{"an empty datagram", func(n *Network, c, s *memPacketConn) { s.WriteTo(nil, c.LocalAddr()) }, nil, nil},
		{"a refusal", func(n *Network, c, s *memPacketConn) { s.Close(); c.Write(nil) }, nil, syscall.ECONNREFUSED},
		{"its own end", func(n *Network, c, s *memPacketConn) { c.Close() }, net.ErrClosed, net.ErrClosed},
		{"nothing but a stranger", func(n *Network, c, s *memPacketConn) {
			s.Close() // somebody else has its port now, at another address
			other, err := n.ListenPacket(context.Background(), "udp", fmt.Sprint("10.0.0.1:", s.bound.Port()))
			if err != nil {
				panic(err)
			}
			other.WriteTo(nil, c.LocalAddr())
			c.SetReadDeadline(time.Now().Add(time.Minute))
		}, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNetwork()
				s := packetListen(t, n, "udp", "")
				c := packetDial(t, n, s)
				outcome := make(chan error, 1)
				go func() { outcome <- c.WaitRead() }()
				synctest.Wait()
				select {
				case err := <-outcome:
					t.Fatalf("nothing is there: got %v, want it to wait", err)
				default:
				}
				tt.happen(n, c, s)
				if err := <-outcome; !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if err := c.WaitRead(); !errors.Is(err, tt.want) {
					t.Errorf("once more: got %v, want %v", err, tt.want) // it has taken nothing
				}
				if _, err := c.Read(make([]byte, 9)); !errors.Is(err, tt.then) {
					t.Errorf("Read: got %v, want %v", err, tt.then)
				}
			})
		})
	}
}

func TestPacketBuffer(t *testing.T) {
	tests := []struct {
		buffer, size int
		want         int // how many it holds
	}{
		{0, 0, 256}, // as Linux does by default
		{0, 65507, 3},
		{0, 1400, 95}, // of which Linux holds 92
		{1, 0, 1},
		{1, 65507, 1}, // any that finds it empty
		{2 * datagramCost, 0, 2},
		{2*datagramCost - 1, 0, 1},
		{3 * (500 + datagramCost), 500, 3},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d of %d", tt.size, tt.buffer), func(t *testing.T) {
			n := &Network{Buffer: tt.buffer}
			s := packetListen(t, n, "udp", "")
			c := packetDial(t, n, s)
			const sent = 300
			for range sent {
				if n, err := c.Write(make([]byte, tt.size)); n != tt.size || err != nil {
					t.Fatalf("write: got %d, %v", n, err)
				}
			}
			if got := s.waiting(); got != tt.want {
				t.Errorf("held: got %d, want %d", got, tt.want)
			}
			if got := s.Drops(); got != int64(sent-tt.want) {
				t.Errorf("drops: got %d, want %d", got, sent-tt.want)
			}
			if got := c.Drops(); got != 0 {
				t.Errorf("the sender's drops: got %d, want 0", got)
			}
		})
	}
}

func TestPacketAddrPorts(t *testing.T) {
	tests := []struct {
		name, network, bound, sender, to string
		want                             string // who has sent, or the sender's error
	}{
		{"version 4", "udp", "127.0.0.1:53", "127.0.0.1:99", "127.0.0.1:53", "127.0.0.1:99"},
		{"version 6", "udp", "[::1]:53", "[::1]:99", "[::1]:53", "[::1]:99"},
		{"both, from version 4", "udp", ":53", "127.0.0.1:99", "127.0.0.1:53", "[::ffff:127.0.0.1]:99"},
		{"both, from version 6", "udp", ":53", "[::1]:99", "[::1]:53", "[::1]:99"},
		{"the wildcard of version 4", "udp4", ":53", "127.0.0.1:99", "127.0.0.1:53", "127.0.0.1:99"},
		{"from the wildcard", "udp", "127.0.0.1:53", ":99", "127.0.0.1:53", "127.0.0.1:99"},
		{"from the wildcard to another loopback", "udp", ":53", "0.0.0.0:99", "127.8.8.8:53", "[::ffff:127.0.0.1]:99"},
		{"from the wildcard to another host", "udp", "10.0.0.1:53", ":99", "10.0.0.1:53", "10.0.0.1:99"},
		{"an address in the dress of version 6", "udp", "127.0.0.1:53", "127.0.0.1:99", "[::ffff:127.0.0.1]:53", "127.0.0.1:99"},
		{"to the wildcard", "udp", ":53", "127.0.0.1:99", "0.0.0.0:53", "[::ffff:127.0.0.1]:99"},
		{"from another host to the wildcard", "udp4", "10.0.0.1:53", "10.0.0.1:99", "0.0.0.0:53", "10.0.0.1:99"},
		{"to the wildcard of version 6", "udp", ":53", "[::1]:99", "[::]:53", "[::1]:99"},
		{"from version 4 to version 6", "udp", ":53", "127.0.0.1:99", "[::1]:53", "write udp 127.0.0.1:99->[::1]:53: address ::1: non-IPv4 address"},
		{"from version 6 to version 4", "udp", ":53", "[::1]:99", "127.0.0.1:53", "write udp [::1]:99->127.0.0.1:53: sendto: network is unreachable"},
		{"to port 0", "udp", ":53", "127.0.0.1:99", "127.0.0.1:0", "write udp 127.0.0.1:99->127.0.0.1:0: sendto: invalid argument"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNetwork()
				s, c := packetListen(t, n, tt.network, tt.bound), packetListen(t, n, "udp", tt.sender)
				to := netip.MustParseAddrPort(tt.to)
				for _, write := range []func() error{
					func() error { _, err := c.WriteToUDPAddrPort([]byte("x"), to); return err },
					func() error { _, err := c.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(to)); return err },
				} {
					got := fmt.Sprint(write())
					if got == "<nil>" {
						s.SetReadDeadline(time.Now().Add(time.Second))
						_, from, err := s.ReadFromUDPAddrPort(make([]byte, 1))
						if err != nil {
							t.Fatal(err)
						}
						got = from.String()
					}
					if got != tt.want {
						t.Errorf("got %v, want %v", got, tt.want)
					}
				}
			})
		})
	}
}

func TestPacketsAllocateNothing(t *testing.T) {
	n := NewNetwork()
	s := packetListen(t, n, "udp", "")
	c := packetDial(t, n, s)
	p, datagram := make([]byte, 2000), make([]byte, 1400)
	got := testing.AllocsPerRun(1000, func() {
		for range 10 {
			c.Write(datagram)
		}
		for range 10 {
			_, from, _ := s.ReadFromUDPAddrPort(p)
			s.WriteToUDPAddrPort(datagram, from)
		}
		for range 10 {
			c.Read(p)
		}
	})
	if got != 0 {
		t.Errorf("30 datagrams: got %v allocations, want 0", got)
	}
}

func TestPacketsOfManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, each = 20, 200
		n := &Network{Buffer: clients * each * (8 + datagramCost)}
		s := packetListen(t, n, "udp", "")
		var wg sync.WaitGroup
		wg.Go(func() { // sends all back
			p := make([]byte, 100)
			for range clients * each {
				n, from, err := s.ReadFromUDPAddrPort(p)
				if err != nil {
					t.Error(err)
				}
				s.WriteToUDPAddrPort(p[:n], from)
			}
		})
		for i := range uint32(clients) {
			wg.Go(func() {
				c := packetDial(t, n, s)
				defer c.Close()
				p := make([]byte, 8)
				binary.BigEndian.PutUint32(p, i)
				for j := range uint32(each) {
					binary.BigEndian.PutUint32(p[4:], j)
					c.Write(p)
				}
				for j := range uint32(each) {
					n, err := c.Read(p)
					if who, which := binary.BigEndian.Uint32(p), binary.BigEndian.Uint32(p[4:]); n != 8 || err != nil || who != i || which != j {
						t.Errorf("client %d: got %d of %d, %v, want %d of its own", i, which, who, err, j)
					}
				}
			})
		}
		wg.Wait()
	})
}

package chaostest

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestPacketsSpeakLikePackageNet holds that errors have the text that they have on real UDP sockets.
func TestPacketsSpeakLikePackageNet(t *testing.T) {
	say := func(on packetNetwork) string {
		var said []string
		note := func(what string, err error) {
			said = append(said, what+": "+anyAddress.ReplaceAllString(fmt.Sprintf("%T %[1]v", err), "A"))
		}
		listen := func() packetSocket {
			c, err := on.listen("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return c.(packetSocket)
		}
		s := listen()
		_, err := on.listen("udp", s.LocalAddr().String())
		note("listen twice", err)
		for _, place := range [][2]string{{"udp4", "[::1]:0"}, {"udp6", "127.0.0.1:0"}, {"udp", "127.0.0.1"}} {
			_, err = on.listen(place[0], place[1])
			note("listen at "+place[1], err)
			_, err = on.dial(place[0], place[1])
			note("dial "+place[1], err)
		}
		c, err := on.dial("udp", s.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		both := []struct {
			name string
			packetSocket
		}{{"the server", s}, {"the client", c.(packetSocket)}}
		for _, end := range both {
			talk := func(when string) {
				when = end.name + when
				_, err := end.Read(make([]byte, 1))
				note(when+", read", err)
				_, _, err = end.ReadFrom(make([]byte, 1))
				note(when+", read from", err)
				_, _, err = end.packetSocket.(interface {
					ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
				}).ReadFromUDPAddrPort(make([]byte, 1))
				note(when+", read from an AddrPort", err)
				_, err = end.Write(nil)
				note(when+", write", err)
				for _, to := range []net.Addr{
					s.LocalAddr(), nil, (*net.UDPAddr)(nil), &net.TCPAddr{}, &net.UDPAddr{IP: net.IPv6loopback, Port: 9},
					&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.UDPAddr{IP: net.IP{1}, Port: 9},
				} {
					_, err = end.WriteTo(nil, to)
					note(fmt.Sprintf("%s, write to %T", when, to), err)
				}
				for _, to := range []netip.AddrPort{{}, netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:9")} {
					_, err = end.packetSocket.(interface {
						WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
					}).WriteToUDPAddrPort(nil, to)
					note(when+", write to an AddrPort", err)
				}
			}
			end.SetDeadline(time.Unix(1, 0))
			talk(" past the deadline")
			end.SetDeadline(time.Time{})
			_, err = end.Write(make([]byte, 70_000))
			note(end.name+", write too much", err)
			_, err = end.WriteTo(make([]byte, 70_000), s.LocalAddr())
			note(end.name+", write too much to one", err)
		}
		s.Close()
		for range 2 {
			c.Write(nil)
			_, err = c.Write(nil)
			note("write to nobody", err)
			c.Write(nil)
			_, err = c.Read(make([]byte, 1))
			note("read from nobody", err)
			c.Write(nil)
			_, _, err = c.(packetSocket).ReadFrom(make([]byte, 1))
			note("read from nobody", err)
		}
		c.Close()
		for _, end := range both {
			what := end.name + " closed"
			_, err = end.Read(nil)
			note(what+", read nothing", err)
			_, _, err = end.ReadFrom(nil)
			note(what+", read from", err)
			_, err = end.Write(nil)
			note(what+", write", err)
			_, err = end.WriteTo(nil, s.LocalAddr())
			note(what+", write to", err)
			note(what+", deadline", end.SetDeadline(time.Time{}))
			note(what+", close", end.Close())
			note(what+", addresses", fmt.Errorf("%v %v", end.LocalAddr(), end.RemoteAddr()))
		}
		return strings.Join(said, "\n")
	}
	n := NewNetwork()
	got := say(packetNetwork{
		func(network, address string) (net.PacketConn, error) {
			return n.ListenPacket(t.Context(), network, address)
		},
		func(network, address string) (net.Conn, error) { return n.Dial(t.Context(), network, address) },
	})
	if want := say(packetNetwork{net.ListenPacket, net.Dial}); got != want {
		t.Errorf("the memory network: got\n%s\nwant, as package net has it,\n%s", got, want)
	}
}

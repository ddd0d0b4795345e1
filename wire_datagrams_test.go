//go:build linux

package chaos_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
)

// TestWireDatagrams holds the rows of the wire contract on datagrams that need nothing but an address: what clients and a server
// observe through a gate that imposes nothing is what they observe directly. That each of these checks can fail is held by
// wiretest's own tests.
func TestWireDatagrams(t *testing.T) {
	for _, c := range wiretest.DatagramChecks() {
		t.Run(c.String(), func(t *testing.T) {
			leavesNothing(t)
			if err := c.Run(datagramEnv(t, "udp4", "", nil)); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("v6", func(t *testing.T) {
		leavesNothing(t)
		sideBySide(t, wiretest.DatagramScripts(), func() *wiretest.Env {
			return datagramEnv(t, "udp6", "", func(g *chaos.Gate) { g.Network = "udp6" })
		})
	})
}

// TestWireDatagramsThroughFaults holds that a fault that touches nothing leaves nothing touched, although every datagram goes
// another way through the gate then.
func TestWireDatagramsThroughFaults(t *testing.T) {
	for _, f := range []struct {
		name  string
		fault chaos.Fault
	}{
		{"delay", chaos.Delay{By: time.Millisecond}},
		{"edit", chaos.Edit(func(b []byte) []byte { return b })},
	} {
		t.Run(f.name, func(t *testing.T) {
			leavesNothing(t)
			env := func() *wiretest.Env {
				e := datagramEnv(t, "udp4", "", func(g *chaos.Gate) {
					g.ToServer.Set(f.fault)
					g.ToClient.Set(f.fault)
				})
				e.Overtaking = true
				return e
			}
			sideBySide(t, wiretest.DatagramScripts(), env)
			for _, c := range wiretest.DatagramChecks() {
				if c.Name == "replies_go_to_whom_they_belong" || c.Name == "nothing_lost_by_an_old_error" {
					if err := c.Run(env()); err != nil {
						t.Errorf("%v: %v", c, err)
					}
				}
			}
		})
	}
}

// TestWireDatagramAddresses is row 33: a gate that listens on all addresses answers from the one that its client used. The harness's
// clients are connected, and hear nothing from any other.
func TestWireDatagramAddresses(t *testing.T) {
	for _, f := range []struct {
		name, network, listen string
		hosts                 []string
	}{
		{"all_of_v4", "udp", "0.0.0.0:0", []string{"127.0.0.1", "127.0.0.2", "127.0.0.53"}},
		{"udp4", "udp4", ":0", []string{"127.0.0.53"}},
		{"all", "udp", "[::]:0", []string{"127.0.0.1", "127.0.0.2", "127.0.0.53", "::1"}},
		{"no_host", "udp", ":0", []string{"127.0.0.53", "::1"}},
		{"all_of_v6", "udp6", "[::]:0", []string{"::1"}},
		{"one_of_v4", "udp", "127.0.0.2:0", []string{""}},
	} {
		t.Run("row33_"+f.name, func(t *testing.T) {
			leavesNothing(t)
			for _, host := range f.hosts {
				network := "udp4"
				if f.network == "udp6" {
					network = "udp6"
				}
				env := func() *wiretest.Env {
					return datagramEnv(t, network, host, func(g *chaos.Gate) { g.Network, g.Listen = f.network, f.listen })
				}
				var some []wiretest.Check
				for _, c := range wiretest.DatagramScripts() {
					switch c.Name {
					case "every_size_in_a_row", "answers_without_an_order":
						some = append(some, c)
					}
				}
				sideBySide(t, append(some, wiretest.DatagramDoors()...), env)
			}
		})
	}
}

// TestWireDatagramOwnAddresses is row 33 for the addresses that this machine has beside the loopback interface's, those of one link
// among them, which are one together with the link.
func TestWireDatagramOwnAddresses(t *testing.T) {
	hosts := ownAddresses(t)
	if len(hosts) == 0 {
		t.Skip("this machine has no address but the loopback interface's")
	}
	for _, host := range hosts {
		for _, listen := range []string{host, "::"} {
			t.Run("row33_"+host+"_bound_to_"+listen, func(t *testing.T) {
				leavesNothing(t)
				var some []wiretest.Check
				for _, c := range wiretest.DatagramScripts() {
					if c.Name == "every_size_in_a_row" || c.Name == "answers_without_an_order" {
						some = append(some, c)
					}
				}
				sideBySide(t, append(some, wiretest.DatagramDoors()...), func() *wiretest.Env {
					return datagramEnv(t, "udp4", host, func(g *chaos.Gate) { g.Listen = net.JoinHostPort(listen, "0") })
				})
			})
		}
	}
}

// ownAddresses returns the addresses of this machine's interfaces that are up, but for the loopback interface.
func ownAddresses(t *testing.T) (hosts []string) {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil || i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			host := prefix.Addr()
			if host.IsLinkLocalUnicast() && host.Is6() {
				host = host.WithZone(i.Name)
			}
			hosts = append(hosts, host.String())
		}
	}
	return hosts[:min(len(hosts), 4)]
}

// TestWireDatagramFamilies holds that the server's family need not be the clients'; what one can say and the other cannot is an error
// of sending, and nothing else comes of it.
func TestWireDatagramFamilies(t *testing.T) {
	for _, f := range []struct{ name, server, listen string }{
		{"v4_clients_v6_server", "udp6", "127.0.0.1:0"},
		{"v6_clients_v4_server", "udp4", "[::1]:0"},
	} {
		t.Run(f.name, func(t *testing.T) {
			leavesNothing(t)
			var scripts []wiretest.Check
			for _, c := range wiretest.DatagramScripts() {
				if c.Row != 29 { // the largest datagram is another one
					scripts = append(scripts, c)
				}
			}
			sideBySide(t, append(scripts, wiretest.DatagramDoors()...), func() *wiretest.Env {
				return datagramEnv(t, f.server, "", func(g *chaos.Gate) { g.Listen = f.listen })
			})
		})
	}
	t.Run("too_large_for_the_other", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, func(g *chaos.Gate) { g.Listen = "[::1]:0" })
		p.greet(t, p.client)
		write(t, p.client, make([]byte, 65527))
		write(t, p.client, []byte("small"))
		p.hears(t, "small")
		p.answers(t, "an answer")
		wantDatagram(t, p.client, "an answer")
		if st := p.gate.Stats(); st.SendErrors != 1 || st.DatagramsToServer != 2 || st.Live != 1 {
			t.Errorf("got %+v, want one error and two datagrams delivered", st)
		}
	})
}

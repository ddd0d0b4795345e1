//go:build linux

package chaos_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// TestWireDatagramTwoAddresses is row 33 for a client that is not connected: by which of the gate's addresses it comes makes two
// sessions of it, each of which answers from its own.
func TestWireDatagramTwoAddresses(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", "[::]:0"} {
		t.Run("row33_one_socket_two_addresses_"+listen, func(t *testing.T) {
			leavesNothing(t)
			p := newDatagramPair(t, func(g *chaos.Gate) { g.Listen = listen })
			client := openDatagrams(t, "127.0.0.1:0")
			port := uint16(p.gate.port(t))
			seen := map[string]bool{}
			for range 3 {
				for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.53"} {
					if _, err := client.WriteToUDPAddrPort([]byte("to "+host), netip.AddrPortFrom(netip.MustParseAddr(host), port)); err != nil {
						t.Fatal(err)
					}
					p.hears(t, "to "+host)
					seen[p.seen.String()] = true
					p.answers(t, "from "+host)
					setPatience(t, client)
					buf := make([]byte, 100)
					n, from, err := client.ReadFromUDP(buf)
					if err != nil || string(buf[:n]) != "from "+host || from.IP.String() != host || from.Port != int(port) {
						t.Fatalf("read %q from %v, %v, want it from %s", buf[:n], from, err, host)
					}
				}
			}
			var fronts []string
			for _, c := range p.gate.Conns() {
				info := c.Info()
				fronts = append(fronts, info.Front)
				if info.Client != client.LocalAddr().String() {
					t.Errorf("got the client %s, want %v", info.Client, client.LocalAddr())
				}
			}
			want := []string{fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.2:%d", port), fmt.Sprintf("127.0.0.53:%d", port)}
			if !slices.Equal(fronts, want) || len(seen) != 3 {
				t.Errorf("got sessions by %v and %d addresses at the server, want %v and 3", fronts, len(seen), want)
			}
		})
	}
}

// TestWireDatagramExpiry is the rest of row 33: who is silent both ways for long enough expires, and is counted; who is not, does not.
func TestWireDatagramExpiry(t *testing.T) {
	t.Run("row33_expiry", func(t *testing.T) {
		leavesNothing(t)
		const expire = 800 * time.Millisecond
		var late time.Duration // the longest pause of those who are not to expire
		for range 3 {
			if late = expiry(t, expire); late < expire {
				return
			}
		}
		t.Skipf("the machine is too busy: a pause of %v took up to %v", expire/10, late)
	})
}

// expiry has three sessions, one of which is silent, and one of each other that is not in one direction. It returns the longest time
// for which these two were silent after all.
func expiry(t *testing.T, expire time.Duration) (late time.Duration) {
	p := newDatagramPair(t, func(g *chaos.Gate) { g.Expire = expire })
	asks, hears := p.connect(t), p.connect(t)
	greeted := time.Now()
	p.greet(t, p.client)
	p.greet(t, asks)
	asked := p.seen.String()
	p.greet(t, hears)
	heard := p.seen
	conns := p.gate.Conns()
	last := time.Now()
	var over time.Duration // when the silent one had expired
	for time.Since(greeted) < 5*expire/2 {
		time.Sleep(expire / 10) // activity, at this pace
		write(t, asks, []byte("still here"))
		p.hears(t, "still here")
		if p.seen.String() != asked {
			t.Fatalf("the server sees the client at %v, and has seen it at %s", p.seen, asked)
		}
		if _, err := p.server.WriteTo([]byte("called"), heard); err != nil {
			t.Fatal(err)
		}
		wantDatagram(t, hears, "called")
		late, last = max(late, time.Since(last)), time.Now()
		if over == 0 && p.gate.Stats().Closed["expired"] > 0 {
			over = time.Since(greeted)
		}
	}
	if late >= expire {
		return late
	}
	if over < expire || over > 2*expire {
		t.Errorf("the silent session expired after %v, want %v", over, expire)
	}
	if got := p.gate.Conns(); !slices.Equal(got, conns[1:]) {
		t.Errorf("live are %v, want %v", got, conns[1:])
	}
	if st := p.gate.Stats(); st.Closed["expired"] != 1 || len(st.Closed) != 1 || st.Live != 2 || st.Lost+st.Dropped != 0 {
		t.Errorf("got %+v, want one session expired", st)
	}
	if closed := p.gate.events(chaos.EventClosed); len(closed) != 1 || closed[0].By != "expired" || closed[0].Conn != conns[0].Ordinal() {
		t.Errorf("told were %v, want that %v has expired", closed, conns[0])
	}
	// Its client comes again: nothing is lost with it, and it is another session.
	write(t, p.client, []byte("again"))
	p.hears(t, "again")
	p.answers(t, "yes")
	wantDatagram(t, p.client, "yes")
	if got := p.gate.Conns(); len(got) != 3 || got[2].Ordinal() != 4 {
		t.Errorf("live are %v, want a fourth session", got)
	}
	return late
}

// TestWireDatagramCap is the end of row 33: there are never more sessions than the gate may have, the one that was silent for longest
// makes room, and everybody gets an answer.
func TestWireDatagramCap(t *testing.T) {
	t.Run("row33_the_cap", func(t *testing.T) {
		leavesNothing(t)
		const most, all = 10, 25
		p := newDatagramPair(t, func(g *chaos.Gate) { g.Sessions = most })
		clients := []*net.UDPConn{p.client}
		for len(clients) < all {
			clients = append(clients, p.connect(t))
		}
		var recent []int // clients that have a session, in the order in which they were last heard of
		for i, c := range clients[:most] {
			p.greet(t, c)
			recent = append(recent, i)
		}
		// The oldest two are heard of again: one speaks, the other is spoken to.
		write(t, clients[0], []byte("x"))
		p.hears(t, "x")
		first := p.gate.Conns()[1].Info().Back
		to, err := net.ResolveUDPAddr("udp", first)
		if err != nil {
			t.Fatal(err)
		}
		p.seen = to
		p.answers(t, "y")
		wantDatagram(t, clients[1], "y")
		recent = append(recent[2:], 0, 1)
		for i := most; i < all; i++ {
			p.greet(t, clients[i])
			recent = append(recent[1:], i)
			var got, want []string
			for _, c := range p.gate.Conns() {
				got = append(got, c.Info().Client)
			}
			for _, j := range recent {
				want = append(want, clients[j].LocalAddr().String())
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("after client %d: live are %v, want %v", i, got, want)
			}
		}
		st := p.gate.Stats()
		if st.Closed["evicted"] != all-most || st.Accepted != all || st.Live != most || st.Lost+st.Dropped != 0 {
			t.Errorf("got %+v, want %d sessions, %d evicted", st, all, all-most)
		}
		if closed := p.gate.events(chaos.EventClosed); len(closed) != all-most || closed[0].By != "evicted" || closed[0].Conn != 3 {
			t.Errorf("told were %v, want %d evicted, the third session first", closed, all-most)
		}
		// All at once, who has no session makes others lose theirs, and gets an answer all the same.
		for i, c := range clients {
			write(t, c, fmt.Appendf(nil, "client %d", i))
		}
		for i := range clients {
			p.hears(t, fmt.Sprintf("client %d", i))
		}
		if n := len(p.gate.Conns()); n != most {
			t.Errorf("%d sessions are live, want %d", n, most)
		}
	})
}

// TestWireDatagramNames is row 19 for datagrams: a name is resolved for each session, what a client sends meanwhile is kept, and a name
// that nobody knows ends the session and not the gate.
func TestWireDatagramNames(t *testing.T) {
	t.Run("row19_names_are_resolved_for_each_session", func(t *testing.T) {
		leavesNothing(t)
		first := openDatagrams(t, "127.0.0.2:0")
		port := first.LocalAddr().(*net.UDPAddr).Port
		second := openDatagrams(t, fmt.Sprintf("127.0.0.3:%d", port))
		names := fakeNames(t)
		resolver := net.DefaultResolver
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: names.dial}
		g := startDatagramGate(t, &chaos.Gate{Server: fmt.Sprintf("moving.example:%d", port)})
		g.tell(t)
		// Registered after the gate's Close and so done before it; no name is being resolved by then.
		defer func() { net.DefaultResolver = resolver }()
		for i, server := range []*net.UDPConn{first, second, first} {
			p := &datagramPair{gate: g, server: server}
			names.answer.Store(uint32(2 + i%2)) // 127.0.0.2 or 127.0.0.3
			client := p.connect(t)
			for j := range 20 {
				write(t, client, fmt.Appendf(nil, "number %d", j))
			}
			for j := range 20 {
				p.hears(t, fmt.Sprintf("number %d", j))
			}
			p.answers(t, "an answer")
			wantDatagram(t, client, "an answer")
		}
		if st := g.Stats(); st.Opened != 3 || st.Lost+st.Dropped+st.DialErrors != 0 {
			t.Errorf("got %+v, want three sessions that have lost nothing", st)
		}
	})
	t.Run("row19_a_name_that_nobody_knows", func(t *testing.T) {
		leavesNothing(t)
		names := fakeNames(t)
		resolver := net.DefaultResolver
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: names.dial}
		g := startDatagramGate(t, &chaos.Gate{Network: "udp6", Listen: "[::1]:0", Server: "moving.example:53"}) // which has no IPv6
		g.tell(t)
		defer func() { net.DefaultResolver = resolver }()
		client := dialDatagrams(t, g.Addr())
		for i := range 3 {
			write(t, client, []byte("x"))
			want := int64(i + 1)
			soon(t, "the session ends", func() bool { return g.Stats().Closed["dial"] == want })
		}
		if st := g.Stats(); st.DialErrors != 3 || st.Accepted != 3 || st.Opened != 0 || st.Live != 0 {
			t.Errorf("got %+v, want three sessions that were not opened", st)
		}
	})
}

// TestWireDatagramDescriptors is row 25 for datagrams: at the limit on descriptors nothing spins, new clients are served in place of
// those that were silent for longest, and the gate lives.
func TestWireDatagramDescriptors(t *testing.T) {
	t.Run("row25_the_limit_on_descriptors_is_survived", func(t *testing.T) {
		leavesNothing(t)
		p := &datagramPair{server: openDatagrams(t, "127.0.0.1:0")}
		child := startChild(t, "udp", p.server.LocalAddr().String(), 60)
		var clients []*net.UDPConn
		for range 200 {
			c := dialDatagrams(t, child.addr)
			p.greet(t, c)
			clients = append(clients, c)
		}
		before := child.cpu(t)
		time.Sleep(500 * time.Millisecond) // a gate that tries again without a pause burns most of it
		if busy := child.cpu(t) - before; busy > 150*time.Millisecond {
			t.Errorf("at the limit on descriptors the gate took %v of processor time in half a second", busy)
		}
		for _, c := range clients {
			p.greet(t, c)
		}
	})
}

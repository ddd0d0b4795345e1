//go:build linux

package chaos_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// A realSession is a session of datagrams through a gate on real sockets, in which both peers have been heard already.
type realSession struct {
	*testing.T
	gate   *chaos.Gate
	dir    chaos.Direction
	flow   *chaos.Flow
	client *net.UDPConn
	server *net.UDPConn
	back   netip.AddrPort // where the server sees the client
}

func newRealSession(t *testing.T, dir chaos.Direction) *realSession {
	t.Helper()
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	r := &realSession{T: t, dir: dir, server: server, gate: &chaos.Gate{Network: "udp", Server: server.LocalAddr().String(), Seed: 1}}
	r.flow = &r.gate.ToServer
	if dir == chaos.ToClient {
		r.flow = &r.gate.ToClient
	}
	startWireGate(t, r.gate)
	client, err := net.Dial("udp", r.gate.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	r.client = client.(*net.UDPConn)
	if _, err := r.client.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	r.meet()
	return r
}

// meet has the server read one datagram from the client, and answer it.
func (r *realSession) meet() {
	r.Helper()
	buf := make([]byte, 100)
	r.server.SetReadDeadline(time.Now().Add(realPatience))
	_, from, err := r.server.ReadFromUDPAddrPort(buf)
	if err != nil {
		r.Fatal(err)
	}
	r.back = from
	if _, err := r.server.WriteToUDPAddrPort([]byte("hi"), from); err != nil {
		r.Fatal(err)
	}
	r.client.SetReadDeadline(time.Now().Add(realPatience))
	if n, err := r.client.Read(buf); err != nil || string(buf[:n]) != "hi" {
		r.Fatalf("got %q, %v, want the server's hi", buf[:n], err)
	}
}

// sends sends datagrams in the direction that is looked at.
func (r *realSession) sends(texts ...string) {
	r.Helper()
	for _, text := range texts {
		var err error
		if r.dir == chaos.ToServer {
			_, err = r.client.Write([]byte(text))
		} else {
			_, err = r.server.WriteToUDPAddrPort([]byte(text), r.back)
		}
		if err != nil {
			r.Fatal(err)
		}
	}
}

// hear returns the next datagram that arrives within a time.
func (r *realSession) hear(within time.Duration) (string, bool) {
	conn, buf := r.server, make([]byte, 1<<16)
	if r.dir == chaos.ToClient {
		conn = r.client
	}
	conn.SetReadDeadline(time.Now().Add(within))
	n, err := conn.Read(buf)
	return string(buf[:n]), err == nil
}

// hears expects datagrams, and no others for a moment.
func (r *realSession) hears(want ...string) {
	r.Helper()
	for _, w := range want {
		if got, ok := r.hear(realPatience); !ok || got != w {
			r.Fatalf("got %q, %v, want %q of %q", got, ok, w, want)
		}
	}
	if got, ok := r.hear(20 * time.Millisecond); ok {
		r.Fatalf("got %q as well, want nothing behind %q", got, want)
	}
}

// ends expects the session to end by a fault.
func (r *realSession) ends(by string) {
	r.Helper()
	deadline := time.Now().Add(realPatience)
	for r.gate.Stats().Closed[by] != 1 {
		if time.Now().After(deadline) {
			r.Fatalf("got %v, want a session that has ended by %s", r.gate.Stats().Closed, by)
		}
		time.Sleep(time.Millisecond) // the statistics tell nobody that they have changed
	}
}

// realDatagramFaults says for each fault that makes sense for datagrams what the peers see of it.
var realDatagramFaults = []struct {
	fault chaos.Fault
	sees  func(r *realSession, i *chaos.Imposed)
}{
	{chaos.Delay{By: 30 * time.Millisecond}, func(r *realSession, _ *chaos.Imposed) {
		start := time.Now()
		r.sends("a", "", "c")
		r.hears("a", "", "c")
		if took := time.Since(start); took < 30*time.Millisecond {
			r.Errorf("got it after %v, want at least 30ms", took)
		}
	}},
	{chaos.Bandwidth{Rate: 10_000, Queue: 150}, func(r *realSession, i *chaos.Imposed) {
		text := strings.Repeat("x", 100)
		start := time.Now()
		r.sends(text, text, text, text, text)
		r.hears(text, text) // the third finds 200 bytes waiting, unless the machine was busy meanwhile
		if took := time.Since(start); took < 20*time.Millisecond {
			r.Errorf("200 bytes took %v, want at least 20ms", took)
		}
		if lost := r.gate.Stats().Lost; lost != 3 {
			r.Errorf("got %d lost, want 3", lost)
		}
	}},
	{chaos.Corrupt{}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("aaaa", "")
		if got, ok := r.hear(realPatience); !ok || len(got) != 4 || strings.Contains(got, "a") {
			r.Errorf("got %q, %v, want four bytes and no a", got, ok)
		}
		r.hears("")
	}},
	{chaos.Substitute{Pattern: "b+", With: "<>"}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("abbc", "b")
		r.hears("a<>c", "<>")
	}},
	{chaos.Stall{}, func(r *realSession, i *chaos.Imposed) {
		r.sends("a", "b")
		r.hears()
		i.Lift()
		r.hears("a", "b")
	}},
	{chaos.Discard{}, func(r *realSession, i *chaos.Imposed) {
		r.sends("a", "b")
		r.hears()
		i.Lift()
		r.sends("c")
		r.hears("c")
	}},
	{chaos.Vanish{}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("a")
		r.hears()
	}},
	{chaos.Close{}, func(r *realSession, _ *chaos.Imposed) { r.ends("close") }},
	{chaos.CloseOnData{}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("a")
		r.ends("close_on_data")
		r.hears()
	}},
	{chaos.Limit{Bytes: 5}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("abc", "def")
		r.hears("abc")
		r.ends("limit")
	}},
	{chaos.Lifetime{For: time.Millisecond}, func(r *realSession, _ *chaos.Imposed) { r.ends("lifetime") }},
	{chaos.Idle{For: 10 * time.Millisecond}, func(r *realSession, _ *chaos.Imposed) { r.ends("idle") }},
	{chaos.Sometimes{Chance: 1, Fault: chaos.Lose{Chance: 1}}, losesThem},
	{chaos.After{Bytes: 2, Fault: chaos.Lose{Chance: 1}}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("a", "b", "c")
		r.hears("a", "b")
	}},
	{chaos.During{For: time.Hour, Fault: chaos.Lose{Chance: 1}}, losesThem},
	{chaos.Only{Nth: 1, Fault: chaos.Lose{Chance: 1}}, losesThem},
	{chaos.Edit(bytes.ToUpper), func(r *realSession, _ *chaos.Imposed) {
		r.sends("a", "b")
		r.hears("A", "B")
	}},
	{chaos.Through(func(dst io.Writer, src io.Reader) error {
		buf := make([]byte, 100)
		for {
			n, err := src.Read(buf)
			if err != nil {
				return nil
			}
			fmt.Fprintf(dst, "<%s>", buf[:n])
		}
	}), func(r *realSession, _ *chaos.Imposed) {
		r.sends("a", "")
		r.hears("<a>", "<>")
	}},
	{chaos.Lose{List: "1,3"}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("a", "b", "c", "d")
		r.hears("b", "d")
	}},
	{chaos.Duplicate{Chance: 1}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("a", "b")
		r.hears("a", "a", "b", "b")
	}},
	{chaos.Reorder{Chance: 0.5}, func(r *realSession, i *chaos.Imposed) {
		var sent, got []string
		for n := range 20 {
			sent = append(sent, fmt.Sprint(n))
		}
		r.sends(sent...)
		for range sent {
			text, ok := r.hear(realPatience)
			if !ok {
				break
			}
			got = append(got, text)
		}
		if slices.Equal(got, sent) || i.Hits() == 0 {
			r.Errorf("got %v and %d hits, want another order", got, i.Hits())
		}
		slices.Sort(got)
		if slices.Sort(sent); !slices.Equal(got, sent) {
			r.Errorf("got %v, want all of %v", got, sent)
		}
	}},
	{chaos.Truncate{Size: 3}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("abcdef", "ab")
		r.hears("abc", "ab")
	}},
	{chaos.MTU{Size: 3}, func(r *realSession, _ *chaos.Imposed) {
		r.sends("abcd", "abc")
		r.hears("abc")
	}},
	{chaos.Rebind{}, func(r *realSession, _ *chaos.Imposed) {
		before, conn := r.back, r.gate.Conns()[0]
		r.client.Write([]byte("hello"))
		if r.meet(); r.back == before {
			r.Errorf("the server sees the client at %v as before", before)
		}
		if conns := r.gate.Conns(); len(conns) != 1 || conns[0] != conn || conn.Info().Back != r.back.String() {
			r.Errorf("got %v, want %v alone, at %v", conns, conn, r.back)
		}
	}},
}

func losesThem(r *realSession, _ *chaos.Imposed) {
	r.sends("a", "b")
	r.hears()
	if lost := r.gate.Stats().Lost; lost != 2 {
		r.Errorf("got %d lost, want 2", lost)
	}
}

// TestRealDatagramFaults is what client and server see of each fault, in both directions.
func TestRealDatagramFaults(t *testing.T) {
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		for _, test := range realDatagramFaults {
			t.Run(fmt.Sprintf("%s %v", chaos.KindOf(test.fault), dir), func(t *testing.T) {
				r := newRealSession(t, dir)
				i := r.flow.Add(test.fault)
				test.sees(r, i)
				if i.Hits() == 0 {
					t.Error("it has not fired")
				}
			})
		}
	}
}

// TestRealDatagramDetour has datagrams go out to a service, each behind its length, and come back changed.
func TestRealDatagramDetour(t *testing.T) {
	service, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	go func() {
		for {
			conn, err := service.Accept()
			if err != nil {
				return
			}
			go io.Copy(conn, upper{conn}) // lengths have no letters
		}
	}()
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		r := newRealSession(t, dir)
		i := r.flow.Add(chaos.Detour{Address: service.Addr().String()})
		r.sends("a", "", "bcd")
		r.hears("A", "", "BCD")
		if i.Hits() != 3 {
			t.Errorf("%v: got %d hits, want 3", dir, i.Hits())
		}
	}
}

// An upper reads letters as capitals.
type upper struct{ io.Reader }

func (u upper) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	copy(p, bytes.ToUpper(p[:n]))
	return n, err
}

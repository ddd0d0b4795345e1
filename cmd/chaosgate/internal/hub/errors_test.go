package hub

import (
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// TestErrors checks what is said about everything that can be asked wrongly, and that nothing has changed then.
func TestErrors(t *testing.T) {
	h := newHub(t, Options{})
	create(t, h, spec.Gate{Name: "redis", Server: "127.0.0.1:1", ToServer: spec.EntriesOf(chaos.Stall{})})
	create(t, h, spec.Gate{Name: "dns", Network: "udp", Server: "127.0.0.1:1"})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	redis := Where{Gate: "redis"}
	over, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	minute := time.Minute
	tests := []struct {
		name string
		do   func() error
		code Code
		path string
		text string
	}{
		{"unknown gate", func() error { _, err := h.Gate("rdis"); return err }, Unknown, "gate", `unknown gate "rdis", did you mean redis?`},
		{"far from any gate", func() error { _, err := h.Gate("x"); return err }, Unknown, "gate", `unknown gate "x", there is dns, redis`},
		{"name taken", func() error { _, err := h.Create("", spec.Gate{Name: "redis", Server: "a:1"}); return err }, Taken, "name", "name: got redis, which another gate has"},
		{
			"bad fault", func() error {
				_, err := h.Create("", spec.Gate{Server: "a:1", ToClient: spec.EntriesOf(chaos.Delay{By: -1})})
				return err
			}, Invalid, "to_client[0].delay.by", "to_client[0]: delay: by: got -1ns, want a duration of at least 0s",
		},
		{"no server", func() error { _, err := h.Create("", spec.Gate{}); return err }, Invalid, "server", "server: got nothing, want HOST:PORT"},
		{
			"address in use", func() error {
				_, err := h.Create("", spec.Gate{Server: "a:1", Listen: taken.Addr().String()})
				return err
			}, Unable, "listen", "listen tcp " + taken.Addr().String() + ": bind: address already in use",
		},
		{
			"no lease for a gate", func() error { _, err := h.Create("", spec.Gate{Server: "a:1", Lease: "x"}); return err },
			Invalid, "lease", `unknown lease "x"`,
		},
		{
			"no lease for a fault", func() error {
				_, err := h.Add("", redis, spec.Entries{{Fault: chaos.Stall{}, Lease: "x"}})
				return err
			}, Invalid, "[0].lease", `unknown lease "x"`,
		},
		{
			"second fault bad", func() error {
				_, err := h.Set("", redis, spec.EntriesOf(chaos.Stall{}, chaos.Limit{}))
				return err
			}, Invalid, "[1].limit.bytes", "[1]: limit: bytes: got 0B, want a size above 0B",
		},
		{
			"no fault for datagrams", func() error {
				_, err := h.Add("", Where{Gate: "dns"}, spec.EntriesOf(chaos.Slice{Size: 1}))
				return err
			}, Invalid, "[0].slice", "",
		},
		{
			"id taken", func() error {
				_, err := h.Add("", Where{Gate: "redis", Direction: chaos.ToClient}, spec.Entries{{Fault: chaos.Stall{}, ID: "stall"}})
				return err
			}, Taken, "[0].id", "id: got stall, which another fault of gate redis has",
		},
		{"unknown fault", func() error { _, err := h.Lift("", redis, "stal"); return err }, Unknown, "fault", `unknown fault "stal", did you mean stall?`},
		{"fault of the other flow", func() error {
			_, err := h.Lift("", Where{Gate: "redis", Direction: chaos.ToClient}, "stall")
			return err
		}, Unknown, "fault", `unknown fault "stall"`},
		{"no such connection", func() error { _, err := h.Faults(Where{Gate: "redis", Conn: 7}); return err }, Unknown, "conn", "gate redis has no connection 7"},
		{"bad change", func() error {
			_, err := h.Change("", redis, "stall", to(Change{Fault: chaos.Delay{By: -1}}))
			return err
		}, Invalid, "delay.by", ""},
		{"bad time", func() error { d := -minute; _, err := h.Change("", redis, "stall", to(Change{For: &d})); return err }, Invalid, "for", "for: got -1m0s, want a duration above 0"},
		{"bad door time", func() error {
			_, err := h.SetDoor("", "redis", DoorSetting{Door: chaos.Hold, For: -minute})
			return err
		}, Invalid, "for", ""},
		{"no lease for a door", func() error { _, err := h.SetDoor("", "redis", DoorSetting{Door: chaos.Hold, Lease: "x"}); return err }, Invalid, "lease", ""},
		{"no reset for datagrams", func() error { _, err := h.CloseConns("", "dns", chaos.All, chaos.RST); return err }, Invalid, "how", ""},
		{"no such end", func() error { _, err := h.CloseConns("", "redis", chaos.All, chaos.Abort); return err }, Invalid, "how", "how: got abort, want fin or rst"},
		{"lease too short", func() error { _, err := h.Lease("", "x", time.Millisecond); return err }, Invalid, "ttl", "ttl: got 1ms, want 100ms to 24h"},
		{"lease without a name", func() error { _, err := h.Lease("", "", minute); return err }, Invalid, "lease", ""},
		{"unknown lease", func() error { _, err := h.EndLease("", "x"); return err }, Unknown, "lease", `unknown lease "x"`},
		{"no connections in time", func() error { _, err := h.WaitConns(over, "redis", 2); return err }, TimedOut, "", "gate redis has 0 open connections, not 2"},
		{"no hits in time", func() error { _, err := h.WaitHits(over, redis, "stall", 2); return err }, TimedOut, "", "stall has fired 0 times, not 2"},
		{"nobody at the door in time", func() error { _, err := h.WaitDoor(over, "redis", 2); return err }, TimedOut, "", ""},
		{"no seed", func() error { _, err := h.Reseed("", "redis", 0); return err }, Invalid, "seed", "seed: got 0, want another number"},
		{"update to nonsense", func() error {
			s := "nonsense"
			_, err := h.Update("", "redis", as(func(g *spec.Gate) { g.Server = s }))
			return err
		}, Invalid, "server", ""},
		{
			"update to an address in use", func() error {
				s := taken.Addr().String()
				_, err := h.Update("", "redis", as(func(g *spec.Gate) { g.Listen = s }))
				return err
			},
			Unable, "listen", "listen tcp " + taken.Addr().String() + ": bind: address already in use",
		},
		{
			"two of a name", func() error {
				_, err := h.Apply("", []spec.Gate{{Name: "a", Server: "a:1"}, {Name: "a", Server: "a:1"}}, Everything)
				return err
			}, Invalid, "gates[1].name", "gates[1].name: got a, which another gate has",
		},
		{"one without a name", func() error { _, err := h.Apply("", []spec.Gate{{Server: "a:1"}}, Everything); return err }, Invalid, "gates[0].name", ""},
		{
			"one that is wrong", func() error {
				_, err := h.Apply("", []spec.Gate{{Name: "a", Server: "a:1"}, {Name: "b", Server: "a:1", ToServer: spec.EntriesOf(chaos.Delay{By: -1})}}, Everything)
				return err
			}, Invalid, "gates[1].to_server[0].delay.by", "gates[1]: to_server[0]: delay: by: got -1ns, want a duration of at least 0s",
		},
	}
	before := h.state()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.do()
			code, path := codeOf(err)
			if code != test.code || path != test.path || test.text != "" && err.Error() != test.text {
				t.Errorf("got %s at %q: %v, want %s at %q: %s", code, path, err, test.code, test.path, test.text)
			}
			was, _ := before.encode()
			is, _ := h.state().encode()
			if string(was) != string(is) {
				t.Errorf("it has changed something: got %s, want %s", is, was)
			}
		})
	}
}

// TestGuard checks where gates may connect to and listen.
func TestGuard(t *testing.T) {
	own := func() []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8474")} }
	everywhere := func() []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort("[::]:8474")} }
	tests := []struct {
		name, network, address string
		options                Options
		ok                     bool
	}{
		{"any", "tcp", "192.0.2.1:80", Options{}, true},
		{"unix", "unix", "/run/x", Options{}, true},
		{"link-local", "tcp", "169.254.169.254:80", Options{}, false},
		{"link-local v6", "tcp6", "[fe80::1%eth0]:80", Options{}, false},
		{"mapped", "tcp", "[::ffff:169.254.169.254]:80", Options{}, false},
		{"metadata v6", "tcp", "[fd00:ec2::254]:80", Options{}, false},
		{"of everything that is allowed", "tcp", "169.254.169.254:80", Options{AllowServer: []string{"0.0.0.0/0"}}, false},
		{"named", "tcp", "169.254.169.254:80", Options{AllowServer: []string{"169.254.0.0/16"}}, true},
		{"own", "tcp", "127.0.0.1:8474", Options{Own: own}, false},
		{"own port elsewhere", "tcp", "127.0.0.2:8474", Options{Own: own}, true},
		{"own by no address", "tcp", "0.0.0.0:8474", Options{Own: own}, false},
		{"own of all addresses", "tcp", "127.0.0.9:8474", Options{Own: everywhere}, false},
		{"own of all addresses, v6", "tcp", "[::1]:8474", Options{Own: everywhere}, false},
		{"own port by datagrams", "udp", "127.0.0.1:8474", Options{Own: own}, true},
		{"another port", "tcp", "127.0.0.1:8475", Options{Own: everywhere}, true},
		{"own though allowed", "tcp", "127.0.0.1:8474", Options{Own: own, AllowServer: []string{"127.0.0.1"}}, false},
		{"in a prefix", "tcp", "10.1.2.3:80", Options{AllowServer: []string{"10.0.0.0/8"}}, true},
		{"in no prefix", "tcp", "11.1.2.3:80", Options{AllowServer: []string{"10.0.0.0/8"}}, false},
		{"port", "tcp", "11.1.2.3:6379", Options{AllowServer: []string{"10.0.0.0/8", "*:6379"}}, true},
		{"address and port", "tcp", "[::1]:6379", Options{AllowServer: []string{"[::1]:6379"}}, true},
		{"address and another port", "tcp", "[::1]:6378", Options{AllowServer: []string{"[::1]:6379"}}, false},
		{"address", "tcp", "[::1]:6378", Options{AllowServer: []string{"::1"}}, true},
		{"unix not named", "unix", "/run/x", Options{AllowServer: []string{"127.0.0.1"}}, false},
		{"unix named", "unix", "/run/x", Options{AllowServer: []string{"/run/*"}}, true},
		{"unix deeper", "unix", "/run/x/y", Options{AllowServer: []string{"/run/*"}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g, err := newGuard(test.options)
			if err != nil {
				t.Fatal(err)
			}
			err = g.permit(test.network, test.address)
			if code, _ := codeOf(err); test.ok != (err == nil) || err != nil && code != Forbidden {
				t.Errorf("got %v, want allowed: %v", err, test.ok)
			}
		})
	}
	for _, bad := range []string{"", "x", "10.0.0.0/33", "1.2.3.4:x", "1.2.3.4:0", "*", "1.2.3.4:99999", "[::1"} {
		if _, err := newGuard(Options{AllowServer: []string{bad}}); err == nil {
			t.Errorf("pattern %q is taken", bad)
		}
	}
	listens := []struct {
		listen string
		ok     bool
	}{
		{"127.0.0.1:0", true},
		{"", true},
		{"127.0.0.2:0", false},
		{":0", false},
		{"localhost:0", true},
		{"0.0.0.0:0", false},
	}
	g, err := newGuard(Options{AllowListen: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range listens {
		if err := g.listen("tcp", test.listen); test.ok != (err == nil) {
			t.Errorf("listen %q: got %v, want allowed: %v", test.listen, err, test.ok)
		}
	}
}

// TestGuardAtWork checks that a gate obeys, and says so.
func TestGuardAtWork(t *testing.T) {
	daemon := echoServer(t)
	h := newHub(t, Options{Own: func() []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort(daemon)} }})
	r := h.Events(Now)
	_, port, _ := net.SplitHostPort(daemon)
	g := create(t, h, spec.Gate{Server: "localhost:" + port})
	if g.Name != "gate-1" {
		t.Errorf("got name %s, want gate-1", g.Name)
	}
	if conn, err := net.Dial("tcp", g.Listen); err == nil { // it may be reset before it is through
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes, want an error", n)
		}
	}
	events := till(t, r, chaos.EventDialError)
	if last := events[len(events)-1]; last.Err == "" || last.Took <= 0 {
		t.Errorf("got %+v, want why", last)
	}
}

// TestRing checks what readers of events get.
func TestRing(t *testing.T) {
	h := newHub(t, Options{})
	add := func(n int) {
		for range n {
			h.events.add(event("x"))
		}
	}
	late := h.Events(0)
	add(10)
	fresh, resumed, ahead := h.Events(Now), h.Events(7), h.Events(100)
	count := func(r *Reader) (n int, lost int64) {
		for {
			events, _, _ := r.read()
			if len(events) == 0 {
				return n, lost
			}
			for _, e := range events {
				if e.ID == 0 {
					lost += max(e.Lost, 1)
					continue
				}
				n++
			}
		}
	}
	add(5)
	for _, test := range []struct {
		name   string
		reader *Reader
		n      int
		lost   int64
	}{{"from now on", fresh, 5, 0}, {"from where it was", resumed, 8, 0}, {"from an earlier daemon", ahead, 15, 1}} {
		if n, lost := count(test.reader); n != test.n || lost != test.lost {
			t.Errorf("%s: got %d, and %d lost, want %d and %d", test.name, n, lost, test.n, test.lost)
		}
	}
	add(keptEvents)
	if n, lost := count(late); n != keptEvents || lost != 15 {
		t.Errorf("slow: got %d, and %d lost, want %d and 15", n, lost, keptEvents)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("had enough")
	cancel(why)
	if _, err := late.Next(ctx); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
	h.Close()
	if _, err := late.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
	if Now != math.MaxUint64 {
		t.Error("an ID could be Now")
	}
}

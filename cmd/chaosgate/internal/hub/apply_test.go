package hub

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// diff returns a difference with empty lists where it has none.
func diff(d status.Diff) status.Diff {
	for _, list := range []*[]string{&d.Created, &d.Changed, &d.Replaced, &d.Removed, &d.Unchanged} {
		if *list == nil {
			*list = []string{}
		}
	}
	return d
}

func TestApply(t *testing.T) {
	h := newHub(t, Options{})
	server := echoServer(t)
	steps := []struct {
		name string
		want []spec.Gate
		diff status.Diff
	}{
		{
			"from nothing",
			[]spec.Gate{
				{Name: "a", Server: server}, {Name: "b", Server: server, ToClient: spec.EntriesOf(chaos.Delay{By: time.Millisecond})}, {Name: "c", Server: server},
			},
			status.Diff{Created: []string{"a", "b", "c"}},
		},
		{
			"the same again",
			[]spec.Gate{
				{Name: "a", Server: server}, {Name: "b", Server: server, ToClient: spec.EntriesOf(chaos.Delay{By: time.Millisecond})}, {Name: "c", Server: server},
			},
			status.Diff{Unchanged: []string{"a", "b", "c"}},
		},
		{
			"some of each",
			[]spec.Gate{{Name: "a", Server: server, Door: chaos.Hold}, {Name: "b", Server: "127.0.0.1:1"}, {Name: "d", Server: server}},
			status.Diff{Changed: []string{"a"}, Replaced: []string{"b"}, Created: []string{"d"}, Removed: []string{"c"}},
		},
		{
			"stopped, and with a seed",
			[]spec.Gate{{Name: "a", Server: server, Stopped: true}, {Name: "b", Server: "127.0.0.1:1", Seed: 7}, {Name: "d", Server: server}},
			status.Diff{Changed: []string{"a", "b"}, Unchanged: []string{"d"}},
		},
		{
			"running again",
			[]spec.Gate{{Name: "a", Server: server}, {Name: "b", Server: "127.0.0.1:1"}, {Name: "d", Server: server}},
			status.Diff{Changed: []string{"a"}, Unchanged: []string{"b", "d"}},
		},
		{"nothing", nil, status.Diff{Removed: []string{"a", "b", "d"}}},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			got, err := h.Apply("test", step.want, Everything)
			if d := cmp.Diff(diff(step.diff), got); err != nil || d != "" {
				t.Fatalf("got %v (-want +got):\n%s", err, d)
			}
			for _, want := range step.want {
				is, err := h.Gate(want.Name)
				if err != nil || is.Server != want.Server || is.Door != want.Door || is.Stopped != want.Stopped || len(is.ToClient) != len(want.ToClient) {
					t.Errorf("got %+v and %v, want %+v", is, err, want)
				}
				conn, err := net.Dial("tcp", is.Listen)
				listens := err == nil || errors.Is(err, syscall.ECONNRESET) // as the server cannot be reached, before connect returns
				if listens == want.Stopped {
					t.Errorf("%s: got error %v, want it to listen: %v", want.Name, err, !want.Stopped)
				}
				if err == nil {
					conn.Close()
				}
			}
			if all := h.Gates(); len(all) != len(step.want) {
				t.Errorf("got %d gates, want %d", len(all), len(step.want))
			}
		})
	}
}

// TestApplyOwned checks that a desired state of just its owner's gates leaves the others alone.
func TestApplyOwned(t *testing.T) {
	h := newHub(t, Options{})
	server := echoServer(t)
	create(t, h, spec.Gate{Name: "mine", Server: server})
	create(t, h, spec.Gate{Name: "shared", Server: server})
	apply := func(want status.Diff, names ...string) {
		t.Helper()
		var gates []spec.Gate
		for _, name := range names {
			gates = append(gates, spec.Gate{Name: name, Server: server})
		}
		got, err := h.Apply("", gates, Owned("file"))
		if d := cmp.Diff(diff(want), got); err != nil || d != "" {
			t.Fatalf("%v: got %v (-want +got):\n%s", names, err, d)
		}
	}
	apply(status.Diff{Changed: []string{"shared"}, Created: []string{"file"}}, "shared", "file")
	apply(status.Diff{Unchanged: []string{"shared", "file"}}, "shared", "file")
	apply(status.Diff{Unchanged: []string{"file"}, Removed: []string{"shared"}}, "file")
	apply(status.Diff{Removed: []string{"file"}})
	if all := h.Gates(); len(all) != 1 || all[0].Name != "mine" {
		t.Errorf("got %+v, want mine alone", all)
	}
}

// TestApplyAllOrNothing has one of several changes fail, each time another, and checks that everything is as it was, and works.
func TestApplyAllOrNothing(t *testing.T) {
	h := newHub(t, Options{})
	server, other := echoServer(t), echoServer(t)
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	taken := stranger.Addr().String()
	a := create(t, h, spec.Gate{Name: "a", Server: server, ToServer: spec.Entries{{Fault: chaos.Delay{By: time.Millisecond}, ID: "slow"}}})
	b := create(t, h, spec.Gate{Name: "b", Server: server, Door: chaos.Hold})
	if _, err := h.SetDoor("", "b", DoorSetting{}); err != nil {
		t.Fatal(err)
	}
	live := dial(t, a.Listen)
	ask(t, live, "before")
	tests := []struct {
		name   string
		want   []spec.Gate
		path   string
		breaks bool // connections end, since an address had to be freed to find out
	}{
		{"a new one cannot listen", []spec.Gate{{Name: "a", Server: server}, {Name: "c", Server: server}, {Name: "d", Server: server, Listen: taken}}, "gates[2].listen", false},
		{"one that moves cannot listen", []spec.Gate{{Name: "a", Server: server, Stopped: true}, {Name: "b", Server: server, Listen: taken}}, "gates[1].listen", false},
		{
			"one moves, and the next cannot",
			[]spec.Gate{{Name: "a", Server: server, Listen: "127.0.0.2:0"}, {Name: "b", Server: server, Listen: taken}},
			"gates[1].listen", false,
		},
		{
			"one in the place of another, then one that cannot listen",
			[]spec.Gate{{Name: "c", Server: other, Listen: a.Listen}, {Name: "b", Server: other, Listen: b.Listen}, {Name: "x", Server: server, Listen: "[::1]:" + portOf(a.Listen), Network: "tcp4"}},
			"gates[2].listen", true,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := shape(h)
			_, err := h.Apply("test", test.want, Everything)
			if code, path := codeOf(err); code != Unable || path != test.path {
				t.Fatalf("got %s at %s: %v, want %s at %s", code, path, err, Unable, test.path)
			}
			if d := cmp.Diff(before, shape(h)); d != "" {
				t.Errorf("gates (-before +after):\n%s", d)
			}
			if !test.breaks {
				ask(t, live, "the connection lives")
			}
			ask(t, dial(t, a.Listen), "still there")
			ask(t, dial(t, b.Listen), "still there")
		})
	}
}

// shape returns what a hub's gates are, but for what they have seen.
func shape(h *Hub) (all []string) {
	for _, g := range h.Gates() {
		all = append(all, fmt.Sprintf("%s %s %s to %s, %v, stopped %v, seed %v, by %s", g.Name, g.Network, g.Listen, g.Server, g.Door, g.Stopped, g.Seed, g.By))
		for _, f := range append(g.ToServer, g.ToClient...) {
			all = append(all, fmt.Sprintf("%s %v: %s", f.ID, f.Direction, f.Text))
		}
	}
	return all
}

// TestApplySwaps has two gates change places.
func TestApplySwaps(t *testing.T) {
	h := newHub(t, Options{})
	server := echoServer(t)
	a, b := create(t, h, spec.Gate{Name: "a", Server: server}), create(t, h, spec.Gate{Name: "b", Server: server})
	got, err := h.Apply("", []spec.Gate{{Name: "a", Server: server, Listen: b.Listen}, {Name: "b", Server: server, Listen: a.Listen}}, Everything)
	if d := cmp.Diff(diff(status.Diff{Replaced: []string{"a", "b"}}), got); err != nil || d != "" {
		t.Fatalf("got %v (-want +got):\n%s", err, d)
	}
	if now, _ := h.Gate("a"); now.Listen != b.Listen {
		t.Errorf("a listens on %s, want %s", now.Listen, b.Listen)
	}
	ask(t, dial(t, a.Listen), "hello")
}

// TestUpdate changes what can be changed in place, with a connection that lives, and what cannot.
func TestUpdate(t *testing.T) {
	h := newHub(t, Options{})
	server, other := echoServer(t), echoServer(t)
	g := create(t, h, spec.Gate{Name: "a", Server: server})
	live := dial(t, g.Listen)
	ask(t, live, "before")
	entries := spec.EntriesOf(chaos.Delay{By: time.Millisecond})
	door, seed := chaos.Hold, spec.Seed(9)
	got, err := h.Update("me", "a", as(func(g *spec.Gate) { g.ToClient = entries; g.Door = door; g.Seed = seed }))
	if err != nil || got.Door != chaos.Hold || got.Seed != 9 || len(got.ToClient) != 1 || got.ToClient[0].By != "me" || got.Listen != g.Listen {
		t.Fatalf("got %+v and %v", got, err)
	}
	ask(t, live, "lives")
	again, err := h.Update("you", "a", as(func(g *spec.Gate) { g.ToClient = entries }))
	if err != nil || again.ToClient[0].By != "me" {
		t.Errorf("the same again: got %+v and %v", again, err)
	}
	got, err = h.Update("me", "a", as(func(g *spec.Gate) { g.Server = other }))
	if err != nil || got.Server != other || got.Listen != g.Listen || got.Door != chaos.Hold || len(got.ToClient) != 1 || got.ToClient[0].ID != "delay" || got.By != "test" {
		t.Fatalf("got %+v and %v", got, err)
	}
	if _, err := live.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives, want it closed with the gate that was replaced")
	}
	if _, err := h.SetDoor("", "a", DoorSetting{}); err != nil {
		t.Fatal(err)
	}
	ask(t, dial(t, g.Listen), "hello")
	free := "127.0.0.1:0"
	if got, err = h.Update("me", "a", as(func(g *spec.Gate) { g.Listen = free })); err != nil || got.Listen != g.Listen {
		t.Errorf("any port: got %s and %v, want the one that it has", got.Listen, err)
	}
}

// TestApplyMany applies many gates with many faults, and heals them. The figures are told, not judged.
func TestApplyMany(t *testing.T) {
	h := newHub(t, Options{State: t.TempDir() + "/state"})
	var want []spec.Gate
	for i := range 200 {
		g := spec.Gate{Name: fmt.Sprintf("g%03d", i), Server: "127.0.0.1:1"}
		for range 5 {
			g.ToServer = append(g.ToServer, spec.Entry{Fault: chaos.Delay{By: time.Second}})
			g.ToClient = append(g.ToClient, spec.Entry{Fault: chaos.Bandwidth{Rate: 1000}})
		}
		want = append(want, g)
	}
	begin := time.Now()
	got, err := h.Apply("", want, Everything)
	if err != nil || len(got.Created) != 200 {
		t.Fatalf("got %v and %v", got, err)
	}
	applied := time.Since(begin)
	begin = time.Now()
	if got, err = h.Apply("", want, Everything); err != nil || len(got.Unchanged) != 200 {
		t.Fatalf("again: got %v and %v", got, err)
	}
	again := time.Since(begin)
	begin = time.Now()
	healed, err := h.Heal("", "")
	if err != nil || len(healed.Faults) != 2000 {
		t.Fatalf("got %d and %v, want 2000 faults", len(healed.Faults), err)
	}
	t.Logf("200 gates with 2,000 faults: applied in %v, again in %v, healed in %v", applied, again, time.Since(begin))
}

package hub

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// because returns why events of a type say that it happened, with what it happened to.
func because(events []status.Event, about chaos.EventType) (all []string) {
	for _, e := range events {
		if e.Type == about {
			all = append(all, strings.TrimSpace(e.Gate+" "+e.Fault+" "+e.By)+": "+e.Because)
		}
	}
	return all
}

// TestFor has faults and doors end by themselves.
func TestFor(t *testing.T) {
	h := newHub(t, Options{})
	create(t, h, spec.Gate{Name: "a", Server: echoServer(t)})
	r := h.Events(Now)
	soon := 50 * time.Millisecond
	if _, err := h.Add("me", Where{Gate: "a"}, spec.Entries{{Fault: chaos.Stall{}, For: soon}, {Fault: chaos.Discard{}, For: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	events := till(t, r, chaos.EventLifted)
	if d := cmp.Diff([]string{"a stall: its time was over"}, because(events, chaos.EventLifted)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := h.Change("me", Where{Gate: "a"}, "discard", to(Change{For: &soon})); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a discard: its time was over"}, because(till(t, r, chaos.EventLifted), chaos.EventLifted)); d != "" {
		t.Errorf("changed (-want +got):\n%s", d)
	}
	if now, err := h.SetDoor("me", "a", DoorSetting{Door: chaos.Hold, For: soon}); err != nil || now.DoorTill.IsZero() {
		t.Fatalf("got %+v and %v, want a door that opens", now, err)
	}
	doors := append(till(t, r, chaos.EventDoor), till(t, r, chaos.EventDoor)...)
	if d := cmp.Diff([]string{"a  me: ", "a: its time was over"}, because(doors, chaos.EventDoor)); d != "" {
		t.Errorf("doors (-want +got):\n%s", d)
	}
	if now, _ := h.Gate("a"); now.Door != chaos.Open || !now.DoorTill.IsZero() || len(now.ToServer) != 0 {
		t.Errorf("got %+v, want all as it was", now)
	}
}

// TestLease has a lease end: what hangs on it goes, and the rest stays.
func TestLease(t *testing.T) {
	h := newHub(t, Options{})
	server := echoServer(t)
	ttl := 300 * time.Millisecond
	if _, err := h.Lease("me", "test", time.Hour); err != nil {
		t.Fatal(err)
	}
	create(t, h, spec.Gate{Name: "whole", Server: server, Lease: "test"})
	a := create(t, h, spec.Gate{Name: "a", Server: server, ToClient: spec.Entries{{Fault: chaos.Stall{}, Lease: "test"}}})
	create(t, h, spec.Gate{Name: "door", Server: server})
	live := dial(t, a.Listen)
	if err := waitConns(t, h, "a", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Add("me", Where{Gate: "a", Conn: 1}, spec.Entries{{Fault: chaos.Delay{By: time.Hour}, Lease: "test"}, {Fault: chaos.Delay{By: time.Millisecond}}}); err != nil {
		t.Fatal(err)
	}
	r := h.Events(Now)
	if _, err := h.SetDoor("me", "door", DoorSetting{Door: chaos.Refuse, Lease: "test"}); err != nil {
		t.Fatal(err)
	}
	till(t, r, chaos.EventDoor)
	want := status.Lease{
		Name: "test", TTL: spec.Duration(time.Hour), By: "me", Gates: []string{"whole"}, Faults: []string{"a/delay", "a/stall"}, Doors: []string{"door"},
	}
	if got := h.Leases(); len(got) != 1 || cmp.Diff(want, got[0], cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Till" }, cmp.Ignore())) != "" {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := h.Lease("me", "test", ttl); err != nil { // from now on it ends soon
		t.Fatal(err)
	}
	for range 4 {
		time.Sleep(ttl / 3) // a test that goes on renews its lease now and then
		if _, err := h.Lease("me", "test", ttl); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.Leases(); len(got) != 1 {
		t.Fatalf("got %v: it has ended though it was renewed", got)
	}
	begin := time.Now()
	events := till(t, r, status.EventRemoved)
	if len(because(events, chaos.EventDoor)) == 0 { // the gates' own events may come a little later
		events = append(events, till(t, r, chaos.EventDoor)...)
	}
	t.Logf("a lease of %v that was not renewed: all was lifted after %v", ttl, time.Since(begin))
	if d := cmp.Diff([]string{"me: it was not renewed for 300ms"}, because(events, status.EventExpired)); d != "" {
		t.Errorf("expired (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"whole: lease test has ended"}, because(events, status.EventRemoved)); d != "" {
		t.Errorf("removed (-want +got):\n%s", d)
	}
	ask(t, live, "hello")
	if got := h.Gates(); len(got) != 2 || len(got[0].ToClient) != 0 || got[1].Door != chaos.Open {
		t.Errorf("got %+v, want two gates with nothing", got)
	}
	if c, err := h.Conn("a", 1); err != nil || len(c.ToServer) != 1 || c.ToServer[0].Text != "delay by=1ms" {
		t.Errorf("got %+v and %v, want what hangs on no lease", c, err)
	}
}

func waitConns(t *testing.T, h *Hub, name string, n int) error {
	_, err := h.WaitConns(t.Context(), name, n)
	return err
}

// TestHeldLease has a lease that is held outlive its time.
func TestHeldLease(t *testing.T) {
	h := newHub(t, Options{})
	r := h.Events(Now)
	first, err := h.HoldLease("me", "x", 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.HoldLease("me", "x", 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	first()
	time.Sleep(300 * time.Millisecond) // for longer than it would last
	if got := h.Leases(); len(got) != 1 || got[0].Held != 1 {
		t.Fatalf("got %+v, want it held once", got)
	}
	second()
	till(t, r, status.EventExpired)
	if _, err := h.HoldLease("me", "x", 100*time.Millisecond); err != nil {
		t.Error(err)
	}
	if l, err := h.EndLease("you", "x"); err != nil || l.Name != "x" {
		t.Errorf("got %+v and %v", l, err)
	}
	till(t, r, status.EventEnded)
}

// TestHeal lifts everything, everywhere, and tells what that was.
func TestHeal(t *testing.T) {
	h := newHub(t, Options{})
	server := echoServer(t)
	a := create(t, h, spec.Gate{Name: "a", Server: server, ToServer: spec.EntriesOf(chaos.Delay{By: time.Millisecond})})
	create(t, h, spec.Gate{Name: "b", Server: server, Door: chaos.Hold})
	ask(t, dial(t, a.Listen), "x")
	if _, err := h.Add("me", Where{Gate: "a", Conn: 1, Direction: chaos.ToClient}, spec.EntriesOf(chaos.Stall{})); err != nil {
		t.Fatal(err)
	}
	r := h.Events(Now)
	healed, err := h.Heal("doctor", "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range healed.Faults {
		got = append(got, f.Gate+"/"+f.ID)
	}
	if d := cmp.Diff([]string{"a/delay", "a/stall"}, got); d != "" || len(healed.Doors) != 1 || healed.Doors[0] != (status.GateDoor{Gate: "b", Door: chaos.Hold}) {
		t.Errorf("got %+v (-want +got):\n%s", healed, d)
	}
	var lifted []string
	for len(lifted) < 2 {
		lifted = append(lifted, because(till(t, r, chaos.EventLifted), chaos.EventLifted)...)
	}
	slices.Sort(lifted)
	if d := cmp.Diff([]string{"a delay doctor: all was healed", "a stall doctor: all was healed"}, lifted); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if healed, err = h.Heal("doctor", "a"); err != nil || len(healed.Faults)+len(healed.Doors) != 0 {
		t.Errorf("again: got %+v and %v, want nothing", healed, err)
	}
	ids, err := h.Add("me", Where{Gate: "a"}, spec.EntriesOf(chaos.Stall{}))
	if err != nil || ids[0].ID != "stall" {
		t.Errorf("got %+v and %v, want the id that is free again", ids, err)
	}
}

// TestState has a hub begin where another has ended.
func TestState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	server := echoServer(t)
	h := newHub(t, Options{State: file})
	if _, err := h.Lease("me", "l", time.Hour); err != nil {
		t.Fatal(err)
	}
	create(t, h, spec.Gate{Name: "a", Server: server, Window: 1 << 20, ToServer: spec.Entries{
		{Fault: chaos.Delay{By: time.Second, Jitter: time.Millisecond}, ID: "slow", Lease: "l"},
		{Fault: chaos.Stall{}, For: time.Hour},
		{Fault: chaos.Discard{}, For: time.Millisecond},
	}})
	create(t, h, spec.Gate{Name: "b", Network: "udp", Server: server, Stopped: true, Seed: 7, Lease: "l"})
	create(t, h, spec.Gate{Name: "c", Server: server})
	if _, err := h.SetDoor("me", "c", DoorSetting{Door: chaos.Hold, Lease: "l"}); err != nil {
		t.Fatal(err)
	}
	for till(t, h.Events(0), chaos.EventLifted); len(h.Gates()[0].ToServer) > 2; { // the millisecond is over
		time.Sleep(time.Millisecond) // its event comes before the hub has noted it
	}
	if err := h.save(); err != nil {
		t.Fatal(err)
	}
	before, leases := shape(h), h.Leases()
	h.Close()
	again := newHub(t, Options{State: file})
	if d := cmp.Diff(before, shape(again)); d != "" {
		t.Errorf("gates (-before +after):\n%s", d)
	}
	if d := cmp.Diff(leases, again.Leases(), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Till" }, cmp.Ignore())); d != "" {
		t.Errorf("leases (-before +after):\n%s", d)
	}
	if again.Boot() == h.Boot() {
		t.Error("both have the same boot id")
	}
	if a, _ := again.Gate("a"); a.Window != 1<<20 || a.By != "test" || a.ToServer[1].Till.IsZero() {
		t.Errorf("got %+v", a)
	}
	if _, err := again.EndLease("", "l"); err != nil {
		t.Fatal(err)
	}
	if got := again.Gates(); len(got) != 2 || len(got[0].ToServer) != 1 || got[1].Door != chaos.Open {
		t.Errorf("got %+v, want nothing that hung on the lease", got)
	}
	if left, _ := filepath.Glob(file + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestStateRefuses checks that a hub does not begin with half of what there was.
func TestStateRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	h := newHub(t, Options{State: file})
	g := create(t, h, spec.Gate{Name: "a", Server: "127.0.0.1:1"})
	h.Close()
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, data := range map[string][]byte{"damaged": flipped, "cut": good[:len(good)-10], "empty": nil, "of another sort": []byte("hello\nworld\n")} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			h, err := New(Options{State: file})
			if code, path := codeOf(err); code != Invalid || path != "state" {
				t.Errorf("got %v, %v", h, err)
			}
			if now, _ := os.ReadFile(file); string(now) != string(data) {
				t.Error("the file has changed")
			}
		})
	}
	t.Run("address in use", func(t *testing.T) {
		if err := os.WriteFile(file, good, 0o600); err != nil {
			t.Fatal(err)
		}
		stranger, err := net.Listen("tcp", g.Listen)
		if err != nil {
			t.Skip("the port has gone to another:", err)
		}
		defer stranger.Close()
		if _, err := New(Options{State: file}); err == nil || !strings.Contains(err.Error(), "gate a: listen tcp "+g.Listen) {
			t.Errorf("got %v, want which gate cannot listen where", err)
		}
	})
	t.Run("no such folder", func(t *testing.T) {
		if _, err := New(Options{State: filepath.Join(t.TempDir(), "no", "state")}); err == nil {
			t.Error("got none, want an error")
		}
	})
}

// TestStateCannotBeWritten checks that who changes something hears of it.
func TestStateCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h := newHub(t, Options{State: filepath.Join(dir, "state")})
	create(t, h, spec.Gate{Name: "a", Server: "127.0.0.1:1"})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, err := h.Add("", Where{Gate: "a"}, spec.EntriesOf(chaos.Stall{}))
	if code, _ := codeOf(err); code != Failed {
		t.Errorf("got %v, want that it was not kept", err)
	}
}

// TestStateIsNeverHalf looks again and again at what would be in the state file, while several gates are changed at once and leases come
// and go.
func TestStateIsNeverHalf(t *testing.T) {
	h := newHub(t, Options{})
	const rounds = 300
	var changing sync.WaitGroup
	changing.Go(func() {
		for n := range rounds {
			var want []spec.Gate
			for _, name := range []string{"a", "b", "c"}[:2+n%2] {
				want = append(want, spec.Gate{
					Name: name, Server: "127.0.0.1:9", Seed: spec.Seed(n + 1), Door: chaos.Door(n % 3),
					ToServer: spec.EntriesOf(chaos.Delay{By: time.Duration(n + 1)}), ToClient: spec.EntriesOf(chaos.Delay{By: time.Duration(n + 1)}),
				})
			}
			if _, err := h.Apply("", want, Owned("me")); err != nil {
				t.Error(err)
			}
		}
	})
	create(t, h, spec.Gate{Name: "leased", Server: "127.0.0.1:9"})
	changing.Go(func() {
		for range rounds {
			_, err := h.Lease("", "x", time.Minute)
			if err == nil {
				_, err = h.Set("", Where{Gate: "leased"}, spec.Entries{{Fault: chaos.Stall{}, Lease: "x"}})
			}
			if err == nil {
				_, err = h.SetDoor("", "leased", DoorSetting{Door: chaos.Hold, Lease: "x"})
			}
			if err == nil {
				_, err = h.EndLease("", "x")
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	done := make(chan struct{})
	go func() {
		changing.Wait()
		close(done)
	}()
	for looks := 0; ; looks++ {
		select {
		case <-done:
			t.Logf("looked %d times", looks)
			return
		default:
		}
		s := h.state()
		marks := map[string]bool{}
		hung := len(s.Leases) > 0
		for _, g := range s.Gates {
			switch {
			case g.Asked.Name != "leased" && (len(g.ToServer) != 1 || len(g.ToClient) != 1):
				t.Fatalf("got half of a change: %+v", g)
			case g.Asked.Name != "leased":
				marks[fmt.Sprint(g.Asked.Seed, g.Door, g.ToServer[0].Fault, g.ToClient[0].Fault)] = true
				if by := g.ToServer[0].Fault.Fault.(chaos.Delay).By; uint64(by) != uint64(g.Asked.Seed) || g.Door != chaos.Door((g.Asked.Seed-1)%3) {
					t.Fatalf("got half of a change: %+v", g)
				}
			case !hung && (len(g.ToServer) > 0 || g.Door != chaos.Open || g.DoorHung != ""):
				t.Fatalf("got what hangs on a lease that has ended: %+v", g)
			}
		}
		if len(marks) > 1 {
			t.Fatalf("got gates of several changes: %v", marks)
		}
	}
}

// TestStateKeepsThePort has a gate be stopped, made anew and restored. It has the port that it had.
func TestStateKeepsThePort(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	h := newHub(t, Options{State: file})
	was := create(t, h, spec.Gate{Name: "a", Server: "127.0.0.1:1"}).Listen
	for _, change := range []func(*spec.Gate){func(g *spec.Gate) { g.Stopped = true }, func(g *spec.Gate) { g.Server = "127.0.0.1:2" }} {
		if _, err := h.Update("", "a", as(change)); err != nil {
			t.Fatal(err)
		}
	}
	h.Close()
	if g, err := newHub(t, Options{State: file}).Gate("a"); err != nil || g.Listen != was {
		t.Errorf("got %q and %v, want %s", g.Listen, err, was)
	}
}

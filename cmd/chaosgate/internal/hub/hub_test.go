package hub

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newHub returns a hub that is closed with the test.
func newHub(t *testing.T, o Options) *Hub {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// echoServer starts a server that sends back what it gets.
func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// create creates a gate.
func create(t *testing.T, h *Hub, g spec.Gate) status.Gate {
	t.Helper()
	made, err := h.Create("test", g)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// dial opens a connection that is closed with the test.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// ask sends something and expects it back.
func ask(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Fatalf("got %q and %v, want %q", got, err, text)
	}
}

// codeOf returns an error's code and path.
func codeOf(err error) (Code, string) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return "", ""
	}
	return e.Code, e.Path
}

// till reads events until there is one of a type, and returns all of them.
func till(t *testing.T, r *Reader, last chaos.EventType) (all []status.Event) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	for {
		events, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v, got %+v", last, err, all)
		}
		for _, e := range events {
			all = append(all, e)
			if e.Type == last {
				r.seen = e.ID // the rest is for the next
				return all
			}
		}
	}
}

// types returns what events are about.
func types(events []status.Event) (types []chaos.EventType) {
	for _, e := range events {
		types = append(types, e.Type)
	}
	return types
}

func TestLifeOfAGate(t *testing.T) {
	h := newHub(t, Options{})
	r := h.Events(0)
	g := create(t, h, spec.Gate{Name: "echo", Server: echoServer(t), ToClient: spec.EntriesOf(chaos.Delay{By: time.Millisecond})})
	if g.Name != "echo" || g.By != "test" || len(g.ToClient) != 1 || g.ToClient[0].ID != "delay" || g.Seed == 0 {
		t.Fatalf("got %+v", g)
	}
	conn := dial(t, g.Listen)
	ask(t, conn, "hello")
	conns, err := h.WaitConns(t.Context(), "echo", 1)
	if err != nil || len(conns) != 1 || conns[0].BytesToServer != 5 {
		t.Fatalf("got %+v and %v, want one connection with 5 bytes", conns, err)
	}
	imposed, err := h.Add("me", Where{Gate: "echo"}, spec.Entries{{Fault: chaos.Delay{By: time.Millisecond}}, {Fault: chaos.Stall{}, ID: "deaf"}})
	if err != nil || len(imposed) != 2 || imposed[0].ID != "delay-2" || imposed[1].ID != "deaf" {
		t.Fatalf("got %+v and %v", imposed, err)
	}
	if diff := cmp.Diff([]status.Offset{{Conn: 1, Offset: 5}}, imposed[1].Offsets); diff != "" {
		t.Errorf("offsets (-want +got):\n%s", diff)
	}
	if _, err := h.Lift("you", Where{Gate: "echo"}, "deaf"); err != nil {
		t.Error(err)
	}
	ask(t, conn, "world")
	hits, err := h.WaitHits(t.Context(), Where{Gate: "echo", Direction: chaos.ToClient}, "delay", 2)
	if err != nil || hits.Hits < 2 || hits.LastHit == nil {
		t.Errorf("got %+v and %v, want two hits", hits, err)
	}
	if err := h.Remove("test", "echo"); err != nil {
		t.Error(err)
	}
	events := till(t, r, chaos.EventClosed)
	var seen []string
	for _, e := range events {
		if e.Type == chaos.EventImposed || e.Type == chaos.EventLifted {
			seen = append(seen, string(e.Type)+" "+e.Fault+" by "+e.By)
		}
	}
	want := []string{"imposed delay by test", "imposed delay-2 by me", "imposed deaf by me", "lifted deaf by you"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if all := types(events); all[0] != status.EventCreated || !slices.Contains(all, status.EventRemoved) || !slices.Contains(all, chaos.EventFired) {
		t.Errorf("got %v, want created first, removed and fired", all)
	}
	for i, e := range events {
		if e.ID != uint64(i+1) {
			t.Fatalf("event %d has ID %d", i, e.ID)
		}
	}
	if _, err := h.Gate("echo"); err == nil || h.Gates() == nil || len(h.Gates()) != 0 {
		t.Errorf("got %v, want none", h.Gates())
	}
}

func event(t chaos.EventType) status.Event { return status.Event{Type: t} }

// TestWhoDidIt checks that events tell who has asked.
func TestWhoDidIt(t *testing.T) {
	h := newHub(t, Options{})
	r := h.Events(0)
	g, err := h.Create("maker", spec.Gate{Name: "a", Server: echoServer(t), Door: chaos.Hold})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.SetDoor("opener", "a", DoorSetting{}); err != nil {
		t.Fatal(err)
	}
	ask(t, dial(t, g.Listen), "one")
	ask(t, dial(t, g.Listen), "two")
	if err := h.CloseConn("closer", "a", 2, chaos.RST); err != nil {
		t.Fatal(err)
	}
	if n, err := h.CloseConns("sweeper", "a", chaos.All, chaos.FIN); n != 1 || err != nil {
		t.Fatalf("ended %d and %v, want one", n, err)
	}
	told := append(till(t, r, chaos.EventClosed), till(t, r, chaos.EventClosed)...)
	stopped, running := true, false
	if _, err := h.Update("stopper", "a", as(func(g *spec.Gate) { g.Stopped = stopped })); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Update("starter", "a", as(func(g *spec.Gate) { g.Stopped = running })); err != nil {
		t.Fatal(err)
	}
	if err := h.Remove("remover", "a"); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, e := range append(told, till(t, r, status.EventRemoved)...) {
		got[string(e.Type)+" by "+e.By] = true
	}
	for _, want := range []string{
		"created by maker", "started by maker", "door by maker", "door by opener", "closed by closer", "closed by sweeper", "stopped by stopper", "started by starter", "removed by remover",
	} {
		if !got[want] {
			t.Errorf("nobody was told %q: got %v", want, got)
		}
	}
}

// TestCloseDeliversWhatIsHeldBack has a hub end while a fault holds back what a server has sent.
func TestCloseDeliversWhatIsHeldBack(t *testing.T) {
	h := newHub(t, Options{})
	g := create(t, h, spec.Gate{Name: "a", Server: echoServer(t), ToClient: spec.EntriesOf(chaos.Delay{By: time.Hour})})
	conn := dial(t, g.Listen)
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := h.WaitHits(ctx, Where{Gate: "a", Direction: chaos.ToClient}, "delay", 1); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if string(got) != "hello" || err != nil {
		t.Errorf("got %q and %v, want hello and the end", got, err)
	}
}

// to returns what changes a fault for [Hub.Change], whatever it is.
func to(c Change) func(chaos.Fault) (Change, error) {
	return func(chaos.Fault) (Change, error) { return c, nil }
}

// as returns what changes a gate for [Hub.Update].
func as(change func(*spec.Gate)) func(spec.Gate) (spec.Gate, error) {
	return func(s spec.Gate) (spec.Gate, error) {
		change(&s)
		return s, nil
	}
}

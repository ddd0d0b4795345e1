package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/api"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A realDaemon is a hub behind its API, which can be started anew.
type realDaemon struct {
	*client.Client
	t      *testing.T
	hub    *hub.Hub
	serves atomic.Pointer[http.Handler]
	web    *httptest.Server
	echo   string // the address of an echo server
}

// newRealDaemon starts a daemon, and a client of it.
func newRealDaemon(t *testing.T, o client.Options) *realDaemon {
	d := &realDaemon{t: t}
	d.start()
	d.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { (*d.serves.Load()).ServeHTTP(w, q) }))
	t.Cleanup(func() {
		d.web.CloseClientConnections()
		d.web.Close()
		d.hub.Close()
	})
	var err error
	if d.Client, err = client.New(d.web.URL, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Client.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	d.echo = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	return d
}

// start begins a run of the daemon.
func (d *realDaemon) start() {
	h, err := hub.New(hub.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	handler := api.New(h, api.Options{Token: "secret"})
	d.hub = h
	d.serves.Store(&handler)
}

// restart ends the run of the daemon and begins another.
func (d *realDaemon) restart() {
	old := d.hub
	d.start()
	old.Close() // with it end the streams of events
}

// connect opens a connection through a gate, which stays, and has a line echoed.
func (d *realDaemon) connect(gate status.Gate) net.Conn {
	d.t.Helper()
	conn, err := net.DialTimeout("tcp", gate.Listen, patience)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	fmt.Fprintln(conn, "hello")
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		d.t.Fatal(err)
	}
	return conn
}

// must returns a value, and fails the test on an error.
func must[T any](t *testing.T) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// TestClientOfARealDaemon has the Go client ask everything of a daemon.
func TestClientOfARealDaemon(t *testing.T) {
	d := newRealDaemon(t, client.Options{Token: "secret", By: t.Name()})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	aGate, aFault, faults := must[status.Gate](t), must[status.Fault](t), must[[]status.Fault](t)

	if err := d.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	if v := must[status.Version](t)(d.Version(ctx)); v.Boot != d.hub.Boot() || d.Boot() != v.Boot {
		t.Errorf("boot: got %s and %s, want %s", v.Boot, d.Boot(), d.hub.Boot())
	}
	if kinds := must[[]spec.Description](t)(d.Kinds(ctx)); !slices.ContainsFunc(kinds, func(k spec.Description) bool { return k.Name == "delay" }) {
		t.Errorf("kinds: got %v, want delay among them", kinds)
	}

	// Gates.
	odd := "a b/ü%?"
	if _, err := d.Create(ctx, spec.Gate{Name: odd, Server: d.echo}); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("a name with a slash: got %v, want ErrInvalid", err)
	}
	odd = "a b ü%?"
	gate := aGate(d.Create(ctx, spec.Gate{Name: odd, Server: d.echo, ToServer: spec.EntriesOf(chaos.Slice{Size: 1000})}))
	if gate.By != t.Name() || len(gate.ToServer) != 1 {
		t.Errorf("created: got %+v, want one fault, by the test", gate)
	}
	if _, err := d.Create(ctx, spec.Gate{Name: odd, Server: d.echo}); !errors.Is(err, client.ErrTaken) {
		t.Errorf("the same name: got %v, want ErrTaken", err)
	}
	if all := must[[]status.Gate](t)(d.Gates(ctx)); len(all) != 1 || all[0].Name != odd {
		t.Errorf("gates: got %v, want one", all)
	}
	window, none := spec.Size(1<<20), ""
	gate = aGate(d.Update(ctx, odd, client.Patch{Window: &window, Lease: &none, ToServer: &spec.Entries{}}))
	if gate.Window != window || len(gate.ToServer) != 0 {
		t.Errorf("updated: got %+v, want a window and no fault", gate)
	}
	if gate = aGate(d.Reseed(ctx, odd, 1<<63)); gate.Seed != 1<<63 {
		t.Errorf("seed: got %v, want %v", gate.Seed, spec.Seed(1<<63))
	}
	if gate = aGate(d.SetDoor(ctx, odd, client.DoorSetting{Door: chaos.Hold, For: time.Hour})); gate.Door != chaos.Hold || gate.DoorTill.IsZero() {
		t.Errorf("door: got %v till %v, want hold, for a time", gate.Door, gate.DoorTill)
	}
	aGate(d.SetDoor(ctx, odd, client.DoorSetting{}))

	// Faults.
	answers := client.Where{Gate: odd, Direction: chaos.ToClient}
	conn := d.connect(gate)
	conns := must[[]status.Conn](t)(d.WaitConns(ctx, odd, 1))
	slow := faults(d.Add(ctx, answers, spec.Entries{{Fault: chaos.Delay{By: time.Millisecond}, ID: "slow"}}))
	if len(slow) != 1 || slow[0].ID != "slow" || !cmp.Equal(slow[0].Offsets, []status.Offset{{Conn: conns[0].N, Offset: 6}}) {
		t.Errorf("added: got %+v, want slow, from byte 6 of the connection", slow)
	}
	fmt.Fprintln(conn, "again")
	if f := aFault(d.WaitHits(ctx, answers, "slow", 1)); f.Hits < 1 || f.LastHit == nil {
		t.Errorf("waited: got %+v, want a hit", f)
	}
	for _, change := range []client.Change{{Fault: chaos.Delay{By: time.Millisecond, Jitter: time.Microsecond}}, {Fault: chaos.Stall{}}} {
		if f := aFault(d.Change(ctx, answers, "slow", change)); !cmp.Equal(f.Fault.Fault, change.Fault) || f.ID != "slow" {
			t.Errorf("changed: got %s %s, want slow to be %v", f.ID, f.Text, change.Fault)
		}
	}
	hour, forGood := time.Hour, time.Duration(0)
	if f := aFault(d.Change(ctx, answers, "slow", client.Change{For: &hour})); f.Till.IsZero() || f.Text != "stall" {
		t.Errorf("changed for how long: got %s till %v, want stall till then", f.Text, f.Till)
	}
	if f := aFault(d.Change(ctx, answers, "slow", client.Change{For: &forGood, Lease: &none})); !f.Till.IsZero() {
		t.Errorf("changed to stay: got till %v, want never", f.Till)
	}
	one := client.Where{Gate: odd, Conn: conns[0].N, Direction: chaos.ToServer}
	faults(d.Set(ctx, one, spec.EntriesOf(chaos.Stall{})))
	if where, err := d.Find(ctx, odd, "stall"); err != nil || where != one {
		t.Errorf("found: got %v and %v, want %v", where, err, one)
	}
	if all := faults(d.AllFaults(ctx, odd)); len(all) != 2 {
		t.Errorf("all faults: got %v, want 2", all)
	}
	if list := faults(d.Faults(ctx, one)); len(list) != 1 || list[0].Conn != one.Conn {
		t.Errorf("faults: got %v, want one, of the connection", list)
	}
	if f := aFault(d.Lift(ctx, answers, "slow")); f.Hits < 1 {
		t.Errorf("lifted: got %d hits, want 1 or more", f.Hits)
	}
	if healed := must[status.Healed](t)(d.Heal(ctx, odd)); len(healed.Faults) != 1 || healed.Faults[0].Gate != odd || healed.Faults[0].ID != "stall" {
		t.Errorf("healed: got %+v, want stall", healed)
	}

	// Connections.
	if c := must[status.Conn](t)(d.Conn(ctx, odd, one.Conn)); c.State != chaos.Established {
		t.Errorf("connection: got %v, want established", c.State)
	}
	if err := d.CloseConn(ctx, odd, one.Conn, chaos.RST); err != nil {
		t.Error(err)
	}
	d.connect(gate)
	d.connect(gate)
	if n := must[int](t)(d.CloseConns(ctx, odd, 1, chaos.FIN)); n != 1 {
		t.Errorf("closed: got %d, want 1", n)
	}
	if n := must[int](t)(d.CloseConns(ctx, odd, chaos.All, chaos.RST)); n != 1 {
		t.Errorf("closed all: got %d, want 1", n)
	}

	// Leases, and a whole state.
	hold, err := d.HoldLease(ctx, "ci", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if l := must[status.Lease](t)(d.ReadLease(ctx, "ci")); l.Held != 1 {
		t.Errorf("held: got %d, want 1", l.Held)
	}
	diff := must[status.Diff](t)(d.Apply(ctx, []spec.Gate{{Name: "new", Server: d.echo, Lease: "ci"}}))
	if want := (status.Diff{Created: []string{"new"}, Changed: []string{}, Replaced: []string{}, Removed: []string{odd}, Unchanged: []string{}}); !cmp.Equal(diff, want) {
		t.Errorf("applied: got %+v, want %+v", diff, want)
	}
	if err := hold.Release(); err != nil {
		t.Error(err)
	}
	if l := must[status.Lease](t)(d.Lease(ctx, "ci", time.Minute)); !slices.Equal(l.Gates, []string{"new"}) {
		t.Errorf("lease: got %+v, want the new gate to hang on it", l)
	}
	if all := must[[]status.Lease](t)(d.Leases(ctx)); len(all) != 1 {
		t.Errorf("leases: got %v, want one", all)
	}
	if l := must[status.Lease](t)(d.EndLease(ctx, "ci")); !slices.Equal(l.Gates, []string{"new"}) {
		t.Errorf("ended: got %+v, want the new gate", l)
	}
	if err := d.Remove(ctx, "new"); !errors.Is(err, client.ErrUnknown) {
		t.Errorf("a gate that is gone: got %v, want ErrUnknown", err)
	}
	must[status.Diff](t)(d.Apply(ctx, nil))

	// Waiting in vain.
	aGate(d.Create(ctx, spec.Gate{Name: "idle", Server: d.echo, Door: chaos.Hold}))
	brief, stop := context.WithTimeout(ctx, 20*time.Millisecond)
	defer stop()
	if _, err := d.WaitDoor(brief, "idle", 1); !errors.Is(err, client.ErrTimedOut) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waited in vain: got %v, want ErrTimedOut", err)
	}
	if err := d.Remove(ctx, "idle"); err != nil {
		t.Error(err)
	}
}

// TestClientIsRefused has clients ask a daemon that does not want them.
func TestClientIsRefused(t *testing.T) {
	d := newRealDaemon(t, client.Options{Token: "secret", Pin: true})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stranger := must[*client.Client](t)(client.New(d.web.URL, client.Options{Token: "guess"}))
	defer stranger.Close()
	if _, err := stranger.Gates(ctx); !errors.Is(err, client.ErrUnauthorized) {
		t.Errorf("another token: got %v, want ErrUnauthorized", err)
	}
	must[[]status.Gate](t)(d.Gates(ctx))
	d.restart()
	if _, err := d.Gates(ctx); !errors.Is(err, client.ErrRestarted) {
		t.Errorf("another run: got %v, want ErrRestarted", err)
	}
}

// TestClientFollowsARealDaemon breaks the connection on which a client is told events, and then starts the daemon anew.
func TestClientFollowsARealDaemon(t *testing.T) {
	d := newRealDaemon(t, client.Options{Token: "secret"})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// What is asked for must not go by a connection that is being broken.
	asking := must[*client.Client](t)(client.New(d.web.URL, client.Options{
		Token: "secret", HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}))
	create := func(name string) {
		t.Helper()
		must[status.Gate](t)(asking.Create(ctx, spec.Gate{Name: name, Server: d.echo}))
	}
	create("one")
	var got []string
	for event, err := range d.Events(ctx, client.EventsQuery{Kept: true, Types: []chaos.EventType{status.EventCreated}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(event.Type)+" "+event.Gate)
		switch event.Gate {
		case "one":
			create("two")
			d.web.CloseClientConnections()
		case "two":
			create("three")
		case "three":
			d.restart()
			create("four")
		}
		if event.Gate == "four" {
			break
		}
	}
	if diff := cmp.Diff([]string{"created one", "created two", "created three", "lost ", "created four"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

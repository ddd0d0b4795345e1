package hub

import (
	"net"
	"reflect"
	"slices"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A transaction is a change of several gates, all of which happens or none. Their names are claimed.
//
// What can fail comes first and closes nothing: gates that are new, or at another address, begin to listen. Then those that leave are closed,
// then those begin that take an address of one that has left. What fails undoes what was done, the last first.
type transaction struct {
	hub       *Hub
	by, owner string
	create    []spec.Gate
	replace   []replacement
	change    []replacement
	leave     []*gate
	diff      status.Diff
	undo      []func()
	failed    string // the name of the gate that could not be what is wanted
}

// A replacement is what a gate is to become.
type replacement struct {
	old  *gate
	want spec.Gate
}

func (h *Hub) begins(by, owner string) *transaction {
	return &transaction{hub: h, by: by, owner: owner, diff: status.Diff{
		Created: []string{}, Changed: []string{}, Replaced: []string{}, Removed: []string{}, Unchanged: []string{},
	}}
}

// want notes what a gate is to be.
func (t *transaction) want(s spec.Gate) {
	g, err := t.hub.find(s.Name)
	switch {
	case err != nil:
		t.create = append(t.create, s)
		t.diff.Created = append(t.diff.Created, s.Name)
	case g.differs(s):
		t.replace = append(t.replace, replacement{g, s})
		t.diff.Replaced = append(t.diff.Replaced, s.Name)
	case g.is(s) && (t.owner == "" || g.owned() == t.owner):
		t.diff.Unchanged = append(t.diff.Unchanged, s.Name)
	default:
		t.change = append(t.change, replacement{g, s})
		t.diff.Changed = append(t.diff.Changed, s.Name)
	}
}

// remove notes that a gate is to go.
func (t *transaction) remove(g *gate) {
	t.leave = append(t.leave, g)
	t.diff.Removed = append(t.diff.Removed, g.name)
}

// commit does what was noted.
func (t *transaction) commit() *Error {
	err := t.run()
	if err == nil {
		return nil
	}
	for _, undo := range slices.Backward(t.undo) {
		undo()
	}
	if e, ok := err.(*Error); ok {
		return e
	}
	return &Error{Unable, "", err}
}

func (t *transaction) run() error {
	left := make(map[string]bool) // ports
	for _, g := range t.leave {
		left[portOf(g.gate.Addr())] = true
	}
	for _, r := range t.replace {
		left[portOf(r.old.gate.Addr())] = true
	}
	var early, late []replacement // what begins while all that leaves still stands, and what needs its address
	for _, s := range t.create {
		early = append(early, replacement{nil, s})
	}
	early = append(early, t.replace...)
	early = slices.DeleteFunc(early, func(r replacement) bool {
		if !left[portOf(r.want.Listen)] {
			return false
		}
		late = append(late, r)
		return true
	})
	for _, r := range early {
		if err := t.begin(r.want, r.old); err != nil {
			return err
		}
	}
	for _, g := range t.leave {
		t.dismiss(g, "")
	}
	for _, r := range t.replace {
		t.dismiss(r.old, "it was replaced")
	}
	for _, r := range late {
		if err := t.begin(r.want, r.old); err != nil {
			return err
		}
	}
	for _, r := range t.change {
		before := r.old.spec()
		t.undo = append(t.undo, func() { r.old.become(t.by, r.old.owned(), before) })
		if err := r.old.become(t.by, t.owner, r.want); err != nil {
			t.failed = r.want.Name
			return err
		}
	}
	return nil
}

// portOf returns what distinguishes an address that is bound: the port, or the path of a unix socket.
func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if port == "0" {
		return ""
	}
	return port
}

// begin starts a gate, in place of an old one if that is not nil.
func (t *transaction) begin(s spec.Gate, old *gate) error {
	g, err := t.hub.begin(t.by, t.owner, s, old)
	if err != nil {
		t.failed = s.Name
		return err
	}
	t.undo = append(t.undo, func() { t.hub.remove(g, cause{t.by, "what was to come with it could not be"}) })
	return nil
}

// dismiss closes a gate.
func (t *transaction) dismiss(g *gate, because string) {
	g.leave()
	was := g.spec()
	t.hub.take(g)
	t.hub.dismiss(g)
	t.hub.events.add(status.Event{Type: status.EventRemoved, Gate: g.name, By: t.by, Because: because})
	t.undo = append(t.undo, func() { t.hub.begin(t.by, g.owner, was, g) })
}

// is reports whether the gate is what is wanted, where that can be changed in place.
func (g *gate) is(want spec.Gate) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gate.Door() == want.Door && g.stopped == want.Stopped && g.lease == want.Lease && (want.Seed == 0 || want.Seed == g.asked.Seed) &&
		g.imposes(&g.gate.ToServer, want.ToServer) && g.imposes(&g.gate.ToClient, want.ToClient)
}

// imposes reports whether just that is imposed on a flow. g.mu guards it.
func (g *gate) imposes(flow *chaos.Flow, want spec.Entries) bool {
	is := flow.Imposed()
	return len(is) == len(want) && !slices.ContainsFunc(want, func(e spec.Entry) bool {
		f := g.faults[is[0]]
		is = is[1:]
		return f == nil || f.lifted || e.ID != "" && e.ID != f.id || e.Lease != f.lease || e.For != f.lasting || !reflect.DeepEqual(e.Fault, f.imposed.Fault())
	})
}

// become makes the gate what is wanted, in place. What can fail comes first.
func (g *gate) become(by, owner string, want spec.Gate) error {
	if g.gate.Door() != want.Door {
		if err := g.turn(by, "", DoorSetting{Door: want.Door}); err != nil {
			return err
		}
	}
	if err := g.run(!want.Stopped); err != nil {
		return err
	}
	g.mu.Lock()
	g.owner, g.lease = owner, want.Lease
	reseed := want.Seed != 0 && want.Seed != g.asked.Seed
	same := [2]bool{g.imposes(&g.gate.ToServer, want.ToServer), g.imposes(&g.gate.ToClient, want.ToClient)}
	g.mu.Unlock()
	if reseed {
		g.reseed(want.Seed)
	}
	for dir, es := range [2]spec.Entries{want.ToServer, want.ToClient} {
		if same[dir] {
			continue
		}
		if _, err := g.impose(by, Where{Gate: g.name, Direction: chaos.Direction(dir)}, es, true); err != nil {
			return err
		}
	}
	return nil
}

// run makes the gate listen, or stop to.
func (g *gate) run(listen bool) error {
	g.mu.Lock()
	was, begun := !g.stopped, g.begun
	g.mu.Unlock()
	if was == listen {
		return nil
	}
	var err error
	if listen {
		err = g.gate.Start()
	} else {
		err = g.gate.Stop()
	}
	if err != nil {
		return &Error{Unable, "listen", err}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped, g.begun = !listen, begun || listen
	return nil
}

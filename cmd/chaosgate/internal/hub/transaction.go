package hub

import (
	"errors"
	"maps"
	"net"
	"reflect"
	"slices"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A transaction is a change of several gates, all of which happens or none. Their names are claimed, and those that are there are frozen:
// who else wants to change them waits.
//
// What can fail comes first and closes nothing: gates that are new, or at another address, begin to listen. Then those that leave are closed,
// then those begin that take an address of one that has left. What fails undoes what was done, the last first.
type transaction struct {
	hub       *Hub
	by, owner string
	begins    []replacement // the old one is nil, or at another address
	changes   []replacement
	leaves    []*gate
	frozen    []*gate
	diff      status.Diff
	undo      []func()
	failed    string // the name of the gate that could not be what is wanted
}

// A replacement is what a gate is to become.
type replacement struct {
	old  *gate
	want spec.Gate
}

func (h *Hub) transaction(by, owner string) *transaction {
	return &transaction{hub: h, by: by, owner: owner, diff: status.Diff{
		Created: []string{}, Changed: []string{}, Replaced: []string{}, Removed: []string{}, Unchanged: []string{},
	}}
}

// freeze has nobody else change a gate until the transaction ends.
func (t *transaction) freeze(g *gate) {
	g.freeze()
	t.frozen = append(t.frozen, g)
}

// end has others change what was frozen.
func (t *transaction) end() {
	for _, g := range t.frozen {
		g.thaw()
	}
}

// want notes what a gate is to be. The old one is nil if there is none, and frozen.
func (t *transaction) want(old *gate, s spec.Gate) {
	list := &t.diff.Changed
	switch {
	case old == nil:
		list = &t.diff.Created
		t.begins = append(t.begins, replacement{nil, s})
	case old.differs(s):
		list = &t.diff.Replaced
		t.begins = append(t.begins, replacement{old, s})
	case old.is(s) && old.owned() == t.owner:
		list = &t.diff.Unchanged
	default:
		t.changes = append(t.changes, replacement{old, s})
	}
	*list = append(*list, s.Name)
}

// remove notes that a gate, which is frozen, is to go.
func (t *transaction) remove(g *gate) {
	t.leaves = append(t.leaves, g)
	t.diff.Removed = append(t.diff.Removed, g.name)
}

// commit does what was noted.
func (t *transaction) commit() *Error {
	defer t.hide()()
	err := t.run()
	if err == nil {
		return nil
	}
	for _, undo := range slices.Backward(t.undo) {
		undo()
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Unable, "", err}
}

// hide keeps what the transaction changes out of the state file until show: a daemon that is killed meanwhile has not begun with it.
func (t *transaction) hide() (show func()) {
	was := make(map[string]*gateState)
	for _, r := range slices.Concat(t.begins, t.changes) {
		was[r.want.Name] = nil
		if r.old != nil {
			s := r.old.state()
			was[r.want.Name] = &s
		}
	}
	for _, g := range t.leaves {
		s := g.state()
		was[g.name] = &s
	}
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.looking {
		h.looked.Wait()
	}
	maps.Copy(h.was, was) // these names are claimed, so that no other transaction has one of them
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for name := range was {
			delete(h.was, name)
		}
	}
}

func (t *transaction) run() error {
	left := make(map[string]bool) // the ports of all that leaves
	for _, g := range t.leaves {
		left[portOf(g.gate.Addr())] = true
	}
	for _, r := range t.begins {
		if r.old != nil {
			left[portOf(r.old.gate.Addr())] = true
		}
	}
	late := make([]replacement, 0, len(t.begins))
	for _, r := range t.begins {
		if left[portOf(r.want.Listen)] {
			late = append(late, r)
			continue
		}
		if err := t.begin(r); err != nil {
			return err
		}
	}
	for _, g := range t.leaves {
		t.dismiss(g, "")
	}
	for _, r := range t.begins {
		if r.old != nil {
			t.dismiss(r.old, "it was replaced")
		}
	}
	for _, r := range late {
		if err := t.begin(r); err != nil {
			return err
		}
	}
	for _, r := range t.changes {
		before, owner := r.old.spec(), r.old.owned()
		t.undo = append(t.undo, func() { r.old.become(t.by, owner, before) })
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

// begin starts a gate, in place of the old one if there is one.
func (t *transaction) begin(r replacement) error {
	g, err := t.hub.begin(t.by, t.owner, r.want, r.old)
	if err != nil {
		t.failed = r.want.Name
		return err
	}
	t.undo = append(t.undo, func() {
		t.hub.remove(g, cause{t.by, "what was to come with it could not be"})
		t.hub.reinstate(r.old)
	})
	return nil
}

// dismiss closes a gate that is frozen.
func (t *transaction) dismiss(g *gate, because string) {
	was, by := g.spec(), g.by
	if !t.hub.take(g) { // with its lease it has left already
		return
	}
	t.hub.dismiss(g)
	t.hub.events.add(status.Event{Type: status.EventRemoved, Gate: g.name, By: t.by, Because: because})
	t.undo = append(t.undo, func() { t.hub.begin(by, g.owned(), was, g) })
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
		if err := g.turn(cause{by: by}, DoorSetting{Door: want.Door}, true); err != nil {
			return err
		}
	}
	if err := g.run(by, !want.Stopped); err != nil {
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
		if _, err := g.impose(change{by: by, replace: true, thawed: true}, Where{Gate: g.name, Direction: chaos.Direction(dir)}, es); err != nil {
			return err
		}
	}
	return nil
}

// run makes the gate listen, or stop to.
func (g *gate) run(by string, listen bool) error {
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
	what := status.Event{Type: chaos.EventStopped, Gate: g.name, By: by}
	if listen {
		what.Type, what.Addr = chaos.EventStarted, g.gate.Addr()
	}
	g.hub.events.add(what)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped, g.begun = !listen, begun || listen
	return nil
}

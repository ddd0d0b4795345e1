package hub

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A gate is a gate with what the library does not know of it.
type gate struct {
	hub   *Hub
	name  string
	asked spec.Gate // as it was asked for: its addresses and bounds stay as long as it lives
	gate  *chaos.Gate
	by    string
	since time.Time
	owner string        // whose desired state it belongs to; empty if nobody's
	taken bool          // it is nobody's any more but for who dismisses it; the hub's mutex guards it
	gone  chan struct{} // closed when it is removed or replaced

	mu       sync.Mutex // guards what follows; held shortly
	settled  sync.Cond  // of mu: told when a change of a flow is through
	changing int        // flows that are being changed
	frozen   bool       // a transaction changes it: others wait
	leaving  bool       // it is being removed or replaced: nothing is changed any more
	faults   map[*chaos.Imposed]*fault
	ids      map[string]bool // that faults have, or will have in a moment
	lease    string
	stopped  bool
	begun    bool              // it has listened once
	closers  map[uint64]string // who has had connections end, by number
	door     door
	told     uint64 // the number of the last event that the library has told
	hits     map[HitKey]int64
	dials    dialTimes
}

// A door is how long a door that is not open is to stay so.
type door struct {
	till  time.Time // zero if nothing opens it
	lease string
	timer *time.Timer // opens it at that time
}

// newGate returns a gate that is not started.
func (h *Hub) newGate(by, owner string, s spec.Gate) (*gate, error) {
	if err := s.Check(); err != nil {
		return nil, invalid("", err)
	}
	s.Network = cmp.Or(s.Network, "tcp")
	if err := h.guard.listen(s.Network, s.Listen); err != nil {
		return nil, err
	}
	made, err := s.New()
	if err != nil {
		return nil, &Error{Unable, "door", err}
	}
	g := &gate{
		hub: h, name: s.Name, asked: s, gate: made, by: by, since: time.Now(), owner: owner, lease: s.Lease, stopped: s.Stopped,
		faults: make(map[*chaos.Imposed]*fault), ids: make(map[string]bool), hits: make(map[HitKey]int64), closers: make(map[uint64]string), gone: make(chan struct{}),
	}
	g.asked.ToServer, g.asked.ToClient = nil, nil // which change
	g.settled.L = &g.mu
	made.Permit, made.Observe = h.guard.permit, g.observe
	if made.Seed == 0 {
		made.Seed = uint64(max(rand.Uint32(), 1)) // short enough to be typed again
	}
	g.asked.Seed = spec.Seed(made.Seed)
	for _, flow := range []struct {
		flow    *chaos.Flow
		dir     chaos.Direction
		entries spec.Entries
	}{{&made.ToServer, chaos.ToServer, s.ToServer}, {&made.ToClient, chaos.ToClient, s.ToClient}} {
		ids := g.identify(flow.entries)
		for i, imposed := range flow.flow.Imposed() {
			g.faults[imposed] = newFault(by, ids[i], flow.entries[i], imposed, flow.flow, flow.dir, nil)
		}
	}
	return g, nil
}

// identify returns an id for each entry: its own, or one made from its kind. They are the entries' from now on. g.mu guards it, if anybody
// else knows the gate.
func (g *gate) identify(es spec.Entries) []string {
	ids := make([]string, len(es))
	for i, e := range es {
		if ids[i] = e.ID; e.ID != "" {
			g.ids[e.ID] = true
		}
	}
	for i, e := range es {
		if ids[i] == "" {
			ids[i] = free(chaos.KindOf(e.Fault), func(id string) bool { return g.ids[id] })
			g.ids[ids[i]] = true
		}
	}
	return ids
}

// start makes the gate listen, unless it is to be stopped.
func (g *gate) start() error {
	if g.asked.Stopped {
		g.hub.events.add(g.created())
		return nil
	}
	if err := g.gate.Start(); err != nil {
		return &Error{Unable, "listen", err}
	}
	g.mu.Lock()
	g.begun = true
	g.mu.Unlock()
	g.schedule()
	return nil
}

// freeze has who wants to change the gate wait until it is thawed, and waits for who is changing it.
func (g *gate) freeze() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frozen = true
	for g.changing > 0 {
		g.settled.Wait()
	}
}

// thaw lets others change the gate.
func (g *gate) thaw() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frozen = false
	g.settled.Broadcast()
}

// changes begins a change, which ends with changed, unless the gate is leaving. Only who has frozen it does not wait until it is thawed. g.mu guards it.
func (g *gate) changes(thawed bool) error {
	for g.frozen && !thawed && !g.leaving {
		g.settled.Wait()
	}
	if g.leaving {
		return errorf(Gone, "gate", "gate %s was removed or replaced meanwhile", g.name)
	}
	g.changing++
	return nil
}

// changed ends what changes has begun. g.mu guards it.
func (g *gate) changed() {
	g.changing--
	g.settled.Broadcast()
}

// leave has nothing of the gate be changed any more, and waits until what is being changed has been.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.leaving {
		g.leaving = true
		close(g.gone)
		g.settled.Broadcast()
	}
	for g.changing > 0 {
		g.settled.Wait()
	}
	for _, f := range g.faults {
		f.end()
	}
	g.door.shut()
}

// dismiss closes a gate that was taken. Its last bytes are delivered when nobody waits any more.
func (h *Hub) dismiss(g *gate) {
	g.leave()
	wait := g.gate.BeginClose()
	go func() {
		defer h.closing.Done()
		wait() // what it says is of connections that were destroyed, each of which an event has told
	}()
}

// status returns the gate as it is now.
func (g *gate) status() status.Gate {
	s := status.Gate{
		Name: g.name, Network: g.asked.Network, Listen: g.address(), Server: g.asked.Server,
		Door: g.gate.Door(), DoorHits: g.gate.DoorHits(), By: g.by, Since: g.since,
		Window: g.asked.Window, Memory: g.asked.Memory, Sessions: g.asked.Sessions, Expire: g.asked.Expire,
		Stats: figures(g.gate.Stats()),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s.Seed = g.asked.Seed
	s.Stopped, s.Lease = g.stopped, g.lease
	if s.Door != chaos.Open { // it may have been opened just now, and its time not taken away yet
		s.DoorTill = g.door.till
	}
	s.ToServer, s.ToClient = g.imposed(&g.gate.ToServer), g.imposed(&g.gate.ToClient)
	return s
}

// imposed returns what is imposed on a flow of the gate's. g.mu guards it.
func (g *gate) imposed(flow *chaos.Flow) []status.Fault {
	list := []status.Fault{}
	for _, i := range flow.Imposed() {
		if f, ok := g.faults[i]; ok { // one that is not there was imposed just now, and nobody has been told so yet
			list = append(list, f.status(false))
		}
	}
	return list
}

// address returns where the gate listens, or will.
func (g *gate) address() string { return cmp.Or(g.gate.Addr(), g.gate.Listen) }

// spec returns the gate as one would ask for it now, with the address that it is bound to.
func (g *gate) spec() spec.Gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.asked
	s.Listen, s.Door, s.Stopped, s.Lease = g.address(), g.gate.Door(), g.stopped, g.lease
	s.ToServer, s.ToClient = g.entries(&g.gate.ToServer), g.entries(&g.gate.ToClient)
	return s
}

// entries returns what is imposed on a flow of the gate's as one would ask for it now. g.mu guards it.
func (g *gate) entries(flow *chaos.Flow) (es spec.Entries) {
	for _, i := range flow.Imposed() {
		if f, ok := g.faults[i]; ok {
			es = append(es, f.entry())
		}
	}
	return es
}

// flow returns the flow of a place at the gate, and the connection if it is of just one.
func (g *gate) flow(w Where) (*chaos.Flow, *chaos.Conn, error) {
	if w.Conn == 0 {
		if w.Direction == chaos.ToClient {
			return &g.gate.ToClient, nil, nil
		}
		return &g.gate.ToServer, nil, nil
	}
	c, err := g.conn(w.Conn)
	if err != nil {
		return nil, nil, err
	}
	if w.Direction == chaos.ToClient {
		return &c.ToClient, c, nil
	}
	return &c.ToServer, c, nil
}

// conn returns the connection of a number, of several the one that came last.
func (g *gate) conn(n uint64) (*chaos.Conn, error) {
	conns := g.gate.Conns()
	for _, c := range slices.Backward(conns) {
		if c.Ordinal() == n {
			return c, nil
		}
	}
	return nil, errorf(Unknown, "conn", "gate %s has no connection %d", g.name, n)
}

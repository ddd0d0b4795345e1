package hub

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A Where is a flow: of a gate, or of one of its connections.
type Where struct {
	Gate      string
	Conn      uint64 // the connection's number; 0 for all
	Direction chaos.Direction
}

// Faults returns what is imposed on a flow, in order.
func (h *Hub) Faults(w Where) ([]status.Fault, error) {
	g, flow, _, err := h.flow(w)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.imposed(flow), nil
}

// flow returns a flow, with its gate and its connection.
func (h *Hub) flow(w Where) (*gate, *chaos.Flow, *chaos.Conn, error) {
	g, err := h.find(w.Gate)
	if err != nil {
		return nil, nil, nil, err
	}
	flow, conn, err := g.flow(w)
	return g, flow, conn, err
}

// Set imposes faults on a flow in place of what was imposed. Those that are equal to one that was stay what they are, with their hits. It
// returns the faults, with the offsets from which they hold.
func (h *Hub) Set(by string, w Where, es spec.Entries) ([]status.Fault, error) {
	return h.impose(change{by: by, replace: true}, w, es)
}

// Add imposes more faults on a flow, behind those that are. It returns them, with the offsets from which they hold.
func (h *Hub) Add(by string, w Where, es spec.Entries) ([]status.Fault, error) {
	return h.impose(change{by: by}, w, es)
}

// A change is how a flow is to be changed.
type change struct {
	by      string
	replace bool // what was imposed goes
	thawed  bool // by who has frozen the gate
}

func (h *Hub) impose(c change, w Where, es spec.Entries) ([]status.Fault, error) {
	g, err := h.find(w.Gate)
	if err != nil {
		return nil, err
	}
	list, err := g.impose(c, w, es)
	if err != nil {
		return nil, err
	}
	return list, h.save()
}

// impose imposes faults on a flow of the gate's, behind or in place of what is imposed.
func (g *gate) impose(c change, w Where, es spec.Entries) ([]status.Fault, error) {
	flow, conn, err := g.flow(w)
	if err != nil {
		return nil, err
	}
	if err := es.Check(cmp.Or(g.asked.Network, "tcp")); err != nil {
		return nil, invalid("", err)
	}
	if err := g.hub.leased(es); err != nil {
		return nil, err
	}
	ids, err := g.begin(c, flow, es)
	if err != nil {
		return nil, err
	}
	var imposed []*chaos.Imposed
	if c.replace {
		imposed = flow.Set(es.Faults()...)
	} else {
		for _, e := range es {
			imposed = append(imposed, flow.Add(e.Fault))
		}
	}
	return g.end(c.by, flow, w.Direction, conn, ids, es, imposed), g.stillLeased(es)
}

// stillLeased says that a lease of the entries, which are imposed now, has ended meanwhile, if so. What hung on it is then lifted.
func (g *gate) stillLeased(es spec.Entries) (err error) {
	for _, e := range es {
		if gone := g.hub.hasLease(e.Lease); gone != nil {
			g.loseLease(e.Lease, cause{because: "lease " + e.Lease + " has ended"})
			err = gone
		}
	}
	return err
}

// begin prepares the change of a flow: it refuses ids that others have and returns the entries', which are theirs from now on. Where the
// faults that are imposed are replaced, their ids are free.
func (g *gate) begin(c change, flow *chaos.Flow, es spec.Entries) (ids []string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.changes(c.thawed); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			g.changed()
		}
	}()
	were := flow.Imposed()
	for i, e := range es {
		if e.ID == "" || !g.ids[e.ID] {
			continue
		}
		if old := g.byID(e.ID); old == nil || !c.replace || !slices.Contains(were, old.imposed) {
			return nil, errorf(Taken, fmt.Sprintf("[%d].id", i), "id: got %s, which another fault of gate %s has", e.ID, g.name)
		}
	}
	if !c.replace {
		return g.identify(es), nil
	}
	for _, i := range were {
		if f := g.faults[i]; f != nil && !f.lifted {
			delete(g.ids, f.id)
			f.given, f.why = true, cause{by: c.by}
		}
	}
	// An entry without an id may be a fault that is imposed already, and then keeps its id.
	named := slices.Clone(es)
	left := slices.Clone(were)
	for i, e := range named {
		at := slices.IndexFunc(left, func(was *chaos.Imposed) bool { return spec.Text(was.Fault()) == spec.Text(e.Fault) })
		if at < 0 {
			continue
		}
		if f := g.faults[left[at]]; e.ID == "" && f != nil {
			named[i].ID = f.id
		}
		left = slices.Delete(left, at, at+1)
	}
	for i, e := range named { // two may want the same one now
		if slices.ContainsFunc(named[:i], func(before spec.Entry) bool { return before.ID == e.ID && e.ID != "" }) {
			named[i].ID = ""
		}
	}
	return g.identify(named), nil
}

// end notes what was imposed, and returns it.
func (g *gate) end(by string, flow *chaos.Flow, dir chaos.Direction, conn *chaos.Conn, ids []string, es spec.Entries, imposed []*chaos.Imposed) []status.Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := []status.Fault{}
	for n, i := range imposed {
		f := g.faults[i]
		if f == nil {
			f = newFault(by, ids[n], es[n], i, flow, dir, conn)
			g.faults[i] = f
		} else { // it was imposed before, and is what it was, but for what was asked for now
			f.id, f.given, f.lease, f.why = ids[n], false, es[n].Lease, cause{}
			f.lasts(es[n].For)
		}
		g.arm(f)
		list = append(list, f.status(true))
	}
	g.tidy(flow)
	g.changed()
	return list
}

// tidy notes what is not imposed on a flow any more. g.mu guards it.
func (g *gate) tidy(flow *chaos.Flow) {
	now := flow.Imposed()
	for i, f := range g.faults {
		switch {
		case f.flow != flow:
		case f.conn != nil && f.conn.Info().State == chaos.Closed:
			g.forget(f)
		case !slices.Contains(now, i):
			g.lost(f)
		}
	}
}

// lost notes that a fault was lifted. Its event may have been told already, or is still to come. g.mu guards it.
func (g *gate) lost(f *fault) {
	if !f.lifted {
		f.end()
		if !f.given {
			delete(g.ids, f.id)
		}
	}
	if !g.begun { // no event will come
		delete(g.faults, f.imposed)
	}
}

// forget notes that a fault was lifted, and that its event was told. g.mu guards it.
func (g *gate) forget(f *fault) {
	g.lost(f)
	delete(g.faults, f.imposed)
}

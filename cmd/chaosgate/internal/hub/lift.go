package hub

import (
	"cmp"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// Lift lifts a fault, and returns it as it was last.
func (h *Hub) Lift(by string, w Where, id string) (status.Fault, error) {
	g, f, err := h.fault(w, id)
	if err != nil {
		return status.Fault{}, err
	}
	last, ok := g.lift(f, cause{by: by})
	if !ok {
		return status.Fault{}, unknown("fault", id, nil)
	}
	return last, h.save()
}

// lift lifts a fault, unless another has already.
func (g *gate) lift(f *fault, why cause) (last status.Fault, ok bool) {
	g.mu.Lock()
	if g.changes(false) != nil {
		g.mu.Unlock()
		return last, false
	}
	if f.lifted {
		g.changed()
		g.mu.Unlock()
		return last, false
	}
	f.why = why
	g.mu.Unlock()
	f.imposed.Lift()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changed()
	last = f.status(false)
	g.lost(f)
	return last, true
}

// arm has a fault lifted by itself when its time is over. g.mu guards it.
func (g *gate) arm(f *fault) {
	if f.timer != nil {
		f.timer.Stop()
	}
	if f.till.IsZero() || f.lifted {
		return
	}
	till := f.till
	f.timer = time.AfterFunc(time.Until(till), func() {
		g.mu.Lock()
		changed := !f.till.Equal(till)
		g.mu.Unlock()
		if changed {
			return
		}
		if _, ok := g.lift(f, cause{because: "its time was over"}); ok {
			g.hub.saveSoon()
		}
	})
}

// schedule arms all that lasts for a time.
func (g *gate) schedule() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.faults {
		g.arm(f)
	}
}

// Change changes a fault in place, which keeps its hits and, where the type stays, what it remembers of connections.
func (h *Hub) Change(by string, w Where, id string, c Change) (status.Fault, error) {
	g, f, err := h.fault(w, id)
	if err != nil {
		return status.Fault{}, err
	}
	if c.Fault != nil {
		if err := chaos.Check(cmp.Or(g.asked.Network, "tcp"), c.Fault); err != nil {
			return status.Fault{}, invalid("", err)
		}
	}
	if c.For != nil && *c.For < 0 {
		return status.Fault{}, errorf(Invalid, "for", "for: got %v, want a duration above 0", *c.For)
	}
	if c.Lease != nil {
		if err := h.hasLease(*c.Lease); err != nil {
			return status.Fault{}, err
		}
	}
	g.mu.Lock()
	if err := g.changes(false); err != nil {
		g.mu.Unlock()
		return status.Fault{}, err
	}
	if f.lifted {
		g.changed()
		g.mu.Unlock()
		return status.Fault{}, unknown("fault", id, nil)
	}
	f.why = cause{by: by}
	if c.For != nil {
		f.lasts(*c.For)
		g.arm(f)
	}
	if c.Lease != nil {
		f.lease = *c.Lease
	}
	g.mu.Unlock()
	if c.Fault != nil {
		f.imposed.Change(c.Fault)
	}
	g.mu.Lock()
	now := f.status(true)
	g.changed()
	g.mu.Unlock()
	if c.Lease != nil {
		if err := h.hasLease(*c.Lease); err != nil { // it has ended meanwhile
			g.lift(f, cause{because: "lease " + *c.Lease + " has ended"})
			return now, err
		}
	}
	return now, h.save()
}

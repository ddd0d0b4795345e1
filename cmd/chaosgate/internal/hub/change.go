package hub

import (
	"cmp"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// A Change is what is to be different of a fault. What is nil stays.
type Change struct {
	Fault chaos.Fault
	For   *time.Duration // from now on; 0 is for good
	Lease *string        // "" is none
}

// Change changes a fault in place by what change says of it as it is then, which keeps its hits and, where the type stays, what it
// remembers of connections. A fault's changes are made one after the other, so that none of them is lost.
func (h *Hub) Change(by string, w Where, id string, change func(now chaos.Fault) (Change, error)) (status.Fault, error) {
	g, f, err := h.fault(w, id)
	if err != nil {
		return status.Fault{}, err
	}
	c, now, err := h.change(by, g, f, change)
	if err != nil {
		return status.Fault{}, err
	}
	if c.Lease != nil {
		if err := h.hasLease(*c.Lease); err != nil { // it has ended meanwhile
			g.lift(f, cause{because: "lease " + *c.Lease + " has ended"})
			return now, err
		}
	}
	return now, h.save()
}

// change is Change, but that nothing is kept of it yet.
func (h *Hub) change(by string, g *gate, f *fault, change func(now chaos.Fault) (Change, error)) (c Change, now status.Fault, err error) {
	f.changing.Lock()
	defer f.changing.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.changes(false); err != nil {
		return c, now, err
	}
	defer g.changed()
	g.mu.Unlock()
	c, err = change(f.imposed.Fault())
	if err == nil {
		err = h.permits(g, c)
	}
	g.mu.Lock()
	switch {
	case err != nil:
		return c, now, err
	case f.lifted:
		return c, now, unknown("fault", f.id, nil)
	}
	f.why = cause{by: by}
	if c.For != nil {
		f.lasts(*c.For)
		g.arm(f)
	}
	if c.Lease != nil {
		f.lease = *c.Lease
	}
	if c.Fault != nil {
		g.mu.Unlock()
		f.imposed.Change(c.Fault)
		g.mu.Lock()
	}
	return c, f.status(true), nil
}

// permits says why a fault of a gate cannot be changed so, if it cannot.
func (h *Hub) permits(g *gate, c Change) error {
	if c.Fault != nil {
		if err := chaos.Check(cmp.Or(g.asked.Network, "tcp"), c.Fault); err != nil {
			return invalid("", err)
		}
	}
	if c.For != nil && *c.For < 0 {
		return errorf(Invalid, "for", "for: got %v, want a duration above 0", *c.For)
	}
	if c.Lease != nil {
		return h.hasLease(*c.Lease)
	}
	return nil
}

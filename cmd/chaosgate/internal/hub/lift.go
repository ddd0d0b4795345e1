package hub

import (
	"time"

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

package hub

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A lease is what faults, doors and gates hang on. The hub's mutex guards it.
type lease struct {
	name  string
	by    string
	ttl   time.Duration
	till  time.Time
	held  int         // how many hold it
	timer *time.Timer // ends it
}

// Lease makes a lease, or renews it: it ends in ttl, unless it is renewed.
func (h *Hub) Lease(by, name string, ttl time.Duration) (status.Lease, error) {
	l, err := h.lend(by, name, ttl, 0)
	if err != nil {
		return status.Lease{}, err
	}
	return h.leaseStatus(l), h.save()
}

// HoldLease makes a lease, or renews it, and keeps it from ending until it is released: from then on it lasts for ttl.
func (h *Hub) HoldLease(by, name string, ttl time.Duration) (release func(), err error) {
	l, err := h.lend(by, name, ttl, 1)
	if err != nil {
		return nil, err
	}
	if err := h.save(); err != nil {
		return nil, err
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		l.held--
		h.renew(l)
	}, nil
}

func (h *Hub) lend(by, name string, ttl time.Duration, held int) (*lease, error) {
	const shortest, longest = 100 * time.Millisecond, 24 * time.Hour
	if ttl < shortest || ttl > longest {
		return nil, errorf(Invalid, "ttl", "ttl: got %v, want %v to %v", spec.Duration(ttl), shortest, spec.Duration(longest))
	}
	// A lease is called as a gate may be.
	if err := (spec.Gate{Name: name, Server: "a:1"}).Check(); err != nil || name == "" {
		return nil, errorf(Invalid, "lease", "lease: got %q, want a name", name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, &Error{Gone, "", ErrClosed}
	}
	l := h.leases[name]
	if l == nil {
		l = &lease{name: name, by: by}
		l.timer = time.AfterFunc(ttl, func() { h.expire(l) })
		h.leases[name] = l
		h.events.add(status.Event{Type: status.EventLeased, Lease: name, By: by})
	}
	l.ttl = ttl
	l.held += held
	h.renew(l)
	return l, nil
}

// renew has a lease last for its time from now on. h.mu guards it.
func (h *Hub) renew(l *lease) {
	l.till = time.Now().Add(l.ttl)
	if h.leases[l.name] == l {
		l.timer.Reset(l.ttl)
	}
}

// expire ends a lease whose time is over.
func (h *Hub) expire(l *lease) {
	h.mu.Lock()
	if h.leases[l.name] != l || l.held > 0 || time.Now().Before(l.till) {
		h.mu.Unlock()
		return
	}
	delete(h.leases, l.name)
	h.mu.Unlock()
	h.events.add(status.Event{Type: status.EventExpired, Lease: l.name, By: l.by, Because: "it was not renewed for " + l.ttl.String()})
	h.drop(l, cause{because: "lease " + l.name + " has ended"})
	h.saveSoon()
}

// EndLease ends a lease: what hangs on it is lifted, opened or removed. It returns the lease as it was last.
func (h *Hub) EndLease(by, name string) (status.Lease, error) {
	h.mu.Lock()
	l := h.leases[name]
	if l == nil {
		known := slices.Sorted(maps.Keys(h.leases))
		h.mu.Unlock()
		return status.Lease{}, unknown("lease", name, known)
	}
	delete(h.leases, name)
	l.timer.Stop()
	h.mu.Unlock()
	last := h.leaseStatus(l)
	h.events.add(status.Event{Type: status.EventEnded, Lease: name, By: by})
	h.drop(l, cause{by, "lease " + name + " has ended"})
	return last, h.save()
}

// drop does away with what hangs on a lease that is not there any more.
func (h *Hub) drop(l *lease, why cause) {
	for _, g := range h.all() {
		g.mu.Lock()
		whole := g.lease == l.name
		g.mu.Unlock()
		if whole {
			h.remove(g, why)
			continue
		}
		g.loseLease(l.name, why)
	}
}

// loseLease lifts what hangs on a lease at the gate, and opens the door if that does.
func (g *gate) loseLease(name string, why cause) {
	g.mu.Lock()
	var hung []*fault
	for _, f := range g.faults {
		if f.lease == name {
			hung = append(hung, f)
		}
	}
	isDoor := g.door.lease == name
	g.mu.Unlock()
	for _, f := range hung {
		g.lift(f, why)
	}
	if isDoor {
		g.turn(why, DoorSetting{}, false)
	}
}

// hasLease says that there is no such lease, if there is none.
func (h *Hub) hasLease(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name == "" || h.leases[name] != nil {
		return nil
	}
	err := unknown("lease", name, slices.Sorted(maps.Keys(h.leases)))
	err.Code = Invalid // what is asked for is there, but cannot hang on it
	return err
}

// leased says that there is no such lease, if there is none for one of the entries.
func (h *Hub) leased(es spec.Entries) error {
	for i, e := range es {
		if err := h.hasLease(e.Lease); err != nil {
			return within(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}

// UnknownLease returns the error about a name that no lease has.
func (h *Hub) UnknownLease(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return unknown("lease", name, slices.Sorted(maps.Keys(h.leases)))
}

// Leases returns all leases, sorted by name.
func (h *Hub) Leases() []status.Lease {
	h.mu.Lock()
	leases := slices.SortedFunc(maps.Values(h.leases), func(a, b *lease) int { return strings.Compare(a.name, b.name) })
	h.mu.Unlock()
	all := []status.Lease{}
	for _, l := range leases {
		all = append(all, h.leaseStatus(l))
	}
	return all
}

// leaseStatus returns a lease as it is now.
func (h *Hub) leaseStatus(l *lease) status.Lease {
	h.mu.Lock()
	s := status.Lease{
		Name: l.name, TTL: spec.Duration(l.ttl), Till: l.till, Held: l.held, By: l.by, Gates: []string{}, Faults: []string{}, Doors: []string{},
	}
	h.mu.Unlock()
	for _, g := range h.all() {
		g.mu.Lock()
		if g.lease == l.name {
			s.Gates = append(s.Gates, g.name)
		}
		if g.door.lease == l.name {
			s.Doors = append(s.Doors, g.name)
		}
		var ids []string
		for _, f := range g.faults {
			if f.lease == l.name && !f.lifted {
				ids = append(ids, g.name+"/"+f.id)
			}
		}
		g.mu.Unlock()
		slices.Sort(ids)
		s.Faults = append(s.Faults, ids...)
	}
	return s
}

package hub

import (
	"fmt"

	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// Create creates a gate. What it imposes holds before it listens. Without a name it gets one.
func (h *Hub) Create(by string, s spec.Gate) (status.Gate, error) {
	if s.Name == "" {
		s.Name = h.nameGate()
	}
	release, err := h.claim(s.Name)
	if err != nil {
		return status.Gate{}, err
	}
	defer release()
	if _, err := h.find(s.Name); err == nil {
		return status.Gate{}, errorf(Taken, "name", "name: got %s, which another gate has", s.Name)
	}
	g, err := h.begin(by, "", s, nil)
	if err != nil {
		return status.Gate{}, err
	}
	return g.status(), h.save()
}

// nameGate makes up a name that no gate has.
func (h *Hub) nameGate() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		h.made++
		name := fmt.Sprintf("gate-%d", h.made)
		if h.gates[name] == nil && h.claims[name] == nil {
			return name
		}
	}
}

// begin makes a gate, starts it and makes it known, in place of an old one if that is not nil. Its name is claimed.
func (h *Hub) begin(by, owner string, s spec.Gate, old *gate) (*gate, error) {
	if err := h.leasedGate(s); err != nil {
		return nil, err
	}
	g, err := h.newGate(by, owner, s)
	if err != nil {
		return nil, err
	}
	if old != nil {
		g.by, g.since = old.by, old.since
		if s.Listen == old.gate.Addr() {
			g.asked.Listen = old.asked.Listen
		}
	}
	if err := g.start(); err != nil {
		return nil, err
	}
	if err := h.put(g); err != nil {
		g.leave()
		g.gate.Close()
		return nil, err
	}
	for _, es := range []spec.Entries{s.ToServer, s.ToClient} { // leases may have ended before it was known
		if err := h.leased(es); err != nil {
			h.remove(g, cause{because: "its lease has ended"})
			return nil, err
		}
	}
	return g, nil
}

// leasedGate says which lease of a gate there is not, if so.
func (h *Hub) leasedGate(s spec.Gate) error {
	if err := h.hasLease(s.Lease); err != nil {
		return err
	}
	if err := h.leased(s.ToServer); err != nil {
		return within("to_server", err)
	}
	if err := h.leased(s.ToClient); err != nil {
		return within("to_client", err)
	}
	return nil
}

// Remove removes a gate, with its connections.
func (h *Hub) Remove(by, name string) error {
	release, err := h.claim(name)
	if err != nil {
		return err
	}
	defer release()
	g, err := h.find(name)
	if err != nil {
		return err
	}
	h.remove(g, cause{by: by})
	return h.save()
}

// remove removes a gate, unless another has already.
func (h *Hub) remove(g *gate, why cause) {
	if !h.take(g) {
		return
	}
	h.dismiss(g)
	h.events.add(status.Event{Type: status.EventRemoved, Gate: g.name, By: why.by, Because: why.because})
}

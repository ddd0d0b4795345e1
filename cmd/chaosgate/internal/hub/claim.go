package hub

import (
	"errors"
	"slices"
)

// claim makes names the caller's until it releases them: meanwhile no other creates, replaces or removes gates of these names. It waits
// for those who do, none of whom waits for a peer.
func (h *Hub) claim(names ...string) (release func(), err error) {
	for {
		h.mu.Lock()
		if h.closed {
			h.mu.Unlock()
			return nil, &Error{Gone, "", ErrClosed}
		}
		at := slices.IndexFunc(names, func(name string) bool { return h.claims[name] != nil })
		if at < 0 {
			break
		}
		busy := h.claims[names[at]]
		h.mu.Unlock()
		<-busy
	}
	defer h.mu.Unlock()
	done := make(chan struct{})
	for _, name := range names {
		h.claims[name] = done
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, name := range names {
			delete(h.claims, name)
		}
		close(done)
	}, nil
}

// put makes a gate known. If its lease has ended it is not.
func (h *Hub) put(g *gate) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g.lease != "" && h.leases[g.lease] == nil {
		return unknown("lease", g.lease, nil)
	}
	if h.closed {
		return &Error{Gone, "", errors.New("the daemon is stopping")}
	}
	h.gates[g.name] = g
	return nil
}

// reinstate makes a gate known again whose place another had, unless it was dismissed.
func (h *Hub) reinstate(g *gate) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g != nil && !g.taken && !h.closed {
		h.gates[g.name] = g
	}
}

// take makes a gate unknown, if it is known still, or was until another took its place: it is then the caller's to dismiss.
func (h *Hub) take(g *gate) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if g.taken || h.closed {
		return false
	}
	if h.gates[g.name] == g {
		delete(h.gates, g.name)
	}
	g.taken = true
	h.closing.Add(1)
	return true
}

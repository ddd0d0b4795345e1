package hub

import (
	"context"
	"slices"

	"github.com/chaosgate/chaos/status"
)

// byID returns a fault that is imposed. g.mu guards it.
func (g *gate) byID(id string) *fault {
	for _, f := range g.faults {
		if f.id == id && !f.lifted {
			return f
		}
	}
	return nil
}

// fault returns a gate's fault that is imposed on a flow.
func (h *Hub) fault(w Where, id string) (*gate, *fault, error) {
	g, flow, _, err := h.flow(w)
	if err != nil {
		return nil, nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var known []string
	for _, i := range flow.Imposed() {
		f := g.faults[i]
		if f == nil || f.lifted {
			continue
		}
		if f.id == id {
			return g, f, nil
		}
		known = append(known, f.id)
	}
	return nil, nil, unknown("fault", id, known)
}

// Fault returns a fault, with the offsets from which it holds.
func (h *Hub) Fault(w Where, id string) (status.Fault, error) {
	g, f, err := h.fault(w, id)
	if err != nil {
		return status.Fault{}, err
	}
	return g.read(f), nil
}

// read returns a fault of the gate's as it is now.
func (g *gate) read(f *fault) status.Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f.status(true)
}

// Find returns the flow on which a gate's fault is imposed.
func (h *Hub) Find(name, id string) (Where, error) {
	g, err := h.find(name)
	if err != nil {
		return Where{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.byID(id)
	if f == nil {
		var known []string
		for _, f := range g.faults {
			if !f.lifted {
				known = append(known, f.id)
			}
		}
		slices.Sort(known)
		return Where{}, unknown("fault", id, known)
	}
	return Where{name, f.number(), f.dir}, nil
}

// WaitHits waits until a fault has fired n times, and returns it.
func (h *Hub) WaitHits(ctx context.Context, w Where, id string, n int64) (status.Fault, error) {
	g, f, err := h.fault(w, id)
	if err != nil {
		return status.Fault{}, err
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with WaitHits
		select {
		case <-f.over:
			stop()
		case <-waiting.Done():
		}
	}()
	switch {
	case f.imposed.Wait(waiting, n) == nil:
		return g.read(f), nil
	case ctx.Err() == nil:
		return g.read(f), errorf(Gone, "fault", "%s was lifted after it had fired %d times, not %d", id, f.imposed.Hits(), n)
	default:
		return g.read(f), waited(ctx, "%s has fired %d times, not %d", id, f.imposed.Hits(), n)
	}
}

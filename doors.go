package chaos

import (
	"context"
	"time"
)

// SetDoor sets how new connections are received. Live connections are untouched. Where a platform or a network cannot
// do a door the error says so, and the door stays as it was. Before Start it is noted, and Start says so.
func (g *Gate) SetDoor(d Door) error {
	g.changing.Lock()
	defer g.changing.Unlock()
	state, f := g.stand()
	switch {
	case state == closed:
		return ErrClosed
	case state == unstarted:
		g.mu.Lock()
		g.first = d
		g.mu.Unlock()
		return nil
	case f.door() == d:
		return nil
	}
	if err := f.setDoor(d); err != nil {
		return err
	}
	g.events.add(Event{Type: EventDoor, Door: d})
	return nil
}

// Door returns how new connections are received.
func (g *Gate) Door() Door {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.front == nil {
		return g.first
	}
	return g.front.door()
}

// DoorHits returns how many connections the door has met that is not open: those that wait, for Hold; the SYNs that were
// dropped, for Blackhole. What Refuse has refused cannot be seen.
func (g *Gate) DoorHits() int64 {
	if _, f := g.stand(); f != nil {
		return f.hits()
	}
	return 0
}

// WaitDoor blocks until the door has met n connections.
func (g *Gate) WaitDoor(ctx context.Context, n int64) error {
	tick := time.NewTicker(2 * time.Millisecond) // the kernel counts them, and tells nobody
	defer tick.Stop()
	for g.DoorHits() < n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

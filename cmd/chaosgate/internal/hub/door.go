package hub

import (
	"context"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// A DoorSetting is how a door is to be, and for how long.
type DoorSetting struct {
	Door  chaos.Door
	For   time.Duration // after which it opens; never if zero
	Lease string        // with which it opens; none if empty
}

// SetDoor sets how a gate receives new connections.
func (h *Hub) SetDoor(by, name string, d DoorSetting) (status.Gate, error) {
	g, err := h.find(name)
	if err != nil {
		return status.Gate{}, err
	}
	if d.For < 0 {
		return status.Gate{}, errorf(Invalid, "for", "for: got %v, want a duration above 0", d.For)
	}
	if err := h.hasLease(d.Lease); err != nil {
		return status.Gate{}, err
	}
	if err := g.turn(cause{by: by}, d, false); err != nil {
		return status.Gate{}, err
	}
	if err := h.hasLease(d.Lease); err != nil { // it has ended meanwhile
		g.turn(cause{because: "lease " + d.Lease + " has ended"}, DoorSetting{}, false)
		return status.Gate{}, err
	}
	return g.status(), h.save()
}

// turn sets the gate's door; thawed is whether by who has frozen the gate.
func (g *gate) turn(why cause, d DoorSetting, thawed bool) error {
	g.mu.Lock()
	if err := g.changes(thawed); err != nil {
		g.mu.Unlock()
		return err
	}
	g.mu.Unlock()
	was := g.gate.Door()
	err := g.gate.SetDoor(d.Door)
	if err == nil && was != d.Door {
		g.doorEvent(why, d.Door)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changed()
	if err != nil {
		return &Error{Unable, "door", err}
	}
	g.door.shut()
	if d.Door == chaos.Open {
		return nil
	}
	till := time.Time{}
	if d.For > 0 {
		till = time.Now().Add(d.For)
	}
	g.keepDoor(till, d.Lease)
	return nil
}

// doorEvent tells that the door was set.
func (g *gate) doorEvent(why cause, d chaos.Door) {
	g.hub.events.add(status.Event{Type: chaos.EventDoor, Gate: g.name, Door: &d, By: why.by, Because: why.because})
}

// keepDoor has the door stay as it is until some time, if that is not zero, or until a lease ends. g.mu guards it.
func (g *gate) keepDoor(till time.Time, lease string) {
	if g.door.till, g.door.lease = till, lease; till.IsZero() {
		return
	}
	g.door.timer = time.AfterFunc(time.Until(till), func() {
		g.mu.Lock()
		changed := !g.door.till.Equal(till)
		g.mu.Unlock()
		if !changed && g.turn(cause{because: "its time was over"}, DoorSetting{}, false) == nil {
			g.hub.saveSoon()
		}
	})
}

// shut has the door stay as it is.
func (d *door) shut() {
	d.till, d.lease = time.Time{}, ""
	if d.timer != nil {
		d.timer.Stop()
	}
}

// WaitDoor waits until a gate's door has met n connections.
func (h *Hub) WaitDoor(ctx context.Context, name string, n int64) (status.Gate, error) {
	g, err := h.find(name)
	if err != nil {
		return status.Gate{}, err
	}
	if err := g.wait(ctx, func(ctx context.Context) error { return g.gate.WaitDoor(ctx, n) }); err != nil {
		return g.status(), g.waited(ctx, "the door of gate %s has met %d connections, not %d", name, g.gate.DoorHits(), n)
	}
	return g.status(), nil
}

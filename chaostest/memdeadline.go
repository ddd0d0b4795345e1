package chaostest

import (
	"sync"
	"time"
)

// A memDeadline is where the calls of one kind (the Reads of a connection, its Writes, the Accepts of a listener) are
// parked, together with the moment at which they give up. A parked call sits in a sync.Cond, which a synctest bubble
// takes for durably blocked.
type memDeadline struct {
	cond  sync.Cond   // L is the owner's mutex and guards the fields below
	at    time.Time   // when the calls give up; never if zero
	timer *time.Timer // wakes the parked at the moment it was last armed for; nil until a call is parked with a deadline
	armed time.Time   // what timer is set to; zero if it is not running
}

// set moves the deadline, and wakes the parked so that they look at it. The owner's mutex is held.
func (d *memDeadline) set(t time.Time) {
	d.at = t
	d.disarm()
	d.cond.Broadcast()
}

// expired reports whether calls must give up now. The owner's mutex is held.
func (d *memDeadline) expired() bool {
	return !d.at.IsZero() && !time.Now().Before(d.at)
}

// wait parks the caller until something may have changed. The owner's mutex is held, but for the time of parking.
func (d *memDeadline) wait() {
	if !d.at.IsZero() && !d.armed.Equal(d.at) {
		d.armed = d.at
		if d.timer == nil {
			d.timer = time.AfterFunc(time.Until(d.at), d.ring)
		} else {
			d.timer.Reset(time.Until(d.at))
		}
	}
	d.cond.Wait()
}

// ring wakes the parked. It marks the timer as not running, so that a call which finds that the moment has not quite come
// (a deadline without a monotonic reading can seem to be a little later than its timer) arms it once more.
func (d *memDeadline) ring() {
	d.cond.L.Lock()
	defer d.cond.L.Unlock()
	d.armed = time.Time{}
	d.cond.Broadcast()
}

// disarm stops the timer, so that no virtual clock stops at a moment that means nothing any more. The owner's mutex is held.
func (d *memDeadline) disarm() {
	if d.armed.IsZero() {
		return
	}
	d.timer.Stop()
	d.armed = time.Time{}
}

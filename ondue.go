package chaos

import "time"

// onDue hands datagrams to a fault when they get there, each at its moment and one after the other, whatever the faults before have
// done to their order: for faults that decide by what is there at a moment. It is, or is part of, the stage's State. The time that
// was added before has gone by when a datagram is handed over, and is nothing that could be taken back.
type onDue struct {
	kept
	then  Sink
	bell  bell
	now   Segment   // what is being handed over
	since time.Time // nothing gets there before: when a moment was last moved to the past
	hand  func()    // hands it over; bound once, like wake
	wake  func()
}

// begin has the datagrams handed to a fault that was imposed or changed. Lifted, what has not got there yet goes on.
func (o *onDue) begin(st *Stage, next, then Sink) {
	o.st, o.then, o.bell = st, then, bell{}
	if o.hand == nil {
		o.hand = func() { o.then(o.now) }
		o.wake = func() {
			if o.bell.rang(o.st.line.now) {
				o.move()
			}
		}
		o.moved = func() {
			o.since, o.bell = o.st.line.now, bell{}
			o.arm()
		}
	}
	o.arm()
	st.Cleanup(func() { o.release(next) })
}

// sink takes a datagram.
func (o *onDue) sink(s Segment) {
	if o.front() == nil && !s.Due.After(o.st.line.now) {
		o.pass(s)
		return
	}
	o.keep(s)
	o.move()
}

// move hands over what has got there.
func (o *onDue) move() {
	for it := o.front(); it != nil && !it.leave.After(o.st.line.now); it = o.front() {
		s := it.segment()
		s.Due = later(it.leave, o.since)
		o.pass(s)
		o.pop()
	}
	o.arm()
}

// pass hands a datagram over.
func (o *onDue) pass(s Segment) {
	o.now = s
	o.path = o.st.again(s, nil, o.path, o.hand)
	o.now = Segment{}
}

// arm waits for what comes next.
func (o *onDue) arm() {
	if it := o.front(); it != nil {
		o.bell.at(o.st, it.leave, o.wake)
	}
}

// A bell is an alarm that may be set to an earlier moment. What it has called asks whether it was meant.
type bell struct{ set time.Time } // when it rings, zero if it does not

// at has the bell ring at t if it would not ring before.
func (b *bell) at(st *Stage, t time.Time, f func()) {
	if b.set.IsZero() || t.Before(b.set) {
		b.set = t
		st.At(t, f)
	}
}

// rang reports whether it was time, and if so the bell can be set again. An alarm that was set for a moment which another
// has come before finds that it is not, or no more.
func (b *bell) rang(now time.Time) bool {
	if b.set.IsZero() || b.set.After(now) {
		return false
	}
	b.set = time.Time{}
	return true
}

package chaos

import (
	"cmp"
	"slices"
	"time"
)

// overtaken is what a [Reorder] holds back. It is the stage's State. Datagrams are overtaken, and overtake others, at the moments at which
// they get to the fault.
type overtaken struct {
	onDue           // what is yet to get there
	held    kept    // what others are to overtake, in the order in which it got there
	since   []int64 // how many had passed when each of these got there
	passed  int64   // how many have
	fault   Reorder
	next    Sink
	waits   bell
	freed   Segment // what is being let go
	letGo   func()  // passes it on; bound once, like patient
	patient func()  // lets those go that have waited for long
}

// follow makes the fault the one to obey, now that it was imposed or changed.
func (o *overtaken) follow(f Reorder, st *Stage, next Sink) {
	o.fault, o.next, o.waits = f, next, bell{}
	o.held.st, o.held.fifo = st, true
	if o.letGo == nil {
		o.letGo = func() { o.next(o.freed) }
		o.patient = func() {
			if o.waits.rang(o.st.line.now) {
				o.settle(o.st.line.now)
			}
		}
	}
	st.Cleanup(func() {
		o.held.release(next)
		o.since = o.since[:0]
	})
	o.begin(st, next, o.arrive)
	if o.held.front() != nil {
		o.waits.at(st, st.Now(), o.patient) // a change may let some of them go
	}
}

// arrive takes a datagram that has got there.
func (o *overtaken) arrive(s Segment) {
	st := o.st
	o.settle(s.Due)
	switch {
	case s.End != More:
		for o.held.front() != nil {
			o.free(s.Due)
		}
		o.next(s)
	case st.chance(st.Offset()) < o.fault.Chance:
		st.Hit(len(s.Data))
		o.held.keep(s)
		o.since = append(o.since, o.passed)
		o.settle(s.Due)
	default:
		o.next(s)
		o.passed++
		o.settle(s.Due)
	}
}

// settle lets those go that enough others have passed, or that have waited long enough at a moment.
func (o *overtaken) settle(now time.Time) {
	for it := o.held.front(); it != nil; it = o.held.front() {
		end := it.due.Add(cmp.Or(o.fault.Within, 100*time.Millisecond))
		switch {
		case o.passed-o.since[0] >= int64(max(1, o.fault.Gap)):
			o.free(now)
		case !end.After(now):
			o.free(end)
		default:
			o.waits.at(o.st, end, o.patient)
			return
		}
	}
}

// free lets the first go.
func (o *overtaken) free(due time.Time) {
	came := o.held.front().segment()
	o.freed = came
	o.freed.Due = later(came.Due, due)
	o.held.path = o.st.again(came, nil, o.held.path, o.letGo)
	o.held.pop()
	o.since = slices.Delete(o.since, 0, 1)
}

func (o *overtaken) bytes() int64 { return o.kept.bytes() + o.held.bytes() }

package chaos

import "time"

// An order is when the last of the datagrams leaves that a [Delay] keeps in order. It is a State.
type order struct{ last mark }

// behind returns when a datagram leaves that has come by a path and could leave at due.
func (o *order) behind(due time.Time, path []step) time.Time {
	if due.Before(o.last.due) {
		return o.last.due
	}
	o.last.set(due, path)
	return due
}

// takeBack implements keeper: nothing waits for a moment that was put off by a fault which is lifted.
func (o *order) takeBack(st *Stage, _ time.Time) { o.last.takeBack(st) }

func (o *order) bytes() int64 { return 0 }

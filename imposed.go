package chaos

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// An Imposed is one fault imposed on one flow. It can be lifted, changed, counted and waited for.
type Imposed struct {
	flow    *Flow
	ordinal int       // the smallest that was free in its flow
	when    time.Time // the moment it was imposed

	count atomic.Int64

	mu         sync.Mutex // guards what follows; held shortly
	fault      Fault
	last       Hit
	unreported int64 // hits that no event has told yet
	waiters    []hitWaiter
	shared     map[sharer]any
}

// A Hit is evidence that a fault fired: where it changed what would have happened.
type Hit struct {
	Conn      uint64    // the connection's ordinal
	Direction Direction // which way the bytes went
	Offset    int64     // position of the first byte concerned in the stream that the source sent, or the datagram's number
	Bytes     int64     // how many bytes were concerned
	Time      time.Time
}

// A Position is a place in the stream of one connection, or among its datagrams.
type Position struct {
	Conn   uint64 // the connection's ordinal
	Offset int64
}

type hitWaiter struct {
	n     int64
	fired chan struct{} // closed once there are n hits
}

// Fault returns the fault that is imposed.
func (i *Imposed) Fault() Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fault
}

// Ordinal returns the fault's number in its flow, which is a part of what its randomness depends on.
func (i *Imposed) Ordinal() int { return i.ordinal }

// Hits returns how often the fault has changed what would have happened.
func (i *Imposed) Hits() int64 { return i.count.Load() }

// LastHit returns the latest hit, and false if there is none.
func (i *Imposed) LastHit() (Hit, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.last, !i.last.Time.IsZero()
}

// Wait blocks until the fault has fired n times.
func (i *Imposed) Wait(ctx context.Context, n int64) error {
	i.mu.Lock()
	if i.count.Load() >= n {
		i.mu.Unlock()
		return nil
	}
	w := hitWaiter{n, make(chan struct{})}
	i.waiters = append(i.waiters, w)
	i.mu.Unlock()
	select {
	case <-w.fired:
		return nil
	case <-ctx.Done():
		i.forget(w)
		return context.Cause(ctx)
	}
}

func (i *Imposed) forget(w hitWaiter) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for k, x := range i.waiters {
		if x.fired == w.fired {
			i.waiters = append(i.waiters[:k], i.waiters[k+1:]...)
			return
		}
	}
}

// hit counts n hits, the first of which is h.
func (i *Imposed) hit(h Hit, n int64) {
	if n <= 0 {
		return
	}
	i.mu.Lock()
	count := i.count.Add(n)
	i.last = h
	first := i.unreported == 0
	i.unreported += n
	kept := i.waiters[:0]
	for _, w := range i.waiters {
		if count >= w.n {
			close(w.fired)
		} else {
			kept = append(kept, w)
		}
	}
	clear(i.waiters[len(kept):])
	i.waiters = kept
	i.mu.Unlock()
	if first {
		i.flow.events().fire(i)
	}
}

// takeUnreported returns the hits that no event has told yet, and the last of them.
func (i *Imposed) takeUnreported() (n int64, last Hit) {
	i.mu.Lock()
	defer i.mu.Unlock()
	n, i.unreported = i.unreported, 0
	return n, i.last
}

// A sharer is who shares a value with other connections: how many faults carry it, and of which type it is. A connection may impose the fault
// of before when another has taken its place already.
type sharer struct {
	depth int
	fault reflect.Type
}

// sharedValue returns the value that all connections share, made by init when it is first asked for.
func (i *Imposed) sharedValue(by sharer, init func() any) any {
	i.mu.Lock()
	defer i.mu.Unlock()
	v, ok := i.shared[by]
	if !ok {
		v = init()
		if i.shared == nil {
			i.shared = make(map[sharer]any)
		}
		i.shared[by] = v
	}
	return v
}

// Lift takes the fault away. When Lift returns, every connection goes on without it: what it held back is released, and
// the time that it added to bytes under way is taken back. To lift a fault that is not imposed any more does nothing.
func (i *Imposed) Lift() { i.flow.lift(i) }

// Change puts another fault in this one's place, which keeps its number, its hits and, where the type stays, what it
// remembers of each connection: a limit goes on counting. It panics with a [*FaultError] on a fault that [Check] refuses.
// To change a fault that was lifted does nothing.
func (i *Imposed) Change(fault Fault) { i.flow.replace(i, fault) }

// Offsets tells for each live connection from which position of its stream the fault holds.
func (i *Imposed) Offsets() []Position {
	var ps []Position
	i.each(func(w *follower, offset int64) { ps = append(ps, Position{w.line.conn.ordinal, offset}) })
	slices.SortFunc(ps, func(a, b Position) int { return cmp.Compare(a.Conn, b.Conn) })
	return ps
}

// endAll ends the connections that the fault is imposed on, or the one that so many others carry, save that of one line.
func (i *Imposed) endAll(how End, depth int, except *line) {
	i.each(func(w *follower, _ int64) {
		if &w.line != except {
			w.post(func() { w.line.endWhere(i, how, depth) })
		}
	})
}

// each calls f with each follower that obeys the fault, and the position from which it does.
func (i *Imposed) each(f func(w *follower, offset int64)) {
	i.flow.mu.Lock()
	defer i.flow.mu.Unlock()
	for w := i.flow.followed; w != nil; w = w.obeys[i.flow.level].next {
		for _, s := range w.obeys[i.flow.level].since {
			if s.imposed == i {
				f(w, s.offset)
			}
		}
	}
}

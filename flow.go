package chaos

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Flow is the traffic going one way: through a gate, or through one of its connections. The zero Flow lets
// everything pass. Its faults can be changed at any time, by any goroutine.
//
// When a change returns, every connection obeys it: no byte that reaches the gate from then on is treated the old way.
// Bytes that are under way already are not touched by a fault that is added. No change waits for a peer.
type Flow struct {
	prog atomic.Pointer[program] // nil stands for the empty one

	mu       sync.Mutex // guards what follows; never held while waiting
	followed *follower  // the first; each knows the next
	follows  int        // how many there are
	barrier  *barrier   // the newest that is waited for

	gate  *Gate // nil until the gate starts
	dir   Direction
	level uint8  // 0 for a gate's flow, 1 for a connection's
	conn  uint64 // the connection's ordinal, at level 1
}

// A program is what a Flow imposes. It is immutable.
type program struct {
	n       uint64 // grows by one with each change
	entries []entry
}

var emptyProgram = new(program)

func (f *Flow) program() *program {
	if p := f.prog.Load(); p != nil {
		return p
	}
	return emptyProgram
}

// Set replaces the faults that are imposed on the flow; Set() lifts them all. The first fault sees the bytes first.
// A fault deeply equal to one that is imposed already stays, with its Imposed and its memory, so that the same list set
// twice changes nothing. Set returns the Imposed of each fault, in order. It panics with a [*FaultError] on a fault
// that [Check] refuses, before anything changes.
func (f *Flow) Set(faults ...Fault) []*Imposed {
	f.must(faults)
	imposed := make([]*Imposed, len(faults))
	f.change(func(now []entry) []entry {
		next := make([]entry, len(faults))
		seen := 0 // only a later one can stay than the one that stayed before, for stages that hold bytes keep their order
		for k, fault := range faults {
			if at := slices.IndexFunc(now[seen:], func(e entry) bool { return sameFault(e.fault, fault) }); at >= 0 {
				next[k] = now[seen+at]
				seen += at + 1
			}
		}
		for k, fault := range faults {
			if next[k].imposed == nil {
				next[k] = f.impose(fault, next)
			}
			imposed[k] = next[k].imposed
		}
		return next
	})
	return imposed
}

// Add imposes one more fault, behind the others. It panics as Set does.
func (f *Flow) Add(fault Fault) *Imposed {
	f.must([]Fault{fault})
	var i *Imposed
	f.change(func(now []entry) []entry {
		e := f.impose(fault, now)
		i = e.imposed
		return append(slices.Clip(now), e)
	})
	return i
}

// Imposed returns what is imposed on the flow, in order.
func (f *Flow) Imposed() []*Imposed {
	p := f.program()
	is := make([]*Imposed, len(p.entries))
	for k, e := range p.entries {
		is[k] = e.imposed
	}
	return is
}

func (f *Flow) lift(i *Imposed) {
	f.change(func(now []entry) []entry {
		return slices.DeleteFunc(slices.Clone(now), func(e entry) bool { return e.imposed == i })
	})
}

func (f *Flow) replace(i *Imposed, fault Fault) {
	f.must([]Fault{fault})
	f.change(func(now []entry) []entry {
		at := slices.IndexFunc(now, func(e entry) bool { return e.imposed == i })
		if at < 0 || sameFault(now[at].fault, fault) {
			return now
		}
		next := slices.Clone(now)
		next[at].fault = fault
		next[at].version++
		i.mu.Lock()
		if !sameShape(i.fault, fault) {
			i.shared = nil
		}
		i.fault = fault
		i.mu.Unlock()
		return next
	})
}

// must panics with what Check says.
func (f *Flow) must(faults []Fault) {
	f.mu.Lock()
	g := f.gate
	f.mu.Unlock()
	networks := []string{"tcp", "unix", "udp"} // before Start any will do, and Start checks again
	if g != nil {
		networks = []string{g.network()}
	}
	var first error
	for _, network := range networks {
		err := Check(network, faults...)
		if err == nil {
			return
		}
		first = cmp.Or(first, err)
	}
	panic(first)
}

// impose returns an entry for a fault whose ordinal is the smallest that none of the taken has.
func (f *Flow) impose(fault Fault, taken []entry) entry {
	n := 0
	for slices.ContainsFunc(taken, func(e entry) bool { return e.imposed != nil && e.imposed.ordinal == n }) {
		n++
	}
	return entry{imposed: &Imposed{flow: f, ordinal: n, when: time.Now(), fault: fault}, fault: fault}
}

// change publishes a new program and waits until every follower obeys it or a later one.
func (f *Flow) change(edit func(now []entry) []entry) { f.publish(edit).wait() }

// liftAll publishes the empty program.
func (f *Flow) liftAll() *barrier { return f.publish(func([]entry) []entry { return nil }) }

// publish makes a new program the one to obey, and returns what to wait for. The order in which it does so matters: the
// program is stored before the followers are nudged, and a pump arms its deadlines before it looks whether it was
// kicked, so that one of the two always notices the other.
func (f *Flow) publish(edit func(now []entry) []entry) (b *barrier) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.program()
	next := edit(old.entries)
	if slices.EqualFunc(old.entries, next, func(a, b entry) bool { return a.imposed == b.imposed && a.version == b.version }) {
		b = f.barrier // what is asked for stands already, but may not be obeyed yet
	} else {
		p := &program{old.n + 1, next}
		f.prog.Store(p)
		f.tell(old.entries, next)
		if f.follows > 0 {
			b = &barrier{p.n, f.follows, make(chan struct{}), f.barrier}
			f.barrier = b
			for w := f.followed; w != nil; w = w.obeys[f.level].next {
				w.nudge()
			}
		}
	}
	return b
}

// join makes a follower obey the flow; it adopts the program next. f.mu guards what followers say of themselves.
func (f *Flow) join(w *follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := &w.obeys[f.level]
	if o.next = f.followed; o.next != nil {
		o.next.obeys[f.level].prev = w
	}
	f.followed = w
	f.follows++
	o.n = f.program().n
}

// obeyed says that a follower obeys program n, and from which positions.
func (f *Flow) obeyed(w *follower, n uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := &w.obeys[f.level]
	o.since = o.since[:0]
	for _, st := range w.line.stages {
		if st.imposed.flow == f && !st.gone && !st.lingers {
			o.since = append(o.since, since{st.imposed, st.since})
		}
	}
	f.pass(o.n, n)
	o.n = n
}

// leave ends what join began.
func (f *Flow) leave(w *follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := &w.obeys[f.level]
	if o.prev != nil {
		o.prev.obeys[f.level].next = o.next
	} else {
		f.followed = o.next
	}
	if o.next != nil {
		o.next.obeys[f.level].prev = o.prev
	}
	o.prev, o.next = nil, nil
	f.follows--
	f.pass(o.n, f.program().n)
}

// bind makes the flow a part of a gate.
func (f *Flow) bind(g *Gate, dir Direction, level uint8, conn uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh := f.gate == nil
	f.gate, f.dir, f.level, f.conn = g, dir, level, conn
	if fresh {
		f.tell(nil, f.program().entries)
	}
}

// tell reports what a change of the program changes.
func (f *Flow) tell(old, next []entry) {
	if f.gate == nil || f.gate.events == nil {
		return
	}
	find := func(es []entry, i *Imposed) int {
		return slices.IndexFunc(es, func(e entry) bool { return e.imposed == i })
	}
	for _, e := range old {
		if find(next, e.imposed) < 0 {
			f.gate.events.fired(e.imposed)
			f.gate.events.add(f.event(EventLifted, e))
		}
	}
	for _, e := range next {
		if at := find(old, e.imposed); at < 0 {
			f.gate.events.add(f.event(EventImposed, e))
		} else if old[at].version != e.version {
			f.gate.events.add(f.event(EventChanged, e))
		}
	}
}

func (f *Flow) event(t EventType, e entry) Event {
	return Event{Type: t, Conn: f.conn, Direction: f.dir, Fault: KindOf(e.fault), Ordinal: e.imposed.ordinal, Imposed: e.imposed, Hits: e.imposed.Hits()}
}

// events returns where the flow's events go, nil if nobody observes them.
func (f *Flow) events() *events {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gate == nil {
		return nil
	}
	return f.gate.events
}

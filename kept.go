package chaos

import "time"

// kept is a store for segments that a stage holds back, in the order in which they would leave a line, each with the time that the stages before have added:
// lifted meanwhile, they take it back here as well. It is, or is part of, the stage's State. Its bytes count for the line.
type kept struct {
	st    *Stage // the stage that holds them back now
	queue queue
	fifo  bool   // datagrams, too, stay in the order in which they came
	path  []step // for use again
	moved func() // called when the moments of what is kept have moved; may be nil
}

// keep puts a segment, or a part of it, that the stage's Sink works on into the store.
func (k *kept) keep(s Segment) {
	k.st.locate(&s)
	k.st.line.add(k.queue.push(s, k.st.line.path, k.fifo || !k.st.line.datagrams))
}

// front returns the segment that is next in the store, nil if there is none.
func (k *kept) front() *item { return k.queue.front() }

// pop forgets the segment that is next.
func (k *kept) pop() { k.st.line.add(-k.queue.pop()) }

// release passes everything on. What was due meanwhile is due now: those moments have gone by, and nobody behind is to
// make up for them.
func (k *kept) release(next Sink) {
	for it := k.front(); it != nil; it = k.front() {
		s := it.segment()
		s.Due = later(s.Due, k.st.line.now)
		k.path = k.st.again(s, it.added, k.path, func() { next(s) })
		k.pop()
	}
}

// drop forgets everything.
func (k *kept) drop() {
	for k.front() != nil {
		k.pop()
	}
}

func (k *kept) takeBack(st *Stage, now time.Time) {
	k.queue.takeBack(st, now)
	if k.moved != nil {
		k.moved()
	}
}

func (k *kept) bytes() int64 { return k.queue.bytes() }

// bytes returns how many bytes are under way.
func (q *queue) bytes() (n int64) {
	for _, it := range q.items[q.head:] {
		n += int64(len(it.data))
	}
	return n
}

// segment returns what a kept item was.
func (it *item) segment() Segment {
	return Segment{Data: it.data, Due: it.due, End: it.end, at: it.at, twin: it.twin, by: it.by}
}

// again runs f as though the stage, and those whose faults carry its fault, had just been handed a segment that has
// come by a path. It returns scratch for the next time.
func (st *Stage) again(s Segment, path, scratch []step, f func()) []step {
	l := st.line
	outer := l.path
	l.path = append(scratch[:0], path...)
	st.resume(call{inside: true, due: s.Due, at: s.at, twin: s.twin, data: s.Data, end: s.End, passed: len(l.path)}, f)
	scratch, l.path = l.path[:0], outer
	return scratch
}

// resume runs f while the stage, and those whose faults carry its fault, work on c.
func (st *Stage) resume(c call, f func()) {
	if st == nil {
		f()
		return
	}
	was := st.now
	st.now = c
	st.parent.resume(c, f)
	st.now = was
}

// A keeper is a State that holds bytes back.
type keeper interface {
	takeBack(st *Stage, now time.Time) // takes back the time that a stage has added
	bytes() int64
}

// keepers calls f with the keeper of each stage that has one.
func (l *line) keepers(f func(keeper)) { eachKeeper(l.stages, f) }

func eachKeeper(stages []*Stage, f func(keeper)) {
	for _, st := range stages {
		if k, ok := st.memory.(keeper); ok && !st.gone {
			f(k)
		}
		eachKeeper(st.subs, f)
	}
}

package chaos

import (
	"slices"
	"sync"
	"time"
)

// A queue holds the segments of one line that are under way, in the order in which they leave.
// It allocates nothing in the steady state: items and the chunks that hold their bytes are used again.
type queue struct {
	items []item // items[head:] are under way
	head  int
	chunk *chunk // where the next bytes are copied to
}

// An item is a queued segment.
type item struct {
	data  []byte
	due   time.Time // when it may leave by itself
	leave time.Time // when it leaves in its place in the queue
	end   End
	by    *Stage
	at    int64
	size  int64  // what it counts for
	added []step // what each stage added to due
	chunk *chunk
}

// overhead is what a queued segment costs beside its bytes, so that many small ones are bounded too.
const overhead = 192

// chunkSize is a buffer's: what a gate reads at once and what queued bytes are gathered in. 64 KiB is where larger
// reads stop to pay on loopback.
const chunkSize = 64 << 10

// A chunk holds bytes of queued segments. The queue it belongs to is its only user.
type chunk struct {
	buf  [chunkSize]byte
	used int
	refs int
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// len returns how many segments are under way.
func (q *queue) len() int { return len(q.items) - q.head }

// front returns the segment that leaves next, nil if there is none.
func (q *queue) front() *item {
	if q.head == len(q.items) {
		return nil
	}
	return &q.items[q.head]
}

// push puts a segment under way and returns what it counts for. An ordered queue keeps the order in which segments
// are pushed; otherwise they leave by their moments.
func (q *queue) push(s Segment, path []step, ordered bool) int64 {
	if q.head > 0 && len(q.items) == cap(q.items) {
		q.compact()
	}
	n := len(q.items)
	if n < cap(q.items) {
		q.items = q.items[:n+1]
	} else {
		q.items = append(q.items, item{})
	}
	it := &q.items[n]
	*it = item{due: s.Due, leave: s.Due, end: s.End, by: s.by, at: s.at, size: int64(len(s.Data)) + overhead, added: it.added[:0]}
	for _, p := range path {
		if p.added != 0 {
			it.added = append(it.added, p)
		}
	}
	q.hold(it, s.Data)
	switch {
	case n == q.head:
	case ordered:
		it.leave = later(it.leave, q.items[n-1].leave)
	default:
		q.sink(n)
	}
	return it.size
}

// sink moves the last item before those that leave later.
func (q *queue) sink(n int) {
	for ; n > q.head && q.items[n].leave.Before(q.items[n-1].leave); n-- {
		q.items[n], q.items[n-1] = q.items[n-1], q.items[n]
	}
}

// hold copies an item's bytes.
func (q *queue) hold(it *item, data []byte) {
	n := len(data)
	if n == 0 {
		return
	}
	if n > chunkSize {
		it.data = slices.Clone(data)
		return
	}
	if q.chunk == nil || q.chunk.used+n > chunkSize {
		q.release(q.chunk)
		q.chunk = chunks.Get().(*chunk)
		q.chunk.used, q.chunk.refs = 0, 1
	}
	c := q.chunk
	it.data = c.buf[c.used : c.used+copy(c.buf[c.used:], data) : c.used+n]
	it.chunk = c
	c.used += n
	c.refs++
}

// release gives up a use of a chunk.
func (q *queue) release(c *chunk) {
	if c == nil {
		return
	}
	if c.refs--; c.refs == 0 {
		chunks.Put(c)
	}
}

// pop removes the front and returns what it counted for. An empty queue holds no chunk.
func (q *queue) pop() int64 {
	it := &q.items[q.head]
	size := it.size
	q.release(it.chunk)
	*it = item{added: it.added[:0]}
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		q.release(q.chunk)
		q.chunk = nil
	}
	return size
}

// compact moves what is under way to the beginning. The slices of what was popped are kept for use again.
func (q *queue) compact() {
	for i := q.head; i < len(q.items); i++ {
		q.items[i-q.head], q.items[i] = q.items[i], q.items[i-q.head]
	}
	q.items = q.items[:len(q.items)-q.head]
	q.head = 0
}

// clear drops everything. It leaves the chunks to the collector: there may be very many items.
func (q *queue) clear() { *q = queue{} }

// takeBack takes back the time that a stage added: never before now, never out of order.
func (q *queue) takeBack(st *Stage, now time.Time) {
	for i := q.head; i < len(q.items); i++ {
		it := &q.items[i]
		it.added = slices.DeleteFunc(it.added, func(p step) bool {
			if !p.stage.within(st) {
				return false
			}
			it.due = it.due.Add(-p.added)
			return true
		})
		it.leave = it.due
	}
	live := q.items[q.head:]
	// Datagrams go by their moments; in a stream a segment waits for the one before it.
	if st.line.datagrams {
		slices.SortStableFunc(live, func(a, b item) int { return a.leave.Compare(b.leave) })
		return
	}
	for i := 1; i < len(live); i++ {
		live[i].leave = later(live[i].leave, live[i-1].leave)
	}
}

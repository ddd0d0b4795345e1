package chaos

import (
	"slices"
	"sync"
	"time"
)

// A queue holds the segments of one line that are under way, in the order in which they leave: those of a stream in the order
// in which they came, datagrams as a heap by their moments. It allocates nothing in the steady state: items, their small buffers and the chunks that hold more are used again.
type queue struct {
	items []item // items[head:] are under way
	head  int    // always 0 in a heap
	seq   uint64 // how many datagrams were pushed that leave by their moments; the queue is a heap if any were
	chunk *chunk // where the next bytes are copied to
	cost  int64  // what is under way, with what it takes to keep it
	owned int    // the capacity of the items' own buffers
}

// An item is a queued segment.
type item struct {
	data  []byte
	due   time.Time // when it may leave by itself
	leave time.Time // when it leaves in its place in the queue
	end   End
	by    *Stage
	at    int64
	twin  uint64
	seq   uint64 // which datagram it is, in the order in which they were pushed
	cost  int64  // what it counts for, without its chunk
	added []step // what each stage added to due
	own   []byte // holds a small segment's bytes, kept for use again
	chunk *chunk // holds a larger one's
}

// overhead is what a queued segment costs beside its bytes, so that many small ones are bounded too.
const overhead = 192

const (
	// smallData is up to where the bytes of one of fewItems have a buffer of their own: a chunk for each of many
	// connections that hold back a few bytes would be far more than what they hold.
	smallData = 2 << 10
	fewItems  = 16
	// spareItems and spareBytes are how much an empty queue keeps for use again.
	spareItems = 2048
	spareBytes = 32 << 10
)

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

// small returns up to so many segments that leave next, are due and small, and do not end the stream.
func (q *queue) small(now time.Time, most int) []item {
	rest := q.items[q.head:]
	for n := range rest {
		if it := &rest[n]; n == most || len(it.data) == 0 || len(it.data) > smallData || it.end != More || it.leave.After(now) {
			return rest[:n]
		}
	}
	return rest
}

// push puts a segment under way and returns by how much the queue's cost has grown. An ordered queue keeps the order in
// which segments are pushed; otherwise they are datagrams, which leave by their moments. A queue is one or the other for good.
func (q *queue) push(s Segment, path []step, ordered bool) int64 {
	before := q.cost
	if len(q.items) == cap(q.items) && q.head > len(q.items)/2 { // seldom enough that it costs nothing a segment
		q.compact()
	}
	n := len(q.items)
	if n == cap(q.items) {
		q.grow(max(1, len(path)))
	}
	q.items = q.items[:n+1]
	it := &q.items[n]
	*it = item{due: s.Due, leave: s.Due, end: s.End, by: s.by, at: s.at, twin: s.twin, cost: overhead, added: it.added[:0], own: it.own}
	for _, p := range path {
		if p.added != 0 {
			it.added = append(it.added, p)
		}
	}
	q.hold(it, s.Data)
	q.cost += it.cost
	switch {
	case !ordered:
		q.enheap(n)
	case n > q.head:
		it.leave = later(it.leave, q.items[n-1].leave)
	}
	return q.cost - before
}

// grow makes room for more items, each with so many steps: not an allocation for each.
func (q *queue) grow(steps int) {
	n := len(q.items)
	q.items = slices.Grow(q.items, max(1, fewItems-n))[:n]
	fresh := q.items[n:cap(q.items)]
	all := make([]step, len(fresh)*steps)
	for i := range fresh {
		fresh[i].added, all = all[:0:steps], all[steps:]
	}
}

// hold copies an item's bytes.
func (q *queue) hold(it *item, data []byte) {
	n := len(data)
	switch {
	case n == 0:
	case n <= smallData && q.len() <= fewItems:
		q.owned -= cap(it.own)
		it.own = append(it.own[:0], data...)
		q.owned += cap(it.own)
		it.data = it.own
		it.cost += int64(n)
	case n > chunkSize:
		it.data = slices.Clone(data)
		it.cost += int64(n)
	default:
		if q.chunk == nil || q.chunk.used+n > chunkSize {
			q.release(q.chunk)
			q.chunk = chunks.Get().(*chunk)
			q.chunk.used, q.chunk.refs = 0, 1
			q.cost += chunkSize
		}
		c := q.chunk
		it.data = c.buf[c.used : c.used+copy(c.buf[c.used:], data) : c.used+n]
		it.chunk = c
		c.used += n
		c.refs++
	}
}

// release gives up a use of a chunk.
func (q *queue) release(c *chunk) {
	if c == nil {
		return
	}
	if c.refs--; c.refs == 0 {
		chunks.Put(c)
		q.cost -= chunkSize
	}
}

// pop removes the front and returns by how much the queue's cost has shrunk. An empty queue holds no chunk.
func (q *queue) pop() int64 {
	before := q.cost
	it := &q.items[q.head]
	q.cost -= it.cost
	q.release(it.chunk)
	clear(it.added)
	*it = item{added: it.added[:0], own: it.own}
	if q.seq > 0 {
		q.unheap()
	} else {
		q.head++
	}
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		q.release(q.chunk)
		q.chunk = nil
		if cap(q.items) > spareItems || q.owned > spareBytes {
			q.items, q.owned = nil, 0
		}
	}
	return before - q.cost
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
	if q.seq > 0 {
		q.reheap()
		return
	}
	live := q.items[q.head:] // in a stream a segment waits for the one before it
	for i := 1; i < len(live); i++ {
		live[i].leave = later(live[i].leave, live[i-1].leave)
	}
}

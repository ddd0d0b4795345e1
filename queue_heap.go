package chaos

import (
	"slices"
	"time"
)

// What is under way of datagrams is a heap. It keeps true:
//   - an item leaves no sooner than the one above it, at (n-1)/2; of two with one moment the one pushed first leaves first;
//   - the end of a session leaves behind everything else;
//   - items only change places, so that each keeps its buffers, those of what has left included.

// enheap finds the place of the last item, which was just put there.
func (q *queue) enheap(n int) {
	it := &q.items[n]
	q.seq++
	it.seq = q.seq
	if it.end != More {
		it.leave = later(it.leave, latest(q.items[:n]))
	}
	if n == 0 || !it.before(&q.items[(n-1)/2]) {
		return
	}
	moving := *it
	for n > 0 {
		above := (n - 1) / 2
		if !moving.before(&q.items[above]) {
			break
		}
		q.items[n] = q.items[above]
		n = above
	}
	q.items[n] = moving
}

// unheap takes the first item, which was emptied, out of the heap.
func (q *queue) unheap() {
	last := len(q.items) - 1
	empty := q.items[0]
	moving := q.items[last]
	q.items[last] = empty
	q.items = q.items[:last]
	if last == 0 {
		return
	}
	n := 0
	for {
		below := 2*n + 1
		if below >= last {
			break
		}
		if below+1 < last && q.items[below+1].before(&q.items[below]) {
			below++
		}
		if !q.items[below].before(&moving) {
			break
		}
		q.items[n] = q.items[below]
		n = below
	}
	q.items[n] = moving
}

// reheap puts the items in order after their moments have changed. A sorted slice is a heap.
func (q *queue) reheap() {
	end := latest(q.items)
	for i := range q.items {
		if it := &q.items[i]; it.end != More {
			it.leave = later(it.leave, end)
		}
	}
	slices.SortFunc(q.items, func(a, b item) int {
		if a.before(&b) {
			return -1
		}
		return 1
	})
}

// latest returns when the last of some items leaves.
func latest(items []item) (t time.Time) {
	for i := range items {
		t = later(t, items[i].leave)
	}
	return t
}

// before reports whether a datagram leaves before another.
func (it *item) before(other *item) bool {
	c := it.leave.Compare(other.leave)
	return c < 0 || c == 0 && it.seq < other.seq
}

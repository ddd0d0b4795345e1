package chaos

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// A bucket sells the bytes that a line of some rate can carry. It starts empty, fills at the rate, and holds burst bytes.
//
// All that changes is one number: how many of the line's bytes since base are sold, used or not. The moment at which the line is
// free follows from it exactly, so nothing is rounded twice, and many goroutines can buy at once.
type bucket struct {
	rate  int64 // bytes a second
	burst int64
	base  time.Time    // when the line began
	sold  atomic.Int64 // byte sold-1 is carried at base + sold/rate
}

// take buys n bytes for one who has them at some moment, and returns when the last of them can leave.
func (b *bucket) take(at time.Time, n int) time.Time {
	due, _ := b.queue(at, n, math.MaxInt64)
	return due
}

// queue is take for one who goes away if more than so many bytes wait for the line already.
func (b *bucket) queue(at time.Time, n int, most int64) (due time.Time, ok bool) {
	carried := b.carried(at.Sub(b.base))
	lost := carried - b.burst // what was not used in time is lost, but for the last burst bytes
	for {
		sold := b.sold.Load()
		if sold-carried > most {
			return at, false
		}
		now := max(sold, lost) + int64(n)
		if n == 0 || b.sold.CompareAndSwap(sold, now) {
			return later(at, b.base.Add(b.time(now))), true
		}
	}
}

// free returns when the line is free.
func (b *bucket) free() time.Time { return b.base.Add(b.time(b.sold.Load())) }

// carried returns how many whole bytes the line can carry in a time.
func (b *bucket) carried(t time.Duration) int64 { return scale(t, b.rate, int64(time.Second), 0) }

// time returns how long the line takes to carry n bytes, rounded up: nothing is early.
func (b *bucket) time(n int64) time.Duration {
	return time.Duration(scale(n, int64(time.Second), b.rate, b.rate-1))
}

// scale returns (n·by + add)/of, at most what half an int64 can hold, and 0 for a negative n.
func scale[T ~int64](n T, by, of, add int64) int64 {
	const most = math.MaxInt64 / 2
	if n <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(n), uint64(by))
	lo, carry := bits.Add64(lo, uint64(add), 0)
	hi += carry
	if hi >= uint64(of) {
		return most
	}
	q, _ := bits.Div64(hi, lo, uint64(of))
	return int64(min(q, most))
}

// maxBacklog is how much a slow fault may have taken in advance: enough that its schedule does not run dry between two reads.
const maxBacklog = 50 * time.Millisecond

// holdBacklog holds the reading as long as a slow fault has more to do than it needs to be busy. It is held by what
// the fault has added, never by the moment at which something is due: that may lie far ahead for another fault's sake.
func (st *Stage) holdBacklog(added time.Duration) {
	st.Hold(st.Now().Add(added - maxBacklog))
}

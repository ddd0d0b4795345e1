package chaos

import (
	"cmp"
	"sync/atomic"
	"time"
)

// A till is where a Bandwidth buys. It is the stage's State, or what all connections share.
type till struct {
	atomic.Pointer[bucket]
	path []step // what the stages before have added to what was bought last, if it is the stage's own
}

// takeBack implements keeper: what was bought for a moment that comes sooner now frees the line sooner.
func (t *till) takeBack(st *Stage, _ time.Time) {
	old := t.Load()
	m := mark{old.base, t.path}
	m.takeBack(st)
	t.path = m.path
	if m.due.Equal(old.base) {
		return
	}
	fresh := &bucket{rate: old.rate, burst: old.burst, base: m.due}
	fresh.sold.Store(old.sold.Load())
	t.Store(fresh)
}

func (t *till) bytes() int64 { return 0 }

// open has a bucket that suits the fault put at a till, in place of the one that was there before the fault was changed, whose
// debts it takes over.
func (current *till) open(b Bandwidth, st *Stage) *till {
	old := current.Load()
	fresh := &bucket{rate: b.Rate, burst: cmp.Or(b.Burst, max(1, b.Rate/100)), base: st.Now()}
	if old != nil {
		if old.rate == fresh.rate && old.burst == fresh.burst {
			return current
		}
		fresh.base = old.free()
	}
	current.CompareAndSwap(old, fresh) // or another connection was first
	return current
}

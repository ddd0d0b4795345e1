package chaos

import (
	"math"
	"sync/atomic"
)

// A quota is what the connections that share a [Limit] take their bytes from. When the last is taken, another quota takes its place.
type quota struct {
	taken atomic.Int64 // bytes that are reserved, or spent
	after int64        // the connections up to this one were live when the last quota was spent, and get nothing of this
}

// spent is what has been taken of a quota that nobody can take from any more.
const spent = math.MaxInt64

// A share is one connection's part in a quota. It is a State.
type share struct {
	from *atomic.Pointer[quota] // where the next quota is put, nil if the connection shares none
	of   *quota
	over bool // nothing more passes
}

// join makes the stage's connection take from the quota that is at from, or without that from one of its own.
func (s *share) join(st *Stage, from *atomic.Pointer[quota]) {
	if s.of != nil && s.from == from {
		return
	}
	if s.from, s.of = from, new(quota); from != nil {
		s.of = from.Load()
	}
	if st.Conn().nth <= s.of.after {
		s.of = &quota{}
		s.of.taken.Store(spent)
	}
}

// take reserves up to want bytes, or with whole all of them or none, and tells whether they are the last of the limit. When another
// connection has taken the last, the share is over.
func (s *share) take(st *Stage, want int, limit int64, whole bool) (n int, last bool) {
	for {
		taken := s.of.taken.Load()
		if taken == spent {
			s.over = true
			return 0, false
		}
		left := max(0, limit-taken)
		if int64(want) < left {
			if s.of.taken.CompareAndSwap(taken, taken+int64(want)) {
				return want, false
			}
			continue
		}
		if !s.of.taken.CompareAndSwap(taken, spent) {
			continue
		}
		if s.over = true; s.from != nil {
			s.from.Store(&quota{after: st.Conn().gate.stats.accepted.Load()})
		}
		n = int(min(left, int64(want)))
		if whole && n < want {
			n = 0
		}
		return n, true
	}
}

package chaos

import "sync/atomic"

// A quota counts the bytes that a [Limit] lets pass. When the last is taken, a new generation begins to count from zero.
type quota struct {
	word atomic.Uint64 // the generation, and below it in quotaBits the count, so that both change at once
}

const (
	quotaBits = 48
	maxQuota  = 1 << quotaBits
)

func (q *quota) generation() uint64 { return q.word.Load() >> quotaBits }

// A share is one connection's part in a quota. It is a State.
type share struct {
	of         *quota
	generation uint64 // that of the quota when the connection joined
	over       bool   // nothing more passes
	alone      quota  // the connection's own, if it shares none
}

// join makes the connection take from q from now on.
func (s *share) join(q *quota) {
	if s.of != q {
		s.of, s.generation = q, q.generation()
	}
}

// take reserves up to want bytes, or with whole all of them or none, and tells whether they are the last of the limit. When another
// connection has taken the last, the share is over.
func (s *share) take(want int, limit int64, whole bool) (n int, last bool) {
	for {
		word := s.of.word.Load()
		if word>>quotaBits != s.generation {
			s.over = true
			return 0, false
		}
		left := max(0, limit-int64(word&(maxQuota-1)))
		if int64(want) < left {
			if s.of.word.CompareAndSwap(word, word+uint64(want)) {
				return want, false
			}
			continue
		}
		n = int(min(left, int64(want)))
		if whole && n < want {
			n = 0
		}
		if s.of.word.CompareAndSwap(word, (s.generation+1)<<quotaBits) {
			return n, true
		}
	}
}

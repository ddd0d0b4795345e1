package chaos

import (
	"cmp"
	"sync/atomic"
	"time"
)

// Bandwidth lets at most Rate bytes through each second: in any time t at most Rate·t + Burst, and one write. It adds up with a
// [Delay], before or behind it. The gate reads as fast as that and hardly faster, so that it is the sender's buffers
// that fill. The end of the stream comes behind the data. Datagrams are spread out, and never cut.
type Bandwidth struct {
	Rate   int64 `json:"rate" unit:"B/s" need:"true" help:"how many bytes pass each second"`
	Burst  int64 `json:"burst" unit:"B" default:"10 ms of rate, at least 1 byte" help:"how many bytes may pass at once after a pause"`
	Shared bool  `json:"shared" help:"the rate is one for all connections together, not for each"`
}

// maxBacklog is how much a slow fault may have taken in advance: enough that its schedule does not run dry between two reads.
const maxBacklog = 50 * time.Millisecond

func init() {
	Register("bandwidth", "Bytes pass at a limited rate.", Bandwidth{})
}

// Impose implements [Fault].
func (b Bandwidth) Impose(st *Stage, next Sink) Sink {
	bucket := b.bucket(st)
	st.most = int(max(1, scale(b.Rate, int64(maxBacklog), int64(time.Second), 0)))
	quantum := int(max(1, b.Rate/100)) // 10 ms: coarser is felt, finer is work
	return func(s Segment) {
		due, size := s.Due, len(s.Data)
		for more := true; more; {
			piece := s
			if len(s.Data) > quantum && !st.Datagrams() {
				piece.Data, piece.End = s.Data[:quantum], More
			}
			s.Data = s.Data[len(piece.Data):]
			more = len(s.Data) > 0
			piece.Due = bucket.take(due, len(piece.Data))
			s.Due = piece.Due
			next(piece)
		}
		if s.Due.After(due) {
			st.Hit(size)
		}
		st.holdBacklog(s.Due.Sub(due))
	}
}

// bucket returns the bucket from which the stage takes, with what was taken from it before the fault was changed.
func (b Bandwidth) bucket(st *Stage) *bucket {
	place := st.State
	if b.Shared {
		place = st.Shared
	}
	current := place(func() any { return new(atomic.Pointer[bucket]) }).(*atomic.Pointer[bucket])
	old := current.Load()
	fresh := &bucket{rate: b.Rate, burst: cmp.Or(b.Burst, max(1, b.Rate/100)), base: st.Now()}
	if old != nil {
		if old.rate == fresh.rate && old.burst == fresh.burst {
			return old
		}
		fresh.base = old.free()
	}
	current.CompareAndSwap(old, fresh) // or another connection was first
	return current.Load()
}

// holdBacklog holds the reading as long as a slow fault has more to do than it needs to be busy. It is held by what
// the fault has added, never by the moment at which something is due: that may lie far ahead for another fault's sake.
func (st *Stage) holdBacklog(added time.Duration) {
	st.Hold(st.Now().Add(added - maxBacklog))
}

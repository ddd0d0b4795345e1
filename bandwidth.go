package chaos

import (
	"fmt"
	"time"
)

// Bandwidth lets at most Rate bytes through each second: in any time t at most Rate·t + Burst, and one write. It adds up with a
// [Delay], before or behind it. The gate reads as fast as that and hardly faster, so that it is the sender's buffers
// that fill. The end of the stream comes behind the data.
//
// A datagram is never cut, and nobody makes its sender wait: one that finds more than Queue bytes waiting for the line is dropped.
type Bandwidth struct {
	Rate   int64 `json:"rate" unit:"B/s" need:"true" help:"how many bytes pass each second"`
	Burst  int64 `json:"burst" unit:"B" default:"10 ms of rate, at least 1 byte" help:"how many bytes may pass at once after a pause"`
	Shared bool  `json:"shared" help:"the rate is one for all connections together, not for each"`
	Queue  int64 `json:"queue" unit:"B" default:"100 ms of rate, at least 64KiB" help:"datagrams only: how many bytes may wait; a datagram that finds more is dropped"`
}

func init() {
	Register("bandwidth", "Bytes pass at a limited rate.", Bandwidth{})
}

// Check implements [Checker].
func (b Bandwidth) Check(network string) error {
	if b.Queue > 0 && !datagrams(network) {
		return &FaultError{Param: "queue", Given: fmt.Sprintf("%dB", b.Queue), Allowed: "none, because a stream waits at its sender"}
	}
	return nil
}

// Impose implements [Fault].
func (b Bandwidth) Impose(st *Stage, next Sink) Sink {
	if st.Datagrams() {
		return b.imposeOnDatagrams(st, next)
	}
	place := st.State
	if b.Shared {
		place = st.Shared
	}
	till := place(func() any { return new(till) }).(*till).open(b, st)
	st.most = int(max(1, scale(b.Rate, int64(maxBacklog), int64(time.Second), 0)))
	quantum := int(max(1, b.Rate/100)) // 10 ms: coarser is felt, finer is work
	return func(s Segment) {
		due, size, bucket := s.Due, len(s.Data), till.Load()
		at := due
		if b.Shared {
			at = st.Now() // what one connection gets later must not take the line from the others meanwhile
		} else {
			till.path = append(till.path[:0], st.line.path...)
		}
		for more := true; more; {
			piece := s
			if len(s.Data) > quantum {
				piece.Data, piece.End = s.Data[:quantum], More
			}
			s.Data = s.Data[len(piece.Data):]
			more = len(s.Data) > 0
			piece.Due = due.Add(bucket.take(at, len(piece.Data)).Sub(at))
			s.Due = piece.Due
			next(piece)
		}
		if s.Due.After(due) {
			st.Hit(size)
		}
		st.holdBacklog(s.Due.Sub(due))
	}
}

package chaos

import (
	"math"
	"time"
)

// Delay holds every byte back: it leaves By, give or take Jitter, after it arrived. Bytes stay in order, and the end of
// the stream is delayed as well, behind the data. Datagrams overtake one another if there is Jitter, unless it is Ordered. What is delayed is under way all at once, so the throughput stays
// what it was up to the gate's Window divided by By.
//
// One draw decides for all that was read at once, at the position of its first byte, or for one datagram. Nothing leaves before it arrived.
type Delay struct {
	By           time.Duration `json:"by" help:"how long everything is held back"`
	Jitter       time.Duration `json:"jitter" help:"how far the delay varies"`
	Distribution Distribution  `json:"distribution" one:"uniform normal pareto" default:"uniform" help:"how the jitter is distributed"`
	Ordered      bool          `json:"ordered" help:"a datagram with a shorter delay waits for those before it; a stream always does"`
}

// A Distribution tells how a [Delay] varies.
type Distribution string

// How a delay can vary.
const (
	Uniform Distribution = "uniform" // evenly between By-Jitter and By+Jitter
	Normal  Distribution = "normal"  // around By, with Jitter as the standard deviation
	Pareto  Distribution = "pareto"  // at least By: half are within 0.26·Jitter of it, one in 1000 beyond 9·Jitter
)

func init() {
	Register("delay", "Everything arrives later, without a loss of throughput.", Delay{})
}

// Impose implements [Fault].
func (d Delay) Impose(st *Stage, next Sink) Sink {
	var before *order // nil if nothing waits for others
	if d.Ordered && st.Datagrams() {
		before = st.State(func() any { return new(order) }).(*order)
	}
	return func(s Segment) {
		due := s.Due.Add(d.added(st))
		if before != nil {
			due = before.behind(due, st.line.path)
		}
		if due.After(s.Due) {
			s.Due = due
			st.Hit(len(s.Data))
		}
		next(s)
	}
}

// added returns how long the current segment is held back.
func (d Delay) added(st *Stage) time.Duration {
	if d.Jitter == 0 {
		return d.By
	}
	u := unit(st.Draw(st.Offset()))
	var deviation float64
	switch d.Distribution {
	case Normal:
		deviation = math.Sqrt2 * math.Erfinv(2*u-1)
	case Pareto:
		// The exponent 3 is the smallest whole one with a finite variance.
		deviation = math.Pow(u, -1./3) - 1
	default:
		deviation = 2*u - 1
	}
	by := float64(d.By) + deviation*float64(d.Jitter)
	return time.Duration(min(max(by, 0), float64(longest)))
}

// unit makes a draw a number between 0 and 1 that is neither.
func unit(draw uint64) float64 { return (float64(draw>>12) + 0.5) / (1 << 52) }

package chaos

import (
	"fmt"
	"time"
)

// Concat holds bytes until there are Size of them, or until the first of them has waited for Within, or until the stream ends or the
// fault is lifted. Then all of them leave as one write, behind which the end of the stream comes.
//
// Size is a minimum: what was read together with the last byte that was missing leaves with it. Without Within the last
// bytes of a conversation wait for more, or for the end.
type Concat struct {
	Size   int           `json:"size" unit:"B" need:"true" help:"how many bytes make a write, at least; 64MiB at most"`
	Within time.Duration `json:"within" default:"no limit" help:"how long a byte waits for others at most"`
}

func init() {
	Register("concat", "Data waits until there is more of it, and arrives in one piece.", Concat{})
}

// Check implements [Checker].
func (c Concat) Check(network string) error {
	if c.Size > 64<<20 {
		return &FaultError{Param: "size", Given: fmt.Sprintf("%dB", c.Size), Allowed: "a size of at most 64MiB"}
	}
	return StreamsOnly(network, "datagrams are never joined")
}

// Impose implements [Fault].
func (c Concat) Impose(st *Stage, next Sink) Sink {
	j := st.State(func() any { return new(joined) }).(*joined)
	var ring func()
	// arm sees to it that an alarm rings when the first byte has waited long enough, or before: one at a time will do.
	arm := func() {
		if c.Within > 0 && len(j.data) > 0 && !j.armed {
			j.armed = true
			st.At(j.first.due.Add(c.Within), ring)
		}
	}
	ring = func() {
		j.armed = false
		if deadline := j.first.due.Add(c.Within); !deadline.After(st.Now()) || len(j.data) >= c.Size {
			j.release(first(deadline, st.Now()), next)
		}
		arm()
	}
	j.st, j.moved = st, func() { j.armed = false; arm() }
	if j.moved(); len(j.data) >= c.Size {
		st.At(st.Now(), ring) // it was more before a change
	}
	st.Cleanup(func() {
		j.last.due = later(j.last.due, st.Now())
		j.release(j.last.due, next)
	})
	return func(s Segment) {
		if deadline := j.first.due.Add(c.Within); c.Within > 0 && len(j.data) > 0 && s.Due.After(deadline) {
			j.release(deadline, next) // it will have left when s gets here
		}
		full := len(j.data)+len(s.Data) >= c.Size || s.End != More || st.line.crowded()
		if full && len(j.data) == 0 {
			next(s)
			return
		}
		j.add(s)
		if full {
			j.release(j.last.due, next)
			return
		}
		st.Hit(len(s.Data))
		arm()
	}
}

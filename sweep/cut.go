package sweep

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chaosgate/chaos"
)

// An Action is what happens at a point: a fault that is imposed just there, on all that comes behind it in the point's direction.
type Action struct {
	Name  string
	Help  string // a sentence
	Fault chaos.Fault
	Bytes int64 // on how many bytes; on all if zero
}

// The pauses of the standard actions.
const (
	splitFor = 20 * time.Millisecond // longer than a reader waits that takes what is there for all there is
	delayFor = time.Second
)

// Actions are the standard actions.
var Actions = []Action{
	{Name: "fin", Help: "both sides see the end of the stream", Fault: chaos.Close{}},
	{Name: "reset", Help: "both sides see a reset", Fault: chaos.Close{Reset: true}},
	{Name: "stall", Help: "nothing more comes, and the connection stays", Fault: chaos.Stall{}},
	{Name: "corrupt", Help: "the byte behind the point is another", Fault: chaos.Corrupt{}, Bytes: 1},
	{Name: "split", Help: "what is behind the point comes 20 ms later", Fault: chaos.During{For: splitFor, Fault: chaos.Stall{}}},
	{Name: "delay", Help: "what is behind the point comes a second later", Fault: chaos.During{For: delayFor, Fault: chaos.Stall{}}},
}

// ActionNamed returns a standard action.
func ActionNamed(name string) (Action, error) {
	var names []string
	for _, a := range Actions {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Action{}, fmt.Errorf("action: got %q, want %s", name, strings.Join(names, ", "))
}

// needsByte reports whether the action needs a byte behind its point.
func (a Action) needsByte() bool { return a.Bytes > 0 }

// A cut is a fault that has an action happen at a point, and follows the exchange to find it. It is imposed on both flows of a gate.
//
// Where the action ends the connection nothing goes the other way any more either, from the moment at which the last bytes before the point are let go:
// else the answer to them would be in a race with the end, and one point would have two outcomes.
type cut struct {
	tracker *tracker
	action  Action
	point   Point
	fired   atomic.Bool
}

// ends reports whether the action ends the connection.
func (a Action) ends() bool {
	_, ok := a.Fault.(chaos.Close)
	return ok
}

// Impose implements [chaos.Fault].
func (c *cut) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	var (
		in   chaos.Sink // to the action's fault, while it is imposed
		lift func()
		left int64 // bytes that it is to be imposed on still, if not on all
	)
	begin := func() {
		left = c.action.Bytes
		in, lift = st.Sub(c.action.Fault, next)
	}
	// behind takes what comes behind the point.
	behind := func(s chaos.Segment) {
		if in == nil {
			next(s)
			return
		}
		if c.action.Bytes == 0 || left > int64(len(s.Data)) {
			left -= int64(len(s.Data))
			in(s)
			return
		}
		some := s
		some.Data, some.End = s.Data[:left], chaos.More
		in(some)
		lift()
		in = nil
		if s.Data = s.Data[left:]; len(s.Data) > 0 || s.End != chaos.More {
			next(s)
		}
	}
	return func(s chaos.Segment) {
		if len(s.Data) == 0 {
			behind(s)
			return
		}
		at := c.tracker.move(st.Conn().Ordinal(), st.Direction(), len(s.Data), st.Now())
		if c.fired.Load() && at.Conn == c.point.Conn && at.Direction != c.point.Direction && c.action.ends() {
			if s.End != chaos.More {
				next(chaos.Segment{Due: s.Due, End: s.End})
			}
			return
		}
		before := c.point.Offset - at.Offset
		if c.fired.Load() || at.Conn != c.point.Conn || at.Direction != c.point.Direction || at.Message != c.point.Message || before < 0 || before > int64(len(s.Data)) ||
			before == int64(len(s.Data)) && c.action.needsByte() {
			behind(s)
			return
		}
		st.Hit(len(s.Data) - int(before))
		c.fired.Store(true) // before anything is let go
		if before > 0 {
			some := s
			some.Data, some.End = s.Data[:before], chaos.More
			next(some)
		}
		begin()
		if s.Data = s.Data[before:]; len(s.Data) > 0 || s.End != chaos.More {
			behind(s)
		}
	}
}

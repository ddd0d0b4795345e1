package chaos

import "time"

// After lets Bytes bytes, or a Time, go by before it imposes the fault that it carries: counted from the moment it is imposed
// on the connection, and for connections that are opened later from their beginning. The stream is cut at that very byte. A datagram is
// not: the first that goes beyond meets the fault.
//
// When the Time is over the fault is imposed on what reaches it from then on, as if it were added then.
type After struct {
	Bytes int64         `json:"bytes" unit:"B" help:"how many bytes go by before; either this or time"`
	Time  time.Duration `json:"time" help:"how long it takes before; either this or bytes"`
	Fault Fault         `json:"fault" help:"what is imposed then"`
}

func init() {
	Register("after", "A fault that begins after a number of bytes, or after a time.", After{})
}

// Check implements [Checker].
func (f After) Check(string) error {
	if (f.Bytes > 0) == (f.Time > 0) {
		given := ""
		if f.Bytes > 0 {
			given = "both"
		}
		return &FaultError{Given: given, Allowed: "either bytes or time"}
	}
	return nil
}

// An elapse is what a connection has seen since an [After] was imposed on it. It is a State.
type elapse struct {
	since time.Time
	bytes int64
}

// Impose implements [Fault].
func (f After) Impose(st *Stage, next Sink) Sink {
	e := st.State(func() any { return &elapse{since: st.Now()} }).(*elapse)
	c := &carrier{st: st, fault: f.Fault, next: next}
	over := func() bool { return e.bytes >= f.Bytes && st.Now().Sub(e.since) >= f.Time }
	c.switchTo(over())
	if f.Time > 0 && !c.on {
		st.At(e.since.Add(f.Time), func() { c.switchTo(true) })
	}
	return func(s Segment) {
		left := f.Bytes - e.bytes
		e.bytes += int64(len(s.Data))
		switch {
		case c.on || int64(len(s.Data)) < left || f.Time > 0:
			c.sink(s)
		case st.Datagrams() && int64(len(s.Data)) > left:
			c.switchTo(true)
			c.sink(s)
		case st.Datagrams():
			next(s)
			c.switchTo(true)
		default:
			before := s
			before.Data, before.End = s.Data[:left], More
			if left > 0 {
				next(before)
			}
			c.switchTo(true)
			if s.Data = s.Data[left:]; len(s.Data) > 0 || s.End != More {
				c.sink(s)
			}
		}
	}
}

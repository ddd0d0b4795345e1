package chaos

import "time"

// Idle ends the connection when no byte has reached the fault in this direction for a time. The time begins when the fault is imposed
// on the connection, and anew with each byte. Where something before it stops the bytes, such as a [Stall], none reach it.
type Idle struct {
	For   time.Duration `json:"for" need:"true" help:"how long a connection may be silent"`
	Reset bool          `json:"reset" help:"with RST instead of FIN"`
}

func init() {
	Register("idle", "The connection is closed when it was silent for long.", Idle{})
}

// Check implements [Checker].
func (i Idle) Check(network string) error { return noResetOnUnix(network, i.Reset) }

// Impose implements [Fault].
func (i Idle) Impose(st *Stage, next Sink) Sink {
	last := st.State(func() any { now := st.Now(); return &now }).(*time.Time)
	// One alarm is enough: when it rings too soon, because bytes have come meanwhile, it is set again.
	var ring func()
	ring = func() {
		if end := last.Add(i.For); end.After(st.Now()) {
			st.At(end, ring)
		} else {
			st.endHit(closing(i.Reset))
		}
	}
	st.At(last.Add(i.For), ring)
	return func(s Segment) {
		if len(s.Data) > 0 || st.Datagrams() {
			*last = later(*last, s.Due)
		}
		next(s)
	}
}

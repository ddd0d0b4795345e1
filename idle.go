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
	l := st.State(func() any { return &lull{since: mark{due: st.Now()}} }).(*lull)
	// One alarm is enough: when it rings too soon, because bytes have come meanwhile, it is set again.
	var ring func()
	ring = func() {
		if end := l.since.due.Add(i.For); end.After(st.Now()) {
			st.At(end, ring)
		} else {
			st.endHit(closing(i.Reset))
		}
	}
	l.moved = func() { st.At(l.since.due.Add(i.For), ring) }
	l.moved()
	return func(s Segment) {
		if (len(s.Data) > 0 || st.Datagrams()) && s.Due.After(l.since.due) {
			l.since.set(s.Due, st.line.path)
		}
		next(s)
	}
}

// A lull is how long nothing has come to an [Idle]. It is a State.
type lull struct {
	since mark
	moved func() // called when since has come sooner
}

func (l *lull) takeBack(st *Stage, _ time.Time) {
	l.since.takeBack(st)
	l.moved()
}

func (l *lull) bytes() int64 { return 0 }

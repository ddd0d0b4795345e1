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
func (i Idle) Check(network string) error { return noReset(network, i.Reset) }

// Impose implements [Fault].
func (i Idle) Impose(st *Stage, next Sink) Sink {
	l := st.State(func() any { return &lull{since: mark{due: st.Now()}} }).(*lull)
	// One alarm is enough: when it rings too soon, because bytes have come meanwhile, it is set again.
	var rings bell
	var ring func()
	ring = func() {
		if !rings.rang(st.Now()) {
			return
		}
		if end := l.since.due.Add(i.For); end.After(st.Now()) {
			rings.at(st, end, ring)
		} else {
			st.endHit(closing(i.Reset))
		}
	}
	l.moved = func() { rings.at(st, l.since.due.Add(i.For), ring) }
	l.moved()
	return func(s Segment) {
		if st.hasData(s) {
			l.last.set(s.Due, st.line.path)
			l.latest()
		}
		next(s)
	}
}

// A lull is how long nothing has come to an [Idle]. It is a State.
type lull struct {
	since mark   // when something came last
	last  mark   // when what was read last came; of datagrams that may be before another
	moved func() // called when since has come sooner
}

// latest makes since the later of the two.
func (l *lull) latest() {
	if l.last.due.After(l.since.due) {
		l.since.set(l.last.due, l.last.path)
	}
}

func (l *lull) takeBack(st *Stage, _ time.Time) {
	l.since.takeBack(st)
	l.last.takeBack(st)
	l.latest()
	l.moved()
}

func (l *lull) bytes() int64 { return 0 }

package chaos

// Vanish makes a direction a black hole: nothing passes, neither data nor the end of the stream nor a reset, and neither peer is told.
// What the sender sends is taken, and lost. On both directions it is a partition: each peer keeps a connection whose other half is gone.
//
// A connection that has lost something, if only its end, is reset when the fault is lifted. Datagrams are simply lost.
type Vanish struct{}

func init() {
	Register("vanish", "Nothing passes, neither data nor the end of a connection, and nobody is told.", Vanish{})
}

// Impose implements [Fault].
func (Vanish) Impose(st *Stage, _ Sink) Sink {
	l := st.State(func() any { return new(loss) }).(*loss)
	l.resetWhenLifted(st)
	return func(s Segment) {
		if l.lose(st, s); s.End != More {
			l.any = !st.Datagrams()
			st.Hit(0)
		}
	}
}

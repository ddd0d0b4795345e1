package chaos

// Discard reads and acknowledges everything, and throws it away: the sender sees a peer that reads and never answers. The end of
// the stream still passes, and so does a reset.
//
// A stream with a hole in it cannot happen on a real network. So a connection that has lost bytes is reset when the fault is lifted,
// unless Resume lets it go on with the hole. Datagrams are simply lost.
type Discard struct {
	Resume bool `json:"resume" help:"lifted, a connection that has lost bytes goes on without them instead of being reset"`
}

func init() {
	Register("discard", "Data is read and thrown away.", Discard{})
}

// Impose implements [Fault].
func (d Discard) Impose(st *Stage, next Sink) Sink {
	l := st.State(func() any { return new(loss) }).(*loss)
	if !d.Resume {
		l.resetWhenLifted(st)
	}
	return func(s Segment) {
		l.lose(st, s)
		if s.End != More {
			next(Segment{Due: s.Due, End: s.End, by: s.by})
		}
	}
}

// A loss is whether a stream has lost something to a fault.
type loss struct{ any bool }

// lose notes that the data of a segment is lost.
func (l *loss) lose(st *Stage, s Segment) {
	switch {
	case !st.hasData(s):
	case st.Datagrams():
		st.lose(len(s.Data))
	default:
		l.any = true
		st.Hit(len(s.Data))
	}
}

// resetWhenLifted sees to it that a stream which has lost something does not go on when the fault is lifted.
func (l *loss) resetWhenLifted(st *Stage) {
	st.Cleanup(func() {
		if l.any {
			st.End(RST)
		}
	})
}

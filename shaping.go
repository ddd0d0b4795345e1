package chaos

import "cmp"

// A shaping is one direction of one session of datagrams in the hands of a [Bandwidth]. It is the stage's State. A datagram buys
// at the moment at which it gets there, so that the line is never taken by what a [Delay] before it has yet to bring.
type shaping struct {
	onDue
	own till // where the stage buys if it does not share
}

// imposeOnDatagrams is Impose for datagrams.
func (b Bandwidth) imposeOnDatagrams(st *Stage, next Sink) Sink {
	w := st.State(func() any { return new(shaping) }).(*shaping)
	from := &w.own
	if b.Shared {
		from = st.Shared(func() any { return new(till) }).(*till)
	}
	from.open(b, st)
	most := cmp.Or(b.Queue, max(64<<10, b.Rate/10))
	w.begin(st, next, func(s Segment) {
		if s.End != More {
			next(s)
			return
		}
		due, ok := from.Load().queue(s.Due, len(s.Data), most)
		if !ok {
			st.lose(len(s.Data))
			return
		}
		if due.After(s.Due) {
			st.Hit(len(s.Data))
		}
		s.Due = due
		next(s)
	})
	return w.sink
}

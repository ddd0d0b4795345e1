package chaos

import "sync/atomic"

// Limit lets exactly Bytes bytes pass, and ends the connection behind the last of them.
//
// Shared counts the bytes of all connections together: the connection that takes the last one delivers it, then all end. The count
// begins again at that moment, for connections that are opened later; those that were live deliver nothing more. A datagram that
// crosses the limit is dropped.
type Limit struct {
	Bytes  int64 `json:"bytes" unit:"B" need:"true" help:"how many bytes are delivered"`
	Shared bool  `json:"shared" help:"counted over all connections together"`
	Reset  bool  `json:"reset" help:"with RST instead of FIN"`
}

func init() {
	Register("limit", "The connection is closed after a number of bytes.", Limit{})
}

// Check implements [Checker].
func (l Limit) Check(network string) error { return noReset(network, l.Reset) }

// Impose implements [Fault].
func (l Limit) Impose(st *Stage, next Sink) Sink {
	own := st.State(func() any { return new(share) }).(*share)
	var from *atomic.Pointer[quota]
	if l.Shared {
		from = st.Shared(func() any {
			p := new(atomic.Pointer[quota])
			p.Store(new(quota))
			return p
		}).(*atomic.Pointer[quota])
	}
	own.join(st, from)
	how := closing(l.Reset)
	forget := func(s Segment) {
		if st.now.inside { // something has come
			st.line.forget(s)
		}
	}
	sink := func(s Segment) {
		if own.over {
			forget(s)
			return
		}
		n, last := own.take(st, len(s.Data), l.Bytes, st.Datagrams())
		switch {
		case last:
			if n < len(s.Data) && st.Datagrams() {
				st.lose(len(s.Data))
			} else {
				st.Hit(n)
			}
			s.endAt(n, how, st)
			next(s)
			if l.Shared {
				st.EndAll(how)
			}
		case own.over: // another connection has taken the last byte
			forget(s)
			st.endHit(how)
		case s.End != More || len(s.Data) > 0 || st.now.inside:
			next(s)
		}
	}
	// A change may have moved the limit below what was counted, and the last byte may have been taken just now.
	st.At(st.Now(), func() { sink(Segment{Due: st.Now()}) })
	return sink
}

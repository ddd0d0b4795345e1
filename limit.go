package chaos

import "fmt"

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
func (l Limit) Check(network string) error {
	if l.Bytes >= maxQuota {
		return &FaultError{Param: "bytes", Given: fmt.Sprintf("%dB", l.Bytes), Allowed: "a size below 256TiB"}
	}
	return noResetOnUnix(network, l.Reset)
}

// Impose implements [Fault].
func (l Limit) Impose(st *Stage, next Sink) Sink {
	own := st.State(func() any { return new(share) }).(*share)
	q := &own.alone
	if l.Shared {
		q = st.Shared(func() any { return new(quota) }).(*quota)
	}
	own.join(q)
	how := closing(l.Reset)
	sink := func(s Segment) {
		if own.over {
			return
		}
		n, last := own.take(len(s.Data), l.Bytes, st.Datagrams())
		own.over = own.over || last
		switch {
		case last:
			st.Hit(n)
			s.endAt(n, how, st)
			next(s)
			if l.Shared {
				st.EndAll(how)
			}
		case own.over: // another connection has taken the last byte
			st.endHit(how)
		case s.End != More || len(s.Data) > 0 || st.now.inside:
			next(s)
		}
	}
	// A change may have moved the limit below what was counted, and the last byte may have been taken just now.
	st.At(st.Now(), func() { sink(Segment{Due: st.Now()}) })
	return sink
}

package chaos

// Stall stops a direction: the gate reads nothing more, so that the sender's buffers fill and it feels that nobody reads.
// What has reached the fault already is kept. Nothing is lost: lifted, the stream goes on byte for byte, its end behind it. A
// reset of either peer is passed on all the same, at once, and what was kept is lost with it.
//
// It fires when bytes are there that are not taken. Datagrams wait as bytes do, until the gate's Window is full.
type Stall struct{}

func init() {
	Register("stall", "Nothing is read any more, and nothing is lost.", Stall{})
}

// Impose implements [Fault].
func (Stall) Impose(st *Stage, next Sink) Sink {
	k := st.State(func() any { return new(kept) }).(*kept)
	k.st = st
	st.Hold(Never)
	st.whenBytesWait(func() { st.Hit(0) })
	st.Cleanup(func() { k.release(next) })
	return func(s Segment) {
		if s.End >= RST && s.by == nil {
			k.drop()
			next(Segment{Due: s.Due, End: s.End})
			return
		}
		k.keep(s)
		if st.hasData(s) {
			st.Hit(len(s.Data))
		}
	}
}

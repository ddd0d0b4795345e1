package chaos

// CloseOnData ends the connection when the first byte arrives, which is not forwarded, nor is what comes after it. Other connections live
// until they get data themselves; one whose stream ends without data ends as it would.
type CloseOnData struct {
	Reset bool `json:"reset" help:"with RST instead of FIN"`
}

func init() {
	Register("close_on_data", "The first byte of data closes the connection.", CloseOnData{})
}

// Check implements [Checker].
func (c CloseOnData) Check(network string) error { return noReset(network, c.Reset) }

// Impose implements [Fault].
func (c CloseOnData) Impose(st *Stage, next Sink) Sink {
	closed := st.State(func() any { return new(bool) }).(*bool)
	return func(s Segment) {
		switch {
		case *closed:
			st.line.forget(s)
		case !st.hasData(s):
			next(s)
		default:
			*closed = true
			if st.Datagrams() {
				st.lose(len(s.Data))
			} else {
				st.Hit(len(s.Data))
			}
			s.endAt(0, closing(c.Reset), st)
			next(s)
		}
	}
}

// endAt cuts a segment after n bytes, where a stage ends the stream.
func (s *Segment) endAt(n int, how End, by *Stage) {
	s.Data, s.End, s.by = s.Data[:n], how, by
}

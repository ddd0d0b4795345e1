package chaos

// Truncate cuts datagrams that are larger than Size down to it: what follows is lost.
type Truncate struct {
	Size int `json:"size" unit:"B" need:"true" help:"how many bytes are left of a datagram at most"`
}

func init() {
	Register("truncate", "Datagrams arrive cut short.", Truncate{})
}

// Check implements [Checker].
func (Truncate) Check(network string) error {
	return DatagramsOnly(network, "a stream has nothing that could be cut short")
}

// Impose implements [Fault].
func (f Truncate) Impose(st *Stage, next Sink) Sink {
	return func(s Segment) {
		if cut := len(s.Data) - f.Size; cut > 0 {
			st.Hit(cut)
			s.Data = s.Data[:f.Size]
		}
		next(s)
	}
}

package chaos

// MTU loses the datagrams that are larger than Size, as a link does which cannot carry them whole when nobody may cut them: a black hole for large ones,
// of which the sender hears nothing.
//
// Size is that of a datagram's data alone. A link whose packets have at most 1500 bytes carries 1472 in a datagram over IPv4, and 1452 over IPv6.
type MTU struct {
	Size int `json:"size" unit:"B" need:"true" help:"how many bytes a datagram has at most that passes"`
}

func init() {
	Register("mtu", "Datagrams that are too large are lost.", MTU{})
}

// Check implements [Checker].
func (MTU) Check(network string) error {
	return DatagramsOnly(network, "a stream finds out by itself what passes")
}

// Impose implements [Fault].
func (f MTU) Impose(st *Stage, next Sink) Sink {
	return func(s Segment) {
		if len(s.Data) > f.Size {
			st.lose(len(s.Data))
			return
		}
		next(s)
	}
}

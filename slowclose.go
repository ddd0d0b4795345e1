package chaos

import "time"

// SlowClose has the end of the stream arrive By late, as when a peer is slow to close. Data is untouched, and a reset is not delayed.
type SlowClose struct {
	By time.Duration `json:"by" need:"true" help:"how much later the stream ends"`
}

func init() {
	Register("slow_close", "The end of the stream arrives late.", SlowClose{})
}

// Check implements [Checker].
func (SlowClose) Check(network string) error {
	return StreamsOnly(network, "datagrams have no end of the stream")
}

// Impose implements [Fault].
func (f SlowClose) Impose(st *Stage, next Sink) Sink {
	return func(s Segment) {
		if s.End != FIN && s.End != FullClose {
			next(s)
			return
		}
		if len(s.Data) > 0 {
			data := s
			data.End = More
			next(data)
		}
		s.Data, s.Due = s.Data[len(s.Data):], s.Due.Add(f.By)
		st.Hit(0)
		next(s)
	}
}

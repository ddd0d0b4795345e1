package chaos

import "time"

// Reorder lets datagrams be overtaken, each with the chance Chance: it is held back until Gap others have passed it, or until Within has gone by,
// or until the fault is lifted. Others that are held back do not count.
type Reorder struct {
	Chance float64       `json:"chance" unit:"chance" need:"true" help:"the share of datagrams that others overtake"`
	Gap    int           `json:"gap" default:"1" help:"how many overtake it"`
	Within time.Duration `json:"within" default:"100ms" help:"how long it waits for them at most"`
}

func init() {
	Register("reorder", "Datagrams overtake others.", Reorder{})
}

// Check implements [Checker].
func (Reorder) Check(network string) error { return DatagramsOnly(network, "a stream stays in order") }

// Impose implements [Fault].
func (f Reorder) Impose(st *Stage, next Sink) Sink {
	o := st.State(func() any { return new(overtaken) }).(*overtaken)
	o.follow(f, st, next)
	return o.sink
}

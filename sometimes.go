package chaos

// Sometimes imposes the fault that it carries on a share of the connections. It is decided once for each connection and
// direction, by the seed, and stays decided whatever else is imposed, changed or lifted.
type Sometimes struct {
	Chance float64 `json:"chance" unit:"chance" help:"the share of connections, from 0 to 1"`
	Fault  Fault   `json:"fault" help:"what is imposed on them"`
}

func init() {
	Register("sometimes", "A fault that hits only a share of the connections.", Sometimes{})
}

// Impose implements [Fault].
func (f Sometimes) Impose(st *Stage, next Sink) Sink {
	c := &carrier{st: st, fault: f.Fault, next: next}
	c.switchTo(st.chance(-1) < f.Chance)
	return c.sink
}

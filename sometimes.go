package chaos

import "hash/fnv"

// Sometimes imposes the fault that it carries on a share of the connections. It is decided once for each connection and
// direction, by the seed, and stays decided whatever else is imposed, changed or lifted.
//
// Those of one Group decide alike, whatever they carry and in both directions: with the same Chance they hit the same connections.
type Sometimes struct {
	Chance float64 `json:"chance" unit:"chance" help:"the share of connections, from 0 to 1"`
	Group  string  `json:"group" default:"each decides for itself" help:"those of the same group hit the same connections, in both directions"`
	Fault  Fault   `json:"fault" help:"what is imposed on them"`
}

func init() {
	Register("sometimes", "A fault that hits only a share of the connections.", Sometimes{})
}

// Impose implements [Fault].
func (f Sometimes) Impose(st *Stage, next Sink) Sink {
	c := &carrier{st: st, fault: f.Fault, next: next}
	draw := st.Draw(-1)
	if f.Group != "" {
		group := fnv.New64a()
		_, _ = group.Write([]byte(f.Group)) // a hash takes everything
		conn := st.line.conn
		draw = mix(mix(conn.seed, conn.ordinal), group.Sum64())
	}
	c.switchTo(portion(draw) < f.Chance)
	return c.sink
}

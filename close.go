package chaos

import "time"

// Close ends the connection, at once or After a time, even if it is idle or its peers do not read. Both peers see FIN or, with
// Reset, RST; what was due by then is delivered, as far as the peer's kernel takes it. With Abrupt the reset does not wait for that.
//
// Imposed on a gate's flow it also ends each new connection: at once, or After a time.
type Close struct {
	Reset  bool          `json:"reset" help:"with RST instead of FIN"`
	After  time.Duration `json:"after" default:"at once" help:"how long after the fault was imposed, or the connection was opened"`
	Abrupt bool          `json:"abrupt" help:"what the peers' kernels have not taken is destroyed; needs reset"`
}

func init() {
	Register("close", "The connection is closed or reset.", Close{})
}

// Check implements [Checker].
func (c Close) Check(network string) error {
	if c.Abrupt && !c.Reset {
		return &FaultError{Param: "abrupt", Given: "true", Allowed: "false without reset: only a reset can be abrupt"}
	}
	return noReset(network, c.Reset)
}

// Impose implements [Fault].
func (c Close) Impose(st *Stage, next Sink) Sink {
	how := closing(c.Reset)
	if c.Abrupt {
		how = Abort
	}
	since := st.State(func() any { return st.Now() }).(time.Time)
	ended := false
	end := func() {
		ended = true
		st.endHit(how)
	}
	if c.After == 0 {
		end()
	} else {
		st.At(since.Add(c.After), end)
	}
	return func(s Segment) {
		if ended { // the rest of a read may come yet
			st.line.forget(s)
			return
		}
		next(s)
	}
}

// endHit ends the connection now, and counts that.
func (st *Stage) endHit(how End) {
	st.Hit(0)
	st.End(how)
}

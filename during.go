package chaos

import (
	"fmt"
	"time"
)

// During imposes the fault that it carries for a while, once or again and again. Its times count from the moment at which it was imposed on
// the flow, so that all connections see the same. When the while is over the fault is lifted: it releases what it holds back.
type During struct {
	Start time.Duration `json:"start" default:"at once" help:"when it begins"`
	For   time.Duration `json:"for" need:"true" help:"how long it lasts"`
	Every time.Duration `json:"every" default:"only once" help:"how long from one beginning to the next, not less than for"`
	Fault Fault         `json:"fault" help:"what is imposed meanwhile"`
}

func init() {
	Register("during", "A fault that comes for a while and goes, once or periodically.", During{})
}

// Check implements [Checker].
func (f During) Check(string) error {
	if f.Every > 0 && f.Every < f.For {
		return &FaultError{Param: "every", Given: f.Every.String(), Allowed: fmt.Sprintf("a duration of at least %v, as long as it lasts", f.For)}
	}
	return nil
}

// Impose implements [Fault].
func (f During) Impose(st *Stage, next Sink) Sink {
	c := &carrier{st: st, fault: f.Fault, next: next}
	began := st.Now()
	if st.imposed != nil {
		began = st.imposed.when
	}
	var turn func()
	turn = func() {
		on, until := f.phase(st.Now().Sub(began))
		if c.switchTo(on); until >= 0 {
			st.At(began.Add(until), turn)
		}
	}
	turn()
	return c.sink
}

// phase tells whether the fault is imposed at a time, and when that changes; -1 is never.
func (f During) phase(now time.Duration) (on bool, until time.Duration) {
	start := f.Start
	if f.Every > 0 && now > start {
		start += (now - start) / f.Every * f.Every
	}
	switch {
	case now < start:
		return false, start
	case now < start+f.For && f.Every == f.For:
		return true, -1
	case now < start+f.For:
		return true, start + f.For
	case f.Every > 0:
		return false, start + f.Every
	}
	return false, -1
}

package chaos

import "time"

// Lifetime ends the connection For after it was accepted, or after its first data in this direction: give or take Jitter, even if it
// is idle or stalled. Imposed later than that, it ends the connection at once.
//
// From data counts from the first data that reaches the fault: what passed before it was imposed is not known any more.
type Lifetime struct {
	For    time.Duration `json:"for" need:"true" help:"how long a connection lives"`
	Jitter time.Duration `json:"jitter" help:"how far that varies from one connection to the next, evenly"`
	From   Birth         `json:"from" one:"accept data" default:"accept" help:"when it begins"`
	Reset  bool          `json:"reset" help:"with RST instead of FIN"`
}

// A Birth is the moment from which a [Lifetime] counts.
type Birth string

// When a connection's life begins.
const (
	FromAccept Birth = "accept" // when the gate has accepted it
	FromData   Birth = "data"   // with its first data
)

func init() {
	Register("lifetime", "The connection is closed when it gets old.", Lifetime{})
}

// Check implements [Checker].
func (l Lifetime) Check(network string) error { return noReset(network, l.Reset) }

// Impose implements [Fault].
func (l Lifetime) Impose(st *Stage, next Sink) Sink {
	first := st.State(func() any { return new(time.Time) }).(*time.Time) // data
	age := l.For + time.Duration((2*st.chance(-1)-1)*float64(l.Jitter))
	live := func(born time.Time) {
		st.At(born.Add(max(0, age)), func() { st.endHit(closing(l.Reset)) })
	}
	if l.From != FromData {
		live(st.Conn().opened)
		return next
	}
	if !first.IsZero() {
		live(*first)
	}
	return func(s Segment) {
		if first.IsZero() && st.hasData(s) {
			*first = s.Due
			live(s.Due)
		}
		next(s)
	}
}

package chaos

import "fmt"

// mostCopies is how many copies of a datagram a [Duplicate] makes at most: far more than any network does, and not so many that one
// datagram could keep a gate busy.
const mostCopies = 1000

// Duplicate has datagrams arrive more than once, with the chance Chance: Copies times more, at the same moment. Faults behind this one treat
// each copy by itself, so that one may be lost and the other delayed.
type Duplicate struct {
	Chance float64 `json:"chance" unit:"chance" need:"true" help:"the share of datagrams that are duplicated"`
	Copies int     `json:"copies" default:"1" help:"how many more of each arrive"`
}

func init() {
	Register("duplicate", "Datagrams arrive more than once.", Duplicate{})
}

// Check implements [Checker].
func (f Duplicate) Check(network string) error {
	if err := DatagramsOnly(network, "a stream has every byte once"); err != nil {
		return err
	}
	if f.Copies > mostCopies {
		return &FaultError{Param: "copies", Given: fmt.Sprint(f.Copies), Allowed: fmt.Sprintf("a count of at most %d", mostCopies)}
	}
	return nil
}

// Impose implements [Fault].
func (f Duplicate) Impose(st *Stage, next Sink) Sink {
	var data []byte // of a copy, for use again
	return func(s Segment) {
		if st.hasData(s) && st.chance(st.Offset()) < f.Chance {
			st.Hit(len(s.Data))
			for n := range max(1, f.Copies) {
				twin := s
				data = append(data[:0], s.Data...) // who receives it may change it
				twin.Data, twin.twin = data, mix(s.twin, uint64(n+1))
				next(twin)
			}
		}
		next(s)
	}
}

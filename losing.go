package chaos

import (
	"cmp"
	"fmt"
	"strings"
)

// A losing is what a [Lose] remembers of one direction of one session. It is the stage's State.
type losing struct {
	reached int64 // datagrams that have reached the fault
	left    int   // how many a run of losses has still to come
	bad     bool  // the wire of Gilbert and Elliott is
}

// decide returns what tells whether the datagram that has just reached the fault is lost.
func (f Lose) decide(st *Stage, l *losing) func() bool {
	switch {
	case f.P > 0:
		return func() bool { return f.gilbert(l, st.Draw(st.Offset())) }
	case f.Every > 0:
		return func() bool { return l.reached%int64(f.Every) == 0 }
	case f.List != "":
		list := sharedDropList(st, f.List)
		return func() bool { return list.has(l.reached) }
	}
	begins := f.begins()
	return func() bool {
		if l.left == 0 {
			if st.chance(st.Offset()) >= begins {
				return false
			}
			l.left = max(1, f.Burst)
		}
		l.left--
		return true
	}
}

// begins returns the chance that a run of losses begins with a datagram that is in none. Before a run of b losses (1-q)/q datagrams
// pass on average if each begins one with the chance q; so the share of the lost is c = b/(b + (1-q)/q).
func (f Lose) begins() float64 {
	b := float64(max(1, f.Burst))
	return f.Chance / (b - f.Chance*(b-1))
}

// gilbert moves the wire of E. N. Gilbert (1960) and E. O. Elliott (1963) on by a datagram, and tells whether it loses that.
func (f Lose) gilbert(l *losing, draw uint64) bool {
	pass := cmp.Or(f.K, 1)
	if u := unit(draw); l.bad {
		l.bad = u >= f.R
	} else {
		l.bad = u < f.P
	}
	if l.bad {
		pass = f.H
	}
	return unit(mix(draw, 1)) >= pass
}

// checkChoice refuses what does not tell in just one way which datagrams are lost.
func (f Lose) checkChoice() error {
	var ways []string
	for _, way := range []struct {
		name string
		set  bool
	}{{"chance", f.Chance > 0}, {"p", f.P > 0}, {"every", f.Every > 0}, {"list", f.List != ""}} {
		if way.set {
			ways = append(ways, way.name)
		}
	}
	if len(ways) != 1 {
		return &FaultError{Given: strings.Join(ways, " and "), Allowed: "just one of chance, p, every and list"}
	}
	if f.Burst > 0 && f.Chance == 0 {
		return &FaultError{Param: "burst", Given: fmt.Sprint(f.Burst), Allowed: "none without chance"}
	}
	for _, with := range []struct {
		name string
		set  float64
	}{{"r", f.R}, {"h", f.H}, {"k", f.K}} {
		if with.set > 0 && f.P == 0 {
			return &FaultError{Param: with.name, Given: fmt.Sprint(with.set), Allowed: "none without p"}
		}
	}
	if f.P > 0 && f.R == 0 {
		return &FaultError{Param: "r", Allowed: "a chance above 0, of at most 1, because there is p"}
	}
	if _, err := parseDropList(f.List); err != nil {
		return err
	}
	return nil
}

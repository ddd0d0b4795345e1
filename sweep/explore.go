package sweep

import "slices"

// An explorer chooses the points of one message at which one action is tried: its boundaries and one byte around them first, and then, between
// neighbours of which something else has come, the point in the middle, until there is none between them.
type explorer struct {
	last    int64 // the greatest offset
	every   bool  // all offsets are tried
	tried   map[int64]string
	chosen  map[int64]bool // tried, or about to be
	initial []int64        // what has not been chosen yet of what does not depend on outcomes
}

// newExplorer returns an explorer of a message.
func newExplorer(m Message, a Action, every bool) *explorer {
	e := &explorer{last: m.Size, every: every, tried: map[int64]string{}, chosen: map[int64]bool{}}
	if a.needsByte() {
		e.last--
	}
	if every {
		for offset := int64(0); offset <= e.last; offset++ {
			e.initial = append(e.initial, offset)
		}
		return e
	}
	for _, offset := range []int64{0, 1, m.Size - 1, m.Size} {
		if offset >= 0 && offset <= e.last && !slices.Contains(e.initial, offset) {
			e.initial = append(e.initial, offset)
		}
	}
	return e
}

// next returns offsets to be tried, none if what is next depends on what is being tried, or if there are no more.
func (e *explorer) next() (offsets []int64) {
	if len(e.initial) > 0 {
		offsets, e.initial = e.initial, nil
	} else {
		known := e.known()
		for i := 1; i < len(known); i++ {
			a, b := known[i-1], known[i]
			if middle := a + (b-a)/2; e.tried[a] != e.tried[b] && middle > a && !e.between(a, b) {
				offsets = append(offsets, middle)
			}
		}
	}
	for _, offset := range offsets {
		e.chosen[offset] = true
	}
	return offsets
}

// between reports whether a point between two is being tried.
func (e *explorer) between(a, b int64) bool {
	for offset := range e.chosen {
		if _, over := e.tried[offset]; !over && a < offset && offset < b {
			return true
		}
	}
	return false
}

// came notes what has come of a point.
func (e *explorer) came(offset int64, outcome string) { e.tried[offset] = outcome }

// known returns the offsets that were tried, in order.
func (e *explorer) known() []int64 {
	var all []int64
	for offset := range e.tried {
		all = append(all, offset)
	}
	slices.Sort(all)
	return all
}

// left returns how many offsets are still to be tried, as far as can be told: those that depend on outcomes are not.
func (e *explorer) left() int { return len(e.initial) + len(e.chosen) - len(e.tried) }

// A stretch is a range of offsets of which the same has come.
type stretch struct {
	from, to int64 // both belong to it
	outcome  string
	tried    []int64
}

// stretches returns what has come of the message, in order. An offset between two of one stretch that was not tried belongs to it; one between
// two stretches belongs to neither, which is only where the exploration was ended early.
func (e *explorer) stretches() (all []stretch) {
	for _, offset := range e.known() {
		outcome := e.tried[offset]
		if n := len(all); n > 0 && all[n-1].outcome == outcome {
			all[n-1].to = offset
			all[n-1].tried = append(all[n-1].tried, offset)
			continue
		}
		all = append(all, stretch{from: offset, to: offset, outcome: outcome, tried: []int64{offset}})
	}
	return all
}

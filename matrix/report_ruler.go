package matrix

import (
	"slices"
	"time"
)

// longestTimeline is the longest that is drawn: a file that somebody has made may say anything.
const longestTimeline = Span(1000 * 24 * time.Hour)

// A ruler turns time into places. Each phase has so much room that it can be read, so that milliseconds before and after a
// condition are not lost beside ten seconds under it.
type ruler struct {
	at    []Span    // where phases begin, and the end
	place []float64 // in percent
}

// leastRoom is the least that the phases have, in percent: before the condition, under it, after it.
var leastRoom = []float64{14, 26, 26}

// newRuler returns the ruler of a cell.
func newRuler(t Timeline) ruler {
	until := min(max(t.Until, 1), longestTimeline)
	if t.Lifted <= t.Imposed || t.Imposed < 0 || t.Lifted > until { // nothing was imposed
		return ruler{[]Span{0, until}, []float64{0, 100}}
	}
	r := ruler{[]Span{0, t.Imposed, t.Lifted, until}, []float64{0}}
	shares, sum := make([]float64, 3), 0.0
	for i := range shares {
		shares[i] = max(leastRoom[i], 100*float64(r.at[i+1]-r.at[i])/float64(until))
		sum += shares[i]
	}
	// What phases have above the least gives way to those that need it.
	spare := sum - leastRoom[0] - leastRoom[1] - leastRoom[2]
	for i := range shares {
		if spare > 0 {
			shares[i] -= (shares[i] - leastRoom[i]) * (sum - 100) / spare
		}
		r.place = append(r.place, r.place[i]+shares[i])
	}
	r.place[3] = 100
	return r
}

// x returns the place of a moment.
func (r ruler) x(at Span) float64 {
	at = min(max(at, 0), r.at[len(r.at)-1])
	for i := 1; i < len(r.at); i++ {
		if at <= r.at[i] && r.at[i] > r.at[i-1] {
			return r.place[i-1] + (r.place[i]-r.place[i-1])*float64(at-r.at[i-1])/float64(r.at[i]-r.at[i-1])
		}
	}
	return 100
}

// uneven reports whether a millisecond is not equally long everywhere.
func (r ruler) uneven() bool {
	for i, at := range r.at {
		if even := 100 * float64(at) / float64(r.at[len(r.at)-1]); even-r.place[i] > 2 || r.place[i]-even > 2 {
			return true
		}
	}
	return false
}

// stretch returns the time between two moments.
func (r ruler) stretch(from, to Span) stretch {
	x, end := r.x(from), r.x(to)
	return stretch{X: percent(x), Width: percent(max(end-x, 0.35)), End: percent(end)}
}

// ticks returns where on the axis which time stands: where phases begin, and round times between, as far as there is room.
// After the condition time counts from when it was lifted, and has a plus.
func (r ruler) ticks() []label {
	const room = 13 // percent, for the words on a narrow screen
	type tick struct {
		x  float64
		at Span
	}
	var ticks []tick
	fits := func(x float64) bool {
		return !slices.ContainsFunc(ticks, func(t tick) bool { return max(t.x-x, x-t.x) < room })
	}
	for i, at := range r.at {
		if i == 0 || i == len(r.at)-1 || fits(r.place[i]) {
			ticks = append(ticks, tick{r.place[i], at})
		}
	}
	for i := 1; i < len(r.at); i++ {
		length := r.at[i] - r.at[i-1]
		step := roundStep(float64(length) * room / max(r.place[i]-r.place[i-1], 1))
		from := Span(0)
		if i == 3 {
			from = r.at[2] // time counts anew from there
		}
		for at := from + ((r.at[i-1]-from)/step+1)*step; at < r.at[i]; at += step {
			if x := r.x(at); fits(x) {
				ticks = append(ticks, tick{x, at})
			}
		}
	}
	var labels []label
	for _, t := range ticks {
		anchor := "middle"
		switch {
		case t.x == 0:
			anchor = "start"
		case t.x == 100:
			anchor = "end"
		}
		words := t.at.String()
		if len(r.at) == 4 && t.at > r.at[2] {
			words = "+" + (t.at - r.at[2]).String()
		}
		labels = append(labels, label{percent(t.x), words, anchor})
	}
	return labels
}

// roundStep returns a round time that is not shorter: 1, 2 or 5 of a power of ten.
func roundStep(least float64) Span {
	for step := Span(10 * time.Microsecond); ; step *= 10 {
		for _, times := range []Span{1, 2, 5} {
			if float64(step*times) >= least {
				return step * times
			}
		}
	}
}

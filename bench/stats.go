package main

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// summary is what is printed of a figure that was measured in several rounds.
type summary struct {
	median, least, most float64
	n                   int
}

// summarize sums up the values that are numbers; if there is none, all it holds are NaN.
func summarize(values []float64) summary {
	v := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(v)
	n := len(v)
	if n == 0 {
		return summary{math.NaN(), math.NaN(), math.NaN(), 0}
	}
	return summary{(v[(n-1)/2] + v[n/2]) / 2, v[0], v[n-1], n}
}

// String returns the median, and in parentheses the least and the greatest value if there are several.
func (s summary) String() string {
	switch {
	case s.n == 0:
		return "–"
	case s.n == 1 || number(s.least) == number(s.most):
		return number(s.median)
	}
	return number(s.median) + " (" + number(s.least) + "–" + number(s.most) + ")"
}

// number prints a figure with three digits that count, and those before the point in full.
func number(f float64) string {
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return "–"
	case a == 0:
		return "0"
	case a >= 99.95:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(f, 'f', 1, 64)
	case a >= 0.01:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return strconv.FormatFloat(f, 'g', 2, 64)
}

// percentile returns the value below or at which so many percent of the sorted values are, by the nearest rank.
func percentile(sorted []time.Duration, percent float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return sorted[min(max(rank-1, 0), len(sorted)-1)]
}

// micros and millis are a duration's length in their unit.
func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

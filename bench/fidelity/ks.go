package main

import (
	"math"
	"time"

	"github.com/chaosgate/chaos"
)

// ksLevel is how often the test of Kolmogorov and Smirnov condemns what is right: once in 1000 times, because one run
// of this program makes several tests, and more than 2000 values tell even small errors at this level.
const ksLevel = 0.001

// ksStatistic returns the largest distance between the values' empirical distribution and a continuous one.
func ksStatistic(s sample, cdf func(time.Duration) float64) (d float64) {
	n := float64(len(s))
	for i, v := range s {
		f := cdf(v)
		d = max(d, float64(i+1)/n-f, f-float64(i)/n)
	}
	return d
}

// ksCritical returns the distance that n values of the distribution itself exceed with the chance ksLevel. It is Kolmogorov's
// limit, to its first term, which holds for more than a hundred values.
func ksCritical(n int) float64 { return math.Sqrt(-math.Log(ksLevel/2)/2) / math.Sqrt(float64(n)) }

// A jitter is what a delay that varies promises, written down apart from the code that is to keep the promise.
type jitter struct {
	distribution chaos.Distribution
	by, jitter   time.Duration
}

// deviation returns how far a delay is from its middle, in units of the jitter.
func (j jitter) deviation(d time.Duration) float64 { return float64(d-j.by) / float64(j.jitter) }

// cdf returns the chance of a delay to be at most d.
func (j jitter) cdf(d time.Duration) float64 {
	x := j.deviation(d)
	switch j.distribution {
	case chaos.Normal:
		return math.Erfc(-x/math.Sqrt2) / 2
	case chaos.Pareto:
		return 1 - math.Pow(1+max(x, 0), -3)
	default:
		return min(max((x+1)/2, 0), 1)
	}
}

// behind returns the chance of a delay and a lateness, drawn from a sample of those, to be at most d together.
func (j jitter) behind(late sample, d time.Duration) float64 {
	if len(late) == 0 {
		return j.cdf(d)
	}
	sum := 0.
	for _, l := range late {
		sum += j.cdf(d - l)
	}
	return sum / float64(len(late))
}

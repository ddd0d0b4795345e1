package main

import (
	"math"
	"slices"
	"time"
)

// A sample is durations in ascending order.
type sample []time.Duration

// sorted returns a sample of its own of durations in any order.
func sorted(ds []time.Duration) sample {
	s := slices.Clone(ds)
	slices.Sort(s)
	return s
}

// at returns the percentile p by nearest rank: the smallest duration that at least p percent do not exceed. It is 0 of nothing.
func (s sample) at(p float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(s))))
	return s[min(max(rank, 1), len(s))-1]
}

// below returns how many are shorter than a duration.
func (s sample) below(d time.Duration) int {
	n, _ := slices.BinarySearch(s, d)
	return n
}

// plus returns the sample with a duration added to each.
func (s sample) plus(d time.Duration) sample {
	moved := slices.Clone(s)
	for i := range moved {
		moved[i] += d
	}
	return moved
}

// median returns the middle value, of an even number the mean of the two, and 0 of nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// spread returns the largest value over the smallest: 1 if they agree, infinite if that cannot be said.
func spread(values []float64) float64 {
	if len(values) == 0 || slices.Min(values) <= 0 {
		return math.Inf(1)
	}
	return slices.Max(values) / slices.Min(values)
}

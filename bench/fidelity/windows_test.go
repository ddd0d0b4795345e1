package main

import (
	"math"
	"slices"
	"testing"
	"time"
)

// every makes arrivals of so many bytes each, one behind the other.
func every(gap time.Duration, bytes, n int) (as []arrival) {
	for i := range n {
		as = append(as, arrival{time.Duration(i+1) * gap, bytes})
	}
	return as
}

func TestWindows(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name string
		as   []arrival
		want []float64
	}{
		{"nothing", nil, nil},
		{"no whole window", every(10*ms, 10, 10), nil},
		{"exact", every(10*ms, 10, 25), []float64{0, 0}},
		{"a fifth too much", every(10*ms, 12, 25), []float64{0.2, 0.2}},
		{"half", every(20*ms, 10, 13), []float64{-0.5, -0.5}},
		{"a pause of a window and a half", []arrival{{0, 9}, {50 * ms, 100}, {210 * ms, 1}}, []float64{0, -1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := windows(test.as, 100*ms, 1000)
			if !slices.EqualFunc(got, test.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestExcessAndAhead(t *testing.T) {
	const ms = time.Millisecond
	late := every(10*ms, 10, 20)
	for i := 10; i < 15; i++ {
		late[i].at = 160 * ms // 50 ms were missed, and all comes at once
	}
	late[15].at = 161 * ms
	for _, test := range []struct {
		name          string
		as            []arrival
		excess, ahead float64
	}{
		{"exact", every(10*ms, 10, 20), 10, 0},
		{"a burst at the beginning", append([]arrival{{0, 50}}, every(10*ms, 10, 20)...), 50, 50},
		{"late by five, made good", late, 60, 0},
		{"twice the rate", every(10*ms, 20, 20), 210, 200},
		{"behind", every(10*ms, 5, 20), 5, -5},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := excess(test.as, 1000); math.Abs(got-test.excess) > 1e-6 {
				t.Errorf("excess: got %v, want %v", got, test.excess)
			}
			if got := ahead(test.as, 0, 1000); math.Abs(got-test.ahead) > 1e-6 {
				t.Errorf("ahead: got %v, want %v", got, test.ahead)
			}
		})
	}
}

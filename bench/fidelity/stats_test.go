package main

import (
	"math"
	"testing"
	"time"
)

func TestPercentiles(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i))
	}
	for _, test := range []struct {
		name string
		of   []time.Duration
		p    float64
		want time.Duration
	}{
		{"nothing", nil, 50, 0},
		{"one", []time.Duration{7}, 99, 7},
		{"the median of a hundred", hundred, 50, 50},
		{"p99 of a hundred", hundred, 99, 99},
		{"the largest", hundred, 100, 100},
		{"the smallest", hundred, 0, 1},
		{"between ranks", []time.Duration{1, 2, 3}, 50, 2},
		{"of few, p99 is the largest", []time.Duration{3, 1, 2}, 99, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := sorted(test.of).at(test.p); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestBelow(t *testing.T) {
	s := sorted([]time.Duration{3, 0, -1, 5})
	for d, want := range map[time.Duration]int{-1: 0, 0: 1, 1: 2, 3: 2, 9: 4} {
		if got := s.below(d); got != want {
			t.Errorf("below %v: got %v, want %v", int(d), got, want)
		}
	}
	if got := s.plus(2).below(2); got != 1 {
		t.Errorf("moved by 2: got %v below 2, want 1", got)
	}
}

func TestMedianAndSpread(t *testing.T) {
	for _, test := range []struct {
		name           string
		values         []float64
		median, spread float64
	}{
		{"nothing", nil, 0, math.Inf(1)},
		{"one", []float64{4}, 4, 1},
		{"odd", []float64{9, 1, 3}, 3, 9},
		{"even", []float64{4, 1, 2, 3}, 2.5, 4},
		{"nothing passed once", []float64{0, 1}, 0.5, math.Inf(1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := median(test.values); got != test.median {
				t.Errorf("median: got %v, want %v", got, test.median)
			}
			if got := spread(test.values); got != test.spread {
				t.Errorf("spread: got %v, want %v", got, test.spread)
			}
		})
	}
}

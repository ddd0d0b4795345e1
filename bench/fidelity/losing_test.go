package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCountsOfDatagrams(t *testing.T) {
	for _, test := range []struct {
		name                        string
		came                        []int
		missing, doubled, overtaken int
	}{
		{"all in order", []int{0, 1, 2, 3}, 0, 0, 0},
		{"none", nil, 4, 0, 0},
		{"one lost", []int{0, 1, 3}, 1, 0, 0},
		{"one twice", []int{0, 1, 1, 2, 3}, 0, 1, 0},
		{"one overtaken by one", []int{1, 0, 2, 3}, 0, 0, 1},
		{"one overtaken by three", []int{1, 2, 3, 0}, 0, 0, 1},
		{"two overtaken by one", []int{2, 0, 1, 3}, 0, 0, 2},
		{"one lost, one twice", []int{0, 2, 2, 3}, 1, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := missing(test.came, 4); got != test.missing {
				t.Errorf("missing: got %v, want %v", got, test.missing)
			}
			if got := doubled(test.came, 4); got != test.doubled {
				t.Errorf("doubled: got %v, want %v", got, test.doubled)
			}
			if got := overtaken(test.came, 4); got != test.overtaken {
				t.Errorf("overtaken: got %v, want %v", got, test.overtaken)
			}
		})
	}
}

// TestVariances compares the formulas with what many simulated losses do.
func TestVariances(t *testing.T) {
	const runs, n = 2000, 2000
	rng := rand.New(rand.NewPCG(5, 6))
	simulated := func(lost func() func() bool) float64 {
		sum, squares := 0., 0.
		for range runs {
			next, count := lost(), 0.
			for range n {
				if next() {
					count++
				}
			}
			sum, squares = sum+count/n, squares+count/n*count/n
		}
		return (squares/runs - sum/runs*sum/runs) * n
	}
	const chance, length, p, r = 0.1, 5, 0.02, 0.2
	for _, test := range []struct {
		name string
		want float64
		lost func() func() bool
	}{
		{"one by one", burstVariance(chance, 1), func() func() bool {
			return func() bool { return rng.Float64() < chance }
		}},
		{"in runs", burstVariance(chance, length), func() func() bool {
			left, begins := 0, chance/(length-chance*(length-1))
			return func() bool {
				if left == 0 && rng.Float64() < begins {
					left = length
				}
				left = max(left, 0)
				if left > 0 {
					left--
					return true
				}
				return false
			}
		}},
		{"Gilbert and Elliott", gilbertVariance(p, r), func() func() bool {
			bad := false
			return func() bool {
				bad = bad && rng.Float64() >= r || !bad && rng.Float64() < p
				return bad
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := simulated(test.lost); math.Abs(got/test.want-1) > 0.15 { // 2000 runs tell it to about 3 %
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

func TestKSStatistic(t *testing.T) {
	uniform := func(d time.Duration) float64 { return min(max(float64(d)/100, 0), 1) }
	for _, test := range []struct {
		name string
		of   []time.Duration
		want float64
	}{
		{"one in the middle", []time.Duration{50}, 0.5},
		{"two at the quarters", []time.Duration{25, 75}, 0.25},
		{"all at the beginning", []time.Duration{0, 0, 0, 0}, 1},
		{"all at the end", []time.Duration{100, 100}, 1},
		{"one too many at the beginning", []time.Duration{10, 20, 75}, 2./3 - 0.2},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := ksStatistic(sorted(test.of), uniform); math.Abs(got-test.want) > 1e-9 {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestKSCritical compares with the values of the tables: 1.949/√n at a level of 0.001.
func TestKSCritical(t *testing.T) {
	for _, n := range []int{100, 2400} {
		if got, want := ksCritical(n)*math.Sqrt(float64(n)), 1.949; math.Abs(got-want) > 0.001 {
			t.Errorf("n = %d: got %v/√n, want %v/√n", n, got, want)
		}
	}
}

// drawn draws n delays of a distribution in ways that have nothing in common with how the library draws.
func drawn(j jitter, n int, rng *rand.Rand) sample {
	var ds []time.Duration
	for range n {
		x := 2*rng.Float64() - 1
		switch j.distribution {
		case chaos.Normal:
			x = rng.NormFloat64()
		case chaos.Pareto:
			x = math.Exp(rng.ExpFloat64()/3) - 1
		}
		ds = append(ds, j.by+time.Duration(x*float64(j.jitter)))
	}
	return sorted(ds)
}

// TestJitterVerdicts has every distribution recognized, no other taken for it, and noise told from error.
func TestJitterVerdicts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	quiet := sample{100 * time.Microsecond, 110 * time.Microsecond, 120 * time.Microsecond}
	for _, j := range jitters {
		for _, other := range jitters {
			t.Run(fmt.Sprintf("%s drawn, %s asked", j.distribution, other.distribution), func(t *testing.T) {
				drawn := drawn(jitter{j.distribution, other.by, other.jitter}, jitterCount, rng).plus(110 * time.Microsecond)
				want := off
				if j == other {
					want = ok
				}
				if f := other.find(quiet, drawn); f.judge() != want {
					t.Errorf("got %v, want %v: D = %.4f, critical %.4f, noise %.4f", f.judge(), want, f.d, f.critical, f.noise)
				}
			})
		}
		for _, test := range []struct {
			name string
			of   jitter
		}{
			{"5 ms more", jitter{j.distribution, j.by + 5*time.Millisecond, j.jitter}},
			{"a quarter wider", jitter{j.distribution, j.by, j.jitter * 5 / 4}},
		} {
			t.Run(fmt.Sprintf("%s, %s", j.distribution, test.name), func(t *testing.T) {
				if f := j.find(quiet, drawn(test.of, jitterCount, rng)); f.judge() != off {
					t.Errorf("got %v, want %v: D = %.4f, critical %.4f", f.judge(), off, f.d, f.critical)
				}
			})
		}
		t.Run(fmt.Sprintf("%s, noisy", j.distribution), func(t *testing.T) {
			noisy := sample{0, 0, 0, 30 * time.Millisecond, 60 * time.Millisecond}
			if f := j.find(noisy, drawn(j, jitterCount, rng)); f.judge() != inconclusive {
				t.Errorf("got %v, want %v: noise %.4f, critical %.4f", f.judge(), inconclusive, f.noise, f.critical)
			}
		})
	}
}

func TestEarlyJitterIsOff(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, j := range jitters {
		if j.distribution == chaos.Normal {
			continue // it has no shortest delay
		}
		delays := drawn(j, jitterCount, rng)
		delays[0] = j.by - j.jitter - time.Nanosecond
		if f := j.find(sample{0}, delays); f.judge() != off || f.early != 1 {
			t.Errorf("%s: got %v with %d early, want %v with 1", j.distribution, f.judge(), f.early, off)
		}
	}
}

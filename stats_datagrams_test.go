package chaos_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// many is how many datagrams a statistic is of.
const many = 10_000

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// manyThrough sends many numbered datagrams to the server through faults, and returns what arrives and the gate.
func manyThrough(t *testing.T, seed uint64, faults ...chaos.Fault) ([]heardDatagram, *virtualUDP) {
	t.Helper()
	v := newVirtualUDP(t, func(g *chaos.Gate) { g.Seed = seed })
	v.ToServer.Set(faults...)
	v.client(t).sendsNumbered(t, many, nil)
	time.Sleep(time.Minute)
	return v.server.took(), v
}

// binomialTails returns the interval of counts in which a binomial variable is with the probability 1-alpha at least: each
// tail has alpha/2 at most.
func binomialTails(n int, p, alpha float64) (lo, hi int) {
	if p >= 1 {
		return n, n
	}
	lgamma := func(x int) float64 { g, _ := math.Lgamma(float64(x)); return g }
	mass := func(k int) float64 {
		return math.Exp(lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	}
	below, above := 0., 0.
	for lo = 0; below+mass(lo) <= alpha/2; lo++ {
		below += mass(lo)
	}
	for hi = n; above+mass(hi) <= alpha/2; hi-- {
		above += mass(hi)
	}
	return lo, hi
}

func TestBinomialTails(t *testing.T) {
	tests := []struct {
		n        int
		p, alpha float64
		lo, hi   int
	}{
		{10, 0.5, 0.05, 2, 8}, // P(X ≤ 1) = 11/1024
		{10, 0.5, 0.01, 1, 9}, // P(X ≤ 0) = 1/1024, P(X ≤ 1) = 11/1024 is above half a percent
		{100, 1, 0.01, 100, 100},
		{10_000, 0.01, 0.01, 75, 127}, // P(X ≤ 74) = 0.0038, P(X ≤ 75) = 0.0053; P(X ≥ 128) = 0.0038, P(X ≥ 127) = 0.0050
	}
	for _, test := range tests {
		if lo, hi := binomialTails(test.n, test.p, test.alpha); lo != test.lo || hi != test.hi {
			t.Errorf("%d of %v at %v: got %d to %d, want %d to %d", test.n, test.p, test.alpha, lo, hi, test.lo, test.hi)
		}
	}
}

func TestLossIsAsAsked(t *testing.T) {
	for _, chance := range []float64{0.001, 0.01, 0.05, 0.2, 0.5, 0.95, 1} {
		inBubble(t, fmt.Sprint(chance), func(t *testing.T) {
			heard, v := manyThrough(t, 7, chaos.Lose{Chance: chance})
			lost := many - len(heard)
			if lo, hi := binomialTails(many, chance, 0.01); lost < lo || lost > hi {
				t.Errorf("got %d of %d lost, want %d to %d", lost, many, lo, hi)
			}
			if !slices.IsSorted(numbersOf(heard)) {
				t.Error("what arrived is not in order")
			}
			if got := v.Stats().Lost; got != int64(lost) {
				t.Errorf("Stats.Lost: got %d, want %d", got, lost)
			}
			if got := v.ToServer.Imposed()[0].Hits(); got != int64(lost) {
				t.Errorf("hits: got %d, want %d", got, lost)
			}
		})
	}
}

// bareFates pushes many datagrams through faults on a line without a gate and returns which of them are lost.
func bareFates(seed, ordinal uint64, faults ...chaos.Fault) []bool {
	now := time.Unix(0, 0)
	b := chaos.NewBareLine(&chaos.Gate{Seed: seed}, ordinal, "", true, now)
	b.Flow.Set(faults...)
	b.Obey()
	lost := make([]bool, many)
	data := []byte{1}
	for i := range lost {
		b.Push(data, chaos.More)
		_, _, _, ok := b.Due()
		if lost[i] = !ok; ok {
			b.Sent()
		}
	}
	return lost
}

// TestLossOfManySeeds holds the interval itself to what it promises: with 50 seeds it is missed hardly more often than once in a hundred times.
func TestLossOfManySeeds(t *testing.T) {
	const seeds = 50
	chances := []float64{0.01, 0.5}
	missed := 0
	for _, chance := range chances {
		lo, hi := binomialTails(many, chance, 0.01)
		for seed := range uint64(seeds) {
			if lost := count(bareFates(seed+1, 1, chaos.Lose{Chance: chance})); lost < lo || lost > hi {
				missed++
			}
		}
	}
	if _, most := binomialTails(seeds*len(chances), 0.01, 0.002); missed > most {
		t.Errorf("of %d intervals %d were missed, want %d at most", seeds*len(chances), missed, most)
	}
}

// runsOf returns the lengths of the runs of true that have ended.
func runsOf(bs []bool) (runs []int) {
	n := 0
	for _, b := range bs {
		if b {
			n++
			continue
		}
		if n > 0 {
			runs = append(runs, n)
		}
		n = 0
	}
	return runs
}

// quantile99 is what a normal variable is within, in standard deviations, 99 times of 100.
const quantile99 = 2.5758

func TestBurstsOfLoss(t *testing.T) {
	for _, test := range []chaos.Lose{{Chance: 0.05, Burst: 2}, {Chance: 0.1, Burst: 5}, {Chance: 0.3, Burst: 10}, {Chance: 0.9, Burst: 3}} {
		inBubble(t, fmt.Sprintf("%v in bursts of %d", test.Chance, test.Burst), func(t *testing.T) {
			heard, _ := manyThrough(t, 7, test)
			lost := lostOf(many, numbersOf(heard))
			for _, n := range runsOf(lost) {
				if n%test.Burst != 0 { // some touch
					t.Errorf("got a run of %d, want runs of %d", n, test.Burst)
				}
			}
			// Runs are renewals: from the end of one to the end of the next there are G+Burst datagrams, where G, how many pass, is geometric.
			b, c := float64(test.Burst), test.Chance
			q := c / (b - c*(b-1))
			mean, variance := b+(1-q)/q, (1-q)/(q*q)
			sd := b * math.Sqrt(many*variance/(mean*mean*mean))
			if got := float64(count(lost)); math.Abs(got-many*c) > quantile99*sd+b {
				t.Errorf("got %v of %d lost, want %v ± %.0f", got, many, many*c, quantile99*sd+b)
			}
		})
	}
}

// A gilbertWire is the model of Gilbert and Elliott, worked out: P(i, j) is how it moves from good (0) or bad (1), and loss what each loses.
type gilbertWire struct {
	moves [2][2]float64
	loss  [2]float64
	pi    [2]float64 // how often it is in each
}

func gilbertWireOf(f chaos.Lose) gilbertWire {
	k := f.K
	if k == 0 {
		k = 1
	}
	bad := f.P / (f.P + f.R)
	return gilbertWire{
		moves: [2][2]float64{{1 - f.P, f.P}, {f.R, 1 - f.R}},
		loss:  [2]float64{1 - k, 1 - f.H},
		pi:    [2]float64{1 - bad, bad},
	}
}

// rate returns the share of datagrams that are lost, and the standard deviation of how many of n are.
func (w gilbertWire) rate(n float64) (share, sd float64) {
	share = w.pi[0]*w.loss[0] + w.pi[1]*w.loss[1]
	again := 1 - w.moves[0][1] - w.moves[1][0] // the correlation from one datagram to the next
	d := w.loss[1] - w.loss[0]
	variance := w.pi[0]*w.pi[1]*d*d*(1+again)/(1-again) + w.pi[0]*w.loss[0]*(1-w.loss[0]) + w.pi[1]*w.loss[1]*(1-w.loss[1])
	return share, math.Sqrt(n * variance)
}

// burst returns the mean length of a run of losses and its standard deviation: it has a discrete phase-type distribution. It begins in a
// state with a chance of alpha, and goes on from i to j with Q(i, j) = moves(i, j)·loss(j).
func (w gilbertWire) burst() (mean, sd float64) {
	var alpha [2]float64
	var q [2][2]float64
	for i := range 2 {
		for j := range 2 {
			q[i][j] = w.moves[i][j] * w.loss[j]
			alpha[j] += w.pi[i] * (1 - w.loss[i]) * q[i][j]
		}
	}
	sum := alpha[0] + alpha[1]
	// The inverse of I-Q.
	a, b, c, d := 1-q[0][0], -q[0][1], -q[1][0], 1-q[1][1]
	det := a*d - b*c
	inverse := [2][2]float64{{d / det, -b / det}, {-c / det, a / det}}
	times := func(v [2]float64, m [2][2]float64) [2]float64 {
		return [2]float64{v[0]*m[0][0] + v[1]*m[1][0], v[0]*m[0][1] + v[1]*m[1][1]}
	}
	alpha = [2]float64{alpha[0] / sum, alpha[1] / sum}
	once := times(alpha, inverse)
	mean = once[0] + once[1]
	twice := times(times(once, q), inverse) // E[T(T-1)] = 2·alpha·Q·(I-Q)⁻²·1, where Q and the inverse commute
	return mean, math.Sqrt(2*(twice[0]+twice[1]) + mean - mean*mean)
}

func TestGilbertElliott(t *testing.T) {
	for _, test := range []chaos.Lose{
		{P: 0.01, R: 0.2},
		{P: 0.05, R: 0.5, H: 0.3},
		{P: 0.02, R: 0.1, H: 0.5, K: 0.99},
		{P: 0.2, R: 0.2, H: 0.1, K: 0.8},
		{P: 1, R: 1},
	} {
		inBubble(t, fmt.Sprintf("p=%v r=%v h=%v k=%v", test.P, test.R, test.H, test.K), func(t *testing.T) {
			heard, _ := manyThrough(t, 7, test)
			lost := lostOf(many, numbersOf(heard))
			w := gilbertWireOf(test)
			share, sd := w.rate(many)
			if got := float64(count(lost)); math.Abs(got-many*share) > quantile99*sd+1 {
				t.Errorf("got %v of %d lost, want %.0f ± %.0f", got, many, many*share, quantile99*sd)
			}
			runs, total := runsOf(lost), 0
			for _, n := range runs {
				total += n
			}
			mean, sd := w.burst()
			sd /= math.Sqrt(float64(len(runs)))
			if got := float64(total) / float64(len(runs)); math.Abs(got-mean) > quantile99*sd+1e-9 {
				t.Errorf("got runs of %.3f, want %.3f ± %.3f", got, mean, quantile99*sd)
			}
		})
	}
}

func TestLossByNumber(t *testing.T) {
	tests := []struct {
		name  string
		fault chaos.Lose
		lost  func(n int) bool // of the n-th, from 1
	}{
		{"every 7th", chaos.Lose{Every: 7}, func(n int) bool { return n%7 == 0 }},
		{"every one", chaos.Lose{Every: 1}, func(int) bool { return true }},
		{"a list", chaos.Lose{List: "9000-9003, 1,4,7-9,8-10"}, func(n int) bool {
			return slices.Contains([]int{1, 4, 7, 8, 9, 10, 9000, 9001, 9002, 9003}, n)
		}},
	}
	for _, test := range tests {
		inBubble(t, test.name, func(t *testing.T) {
			heard, _ := manyThrough(t, 7, test.fault)
			for i, lost := range lostOf(many, numbersOf(heard)) {
				if lost != test.lost(i+1) {
					t.Fatalf("datagram %d: got lost %v, want %v", i+1, lost, test.lost(i+1))
				}
			}
		})
		inBubble(t, test.name+", from when it was imposed", func(t *testing.T) {
			v := newVirtualUDP(t)
			c := v.client(t)
			c.says(t, "one", "two", "three")
			v.server.took()
			v.ToServer.Set(test.fault)
			c.sendsNumbered(t, 100, nil)
			for i, lost := range lostOf(100, numbersOf(v.server.took())) {
				if lost != test.lost(i+1) {
					t.Fatalf("datagram %d since then: got lost %v, want %v", i+1, lost, test.lost(i+1))
				}
			}
		})
	}
}

func TestShareOfDuplicates(t *testing.T) {
	for _, test := range []chaos.Duplicate{{Chance: 0.02}, {Chance: 0.3, Copies: 4}, {Chance: 1, Copies: 2}} {
		inBubble(t, fmt.Sprintf("%v of %d", test.Chance, test.Copies), func(t *testing.T) {
			heard, v := manyThrough(t, 7, test)
			times := make([]int, many)
			ns := numbersOf(heard)
			for _, n := range ns {
				times[n]++
			}
			twice := 0
			for n, k := range times {
				switch k {
				case 1:
				case 1 + max(1, test.Copies):
					twice++
				default:
					t.Fatalf("datagram %d has arrived %d times, want 1 or %d", n, k, 1+max(1, test.Copies))
				}
			}
			if lo, hi := binomialTails(many, test.Chance, 0.01); twice < lo || twice > hi {
				t.Errorf("got %d of %d duplicated, want %d to %d", twice, many, lo, hi)
			}
			if !slices.IsSorted(ns) {
				t.Error("what arrived is not in order")
			}
			if got := v.ToServer.Imposed()[0].Hits(); got != int64(twice) {
				t.Errorf("got %d hits, want %d", got, twice)
			}
			if got := v.Stats().DatagramsToServer; got != int64(len(heard)) {
				t.Errorf("Stats.DatagramsToServer: got %d, want %d", got, len(heard))
			}
		})
	}
}

func TestDisplacementOfReordered(t *testing.T) {
	for _, test := range []chaos.Reorder{{Chance: 0.02}, {Chance: 0.1, Gap: 3}, {Chance: 0.5, Gap: 20}, {Chance: 0.9, Gap: 2}} {
		inBubble(t, fmt.Sprintf("%v by %d", test.Chance, test.Gap), func(t *testing.T) {
			heard, v := manyThrough(t, 7, test)
			arrival := make([]int, many)
			for at, n := range numbersOf(heard) {
				arrival[n] = at
			}
			if len(heard) != many {
				t.Fatalf("got %d datagrams, want %d", len(heard), many)
			}
			overtaken := 0
			gap := max(1, test.Gap)
			for n := range many {
				by := 0 // how many that came later have arrived before it
				for later := n + 1; later < min(many, n+400); later++ {
					if arrival[later] < arrival[n] {
						by++
					}
				}
				switch {
				case by == gap:
					overtaken++
				case by > 0 && heard[arrival[n]].at == 0:
					t.Fatalf("datagram %d was overtaken by %d, want %d", n, by, gap)
				case heard[arrival[n]].at != 0 && heard[arrival[n]].at != 100*time.Millisecond:
					t.Fatalf("datagram %d came after %v", n, heard[arrival[n]].at)
				case heard[arrival[n]].at != 0:
					overtaken++ // among the last, which too few others follow
				}
			}
			if lo, hi := binomialTails(many, test.Chance, 0.01); overtaken < lo || overtaken > hi {
				t.Errorf("got %d of %d overtaken, want %d to %d", overtaken, many, lo, hi)
			}
			if got := v.ToServer.Imposed()[0].Hits(); got != int64(overtaken) {
				t.Errorf("got %d hits, want %d", got, overtaken)
			}
		})
	}
}

package main

import (
	"testing"
	"time"
)

func TestDelayVerdicts(t *testing.T) {
	const us = time.Microsecond
	all := func(d time.Duration) sample { return sorted([]time.Duration{d, d, d}) }
	noisy := sorted([]time.Duration{20 * us, 20 * us, 5000 * us})
	for _, test := range []struct {
		name                 string
		control, timer, late sample
		want                 verdict
	}{
		{"as late as the target", all(20 * us), all(40 * us), all(170 * us), ok},
		{"later", all(20 * us), all(40 * us), all(171 * us), off},
		{"later on a machine that moves messages late", noisy, all(40 * us), all(500 * us), inconclusive},
		{"later on a machine that wakes late", all(20 * us), noisy, all(500 * us), inconclusive},
		{"in time on a noisy machine", noisy, noisy, all(100 * us), ok},
		{"as late as a control that is itself very late", all(3000 * us), all(40 * us), all(3000 * us), inconclusive},
		{"early", all(20 * us), all(40 * us), sorted([]time.Duration{-1, 100 * us}), off},
		{"early on a noisy machine", noisy, noisy, sorted([]time.Duration{-1, 100 * us}), off},
		{"no control", nil, nil, all(100 * us), inconclusive},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := judgeDelay(test.control, test.timer, test.late); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestRateVerdicts(t *testing.T) {
	right := func(change func(*rateFinding)) rateFinding {
		f := rateFinding{rate: 1_000_000, whole: 9, long: 0.001, longWorst: 0.01, short: 0.01, shortWorst: 0.1, ahead: -50, excess: 20_000, timer: time.Millisecond}
		if change != nil {
			change(&f)
		}
		return f
	}
	for _, test := range []struct {
		name          string
		control, gate func(*rateFinding)
		want          verdict
	}{
		{"kept", nil, nil, ok},
		{"wrong as a whole", nil, func(f *rateFinding) { f.long = 0.011 }, off},
		{"one window too far off", nil, func(f *rateFinding) { f.longWorst = 0.021 }, off},
		{"one window off by one write more", nil, func(f *rateFinding) { f.longWorst = 0.0199 }, ok},
		{"a burst too large", nil, func(f *rateFinding) { f.excess = 20_001 }, off},
		{"wrong on a machine that wakes late", nil, func(f *rateFinding) { f.long, f.timer = 0.5, 11*time.Millisecond }, inconclusive},
		{"wrong on one that woke the control late", func(f *rateFinding) { f.timer = 11 * time.Millisecond }, func(f *rateFinding) { f.long = 0.5 }, inconclusive},
		{"wrong as the control is", func(f *rateFinding) { f.longWorst = 0.5 }, func(f *rateFinding) { f.long = 0.5 }, inconclusive},
		{"kept on a noisy machine", func(f *rateFinding) { f.longWorst = 0.5 }, nil, ok},
		{"ahead on a noisy machine", func(f *rateFinding) { f.longWorst = 0.5 }, func(f *rateFinding) { f.ahead = 20_001 }, off},
		{"measured for too short a time", nil, func(f *rateFinding) { f.whole = 0 }, inconclusive},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := right(test.gate).judge(right(test.control)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestRateOfASchedule judges arrivals instead of figures.
func TestRateOfASchedule(t *testing.T) {
	still := findRate(every(10*time.Millisecond, 10_000, 350), 0, 1_000_000)
	if got := still.judge(still); got != ok {
		t.Errorf("on schedule: got %v, want %v: %+v", got, ok, still)
	}
	for name, as := range map[string][]arrival{
		"2 % too slow": every(10*time.Millisecond, 9_800, 350),
		"2 % too fast": every(10*time.Millisecond, 10_200, 350),
		"in lumps":     every(50*time.Millisecond, 50_000, 70),
	} {
		if f := findRate(as, 0, 1_000_000); f.judge(still) != off {
			t.Errorf("%s: got %v, want %v: %+v", name, f.judge(still), off, f)
		}
	}
}

func TestThroughputVerdicts(t *testing.T) {
	const by = 100 * time.Millisecond
	atMost := gateWindow / by.Seconds()
	steady, unsteady := []float64{2e9, 2.7e9}, []float64{2e9, 2.9e9}
	for _, test := range []struct {
		name                   string
		control, pass, delayed []float64
		want                   verdict
	}{
		{"as without", steady, []float64{1e8, 1.1e8}, []float64{1e8, 1.1e8}, ok},
		{"a tenth less", steady, []float64{1e8}, []float64{9e7}, off},
		{"a tenth less on a noisy machine", unsteady, []float64{1e8}, []float64{9e7}, inconclusive},
		{"what the window allows", steady, []float64{9e9}, []float64{0.96 * atMost}, ok},
		{"less than the window allows", steady, []float64{9e9}, []float64{0.9 * atMost}, off},
		{"what the window allows on a noisy machine", unsteady, []float64{1e9, 9e9}, []float64{0.96 * atMost, 0.96 * atMost}, ok},
		{"as without on a noisy machine", unsteady, []float64{1e8, 2e8}, []float64{1e8, 2e8}, inconclusive},
		{"the rounds differ, and each by as much", steady, []float64{1e8, 1.2e8, 1.1e8}, []float64{0.96e8, 1.152e8, 1.056e8}, ok},
		{"nothing measured", nil, nil, nil, inconclusive},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (throughputFinding{by, test.control, test.pass, test.delayed}).judge(); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestTrialVerdicts(t *testing.T) {
	of := func(run, wrong int64) *trials {
		ts := &trials{}
		ts.run.Store(run)
		ts.wrong.Store(wrong)
		return ts
	}
	for _, test := range []struct {
		name          string
		control, gate *trials
		want          verdict
	}{
		{"never wrong", of(9, 0), of(99, 0), ok},
		{"wrong once", of(9, 0), of(99, 1), off},
		{"wrong as the control is", of(9, 1), of(99, 1), inconclusive},
		{"never tried", of(9, 0), of(0, 0), inconclusive},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := judgeTrials(test.control, test.gate); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestRecoveryVerdicts(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name          string
		control, gate sample
		want          verdict
	}{
		{"at once", sample{1 * ms}, sample{2 * ms}, ok},
		{"late", sample{1 * ms}, sample{2*ms + 1}, off},
		{"late on a noisy machine", sample{1 * ms, 1 * ms, 6 * ms}, sample{9 * ms}, inconclusive},
		{"at once on a noisy machine", sample{1 * ms, 1 * ms, 6 * ms}, sample{1 * ms}, ok},
		{"as late as a control that is very late", sample{2 * ms}, sample{2 * ms}, inconclusive},
		{"nothing measured", sample{1 * ms}, nil, inconclusive},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := judgeRecovery(test.control, test.gate, ms); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestLosingVerdicts(t *testing.T) {
	for _, test := range []struct {
		name      string
		disturbed bool
		offBy     float64
		others    int
		want      verdict
	}{
		{"as asked", false, 0, 0, ok},
		{"at the edge", false, -0.01, 0, ok},
		{"too few", false, -0.011, 0, off},
		{"too many", false, 0.011, 0, off},
		{"moved as well", false, 0, 1, off},
		{"the kernel has lost some", true, 0.5, 9, inconclusive},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (losingFinding{disturbed: test.disturbed}).judge(test.offBy, 0.01, test.others); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

package main

import (
	"math"
	"testing"
	"time"
)

func TestSummarize(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name   string
		values []float64
		want   string
	}{
		{"nothing", nil, "–"},
		{"nothing that is a number", []float64{nan, nan}, "–"},
		{"one", []float64{3}, "3.00"},
		{"the middle one", []float64{50, 1, 3}, "3.00 (1.00–50.0)"},
		{"between the middle two", []float64{4, 1, 2, 100}, "3.00 (1.00–100)"},
		{"what is no number does not count", []float64{nan, 7, 8, 9}, "8.00 (7.00–9.00)"},
		{"all the same", []float64{2, 2.001, 2}, "2.00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := summarize(test.values).String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestNumber(t *testing.T) {
	for give, want := range map[float64]string{
		0: "0", 12345.6: "12346", 100: "100", 99.96: "100", 99.94: "99.9", 10: "10.0", 9.996: "10.0", 9.994: "9.99", 0.0123: "0.01", 0.00123: "0.0012", -1234.5: "-1234", -0.5: "-0.50",
	} {
		if got := number(give); got != want {
			t.Errorf("%v: got %q, want %q", give, got, want)
		}
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	tests := []struct {
		name    string
		sorted  []time.Duration
		percent float64
		want    time.Duration
	}{
		{"of nothing", nil, 50, 0},
		{"the only one", []time.Duration{7}, 99, 7},
		{"half", hundred, 50, 50},
		{"almost all", hundred, 99, 99},
		{"all", hundred, 100, 100},
		{"none", hundred, 0, 1},
		{"half of three", hundred[:3], 50, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := percentile(test.sorted, test.percent); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestScaleFitsTheLimit(t *testing.T) {
	s := scale{idle: []int{2000, 8000}, live: []int{1, 100, 5000}, neighbours: 5000}
	s.fit(20_000)
	if s.idle[1] != 8000 || s.neighbours != 5000 {
		t.Errorf("20,000 files: got %v and %d, want 8000 and 5000 at last", s.idle, s.neighbours)
	}
	s.fit(1024)
	if got, want := len(s.idle), 1; got != want || s.idle[0] != 10 {
		t.Errorf("1024 files: got %v, want 10 only", s.idle)
	}
	if got := s.live; len(got) != 2 || got[1] != 10 {
		t.Errorf("1024 files: got %v, want 1 and 10", got)
	}
}

package main

import "testing"

func TestTargets(t *testing.T) {
	r := result{figures: map[string][]figures{
		"gate":    {{"MB/s": 300, "ms": 2, "other": 100}, {"MB/s": 500, "ms": 4, "other": 100}, {"MB/s": 100, "ms": 9, "other": 100}},
		"haproxy": {{"MB/s": 100, "ms": 2}, {"MB/s": 200, "ms": 1}, {"MB/s": 100, "ms": 3}},
		"nginx":   {{"MB/s": 200, "ms": 1}, {"MB/s": 100, "ms": 8}}, // failed in the third round
	}}
	tests := []struct {
		name    string
		target  target
		say     string
		verdict string
	}{
		{
			"a figure",
			target{metric: "ms", most: 4},
			"ms: ≤ 4", "✓ met: 4.00 (2.00–9.00)",
		},
		{
			"a figure that is to be large",
			target{metric: "MB/s", least: 301},
			"MB/s: ≥ 301", "✗ missed: 300 (100–500)",
		},
		{
			"the better one is the greatest",
			target{metric: "MB/s", than: []string{"haproxy", "nginx"}, least: 1.25},
			"MB/s: ≥ 1.25 × the better of haproxy and nginx", "✓ met: 1.50 (1.00–2.50)",
		},
		{
			"the better one is the least",
			target{metric: "ms", than: []string{"haproxy", "nginx"}, most: 1},
			"ms: ≤ 1 × the better of haproxy and nginx", "✗ missed: 3.00 (2.00–4.00)",
		},
		{
			"another figure of its own",
			target{metric: "MB/s", own: "other", least: 1},
			"MB/s: ≥ 1 × other", "✓ met: 3.00 (1.00–5.00)",
		},
		{
			"one who is not there",
			target{metric: "MB/s", than: []string{"toxiproxy"}, least: 3},
			"MB/s: ≥ 3 × toxiproxy", "–",
		},
		{
			"not below nothing",
			target{metric: "ms", least: 0},
			"ms: ≥ 0", "✓ met: 4.00 (2.00–9.00)",
		},
		{
			"a metric that is not there",
			target{metric: "GB/s", least: 1},
			"GB/s: ≥ 1", "–",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.target.say(); got != test.say {
				t.Errorf("got %q, want %q", got, test.say)
			}
			if got := test.target.verdict(r, "gate"); got != test.verdict {
				t.Errorf("got %q, want %q", got, test.verdict)
			}
		})
	}
}

// TestRatiosAreOfOneRound divides figures that all grow from round to round: their ratio stays the same.
func TestRatiosAreOfOneRound(t *testing.T) {
	r := result{
		measurement: measurement{metrics: []string{"n", "none"}},
		base:        "gate",
		contenders:  []contender{direct, gateInProcess, haproxy},
		figures: map[string][]figures{
			"gate":    {{"n": 2}, {"n": 20}, {"n": 200}},
			"haproxy": {{"n": 1}, {"n": 10}, {"n": 100}},
			"direct":  {{"n": 4}, {"n": 0}, {"n": 800}},
		},
	}
	got := r.ratios()
	want := [][]string{{"gate ÷", "n", "none"}, {"direct", "0.38 (0.25–0.50)", "–"}, {"haproxy", "2.00", "–"}}
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	for i, row := range want {
		for k, cell := range row {
			if got[i][k] != cell {
				t.Errorf("row %d, column %d: got %q, want %q", i, k, got[i][k], cell)
			}
		}
	}
}

func TestRotated(t *testing.T) {
	all := []contender{direct, haproxy, nginx}
	for round, want := range []string{"direct", "haproxy", "nginx", "direct"} {
		turns := rotated(all, round)
		if len(turns) != 3 || turns[0].name != want {
			t.Errorf("round %d: got %v, want all of them, %s first", round, names(turns), want)
		}
	}
	if got := rotated(nil, 4); got != nil {
		t.Errorf("of nobody: got %v", got)
	}
}

func TestWhoTakesPart(t *testing.T) {
	toxic, ours := fault{text: "delay by=1s", toxic: `{}`}, fault{text: "corrupt"}
	tests := []struct {
		name string
		m    measurement
		c    contender
		want bool
	}{
		{"everybody", measurement{}, socat, true},
		{"too many connections", measurement{many: 5000}, socat, false},
		{"as many as it can have", measurement{many: 200}, socat, true},
		{"not asked", measurement{who: []string{"gate"}}, haproxy, false},
		{"no faults at all", measurement{faults: []fault{toxic}}, haproxy, false},
		{"nothing is imposed", measurement{faults: []fault{{}}}, haproxy, true},
		{"a fault that it knows", measurement{faults: []fault{{}, toxic}}, toxiproxy, true},
		{"one that it does not know", measurement{faults: []fault{toxic, ours}}, toxiproxy, false},
		{"in the place of another one that knows it", measurement{who: faultPeers, faults: []fault{toxic}}, dropIn, true},
		{"a gate knows all", measurement{faults: []fault{toxic, ours}}, gateInProcess, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.m.wants(test.c); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

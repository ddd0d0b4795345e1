package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if beChild() { // a child of a test is the test's program
		return
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // for the children: the race detector lets each sleep for a second
	os.Exit(m.Run())
}

// TestSmoke does every measurement once, shortly, with the gate and one of the others, each of which gets its turns: all
// figures must be there.
func TestSmoke(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skipf("the benchmarks are for Linux: %v", err)
	}
	s := quickScale
	s.load, s.rest = 30*time.Millisecond, 20*time.Millisecond
	b := &bench{options: options{lineup: everybody, scale: s, tree: ".."}, dir: t.TempDir(), log: t.Output()}
	if testing.Short() {
		b.peers = []string{"direct", "gate", "haproxy", "nginx", "socat"} // nothing is built
	}
	b.gather(t.Context())
	for _, needed := range []string{"direct", "gate"} {
		if named(b.present, needed) == nil {
			t.Fatalf("%s is not there: %v", needed, b.absent)
		}
	}
	all, turns := b.present, map[string]int{}
	for _, m := range measurements(s) {
		t.Run(m.name, func(t *testing.T) {
			b.present = []contender{gateInProcess}
			others := slices.DeleteFunc(slices.Clone(all), func(c contender) bool { return c.name == "gate" || !m.wants(c) })
			if len(others) > 0 {
				b.present = append(b.present, slices.MinFunc(others, func(a, c contender) int { return turns[a.name] - turns[c.name] }))
			}
			r := b.measure(t.Context(), m)
			b.results = append(b.results, r)
			for _, note := range r.notes {
				t.Errorf("left out: %s", note)
			}
			if len(r.figures["gate"]) != 1 {
				t.Fatalf("the gate: got %d rounds, want 1", len(r.figures["gate"]))
			}
			for name, rounds := range r.figures {
				turns[name]++
				checkFigures(t, m, name, rounds[0])
			}
			for _, target := range m.targets {
				if target.judge(r, "gate").n != 1 && target.than == nil {
					t.Errorf("the target %q has no value", target.say())
				}
			}
		})
	}
	for _, c := range all {
		if turns[c.name] == 0 {
			t.Errorf("%s had no turn", c.name)
		}
	}
	var out bytes.Buffer
	b.report(&out, machine{})
	for _, m := range measurements(s) {
		if !strings.Contains(out.String(), "\n## "+m.name+"\n") {
			t.Errorf("the report has no section %s", m.name)
		}
	}
}

// TestSmokeBesideToxiproxy does every measurement beside Toxiproxy once, shortly: all figures must be there, of both.
func TestSmokeBesideToxiproxy(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skipf("the benchmarks are for Linux: %v", err)
	}
	if testing.Short() {
		t.Skip("it builds both")
	}
	s := quickScale
	s.load, s.rest = 60*time.Millisecond, 20*time.Millisecond
	b := &bench{options: options{lineup: asToxiproxy, scale: s, tree: ".."}, dir: t.TempDir(), log: t.Output()}
	b.gather(t.Context())
	if named(b.present, "drop-in") == nil {
		t.Fatalf("the drop-in is not there: %v", b.absent)
	}
	for _, m := range b.measurements(s) {
		t.Run(m.name, func(t *testing.T) {
			r := b.measure(t.Context(), m)
			b.results = append(b.results, r)
			for _, note := range r.notes {
				t.Errorf("left out: %s", note)
			}
			if len(r.figures) != len(b.present) {
				t.Fatalf("got figures of %d contenders, want of %d", len(r.figures), len(b.present))
			}
			for name, rounds := range r.figures {
				checkFigures(t, m, name, rounds[0])
			}
			if f := r.figures["drop-in"][0]; orNaN(f, "% as asked") < 100 {
				t.Errorf("got %v %% of the drop-in's connections ended as asked, want all", f["% as asked"])
			}
		})
	}
	var out bytes.Buffer
	b.report(&out, machine{})
	if named(b.present, "toxiproxy") != nil && !strings.Contains(out.String(), "| drop-in ÷ | ") {
		t.Errorf("the report has no ratios:\n%s", &out)
	}
}

// checkFigures finds metrics without a figure and figures without a metric.
func checkFigures(t *testing.T, m measurement, name string, f figures) {
	t.Helper()
	known := map[string]bool{}
	for _, metric := range m.metrics {
		known[metric] = true
		v, ok := f[metric]
		if ofProxies := strings.HasPrefix(metric, "CPU"); !ok && !(ofProxies && name == "direct") {
			t.Errorf("%s: no figure for %q", name, metric)
		} else if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s: %s: got %v, want a number", name, metric, v)
		}
	}
	for metric := range f {
		if !known[metric] {
			t.Errorf("%s: the figure %q belongs to no metric", name, metric)
		}
	}
}

func TestOptions(t *testing.T) {
	tests := []struct {
		name string
		args string
		want string // in the error; empty if there is none
	}{
		{"nothing", "", ""},
		{"everything", "-run bulk -peers gate,haproxy -rounds 2 -length 1ms -quick", ""},
		{"beside Toxiproxy", "-toxiproxy -peers drop-in,toxiproxy", ""},
		{"no such contender", "-peers gate,envoy", `"envoy"`},
		{"no such contender beside Toxiproxy", "-toxiproxy -peers gate", "drop-in, toxiproxy"},
		{"no pattern", "-run (", "-run: "},
		{"an argument", "-quick bulk", `"bulk"`},
		{"less than nothing", "-rounds -1", "negative"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var said bytes.Buffer
			_, err := parseOptions(strings.Fields(test.args), &said)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want an error with %s", err, test.want)
			}
		})
	}
}

func TestRunRefusesUsage(t *testing.T) {
	var out, said bytes.Buffer
	if got := run(context.Background(), []string{"-peers", "envoy"}, &out, &said); got != 2 || out.Len() > 0 {
		t.Errorf("got exit code %d and %q on stdout, want 2 and nothing", got, &out)
	}
}

// TestAFailureIsLeftOut lets a contender fail in the second round: the others go on, and the report says why it is missing.
func TestAFailureIsLeftOut(t *testing.T) {
	turns := 0
	m := measurement{
		name: "some", role: "echo", metrics: []string{"n"}, fresh: true,
		turn: func(_ context.Context, tr turn) (figures, error) {
			if turns++; tr.wires[0].pid == 1 && turns > 2 {
				return nil, os.ErrDeadlineExceeded
			}
			return figures{"n": 1}, nil
		},
	}
	fake := func(name string, pid int) contender {
		return contender{name: name, start: func(_ context.Context, s site) (*running, error) {
			return &running{addr: s.server, pid: pid, stop: func() {}}, nil
		}}
	}
	b := &bench{options: options{lineup: everybody, scale: scale{rounds: 3}}, log: t.Output(), present: []contender{fake("good", 0), fake("bad", 1)}}
	r := b.measure(t.Context(), m)
	if got := len(r.figures["good"]); got != 3 {
		t.Errorf("the other: got %d rounds, want 3", got)
	}
	var out bytes.Buffer
	r.print(&out)
	if !strings.Contains(out.String(), "Left out, bad: i/o timeout") || strings.Contains(out.String(), "| bad |") {
		t.Errorf("got a report that does not say so:\n%s", &out)
	}
}

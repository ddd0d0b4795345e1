package matrix

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
)

func TestStandardIsSound(t *testing.T) {
	if err := checkConditions("tcp", Standard); err != nil {
		t.Error(err)
	}
	if err := checkConditions("unix", withoutResets(Standard)); err != nil {
		t.Error(err)
	}
	baselines := []Baseline{
		{},
		{Took: 1, ToServer: 1, ToClient: 1, Conns: 1, Alive: 1},
		{Took: Span(time.Hour), ToServer: 1 << 40, ToClient: 1 << 40, Conns: 1000, Alive: Span(time.Hour)},
	}
	for _, c := range Standard {
		if c.Help == "" || c.Group == "" {
			t.Errorf("%s: help %q, group %q; want both", c.Name, c.Help, c.Group)
		}
		for _, b := range baselines {
			for _, d := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
				if err := chaos.Check("tcp", c.faults(b, d)...); err != nil {
					t.Errorf("%s: with the baseline %+v: %v", c.Name, b, err)
				}
			}
		}
	}
}

func TestScaledConditions(t *testing.T) {
	b := Baseline{Took: Span(1234 * time.Microsecond), ToServer: 100, ToClient: 600, Conns: 2, Alive: Span(10 * time.Millisecond)}
	want := map[string]string{
		"cut": "limit bytes=100B reset", "lifetime": "lifetime for=5ms", "delay_2x": "delay by=2.5ms", "delay_10x": "delay by=12ms",
		"slice":     "slice size=1B gap=200us",
		"bandwidth": "bandwidth rate=8100B/s burst=1B (to the client bandwidth rate=49KB/s burst=1B)",
		"hold":      "door hold", "close": "close all", "reset": "reset all",
	}
	for _, c := range Standard {
		got := strings.ReplaceAll(c.imposes(b, Both), "µ", "u")
		if want, ok := want[c.Name]; ok && got != want {
			t.Errorf("%s: got %s, want %s", c.Name, got, want)
		}
	}
}

// planned returns the names of the cells that a run would try.
func planned(t *testing.T, r *Run, idle bool) []string {
	t.Helper()
	if len(r.Conditions) == 0 {
		r.Conditions = Standard
	}
	cells, _, err := r.plan(idle)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(cells))
	for i, c := range cells {
		ids[i] = c.id
	}
	return ids
}

func TestPlan(t *testing.T) {
	all := planned(t, &Run{}, true)
	tests := []struct {
		name string
		run  Run
		idle bool
		want []string
	}{
		{"a condition", Run{Only: []string{"reset"}}, true, []string{"reset/both/connecting", "reset/both/idle", "reset/both/underway"}},
		{"no idle connection", Run{Only: []string{"reset"}}, false, []string{"reset/both/connecting", "reset/both/underway"}},
		{"a condition and a direction", Run{Only: []string{"stall/to_client"}}, false, []string{"stall/to_client/connecting", "stall/to_client/underway"}},
		{"patterns", Run{Only: []string{"d*/both/idle", "cut/*"}}, true, []string{
			"cut/to_client/connecting", "cut/to_client/idle", "cut/to_client/underway",
			"discard/both/idle", "delay_2x/both/idle", "delay_10x/both/idle", "delay_2s/both/idle",
		}},
		{"a group", Run{Only: []string{"damage/*/idle", "chunks"}}, true, slices.DeleteFunc(slices.Clone(all), func(id string) bool {
			return !strings.HasPrefix(id, "slice/") && !strings.HasPrefix(id, "concat/")
		})},
		{"a cell", Run{Cell: "stall/both/idle"}, true, []string{"stall/both/idle"}},
	}
	tests[4].run.Only = []string{"chunks"}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, planned(t, &test.run, test.idle)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	tests := []struct {
		name string
		run  Run
		want string
	}{
		{"a typing mistake", Run{Only: []string{"stal"}}, `only: unknown condition "stal", did you mean stall?`},
		{"a pattern that fits nothing", Run{Only: []string{"*/sideways/*"}}, `only: no cell fits "*/sideways/*"`},
		{"a broken pattern", Run{Only: []string{"[a"}}, `only: got "[a", want`},
		{"no name of a cell", Run{Cell: "stall"}, "want CONDITION/DIRECTION/MOMENT"},
		{"a cell of no condition", Run{Cell: "stal/both/idle"}, "did you mean stall?"},
		{"a direction that a condition does not have", Run{Cell: "refuse/to_client/idle"}, "refuse has refuse/both/connecting, refuse/both/underway"},
		{"an idle cell without idle connections", Run{Cell: "stall/both/idle"}, "the probe leaves no connection open"},
		{"only idle cells without idle connections", Run{Only: []string{"*/*/idle"}}, "no cell is left"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.run.Conditions = Standard
			_, _, err := test.run.plan(false)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
		})
	}
}

func TestPairwiseHasEveryPair(t *testing.T) {
	run := &Run{Conditions: Standard}
	all, _, err := run.plan(true)
	if err != nil {
		t.Fatal(err)
	}
	pairs := func(cells []plannedCell) map[string]bool {
		seen := map[string]bool{}
		for _, c := range cells {
			seen[c.condition.Name+" "+string(c.direction)] = true
			seen[c.condition.Name+" "+string(c.moment)] = true
			seen[string(c.direction)+" "+string(c.moment)] = true
		}
		return seen
	}
	quick := pairwise(all)
	if diff := cmp.Diff(pairs(all), pairs(quick)); diff != "" {
		t.Errorf("pairs (-all +quick):\n%s", diff)
	}
	if len(quick)*3 > len(all)*2 {
		t.Errorf("got %d cells of %d, want fewer than two thirds", len(quick), len(all))
	}
	if diff := cmp.Diff(quick, pairwise(all), cmp.Comparer(func(a, b plannedCell) bool { return a.id == b.id })); diff != "" {
		t.Errorf("again, it chooses others:\n%s", diff)
	}
}

func TestParseConditions(t *testing.T) {
	text := `
# what our provider does
far:             delay by=80ms jitter=10ms   # a satellite
half to_client idle underway: after bytes=1KiB stall
restart:         reset all
full connecting: door hold
quoted:          substitute pattern="a # b" with=c
silence
`
	got, err := ParseConditions("tcp", text)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range got {
		names = append(names, c.Name+" = "+c.imposes(Baseline{}, Both))
	}
	want := []string{
		"far = delay by=80ms jitter=10ms", "half = after bytes=1KiB stall", "restart = reset all", "full = door hold",
		`quoted = substitute pattern="a # b" with=c`, "stall = stall", "discard = discard", "vanish = vanish",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if c := got[1]; !slices.Equal(c.Directions, []Direction{ToClient}) || !slices.Equal(c.Moments, []Moment{Idle, Underway}) {
		t.Errorf("%s: directions %v, moments %v", c.Name, c.Directions, c.Moments)
	}
	tests := []struct{ name, text, want string }{
		{"nothing", "# nothing\n", "got no condition"},
		{"an unknown fault", "\nslow: dealy by=1s", "line 2: condition slow: unknown fault \"dealy\", did you mean delay?"},
		{"an unknown name", "stal", `line 1: standard: unknown condition "stal", did you mean stall?`},
		{"no direction", "a sideways: stall", `line 1: condition a: got "sideways", want a direction or a moment`},
		{"no name", ": stall", "want a name before the colon"},
		{"no colon", "slow delay", "want a name, a colon and what is imposed"},
		{"twice", "stall\nstall: stall", "line 2: condition stall: stands there twice"},
		{"an open door", "a: door open", "want hold, refuse or blackhole"},
		{"no door", "a: door ajar", "line 1: condition a: door: "},
		{"a bad name", "a/b: stall", "want letters, digits"},
		{"a fault of datagrams", "a: lose chance=1%", "line 1: condition a: lose: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ParseConditions("tcp", test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
		})
	}
	if _, err := ParseConditions("unix", "a: reset all"); err == nil {
		t.Error("a reset on a unix socket: got no error")
	}
}

func TestRunRefuses(t *testing.T) {
	probe := func(context.Context, string) (Answer, error) { return Answer{}, nil }
	tests := []struct {
		name string
		run  Run
		want string
	}{
		{"no probe", Run{Server: "x:1"}, "probe: want one of Probe and Open"},
		{"no server", Run{Probe: probe}, "server: got nothing"},
		{"a gate that does not run", Run{Probe: probe, Gate: &chaos.Gate{}}, "gate: it is not started"},
		{"datagrams", Run{Probe: probe, Server: "x:1", Network: "udp"}, "network: got udp, want tcp or unix"},
		{"workers", Run{Probe: probe, Server: "x:1", Workers: -1}, "workers: got -1"},
		{"a deadline", Run{Probe: probe, Server: "x:1", Deadline: -1}, "deadline: got -1ns"},
		{"a condition of nothing", Run{Probe: probe, Server: "x:1", Conditions: []Condition{{Name: "a"}}}, "condition a: got 0 of faults"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.run.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
		})
	}
}

func TestExpectations(t *testing.T) {
	report := &Report{Subject: Subject{Probe: "check"}, Cells: []Cell{
		{ID: "stall/both/idle", Verdict: Timeout},
		{ID: "reset/both/idle", Verdict: OK},
		{ID: "cut/to_client/idle", Verdict: Hang},
		{ID: "hold/both/idle", Verdict: Skipped},
	}}
	e := ExpectationsOf(report, &Expectations{Subject: "check", Cells: map[string]Verdict{"close/both/idle": Error, "reset/both/idle": Slow}})
	want := map[string]Verdict{"stall/both/idle": Timeout, "reset/both/idle": OK, "cut/to_client/idle": Hang, "close/both/idle": Error}
	if diff := cmp.Diff(want, e.Cells); diff != "" {
		t.Errorf("made of a report (-want +got):\n%s", diff)
	}
	var b strings.Builder
	if err := e.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := ReadExpectations(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	report.Cells[0].Verdict = Hang
	report.Cells = append(report.Cells, Cell{ID: "new/both/idle", Verdict: OK})
	wantDiff := &Comparison{
		Cells: 3, Changed: []Difference{{ID: "stall/both/idle", Want: Timeout, Got: Hang}},
		New: []string{"hold/both/idle", "new/both/idle"}, Missing: []string{"close/both/idle"},
	}
	if diff := cmp.Diff(wantDiff, again.compare(report, &Run{})); diff != "" {
		t.Errorf("compared (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		name  string
		cell  Cell
		worse bool
	}{
		{"worse", Cell{ID: "stall/both/idle", Verdict: Hang}, true},
		{"the same", Cell{ID: "stall/both/idle", Verdict: Timeout}, false},
		{"better", Cell{ID: "stall/both/idle", Verdict: Error}, false},
		{"bad as expected", Cell{ID: "cut/to_client/idle", Verdict: Hang}, false},
		{"no pass any more", Cell{ID: "reset/both/idle", Verdict: NotExercised}, true},
		{"nothing expected, and bad", Cell{ID: "x/both/idle", Verdict: Wrong}, true},
		{"nothing expected, and not bad", Cell{ID: "x/both/idle", Verdict: Timeout}, false},
	} {
		if test.cell.judge(e); test.cell.Worse != test.worse {
			t.Errorf("%s: worse: %v, want %v", test.name, test.cell.Worse, test.worse)
		}
	}
	for _, bad := range []string{
		``, `{"version": 2, "cells": {}}`, `{"version": 1, "cells": {}}`, `{"version": 1, "cells": {"a": "ok"}}`,
		`{"version": 1, "cells": {"a/both/idle": "fine"}}`, `{"gates": []}`,
	} {
		if _, err := ReadExpectations(strings.NewReader(bad)); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}

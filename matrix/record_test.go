package matrix

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReportSurvivesJSON(t *testing.T) {
	want := &Report{
		Version: Version, Tool: "chaosgate 1.0", Seed: 0xfeedfacecafebeef, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Took: Span(1500 * time.Millisecond), Counts: map[Verdict]int{Hang: 1}, Planned: 2, Worse: 1, Failed: true,
		Baseline: Baseline{Took: Span(312 * time.Microsecond), Answer: "<PONG>", AnswerSize: 6},
		Cells: []Cell{{
			ID: "stall/to_client/idle", Condition: "stall", Direction: ToClient, Moment: Idle, Verdict: Hang, Seed: 7,
			Attempts: []Attempt{{Phase: Under, At: Span(time.Millisecond), Outcome: Hang, Output: "x\x1b"}},
			Recovery: &Recovery{Recovered: true, Once: true, First: Span(3 * time.Millisecond)},
			Seen:     Seen{Closed: []Closing{{By: "client", How: "RST", Count: 1}}},
			Timeline: Timeline{Points: []Point{{At: Span(time.Second), ToServer: 12}}},
		}},
		Expected: &Comparison{Changed: []Difference{{ID: "stall/to_client/idle", Want: Timeout, Got: Hang}}},
	}
	var b bytes.Buffer
	if err := want.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read again, the report differs (-want +got):\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no JSON", "<html>", "no report"},
		{"another document", `{"gates": []}`, "no version"},
		{"another version", `{"version": 99, "cells": []}`, "got 99, want 1"},
		{"a verdict that is a number", `{"version": 1, "cells": [{"verdict": 3}]}`, "no report"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	tests := []struct {
		span       Span
		text, json string
	}{
		{0, "0 ms", "0"},
		{Span(20 * time.Microsecond), "0.1 ms", "0.02"},
		{Span(1234567), "1.2 ms", "1.234"},
		{Span(312 * time.Millisecond), "312 ms", "312"},
		{Span(1500 * time.Millisecond), "1.5 s", "1500"},
		{Span(125 * time.Second), "2 min 05 s", "125000"},
	}
	for _, test := range tests {
		if got := test.span.String(); got != test.text {
			t.Errorf("%d ns: got %q, want %q", test.span, got, test.text)
		}
		if got, err := json.Marshal(test.span); err != nil || string(got) != test.json {
			t.Errorf("%d ns: got %s (%v), want %s", test.span, got, err, test.json)
		}
	}
	for _, text := range []string{`"5ms"`, "1e300"} {
		if err := new(Span).UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s: got no error", text)
		}
	}
}

func TestVerdictsHaveAnOrderAndWords(t *testing.T) {
	seen := map[string]bool{}
	for i, v := range Verdicts {
		if words := v.Words(); verdictWords[v] == "" || seen[words] {
			t.Errorf("%s: words %q, want some of its own", v, words)
		} else {
			seen[words] = true
		}
		if i > 0 && (!v.Worse(Verdicts[i-1]) || Verdicts[i-1].Worse(v)) {
			t.Errorf("%s is not worse than %s", v, Verdicts[i-1])
		}
	}
	if len(verdictWords) != len(Verdicts) {
		t.Errorf("got %d words for %d verdicts", len(verdictWords), len(Verdicts))
	}
	if Wrong.Worse(Wrong) || !Hang.Bad() || Error.Bad() {
		t.Error("wrong is worse than itself, or hang is not bad, or an error is")
	}
}

func TestCellsHaveSeedsOfTheirOwn(t *testing.T) {
	a, b := cellSeed(1, "stall/both/idle"), cellSeed(1, "stall/both/underway")
	if a == b || a == cellSeed(2, "stall/both/idle") || a != cellSeed(1, "stall/both/idle") || a == 0 {
		t.Errorf("seeds %v and %v: want different ones, always the same", a, b)
	}
	for _, bad := range []string{"stall", "stall/up/idle", "stall/both/never", "a/b/c/d"} {
		if _, _, _, err := SplitID(bad); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
	if c, d, m, err := SplitID(cellID("stall", Both, Idle)); c != "stall" || d != Both || m != Idle || err != nil {
		t.Errorf("got %s, %s, %s, %v", c, d, m, err)
	}
}

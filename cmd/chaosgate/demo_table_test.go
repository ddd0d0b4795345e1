package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// someFindings has one of each sort.
func someFindings() []finding {
	stall := condition{name: "a side does not read", text: "stall"}
	in := func(c condition, way string) condition { c.way = way; return c }
	return []finding{
		{
			condition: condition{name: "new clients are refused", text: "--door refuse", way: "door"},
			met:       tallyOf(6, "refused", 7, "closed", 1, "connect timed out", 1, "no free connection"),
			fired:     6, healthy: true, recovered: true, after: 987 * time.Millisecond, opened: 4,
		},
		{condition: in(stall, "to_server"), met: tallyOf(6, "timed out"), fired: 7, healthy: true, recovered: true, after: 2 * time.Millisecond},
		{condition: in(stall, "to_client"), met: tallyOf(6, "timed out"), fired: 7, healthy: true, after: 5 * time.Second, opened: 12},
		{condition: condition{name: "everything comes late", text: "delay by=80ms", way: "to_client"}, met: tally{
			counts: [hang + 1]int{fine: 1, slow: 12, wrong: 1, hang: 3}, slowest: 193 * time.Millisecond,
		}, fired: 99, healthy: true, recovered: true, after: 400 * time.Microsecond},
		{condition: condition{name: "idle connections are closed", text: "idle for=60ms", way: "to_server"}, met: tally{
			counts: [hang + 1]int{fine: 100},
		}, healthy: true, recovered: true, after: time.Millisecond},
		{condition: condition{name: "a partition", text: "vanish", way: "to_server"}},
	}
}

// tallyOf returns a tally of errors, given as pairs of number and text.
func tallyOf(pairs ...any) (t tally) {
	for i := 0; i < len(pairs); i += 2 {
		for range pairs[i].(int) {
			t.add(outcome{kind: failed, what: pairs[i+1].(string)})
		}
	}
	return t
}

func TestReport(t *testing.T) {
	var b bytes.Buffer
	report(&b, someFindings(), false)
	conclude(&b, someFindings(), 300*time.Microsecond, 31*time.Second, 42)
	instruct(&b, "chaosgate")
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > tableWidth {
			t.Errorf("a line has %d columns, want at most %d: %s", n, tableWidth, line)
		}
	}
	golden(t, "report.txt", b.String())
}

func TestReportPainted(t *testing.T) {
	var plain, painted bytes.Buffer
	report(&plain, someFindings(), false)
	report(&painted, someFindings(), true)
	if painted.String() == plain.String() {
		t.Error("nothing is painted")
	}
	bare := painted.String()
	for _, code := range []string{"0", "1", "2", "31", "32", "33"} {
		bare = strings.ReplaceAll(bare, "\x1b["+code+"m", "")
	}
	if bare != plain.String() {
		t.Errorf("without its colours the table is\n%s\nwant\n%s", bare, plain.String())
	}
}

func TestProgress(t *testing.T) {
	findings := someFindings()
	show := func(terminal bool) string {
		var b bytes.Buffer
		bar := newProgress(&b, len(findings))
		bar.terminal = terminal
		for i := range findings {
			bar.begin(findings[i].condition.String())
			bar.end(findings[i].line(bar.paint))
		}
		bar.clear()
		return b.String()
	}
	plain := show(false)
	if strings.ContainsAny(plain, "\r\x1b") {
		t.Errorf("a file gets control characters: %q", plain)
	}
	golden(t, "progress.txt", plain)
	terminal := show(true)
	for _, want := range []string{"\r\x1b[K1 of 6: --door refuse (door)", "4 of 6: delay by=80ms (to_client), 0 s left"} {
		if !strings.Contains(terminal, want) {
			t.Errorf("a terminal is not shown %q but %q", want, terminal)
		}
	}
}

func TestJudge(t *testing.T) {
	sound := finding{healthy: true, fired: 1, recovered: true}
	notFired, notRecovered, skipped := sound, sound, finding{}
	notFired.fired, notRecovered.recovered = 0, false
	tests := []struct {
		name     string
		findings []finding
		want     int
	}{
		{"all sound", []finding{sound, sound}, exitFine},
		{"one did not fire", []finding{sound, notFired}, exitFailed},
		{"one did not recover", []finding{notRecovered, sound}, exitFailed},
		{"one was skipped", []finding{sound, skipped}, exitFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := exitCode(judge(test.findings)); got != test.want {
				t.Errorf("exit code: got %d, want %d", got, test.want)
			}
		})
	}
}

func TestTally(t *testing.T) {
	met := tallyOf(2, "reset", 3, "closed", 1, "timed out")
	met.add(outcome{kind: wrong})
	other := tally{}
	other.add(outcome{took: time.Millisecond})
	other.add(outcome{kind: slow, took: 70 * time.Millisecond})
	met.merge(&other)
	if got, want := met.String(), "1 WRONG, 3 closed, 2 reset, 1 other, 1 slow (70 ms), 1 ok"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := met.worst(), wrong; got != want {
		t.Errorf("worst: got %d, want %d", got, want)
	}
	if got, want := (&tally{}).String(), "nothing"; got != want {
		t.Errorf("empty: got %q, want %q", got, want)
	}
}

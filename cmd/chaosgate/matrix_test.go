package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos/matrix"
)

// someReport has cells of several sorts.
func someReport() *matrix.Report {
	cell := func(condition string, d matrix.Direction, m matrix.Moment, v matrix.Verdict, says string) matrix.Cell {
		return matrix.Cell{
			ID: condition + "/" + string(d) + "/" + string(m), Condition: condition, Direction: d, Moment: m,
			Verdict: v, Says: says, Worse: v.Bad(), Repeat: "chaosgate matrix --cell " + condition,
		}
	}
	r := &matrix.Report{
		Seed: 42, Took: matrix.Span(5 * time.Second), Planned: 7, Interrupted: true, Counts: map[matrix.Verdict]int{},
		Subject:  matrix.Subject{Probe: "./check.sh", Server: "127.0.0.1:6379", Workers: 8},
		Baseline: matrix.Baseline{Took: matrix.Span(time.Millisecond), SlowAfter: matrix.Span(100 * time.Millisecond), Deadline: matrix.Span(10 * time.Second), Conns: 1},
		Notes:    []string{"40 cells are left out."},
		Cells: []matrix.Cell{
			cell("hold", matrix.Both, matrix.Connecting, matrix.Timeout, "gave up after 3.0 s"),
			cell("stall", matrix.ToServer, matrix.Connecting, matrix.Hang, "neither an answer nor an error within 10.0 s"),
			cell("stall", matrix.ToServer, matrix.Underway, matrix.OK, "the right answer after 1.0 ms"),
			cell("stall", matrix.ToClient, matrix.Connecting, matrix.NotExercised, "the condition never fired"),
			cell("corrupt", matrix.Both, matrix.Underway, matrix.Wrong, `answered "\x1b[2J"`),
		},
	}
	r.Cells[0].Expected, r.Cells[0].Worse = matrix.Error, true
	for _, c := range r.Cells {
		r.Counts[c.Verdict]++
	}
	r.Expected = &matrix.Comparison{Cells: 3, Changed: []matrix.Difference{{}}, New: []string{"a/both/idle"}, Missing: []string{}}
	return r
}

func TestMatrixGrid(t *testing.T) {
	var b bytes.Buffer
	writeGrid(&b, someReport())
	golden(t, "matrix-grid.txt", b.String())
}

func TestMatrixProgress(t *testing.T) {
	report := someReport()
	show := func(terminal bool) string {
		var b bytes.Buffer
		bar := newMatrixProgress(&b)
		bar.terminal = terminal
		bar.tell(matrix.Progress{Planned: len(report.Cells), Report: report})
		for i := range report.Cells {
			bar.tell(matrix.Progress{Planned: len(report.Cells), Done: i, Begun: report.Cells[i].ID})
			bar.tell(matrix.Progress{Planned: len(report.Cells), Done: i + 1, Cell: &report.Cells[i]})
		}
		bar.clear()
		return b.String()
	}
	plain := show(false)
	if strings.ContainsAny(plain, "\r\x1b") {
		t.Errorf("a file gets control characters: %q", plain)
	}
	golden(t, "matrix-progress.txt", plain)
	terminal := show(true)
	for _, want := range []string{"\r\x1b[K1 of 5: hold/both/connecting", "3 of 5: stall/to_server/underway, 0 s left", "2/5  stall/to_server/connecting"} {
		if !strings.Contains(terminal, want) {
			t.Errorf("a terminal is not shown %q but %q", want, terminal)
		}
	}
	if strings.Contains(terminal, "never fired") {
		t.Errorf("a terminal is shown cells that are not bad: %q", terminal)
	}
}

func TestMatrixAnnotatesForGitHub(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary")
	variables := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary}
	var b bytes.Buffer
	if err := tellGitHub(someReport(), func(name string) string { return variables[name] }, &b); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`::error title=WRONG corrupt/both/underway::answered "\x1b[2J"%0Aagain: chaosgate matrix --cell corrupt`,
		`::error title=HANG stall/to_server/connecting::neither an answer nor an error within 10.0 s%0Aagain: chaosgate matrix --cell stall`,
		`::error title=timeout hold/both/connecting::gave up after 3.0 s%0Aagain: chaosgate matrix --cell hold`,
	}, "\n") + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if _, err := formOf("summary.md"); err == nil {
		if text, err := os.ReadFile(summary); err != nil || !strings.Contains(string(text), "stall") {
			t.Errorf("summary: got %q (%v), want it to tell of the cells", text, err)
		}
	}
	b.Reset()
	if err := tellGitHub(someReport(), func(string) string { return "" }, &b); err != nil || b.Len() > 0 {
		t.Errorf("elsewhere: got %q (%v), want nothing", b.String(), err)
	}
	if got, want := annotation("50%: a,b\r\n", true), "50%25%3A a%2Cb%0D%0A"; got != want {
		t.Errorf("a title: got %q, want %q", got, want)
	}
}

func TestMatrixCommandThatRepeats(t *testing.T) {
	f := matrixFlags{server: "127.0.0.1:6379", command: `sh -c 'echo "$X"'`, deadline: 5 * time.Second, quick: true, only: []string{"*/idle"}}
	const common = `chaosgate matrix --server 127.0.0.1:6379 --probe 'sh -c '\''echo "$X"'\''' --deadline 5s `
	if got, want := f.repeat("chaosgate", "stall/both/idle", 42), common+"--cell stall/both/idle --seed 0x2a"; got != want {
		t.Errorf("a cell: got %s, want %s", got, want)
	}
	if got, want := f.repeat("chaosgate", "", 42), common+"--quick --only '*/idle' --seed 0x2a"; got != want {
		t.Errorf("the run: got %s, want %s", got, want)
	}
}

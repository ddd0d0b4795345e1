package main

import (
	"fmt"
	"io"

	"github.com/chaosgate/chaos/matrix"
)

// writeGrid writes what came of a matrix: a row for each condition and direction, a column for each moment, and below it the cells that have
// failed the run.
func writeGrid(w io.Writer, r *matrix.Report) {
	p := paintFor(w)
	t := table{columns: []column{{title: "CONDITION"}, {title: "DIRECTION"}}}
	for _, m := range matrix.Moments {
		t.columns = append(t.columns, column{title: momentTitles[m], optional: true})
	}
	type place struct {
		condition string
		direction matrix.Direction
	}
	var last place
	for _, c := range r.Cells {
		here := place{c.Condition, c.Direction}
		if here != last {
			name := c.Condition
			if name == last.condition {
				name = ""
			}
			t.rows = append(t.rows, append([]cell{{name, p.bold}, {string(c.Direction), nil}}, make([]cell, len(matrix.Moments))...))
			last = here
		}
		row := t.rows[len(t.rows)-1]
		for i, m := range matrix.Moments {
			if m == c.Moment {
				row[2+i] = cell{c.Verdict.Words(), verdictColour(p, c)}
			}
		}
	}
	t.writeFit(w, p)
	writeBad(w, p, r)
	fmt.Fprintf(w, "\n%s\n", sumUp(r))
}

// writeBad writes the cells that have failed the run, a line each, and how the worst is repeated.
func writeBad(w io.Writer, p paint, r *matrix.Report) {
	bad := r.BadCells()
	if len(bad) == 0 {
		return
	}
	t := table{columns: []column{{title: "VERDICT"}, {title: "CELL"}, {title: "EXPECTED", optional: true}, {title: "WHAT HAPPENED"}}}
	for _, c := range bad {
		expected := ""
		if c.Expected != "" {
			expected = c.Expected.Words()
		}
		t.rows = append(t.rows, []cell{{c.Verdict.Words(), p.red}, {c.ID, p.bold}, {expected, nil}, {clip(safe(c.Says), 200), nil}})
	}
	fmt.Fprintln(w)
	t.writeFit(w, p)
	if again := bad[0].Repeat; again != "" {
		fmt.Fprintf(w, "\nThe first of them again (another is named by --cell):\n  %s\n", again)
	}
}

var momentTitles = map[matrix.Moment]string{matrix.Connecting: "CONNECTING", matrix.Idle: "IDLE", matrix.Underway: "UNDER WAY"}

// sumUp sums a report up in a line.
func sumUp(r *matrix.Report) string {
	text := fmt.Sprintf("%d cells in %v, seed %v:", len(r.Cells), r.Took, r.Seed)
	separator := " "
	for i := len(matrix.Verdicts) - 1; i >= 0; i-- {
		if n := r.Counts[matrix.Verdicts[i]]; n > 0 {
			text += fmt.Sprintf("%s%d %s", separator, n, matrix.Verdicts[i].Words())
			separator = ", "
		}
	}
	if r.Interrupted {
		text += fmt.Sprintf("; interrupted, %d cells are missing", r.Planned-len(r.Cells))
	}
	if e := r.Expected; e != nil {
		text += fmt.Sprintf("; %d of %d not as expected", len(e.Changed), e.Cells)
		if len(e.New) > 0 {
			text += fmt.Sprintf(", nothing is expected of %d", len(e.New))
		}
		if len(e.Missing) > 0 {
			text += fmt.Sprintf(", %d that are expected were not tried", len(e.Missing))
		}
	}
	return text
}

package reportsample

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaosgate/chaos/matrix"
)

// Every returns the report of a whole matrix, with every verdict somewhere.
func Every() *matrix.Report {
	var cells []matrix.Cell
	for _, c := range conditions {
		for _, d := range c.directions() {
			for _, m := range c.moments() {
				cells = append(cells, sampleCell(len(cells), c, d, m))
			}
		}
	}
	r := reportOf(cells)
	r.Expected = &matrix.Comparison{
		File: "resilience.json", Cells: len(cells) - 1,
		Changed: []matrix.Difference{
			{ID: "discard/to_server/underway", Want: matrix.Timeout, Got: matrix.Hang},
			{ID: "slice/both/idle", Want: matrix.Slow, Got: matrix.OK},
		},
		Missing: []string{"throttle/both/idle"}, New: []string{"concat/both/underway"},
	}
	return r
}

// Good returns the report of a run of which nothing bad can be said.
func Good() *matrix.Report {
	r := Every()
	good := []matrix.Verdict{matrix.OK, matrix.Slow, matrix.Error, matrix.Timeout}
	r = reportOf(slices.DeleteFunc(r.Cells, func(c matrix.Cell) bool { return !slices.Contains(good, c.Verdict) }))
	r.Subject.Name = ""
	return r
}

// Interrupted returns the report of a run that was ended before its first cell was done.
func Interrupted() *matrix.Report {
	r := reportOf([]matrix.Cell{})
	r.Planned, r.Interrupted, r.Took = 108, true, ms(1400)
	return r
}

// Many returns a report with so many cells.
func Many(n int) *matrix.Report {
	whole := Every().Cells
	cells := make([]matrix.Cell, 0, n)
	for i := range n {
		c := whole[i%len(whole)]
		if round := i / len(whole); round > 0 {
			c.Condition = fmt.Sprintf("%s_%d", c.Condition, round+1)
			c.ID = fmt.Sprintf("%s/%s/%s", c.Condition, c.Direction, c.Moment)
		}
		cells = append(cells, c)
	}
	return reportOf(cells)
}

// reportOf returns the report of some cells.
func reportOf(cells []matrix.Cell) *matrix.Report {
	r := &matrix.Report{
		Version: matrix.Version, Tool: "chaosgate 1.0.0", Seed: 0x5f3a, Started: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC), Took: ms(151_000),
		Machine: matrix.Machine{Name: "ci-17", OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1.26.0"},
		Subject: matrix.Subject{
			Name: "orders", Kind: "command", Probe: "redis-cli -h $CHAOSGATE_HOST -p $CHAOSGATE_PORT get order:42",
			Network: "tcp", Server: "127.0.0.1:6379", Workers: 8,
		},
		Baseline: matrix.Baseline{
			Attempts: []matrix.Attempt{
				{Phase: matrix.Before, At: ms(0.2), Took: ms(6.1), Outcome: matrix.OK, Output: answer, Conns: 1},
				{Phase: matrix.Before, At: ms(6.5), Took: ms(3.4), Outcome: matrix.OK, Output: answer, Conns: 1},
			},
			Took: ms(3.4), Worst: ms(6.1), SlowAfter: ms(106), Deadline: ms(10_000), Patience: ms(15_000),
			ToServer: 41, ToClient: 1234, Conns: 1, Alive: ms(3.1), Answer: answer, AnswerSize: len(answer),
		},
		Planned: len(cells), Cells: cells, Counts: map[matrix.Verdict]int{},
		Notes:  []string{"The client keeps no connection between two attempts, so what happens to an idle one was tried with one that waits in the probe."},
		Repeat: "chaosgate matrix --server 127.0.0.1:6379 --probe 'redis-cli -h $CHAOSGATE_HOST -p $CHAOSGATE_PORT get order:42' --seed 0x5f3a",
	}
	for _, c := range conditions {
		r.Conditions = append(r.Conditions, matrix.ConditionInfo{Name: c.name, Group: c.group, Help: c.help, Text: c.text})
	}
	for _, c := range cells {
		r.Counts[c.Verdict]++
		if c.Worse {
			r.Worse++
		}
	}
	r.Failed = r.Worse > 0
	return r
}

// ms returns a number of milliseconds, exact to the microsecond, as in JSON.
func ms(n float64) matrix.Span { return matrix.Span(math.Round(n*1e3)) * matrix.Span(time.Microsecond) }

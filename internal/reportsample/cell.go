package reportsample

import (
	"fmt"

	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

// answer is what the probe answers.
const answer = `{"order":42,"state":"paid","total":"17.30"}` + "\n"

// A story is what the attempt under a condition came to.
type story struct {
	took   float64 // ms
	says   string  // the attempt
	output string  // of it
	cell   string  // the sentence on the cell
}

var stories = map[matrix.Verdict]story{
	matrix.OK:           {4.2, "", answer, "The right answer in 4.2 ms."},
	matrix.NotExercised: {3.3, "", answer, "The condition made no difference to anything in 20 attempts."},
	matrix.Skipped:      {3, "exit code 1", "Could not connect to Redis at 127.0.0.1:35107: Connection refused\n", "The probe did not work before the condition was imposed."},
	matrix.Slow:         {1310, "", answer, "The right answer after 1.3 s, 385 times as late as without."},
	matrix.Error:        {5.8, "exit code 1", "Error: Server closed the connection\n", "An error after 5.8 ms: exit code 1: Error: Server closed the connection."},
	matrix.Timeout:      {3004, "i/o timeout", "Error: i/o timeout\n", "A timeout of its own after 3.0 s: i/o timeout."},
	matrix.Storm:        {250, "connection refused", "Error: connection refused\n", "1,912 connections in 0.25 s, one after another without a pause."},
	matrix.NoRecovery:   {5.1, "broken pipe", "Error: write: broken pipe\n", "Not right again within 15 s after the condition was lifted: broken pipe."},
	matrix.Hang:         {10_000, "neither an answer nor an error within 10 s", "", "Neither an answer nor an error within 10 s, then it was killed."},
	matrix.Crash:        {6.4, "signal: segmentation fault", "panic: runtime error: slice bounds out of range [:1701] with capacity 1234\n\ngoroutine 1 [running]:\nmain.parse(…)\n", "It died after 6.4 ms: signal: segmentation fault."},
	matrix.Wrong:        {4.9, "42 bytes, of which the 31st differs", `{"order":42,"state":"paid","tota1":"17.30"}` + "\n", "An answer that is not the baseline's, and no error: 42 bytes, of which the 31st differs."},
}

// sampleCell returns the i-th cell.
func sampleCell(i int, c condition, d matrix.Direction, m matrix.Moment) matrix.Cell {
	v := c.comesOf(d, m)
	s := stories[v]
	id := fmt.Sprintf("%s/%s/%s", c.name, d, m)
	cell := matrix.Cell{
		ID: id, Condition: c.name, Group: c.group, Direction: d, Moment: m, Imposed: c.text, Seed: spec.Seed(0x9e3779b1 * uint32(i+1)),
		Verdict: v, Says: s.cell, Worse: v.Bad() && v != matrix.NoRecovery, Began: ms(float64(i) * 1400),
		Repeat: fmt.Sprintf("chaosgate matrix --server 127.0.0.1:6379 --probe 'redis-cli -h $CHAOSGATE_HOST -p $CHAOSGATE_PORT get order:42' --cell %s --seed 0x5f3a", id),
	}
	if v == matrix.NoRecovery {
		cell.Expected = matrix.NoRecovery
	}
	a := &author{cell: &cell, line: matrix.Point{}}
	if v == matrix.Skipped {
		a.probe(matrix.Before, 6.1+float64(i%7), matrix.Error, s)
		a.finish()
		return cell
	}
	a.probe(matrix.Before, 6.1+float64(i%7), matrix.OK, stories[matrix.OK])
	a.probe(matrix.Before, 3.4+float64(i%3), matrix.OK, stories[matrix.OK])
	cell.Timeline.Imposed = a.now
	cell.Met = metOf(v)
	cell.Fired = int64(1 + i%5)
	if v == matrix.NotExercised {
		cell.Fired = 0
	}
	a.probe(matrix.Under, s.took, cell.Met, s)
	a.wait(max(0, 250-s.took))
	cell.Timeline.Lifted = a.now
	a.recover(i, v)
	a.finish()
	return cell
}

// metOf returns what the attempt under the condition came to.
func metOf(v matrix.Verdict) matrix.Verdict {
	switch v {
	case matrix.NotExercised:
		return matrix.OK
	case matrix.Storm, matrix.NoRecovery:
		return matrix.Error
	}
	return v
}

// An author writes what happens in a cell, one thing after another.
type author struct {
	cell *matrix.Cell
	now  matrix.Span
	line matrix.Point // the last of the timeline
}

// wait lets some milliseconds pass.
func (a *author) wait(n float64) { a.now += ms(n) }

// point notes how things are now.
func (a *author) point() {
	a.line.At = a.now
	a.cell.Timeline.Points = append(a.cell.Timeline.Points, a.line)
}

// probe makes an attempt.
func (a *author) probe(p matrix.Phase, took float64, v matrix.Verdict, s story) {
	a.wait(1)
	a.point()
	attempt := matrix.Attempt{Phase: p, At: a.now, Took: ms(took), Outcome: v, Output: s.output, Says: s.says, Conns: 1, Fired: p == matrix.Under}
	if a.cell.Verdict == matrix.Storm && p == matrix.Under {
		attempt.Conns = 1912
	}
	a.cell.Attempts = append(a.cell.Attempts, attempt)
	conn := matrix.Connection{Ordinal: uint64(len(a.cell.Seen.Conns) + 1), Opened: a.now + ms(0.2), By: "client", How: "FIN"}
	a.line.Accepted += attempt.Conns
	a.line.Live = 1
	a.wait(took / 3)
	a.point()
	conn.ToServer = 41
	if v == matrix.OK || v == matrix.Slow || v == matrix.Wrong {
		conn.ToClient = 1234
	} else {
		conn.By, conn.How = "gate", "RST"
	}
	a.line.ToServer, a.line.ToClient = a.line.ToServer+conn.ToServer, a.line.ToClient+conn.ToClient
	a.wait(took / 3)
	a.point()
	a.wait(took - 2*took/3)
	a.line.Live = 0
	conn.Ended = a.now
	a.cell.Seen.Conns = append(a.cell.Seen.Conns, conn)
	a.point()
}

// recover makes the attempts after the condition.
func (a *author) recover(i int, v matrix.Verdict) {
	r := &matrix.Recovery{Patience: ms(15_000)}
	a.cell.Recovery = r
	failing := i % 3
	if v == matrix.NoRecovery {
		failing = 24
	}
	for range failing {
		a.probe(matrix.After, 12, matrix.Error, stories[matrix.Error])
		r.Failed++
		a.wait(float64(20 * min(30, 1+r.Failed)))
	}
	r.Attempts, r.Conns = failing, int64(failing)
	if v == matrix.NoRecovery {
		return
	}
	for n := range 3 {
		a.probe(matrix.After, 3.4, matrix.OK, stories[matrix.OK])
		r.Attempts++
		if r.Three = a.now - a.cell.Timeline.Lifted; n == 0 {
			r.First = r.Three
		}
	}
	r.Once, r.Recovered = true, true
	r.Conns = int64(r.Attempts)
}

// finish sums up.
func (a *author) finish() {
	a.wait(0.4)
	a.point()
	c := a.cell
	c.Took, c.Timeline.Until = a.now, a.now
	c.Seen.ToServer, c.Seen.ToClient, c.Seen.Accepted = a.line.ToServer, a.line.ToClient, a.line.Accepted
	ends := map[string]int64{}
	for _, conn := range c.Seen.Conns {
		ends[conn.By]++
	}
	c.Seen.Closed = []matrix.Closing{{By: "client", How: "FIN", Count: ends["client"]}}
	if ends["gate"] > 0 {
		c.Seen.Closed = append(c.Seen.Closed, matrix.Closing{By: "gate", How: "RST", Count: ends["gate"]})
	}
	if left := c.Seen.Accepted - int64(len(c.Seen.Conns)); left > 0 {
		c.Seen.LeftOut = int(left)
		c.Seen.Under, c.Seen.Rate = 1912, 7648
	}
}

package matrix

import (
	"fmt"
	"slices"
	"strings"
)

const (
	curveWidth  = 1000 // of a lane's own coordinates, which are stretched to the width there is
	curveHeight = 26
	mostBars    = 12 // connections that are drawn
	barPitch    = 6
	laneTop     = 84 // where the first curve begins, in pixels
	lanePitch   = 46
)

// A drawing is a cell's timeline, in pixels downwards and in percent of the width to the right, so that it fits any width
// without its words being stretched.
type drawing struct {
	Height, Axis     int // where the axis is
	Words            string
	Band             *stretch // in which the condition held
	Phases           []label
	Recovery         *stretch
	Attempts         []stretch
	ToServer         curve
	ToClient         curve
	Conns            []stretch
	ConnsTop         int
	ConnsWords       string
	Ticks            []label
	Uneven, HasBytes bool
}

// A stretch is a time from one moment to another.
type stretch struct {
	X, Width, End string // percent
	Y             int
	Verdict       Verdict // of an attempt
	Mark          string  // where a sign for the verdict stands, if there is room for one
	Words         string
	First         string // of a recovery: where the first right answer was
	Open          bool   // it goes on beyond the end
	Cut           bool   // it was ended by force
}

// A label is words at a place.
type label struct{ X, Words, Anchor string }

// A curve is bytes over time, in coordinates of its own.
type curve struct {
	Y          int
	Line, Area string
	Words      string
	Way        Direction
}

func percent(x float64) string { return fmt.Sprintf("%.2f%%", x) }

// drawing returns the timeline of a cell.
func (c *Cell) drawing() *drawing {
	t, r := c.Timeline, newRuler(c.Timeline)
	d := &drawing{Uneven: r.uneven(), HasBytes: len(t.Points) > 1}
	if len(r.at) == 4 {
		band := r.stretch(t.Imposed, t.Lifted)
		d.Band = &band
		middle := func(i int) string { return percent((r.place[i] + r.place[i+1]) / 2) }
		d.Phases = []label{
			{middle(0), "before", "middle"},
			{middle(1), oneLine(c.Condition, 20) + ", " + (t.Lifted - t.Imposed).String(), "middle"},
			{middle(2), "after", "middle"},
		}
	}
	d.recovery(c, r)
	d.attempts(c, r)
	d.ToServer = curveOf("to the server", t.Points, r, func(p Point) int64 { return p.ToServer })
	d.ToClient = curveOf("to the client", t.Points, r, func(p Point) int64 { return p.ToClient })
	d.ToServer.Way, d.ToClient.Way = ToServer, ToClient
	d.ToServer.Y, d.ToClient.Y = laneTop, laneTop+lanePitch
	d.ConnsTop = laneTop + 2*lanePitch
	d.conns(c, r)
	d.Axis = d.ConnsTop + max(1, len(d.Conns))*barPitch + 4
	d.Height = d.Axis + 20
	d.Ticks = r.ticks()
	d.Words = c.timelineWords()
	return d
}

// attempts draws the attempts of the probe, with as many marks as have room: those under the condition come first, the worst
// before all others.
func (d *drawing) attempts(c *Cell, r ruler) {
	const room = 2.4 // percent
	order := make([]int, len(c.Attempts))
	for i, a := range c.Attempts {
		s := r.stretch(a.At, a.At+a.Took)
		s.Verdict, s.Words = a.Outcome, fmt.Sprintf("%s after %s", oneLine(a.Outcome.Words(), 40), a.Took)
		d.Attempts = append(d.Attempts, s)
		order[i] = i
	}
	rank := func(i int) int {
		n := slices.Index(Verdicts, c.Attempts[i].Outcome)
		if c.Attempts[i].Phase == Under {
			n += len(Verdicts)
		}
		return n
	}
	slices.SortStableFunc(order, func(i, j int) int { return rank(j) - rank(i) })
	var marks []float64
	for _, i := range order {
		x := min(r.x(c.Attempts[i].At+c.Attempts[i].Took), 98.5)
		if slices.ContainsFunc(marks, func(other float64) bool { return max(other-x, x-other) < room }) {
			continue
		}
		marks = append(marks, x)
		d.Attempts[i].Mark = percent(x)
	}
}

// recovery draws how long it took until the probe worked again.
func (d *drawing) recovery(c *Cell, r ruler) {
	rec, lifted := c.Recovery, c.Timeline.Lifted
	if rec == nil || d.Band == nil {
		return
	}
	s := r.stretch(lifted, c.Timeline.Until)
	s.Words, s.Open = "NO RECOVERY", true
	if rec.Recovered {
		s = r.stretch(lifted, lifted+rec.Three)
		s.Words = "recovered: " + rec.Three.String()
	}
	if rec.Once {
		s.First = percent(r.x(lifted + rec.First))
	}
	d.Recovery = &s
}

// conns draws the first connections, each as a line.
func (d *drawing) conns(c *Cell, r ruler) {
	d.ConnsWords = count(c.Seen.Accepted, "connection") + " accepted"
	for _, conn := range c.Seen.Conns {
		if len(d.Conns) == mostBars {
			break
		}
		end := conn.Ended
		if end == 0 {
			end = c.Timeline.Until
		}
		s := r.stretch(conn.Opened, end)
		s.Y, s.Open, s.Cut = d.ConnsTop+len(d.Conns)*barPitch, conn.Ended == 0, conn.How == "RST" || conn.How == "abort"
		d.Conns = append(d.Conns, s)
	}
	if n := len(c.Seen.Conns) + c.Seen.LeftOut; n > mostBars {
		d.ConnsWords += fmt.Sprintf(", the first %d of %d shown", mostBars, n)
	}
}

// curveOf draws bytes over time. A level line is silence; its height is all that passed in the cell.
func curveOf(where string, points []Point, r ruler, value func(Point) int64) curve {
	var most int64
	for _, p := range points {
		most = max(most, value(p))
	}
	c := curve{Words: "bytes " + where + ": " + bytesText(most)}
	var line []string
	end := 0.0
	for _, p := range points {
		y := float64(curveHeight - 1)
		if most > 0 {
			y -= float64(curveHeight-2) * float64(max(0, value(p))) / float64(most)
		}
		end = r.x(p.At) * curveWidth / 100
		line = append(line, fmt.Sprintf("%.1f,%.1f", end, y))
	}
	if c.Line = strings.Join(line, " "); len(line) > 0 {
		first, _, _ := strings.Cut(line[0], ",")
		c.Area = fmt.Sprintf("%s,%d %s %.1f,%d", first, curveHeight, c.Line, end, curveHeight)
	}
	return c
}

// timelineWords returns the timeline in words, for who cannot see it.
func (c *Cell) timelineWords() string {
	text := fmt.Sprintf("Timeline of %s.", c.Timeline.Until)
	if c.Timeline.Lifted > c.Timeline.Imposed {
		text += fmt.Sprintf(" The condition held from %s to %s.", c.Timeline.Imposed, c.Timeline.Lifted)
	}
	for _, phase := range []Phase{Before, Under, After} {
		var outcomes []string
		for _, a := range c.Attempts {
			if a.Phase == phase {
				outcomes = append(outcomes, a.Outcome.Words())
			}
		}
		if len(outcomes) > 6 {
			outcomes = append(outcomes[:6], fmt.Sprintf("and %d more", len(outcomes)-6))
		}
		if len(outcomes) > 0 {
			text += fmt.Sprintf(" Attempts %s: %s.", phase, strings.Join(outcomes, ", "))
		}
	}
	return text
}

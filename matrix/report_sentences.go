package matrix

import (
	"fmt"
	"slices"
	"strings"
)

// headline returns what came of the run, in a sentence.
func (r *Report) headline() string {
	cells := len(r.Cells)
	switch {
	case cells == 0 && r.Interrupted:
		return "Interrupted before a cell was done"
	case cells == 0:
		return "No cell was tried"
	case r.Worse > 0:
		return fmt.Sprintf("%d of %s %s worse than allowed", r.Worse, count(cells, "cell"), isAre(r.Worse))
	case r.Failed:
		return "No cell is worse than allowed, but the expectations do not fit the run"
	case r.Counts[NotExercised]+r.Counts[Skipped] == cells:
		return "Nothing was tested: no condition made a difference"
	}
	return fmt.Sprintf("None of %s is worse than allowed", count(cells, "cell"))
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// title returns what was tried, as people call it.
func (r *Report) title() string {
	for _, name := range []string{r.Subject.Name, r.Subject.Probe, r.Subject.Server} {
		if name = oneLine(name, 80); name != "" {
			return name
		}
	}
	return "resilience matrix"
}

// tally returns the counts of the verdicts, the worst first: "2 HANG, 31 timeout, 40 ok".
func (r *Report) tally() string {
	parts := []string{}
	for _, v := range slices.Backward(Verdicts) {
		if n := r.Counts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v.Words()))
		}
	}
	return strings.Join(parts, ", ")
}

// setting returns the run as a sentence: how much was tried of what, when and in which time.
func (r *Report) setting() string {
	tried := count(len(r.Cells), "cell")
	if r.Interrupted {
		tried = fmt.Sprintf("%d of %s", len(r.Cells), count(r.Planned, "cell"))
	}
	return fmt.Sprintf("%s in %s, seed %s; a healthy exchange takes %s, what takes %s is slow, and what takes %s hangs.",
		tried, r.Took, r.Seed, r.Baseline.Took, r.Baseline.SlowAfter, r.Baseline.Deadline)
}

// A finding is what a reader should see first: cells of one condition with one bad verdict.
type finding struct {
	verdict   Verdict
	condition string
	says      string // of the first cell
	worse     bool   // than allowed
	cells     []*Cell
}

// findings returns what is worse than allowed and then what is bad and was expected to be, the worst first.
func (r *Report) findings() []*finding {
	var found []*finding
	for i := range r.Cells {
		c := &r.Cells[i]
		if !c.Worse && !c.Verdict.Bad() {
			continue
		}
		at := slices.IndexFunc(found, func(f *finding) bool {
			return f.verdict == c.Verdict && f.condition == c.Condition && f.worse == c.Worse
		})
		if at < 0 {
			at = len(found)
			found = append(found, &finding{verdict: c.Verdict, condition: c.Condition, says: c.Says, worse: c.Worse})
		}
		found[at].cells = append(found[at].cells, c)
	}
	slices.SortStableFunc(found, func(a, b *finding) int {
		if a.worse != b.worse {
			if a.worse {
				return -1
			}
			return 1
		}
		return slices.Index(Verdicts, b.verdict) - slices.Index(Verdicts, a.verdict)
	})
	return found
}

// where returns the direction and the moment of a cell.
func (c *Cell) where() string { return c.Direction.Words() + ", " + c.Moment.Words() }

// standing says how the verdict stands to what is expected; it is empty if there is nothing to say.
func (c *Cell) standing() string {
	switch {
	case c.Expected == "" && c.Worse:
		return "worse than allowed"
	case c.Expected == "":
		return ""
	case c.Expected == c.Verdict:
		return "as expected"
	case c.Worse:
		return "worse than expected, which was " + oneLine(c.Expected.Words(), 40)
	}
	return "expected was " + oneLine(c.Expected.Words(), 40)
}

// text returns what came after the condition, in a sentence.
func (r *Recovery) text() string {
	switch {
	case r == nil:
		return "Whether it recovers was not tried."
	case !r.Once:
		return fmt.Sprintf("Not right again within %s: %s failed, over %s.", r.Patience, count(r.Failed, "attempt"), count(r.Conns, "connection"))
	}
	text := fmt.Sprintf("Right again %s after the condition was lifted", r.First)
	if r.Recovered {
		text += fmt.Sprintf(", three times in a row after %s", r.Three)
	} else {
		text += fmt.Sprintf(", but not three times in a row within %s", r.Patience)
	}
	return fmt.Sprintf("%s; %d of %s failed, over %s.", text, r.Failed, count(r.Attempts, "attempt"), count(r.Conns, "connection"))
}

// text returns how connections have ended.
func (s Seen) text() string {
	parts := []string{}
	for _, c := range s.Closed {
		parts = append(parts, fmt.Sprintf("%d by %s (%s)", c.Count, oneLine(c.By, 40), oneLine(c.How, 20)))
	}
	text := fmt.Sprintf("%s to the server and %s to the client over %s", bytesText(s.ToServer), bytesText(s.ToClient), count(s.Accepted, "connection"))
	if s.Under > 0 {
		text += fmt.Sprintf(", %d of them under the condition", s.Under)
		if s.Under > 5 {
			text += fmt.Sprintf(" (%.0f a second)", s.Rate)
		}
	}
	if s.DialErrors > 0 {
		text += fmt.Sprintf("; the server could not be reached for %d", s.DialErrors)
	}
	if len(parts) > 0 {
		text += "; ended: " + strings.Join(parts, ", ")
	}
	return text + "."
}

// differences returns how the run differs from what was expected, one sentence each.
func (r *Report) differences() []string {
	e := r.Expected
	if e == nil {
		return nil
	}
	var lines []string
	for _, d := range e.Changed {
		kind := "better"
		if d.Got.Worse(d.Want) {
			kind = "worse"
		}
		lines = append(lines, fmt.Sprintf("%s: %s, expected was %s, which is %s", oneLine(d.ID, 120), oneLine(d.Got.Words(), 40), oneLine(d.Want.Words(), 40), kind))
	}
	for _, id := range e.Missing {
		lines = append(lines, oneLine(id, 120)+": expected, and not tried")
	}
	for _, id := range e.New {
		lines = append(lines, oneLine(id, 120)+": nothing is expected of it")
	}
	if e.Updated {
		lines = append(lines, "The expectations were written anew.")
	}
	return lines
}

package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// A client that opens more connections than that beside the ones it needs, and more than stormRate in a second, does not
	// pause between two tries.
	stormConns = 30
	stormRate  = 20
)

// conclude finds the verdict and says it, once everything was noted. An error is why the cell was not tried.
func (t *trial) conclude(why error) {
	c := &t.cell
	defer func() { c.Says = sentence(c.Says) }()
	if why != nil {
		c.Verdict, c.Says = Skipped, why.Error()
		if n := len(c.Attempts); n > 0 && errors.Is(why, errUnhealthy) {
			c.Says += ": " + c.Attempts[n-1].said(t.base)
		}
		if errors.Is(why, errNothingMoves) {
			c.Verdict = NotExercised
		}
		return
	}
	worst, after := t.worst(Under), t.worst(After)
	c.Met = worst.Outcome
	c.Verdict = worst.Outcome
	says := []string{worst.said(t.base)}
	if c.Fired == 0 && right(worst) {
		c.Verdict, says = NotExercised, []string{"the condition never fired"}
	}
	consider := func(v Verdict, sentence string) {
		says = append(says, sentence)
		if v.Worse(c.Verdict) {
			c.Verdict = v
		}
	}
	if sentence := t.storm(); sentence != "" {
		consider(Storm, sentence)
	}
	if v := after.Outcome; v == Hang || v == Crash || v == Wrong {
		consider(v, "when it was lifted: "+after.said(t.base))
	}
	switch r := c.Recovery; {
	case r.Recovered && r.Failed == 0:
		says = append(says, fmt.Sprintf("recovered at once (%v)", r.First))
	case r.Recovered:
		says = append(says, fmt.Sprintf("recovered after %v and %s", r.First, howMany(r.Failed, "attempt", "that failed")))
	case r.Once:
		consider(NoRecovery, fmt.Sprintf("did not work three times in a row within %v: %d of %d attempts failed", r.Patience, r.Failed, r.Attempts))
	default:
		consider(NoRecovery, fmt.Sprintf("did not recover within %v: %s, the last with %s",
			r.Patience, howMany(r.Attempts, "attempt", "failed"), c.Attempts[len(c.Attempts)-1].said(t.base)))
	}
	c.Says = strings.Join(says, "; ")
}

// sentence returns text as a sentence: with a capital, if it begins with a letter, and a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if c := text[0]; 'a' <= c && c <= 'z' {
		text = string(c-'a'+'A') + text[1:]
	}
	return strings.TrimRight(text, ".") + "."
}

// worst returns the worst attempt of a phase, the first of several.
func (t *trial) worst(phase Phase) (worst Attempt) {
	for _, a := range t.cell.Attempts {
		if a.Phase == phase && (worst.Outcome == "" || a.Outcome.Worse(worst.Outcome)) {
			worst = a
		}
	}
	return worst
}

// storm says that connections were opened in a loop, if so.
func (t *trial) storm() string {
	c := &t.cell
	tell := func(n int64, attempts int, span Span, when string) string {
		extra := n - (t.base.Conns+int64(t.base.Kept))*int64(attempts)
		rate := float64(extra) / max(span.seconds(), 1e-3)
		if extra <= stormConns || rate <= stormRate {
			return ""
		}
		return fmt.Sprintf("opened %s %s, %.0f in a second", howMany(int(n), "connection", ""), when, rate)
	}
	under := 0
	for _, a := range c.Attempts {
		if a.Phase == Under {
			under++
		}
	}
	says := tell(c.Seen.Under, under, c.Timeline.Lifted-c.Timeline.Imposed, "under the condition")
	if says == "" && c.Recovery != nil {
		says = tell(c.Recovery.Conns, c.Recovery.Attempts, c.Timeline.Until-c.Timeline.Lifted, "after it was lifted")
	}
	return says
}

// said says what came of an attempt.
func (a Attempt) said(b Baseline) string {
	what, _, _ := strings.Cut(strings.TrimSpace(a.Says), "\n")
	switch a.Outcome {
	case OK:
		return fmt.Sprintf("the right answer after %v", a.Took)
	case Slow:
		return fmt.Sprintf("the right answer, but after %v (healthy: %v)", a.Took, b.Took)
	case Error:
		return fmt.Sprintf("failed after %v: %s", a.Took, what)
	case Timeout:
		return fmt.Sprintf("gave up after %v: %s", a.Took, what)
	}
	return what
}

// howMany returns a number of things: "1 attempt that failed", "3 attempts that failed".
func howMany(n int, thing, rest string) string {
	if n != 1 {
		thing += "s"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", n, thing, rest))
}

// judge tells whether a cell is worse than it may be.
func (c *Cell) judge(e *Expectations) {
	want, ok := e.verdict(c.ID)
	if c.Worse = c.Verdict.Bad(); ok {
		c.Expected, c.Worse = want, c.Verdict.Worse(want)
	}
}

// BadCells returns the cells that have failed the run, the worst first.
func (r *Report) BadCells() []Cell {
	bad := slices.DeleteFunc(slices.Clone(r.Cells), func(c Cell) bool { return !c.Worse })
	slices.SortStableFunc(bad, func(a, b Cell) int { return slices.Index(Verdicts, b.Verdict) - slices.Index(Verdicts, a.Verdict) })
	return bad
}

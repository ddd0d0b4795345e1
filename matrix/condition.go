package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// A Condition is something that a network or a peer does. It has one of Faults, Scaled, Door and End.
type Condition struct {
	Name  string // as in a cell's name: letters, digits, hyphens and underscores
	Group string // of conditions that are alike
	Help  string // a sentence: what happens, and what causes it in production

	Faults []chaos.Fault // what is imposed on the traffic
	// Scaled are faults whose strength follows from the baseline: those for the traffic that goes one way.
	Scaled func(b Baseline, d chaos.Direction) []chaos.Fault
	// Door is how new connections are received. Live ones would not notice, so they are ended first, with FIN.
	Door chaos.Door
	// End ends all connections once, by FullClose or RST. At the moment Connecting it ends each new one.
	End chaos.End

	Directions []Direction // in which it is tried; all if empty, and Both alone with a Door or an End
	Moments    []Moment    // at which it is tried; all if empty
	// Ripens is how long the condition takes to fire on an idle connection, as an idle limit does. The probe waits for
	// it, and a second more.
	Ripens time.Duration
	// Once is set of a condition that fires at one moment: what comes of it is seen in the one attempt that has met it.
	Once bool
	// Grace is how much longer than the deadline the probe may take, under a condition that makes everything late.
	Grace time.Duration
}

// Check says what is wrong with a condition, if something is.
func (c Condition) Check(network string) error {
	if !isName(c.Name) {
		return fmt.Errorf("condition: name: got %q, want letters, digits, hyphens and underscores", c.Name)
	}
	ways := 0
	for _, given := range []bool{len(c.Faults) > 0, c.Scaled != nil, c.Door != chaos.Open, c.End != chaos.More} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return fmt.Errorf("condition %s: got %d of faults, scaled faults, a door and an end, want one", c.Name, ways)
	case c.End != chaos.More && c.End != chaos.FullClose && c.End != chaos.RST:
		return fmt.Errorf("condition %s: end: got %v, want FullClose or RST", c.Name, c.End)
	case c.End == chaos.RST && network == "unix":
		return fmt.Errorf("condition %s: end: got RST, which a unix socket does not have", c.Name)
	case c.Door == chaos.Blackhole && network == "unix":
		return fmt.Errorf("condition %s: door: got blackhole, but a unix socket cannot leave a connect unanswered", c.Name)
	}
	if err := chaos.Check(network, c.Faults...); err != nil {
		return fmt.Errorf("condition %s: %w", c.Name, err)
	}
	for _, d := range c.Directions {
		if !slices.Contains(Directions, d) {
			return fmt.Errorf("condition %s: direction: got %q, want to_server, to_client or both", c.Name, d)
		}
	}
	for _, m := range c.Moments {
		if !slices.Contains(Moments, m) {
			return fmt.Errorf("condition %s: moment: got %q, want connecting, idle or underway", c.Name, m)
		}
	}
	return nil
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	})
}

// whole reports whether the condition concerns connections as a whole, so that it has no direction.
func (c Condition) whole() bool { return c.Door != chaos.Open || c.End != chaos.More }

// directions returns in which directions the condition is tried.
func (c Condition) directions() []Direction {
	switch {
	case c.whole():
		return []Direction{Both}
	case len(c.Directions) == 0:
		return Directions
	}
	return c.Directions
}

// moments returns at which moments the condition is tried.
func (c Condition) moments() []Moment {
	if len(c.Moments) == 0 {
		return Moments
	}
	return c.Moments
}

// faults returns what is imposed on the traffic that goes one way.
func (c Condition) faults(b Baseline, d chaos.Direction) []chaos.Fault {
	if c.Scaled != nil {
		return c.Scaled(b, d)
	}
	return c.Faults
}

// imposes says what exactly is imposed, in the words of the command line.
func (c Condition) imposes(b Baseline, d Direction) string {
	switch {
	case c.Door != chaos.Open:
		return "door " + c.Door.String()
	case c.End == chaos.RST:
		return "reset all"
	case c.End != chaos.More:
		return "close all"
	}
	ways := []chaos.Direction{chaos.ToServer, chaos.ToClient}
	texts := make([]string, len(ways))
	for i, way := range ways {
		texts[i] = textOf(c.faults(b, way))
	}
	switch {
	case d == ToServer || texts[0] == texts[1]:
		return texts[0]
	case d == ToClient:
		return texts[1]
	}
	return fmt.Sprintf("%s (to the client %s)", texts[0], texts[1])
}

// textOf returns faults as they are written on a command line.
func textOf(faults []chaos.Fault) string {
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = spec.Text(f)
	}
	return strings.Join(texts, " ")
}

// info returns what the record says of the condition.
func (c Condition) info(b Baseline) ConditionInfo {
	return ConditionInfo{Name: c.Name, Group: c.Group, Help: c.Help, Text: c.imposes(b, Both)}
}

// checkConditions says what is wrong with a list of conditions.
func checkConditions(network string, conditions []Condition) error {
	if len(conditions) == 0 {
		return errors.New("conditions: got none, want one at least")
	}
	seen := map[string]bool{}
	for _, c := range conditions {
		if err := c.Check(network); err != nil {
			return err
		}
		if seen[c.Name] {
			return fmt.Errorf("condition %s: stands there twice", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

//go:build linux

package wiretest

import (
	"fmt"
	"slices"
)

// A Check is a row of the wire contract, or a part of one.
type Check struct {
	Row  int
	Name string
	Unix bool // makes sense for unix sockets too
	Run  func(e *Env) error
}

// String names a check as a test is named.
func (c Check) String() string { return fmt.Sprintf("row%02d_%s", c.Row, c.Name) }

// Checks returns every check, in the order of the rows.
func Checks() []Check {
	all := slices.Concat(streamChecks(), latencyChecks(), endChecks(), setupChecks(), resourceChecks())
	for _, s := range slices.Concat(streamScripts(), endScripts()) {
		all = append(all, s.check(s.name, s.text))
		if s.mirror {
			all = append(all, s.check(s.name+"_mirrored", Mirror(s.text)))
		}
	}
	slices.SortStableFunc(all, func(a, b Check) int { return a.Row - b.Row })
	return all
}

// A scripted check is a script whose direct run and run through are compared.
type scripted struct {
	row    int
	name   string
	mirror bool
	unix   bool
	text   string
}

func (s scripted) check(name, text string) Check {
	return Check{Row: s.row, Name: name, Unix: s.unix, Run: func(e *Env) error { return Compare(e, text) }}
}

package main

import (
	"context"
	"slices"

	"github.com/chaosgate/chaos"
)

// A contender is what stands between clients and a server.
type contender struct {
	name  string
	about string // what it is and how it is set up, for the report
	// find makes sure that it is there, building it into the folder if it must be built, and returns its version.
	find  func(ctx context.Context, s site) (version string, err error)
	start func(ctx context.Context, s site) (*running, error)
	can   func(fault) bool // which faults it knows; none if nil
	most  int              // how many connections can be asked of it; any number if 0
	gate  bool             // the targets are for gates
}

// A site is where a contender is started.
type site struct {
	dir     string // for binaries and configuration
	tree    string // the repository's root
	server  string // the address to connect to
	fault   fault  // what is imposed
	profile string // the file that a gate's profile goes to, if there is to be one
}

// running is a contender at work.
type running struct {
	addr string                       // where clients connect
	api  string                       // where Toxiproxy's API is, of those that have it
	pid  int                          // 0 if it is no process
	ask  func(string) (string, error) // for gates in process: tells it to do something
	stop func()
}

// A fault is what contenders that can are to impose.
type fault struct {
	text  string          // as chaosgate has it: "delay by=100ms". Empty: nothing is imposed
	toxic string          // as Toxiproxy's API has it, without its stream; empty if it has no such fault
	way   chaos.Direction // the direction it is imposed on
}

// A lineup is who is measured, and what is.
type lineup struct {
	contenders   []contender // in the order in which they are printed
	gates        []string    // those that targets are for; ratios are the first one's
	measurements func(s scale) []measurement
}

var (
	everybody   = lineup{[]contender{direct, gateInProcess, chaosgate, haproxy, nginx, socat, toxiproxy}, []string{"gate", "chaosgate"}, measurements}
	asToxiproxy = lineup{[]contender{dropIn, toxiproxy}, []string{"drop-in"}, measurementsOfToxics}
)

// takes reports whether a contender can impose all of some faults.
func (c contender) takes(faults []fault) bool {
	return !slices.ContainsFunc(faults, func(f fault) bool { return f.text != "" && (c.can == nil || !c.can(f)) })
}

// named returns the contender of a name, or nil.
func named(all []contender, name string) *contender {
	if i := slices.IndexFunc(all, func(c contender) bool { return c.name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

// names returns the names of contenders.
func names(all []contender) (n []string) {
	for _, c := range all {
		n = append(n, c.name)
	}
	return n
}

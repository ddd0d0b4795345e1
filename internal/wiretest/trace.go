//go:build linux

package wiretest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// An Event is one step of a script as it went.
type Event struct {
	Step    string        // who did what
	Outcome string        // what came of it: counts, bytes, the error's name
	Took    time.Duration // from its start to its end
	Within  time.Duration // the limit that the script sets, if any
}

// A Trace is what the actors of one run observed, in the order of the script.
type Trace []Event

// String renders a trace for people, one step a line.
func (t Trace) String() string {
	var b strings.Builder
	for _, e := range t {
		fmt.Fprintf(&b, "  %-24s %-44s %v\n", e.Step, e.Outcome, e.Took.Round(10*time.Microsecond))
	}
	return b.String()
}

// timedOut says whether a step did not finish in time, which ends a run.
func (e Event) timedOut() bool { return strings.Contains(e.Outcome, "timeout") }

// Diff says where the steps of two runs of one script had different outcomes. It is empty if they had none. How long they took is
// not compared.
func Diff(direct, through Trace) string {
	var b strings.Builder
	differ := len(direct) != len(through)
	for i := range max(len(direct), len(through)) {
		var d, t Event
		if i < len(direct) {
			d = direct[i]
		}
		if i < len(through) {
			t = through[i]
		}
		if d.Step == t.Step && d.Outcome == t.Outcome {
			fmt.Fprintf(&b, "    %-24s %s\n", d.Step, d.Outcome)
			continue
		}
		differ = true
		fmt.Fprintf(&b, "  - %-24s %s (directly)\n  + %-24s %s (through)\n", d.Step, d.Outcome, t.Step, t.Outcome)
	}
	if !differ {
		return ""
	}
	return b.String()
}

// errName names an error as it stands in a trace.
func errName(err error) string {
	var errno unix.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, io.EOF):
		return "EOF"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, net.ErrClosed):
		return "closed"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	default:
		return err.Error()
	}
}

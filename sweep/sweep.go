package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

// A Sweep is one to be run. Its fields are set before [Sweep.Do].
type Sweep struct {
	// Run says what is swept: its server, its probe, its workers, its seed. Its conditions and what chooses among them do not count.
	Run matrix.Run

	Actions    []Action          // what happens at the points; fin alone if empty
	Directions []chaos.Direction // which way the messages go whose points are tried; both if empty
	EveryByte  bool              // all points are tried
	Point      *Point            // this one alone, if it is not nil
	MaxRuns    int               // how many points are tried at most; as many as there are if zero
	Time       time.Duration     // how long the sweep may take; as long as it takes if zero
	Pause      time.Duration     // what is longer between two bytes parts two messages; 100 ms if zero

	// Check is called, if it is not nil, when the probe works again: an error says that what the attempt under the condition has done is wrong, such as
	// a write that was done twice. The attempt's ID is what [matrix.AttemptID] told the probe.
	Check func(ctx context.Context, under matrix.Attempt) error

	Repeat   func(action string, p Point, seed spec.Seed) string // returns the command that repeats a point; may be nil
	Progress func(Progress)                                      // is told, if it is not nil, how far things are: one call at a time
}

// A Progress tells how far a sweep is.
type Progress struct {
	Exchange *Exchange // once it is recorded
	Done     int       // points that were tried
	Known    int       // points that are known to be tried: bisection finds more
	Point    string    // the one that is done, with its action, or empty
	Verdict  matrix.Verdict
}

// recordings is how often an exchange is recorded: what differs among three is noticed.
const recordings = 3

// ErrNothing is about a probe of which nothing is to be recorded.
var ErrNothing = errors.New("the probe works, but nothing goes through the gate each time that could be cut")

// check says what is wrong with a sweep, and fills in what is left out.
func (s *Sweep) check() error {
	if len(s.Actions) == 0 {
		s.Actions = Actions[:1]
	}
	for i, a := range s.Actions {
		if a.Name == "" || a.Fault == nil {
			return fmt.Errorf("action %d: want a name and a fault", i+1)
		}
		if err := chaos.Check(s.Run.Network, a.Fault); err != nil {
			return fmt.Errorf("action %s: %w", a.Name, err)
		}
	}
	switch {
	case s.MaxRuns < 0:
		return fmt.Errorf("max runs: got %d, want more than 0", s.MaxRuns)
	case s.Time < 0:
		return fmt.Errorf("time: got %v, want more than 0", s.Time)
	case s.Pause < 0:
		return fmt.Errorf("pause: got %v, want more than 0", s.Pause)
	case s.Pause == 0:
		s.Pause = 100 * time.Millisecond
	}
	if len(s.Directions) == 0 {
		s.Directions = []chaos.Direction{chaos.ToServer, chaos.ToClient}
	}
	s.Run.Conditions, s.Run.Quick, s.Run.Only, s.Run.Cell = nil, false, nil, ""
	return nil
}

// Do runs the sweep. If the context ends, the report has what there is by then and says so; nothing is left running. An error means that nothing was
// tried, and why: it wraps [matrix.ErrUnable] if something is missing, and is otherwise about what the sweep was told.
func (s *Sweep) Do(ctx context.Context) (*Report, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	began := time.Now()
	p, err := s.Run.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	w := &sweeping{Sweep: s, prepared: p, began: began}
	err = w.do(ctx)
	if closed := p.Close(); err == nil {
		err = closed
	}
	if w.report == nil {
		return nil, err
	}
	return w.report, err
}

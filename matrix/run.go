package matrix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// A Probe has the software under test do something through a gate at an address, once. It ends when its context does: what
// goes on is left alone after a second. A panic is a crash.
type Probe func(ctx context.Context, addr string) (Answer, error)

// An Answer is what a probe was told.
type Answer struct {
	Output string // what is compared with the baseline's: a healthy probe answers the same each time
	Log    string // what else it has said, for the record
}

// Errors of a probe that say more than that it failed; they are wrapped. A timeout is told by context.DeadlineExceeded, or
// by a method Timeout, as well.
var (
	ErrWrong   = errors.New("a wrong answer")
	ErrTimeout = errors.New("timed out")
	ErrCrash   = errors.New("crashed")
)

// A Run is a matrix to be run. Its fields are set before [Run.Do] or [Run.Prepare].
type Run struct {
	Subject Subject // what is tried, in words, for the record; Network, Server, Gate and Workers are filled in

	Network string // "tcp" if empty; or "unix"
	Server  string // the address that the gates stand before
	Listen  string // where the gate listens, if clients know an address; then one cell is tried at a time
	// Gate is a gate that is there already, if it is not nil: then one cell is tried at a time, and Network, Server, Listen and Configure
	// do not count. It is healed in the end.
	Gate      *chaos.Gate
	Configure func(*chaos.Gate) // may set more fields of each gate before it starts

	// Probe is called again and again, by one goroutine for each address. What it keeps between two calls, such as a pool of connections,
	// is tried as well.
	Probe Probe
	// Open makes a client for a cell, in place of Probe: a probe and a function that ends it. So a cell does not see what another has
	// done to its client. It is called as a part of the first attempt.
	Open func(ctx context.Context, addr string) (Probe, func(), error)

	Conditions []Condition // [Standard] if empty
	Quick      bool        // each pair of condition, direction and moment is tried, not each three
	Only       []string    // patterns of cells' names, such as "stall", "*/to_client/*"; all if empty
	Cell       string      // the name of a single cell, if not empty
	Seed       spec.Seed   // drawn if zero
	Workers    int         // how many cells are tried at once, each with a gate of its own; 8 if zero

	Slow     time.Duration // what takes longer is slow; if zero it follows from the baseline
	Deadline time.Duration // what takes longer hangs; 10 s if zero, or ten times the baseline if that is more
	Patience time.Duration // how long the probe may take to recover; half as long again as the deadline, and 15 s at least, if zero

	Expect *Expectations // what is expected, if it is not nil
	// Repeat returns the command that repeats a cell, or the run if it is empty; may be nil.
	Repeat func(cell string, seed spec.Seed) string
	// Progress is told, if it is not nil, how far things are: one call at a time.
	Progress func(Progress)

	wanted string // what a healthy probe answers
}

// A Progress tells how far a run is.
type Progress struct {
	Planned int     // how many cells there are to try
	Done    int     // how many are done
	Begun   string  // the cell that has begun, or empty
	Cell    *Cell   // the cell that is done, or nil
	Report  *Report // the record so far: at the beginning it has the baseline
}

// ErrUnable is wrapped by the errors of a run for which something is missing: a server that answers, a port, a probe that works.
// All others are about what the run was told.
var ErrUnable = errors.New("the matrix cannot be run")

// unable marks an error by ErrUnable, without its words.
type unable struct{ error }

func (unable) Is(target error) bool { return target == ErrUnable }
func (u unable) Unwrap() error      { return u.error }

// Do runs the matrix. If the context ends, the report has what there is by then and says so; nothing is left running. An error means that
// nothing was tried, and why.
func (r *Run) Do(ctx context.Context) (*Report, error) {
	p, err := r.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(chan string) // the names of the cells that are to be tried
	var trying sync.WaitGroup
	for range p.subject().Workers {
		trying.Go(func() {
			for id := range ids {
				p.Try(ctx, id) // what goes wrong is in the record
			}
		})
	}
	for _, id := range p.Cells() {
		select {
		case ids <- id:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(ids)
	trying.Wait()
	return p.Report(), p.Close()
}

// check says what is wrong with a run, and fills in what is left out.
func (r *Run) check() error {
	switch {
	case (r.Probe == nil) == (r.Open == nil):
		return errors.New("probe: want one of Probe and Open")
	case r.Gate != nil && r.Gate.Addr() == "":
		return errors.New("gate: it is not started")
	case r.Gate == nil && r.Server == "":
		return errors.New("server: got nothing, want its address")
	case r.Workers < 0:
		return fmt.Errorf("workers: got %d, want 1 or more", r.Workers)
	}
	for _, field := range []struct {
		name  string
		value time.Duration
	}{{"slow", r.Slow}, {"deadline", r.Deadline}, {"patience", r.Patience}} {
		if field.value < 0 {
			return fmt.Errorf("%s: got %v, want more than 0", field.name, field.value)
		}
	}
	if r.Gate != nil {
		r.Network, r.Server, r.Listen = r.Gate.Network, r.Gate.Server, ""
	}
	if r.Network = cmp.Or(r.Network, "tcp"); strings.HasPrefix(r.Network, "udp") {
		return fmt.Errorf("network: got %s, want tcp or unix: a datagram has no connection to be tried", r.Network)
	}
	if len(r.Conditions) == 0 {
		r.Conditions = Standard
		if r.Network == "unix" {
			r.Conditions = withoutResets(Standard)
		}
	}
	if err := checkConditions(r.Network, r.Conditions); err != nil {
		return err
	}
	if r.Workers = cmp.Or(r.Workers, 8); r.Gate != nil || r.Listen != "" {
		r.Workers = 1
	}
	r.Seed = cmp.Or(r.Seed, drawSeed())
	return nil
}

// withoutResets leaves out what a unix socket does not have.
func withoutResets(all []Condition) []Condition {
	return slices.DeleteFunc(slices.Clone(all), func(c Condition) bool {
		return c.End == chaos.RST || c.Door == chaos.Blackhole || c.Name == "cut"
	})
}

// reachServer says why a server cannot be reached, if so: better than that a probe fails for a reason that nobody sees.
func (r *Run) reachServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*time.Second, errors.New("no answer within 3 s"))
	defer cancel()
	dial := (&net.Dialer{}).DialContext
	var like chaos.Gate
	if r.Gate != nil {
		like.DialContext = r.Gate.DialContext
	} else if r.Configure != nil {
		r.Configure(&like)
	}
	if like.DialContext != nil {
		dial = like.DialContext
	}
	conn, err := dial(ctx, r.Network, r.Server)
	if err != nil {
		return fmt.Errorf("server: %s cannot be reached: %w", r.Server, cmp.Or(context.Cause(ctx), err))
	}
	return conn.Close()
}

// machine tells about the machine on which this runs.
func machine() Machine {
	name, _ := os.Hostname()
	return Machine{Name: name, OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0), Go: runtime.Version()}
}

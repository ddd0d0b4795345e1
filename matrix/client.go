package matrix

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// A client is the software under test at one gate.
type client struct {
	run  *Run
	addr string
	want *string // what a right answer is; nil if nobody knows yet, or if it varies
	slow time.Duration

	answer string // to the last attempt that was right

	mu    sync.Mutex // guards what follows, held shortly: an attempt that hangs does not hold it
	probe Probe
	stop  func() // ends what Open has made
	ended bool
}

// newClient returns a client that has not connected yet.
func (r *Run) newClient(addr string) *client { return &client{run: r, addr: addr, probe: r.Probe} }

// end ends the client. What does not end is left alone after a second.
func (c *client) end() {
	c.mu.Lock()
	stop := c.stop
	c.stop, c.ended = nil, true
	c.mu.Unlock()
	if stop == nil {
		return
	}
	stopped := make(chan struct{}) // closed when stop has returned
	go func() {
		defer close(stopped)
		stop()
	}()
	wait(context.Background(), graceAfterDeadline, stopped)
}

// wait waits for a time, or until a channel is closed (which may be nil), or the context ends. It reports whether the time has passed.
func wait(ctx context.Context, d time.Duration, over <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-over:
	case <-ctx.Done():
	}
	return false
}

// call opens the client if it is not open, and probes.
func (c *client) call(ctx context.Context) (Answer, error) {
	c.mu.Lock()
	probe := c.probe
	c.mu.Unlock()
	if probe == nil {
		opened, stop, err := c.run.Open(ctx, c.addr)
		if err != nil {
			return Answer{}, err
		}
		c.mu.Lock()
		probe, c.probe, c.stop = opened, opened, stop
		late := c.ended
		c.mu.Unlock()
		if late {
			stop()
			return Answer{}, errors.New("the cell is over")
		}
	}
	return probe(ctx, c.addr)
}

// attemptKey is where a context has the name of an attempt.
type attemptKey struct{}

// AttemptID returns the name of the attempt for which a probe is called, which no other attempt has: what the probe writes can be found by it.
func AttemptID(ctx context.Context) string {
	id, _ := ctx.Value(attemptKey{}).(string)
	return id
}

// A result is what came of a call.
type result struct {
	answer Answer
	err    error
	panics string // if it has
}

// graceAfterDeadline is how long a probe may take to end when its context has.
const graceAfterDeadline = time.Second

// attempt probes once, for so long at most, and says what came of it. Its phase, moment and connections are for others to fill in.
func (c *client) attempt(ctx context.Context, deadline time.Duration) (a Attempt) {
	began := time.Now()
	id := rand.Text()[:16]
	limited, cancel := context.WithTimeout(context.WithValue(ctx, attemptKey{}, id), deadline)
	defer cancel()
	done := make(chan result, 1) // what came of it, even when nobody waits any more
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.panics = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
			}
			done <- r
		}()
		r.answer, r.err = c.call(limited)
	}()
	var r result
	left := false
	select {
	case r = <-done:
	case <-limited.Done():
		late := time.NewTimer(graceAfterDeadline)
		defer late.Stop()
		select {
		case r = <-done:
		case <-late.C:
			left = true
		}
	}
	took := time.Since(began)
	a = Attempt{ID: id, Took: Span(took)}
	a.Output, a.Omitted = clip(outputOf(r))
	switch {
	case ctx.Err() != nil:
		a.Outcome, a.Says = Error, "interrupted"
	case r.panics != "":
		a.Outcome = Crash
		a.Says, _, _ = strings.Cut(r.panics, "\n")
	case left:
		a.Outcome, a.Says = Hang, fmt.Sprintf("neither an answer nor an error within %v, nor did it end when its context did", Span(deadline))
	case took >= deadline:
		a.Outcome, a.Says = Hang, fmt.Sprintf("neither an answer nor an error within %v", Span(deadline))
		if r.err == nil {
			a.Says = fmt.Sprintf("an answer, but after %v, and nobody waits longer than %v", Span(took), Span(deadline))
		}
	default:
		a.Outcome, a.Says = c.outcome(r, took)
		if right(a) {
			c.answer = r.answer.Output
		}
	}
	return a
}

// lateError is after how long an error is taken for that of a timeout, whatever it says: a busy machine may take a second for one
// that came at once.
const lateError = 2 * time.Second

// outcome says what came of a call that was over in time.
func (c *client) outcome(r result, took time.Duration) (Verdict, string) {
	switch {
	case errors.Is(r.err, ErrCrash):
		return Crash, r.err.Error()
	case errors.Is(r.err, ErrWrong):
		return Wrong, r.err.Error()
	case isTimeout(r.err):
		return Timeout, r.err.Error()
	case r.err != nil && took > max(lateError, 2*c.slow):
		return Timeout, fmt.Sprintf("%v (after %v)", r.err, Span(took))
	case r.err != nil:
		return Error, r.err.Error()
	case c.want != nil && r.answer.Output != *c.want:
		return Wrong, fmt.Sprintf("answered %s, want %s", shown(r.answer.Output), shown(*c.want))
	case c.slow > 0 && took > c.slow:
		return Slow, ""
	}
	return OK, ""
}

// isTimeout reports whether an error is that of a timeout of the probe's own.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// outputOf returns all that a probe has said.
func outputOf(r result) string {
	said := r.answer.Output
	for _, more := range []string{r.answer.Log, r.panics} {
		if more != "" && said != "" && !strings.HasSuffix(said, "\n") {
			said += "\n"
		}
		said += more
	}
	return strings.ToValidUTF8(said, "\uFFFD")
}

// keptOutput is how many bytes of a probe's output are kept: of its beginning and its end half each.
const keptOutput = 4 << 10

// clip returns the beginning and the end of a text, and how many bytes are left out between them.
func clip(s string) (kept string, omitted int) {
	if len(s) <= keptOutput {
		return s, 0
	}
	head := strings.ToValidUTF8(s[:keptOutput/2], "")
	tail := strings.ToValidUTF8(s[len(s)-keptOutput/2:], "")
	omitted = len(s) - len(head) - len(tail)
	return fmt.Sprintf("%s\n… %d bytes …\n%s", head, omitted, tail), omitted
}

// shown quotes an answer, of a long one the beginning.
func shown(s string) string {
	const most = 60
	if s == "" {
		return "nothing"
	}
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:most], len(s))
}

// medianOf returns the median of spans, which it sorts.
func medianOf[T cmp.Ordered](sorted []T) T { return sorted[len(sorted)/2] }

//go:build linux

package realservers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// An application is what a client does to its server, again and again.
type application struct {
	// work stores a record over the gate and reads it back. It tells whether the server has confirmed that the record is
	// stored, and returns an error that wraps errWrong if what it read back is wrong.
	work func(ctx context.Context, id int) (stored bool, err error)
	// records returns directly from the server all records that it has, by their ids.
	records func(t *testing.T) map[int][]string
}

// errWrong is the one error that no condition excuses: a result that is wrong.
var errWrong = errors.New("wrong result")

// record returns what is stored under an id. A few of them are more than the limits that tests impose.
func record(id int) string {
	return strings.Repeat(fmt.Sprintf("record %d. ", id), 20)
}

// A crew uses an application from several goroutines at once, and keeps a book of what was confirmed.
type crew struct {
	app  application
	stop context.CancelFunc
	work sync.WaitGroup

	mu        sync.Mutex   // guards what follows
	next      int          // the next record's id
	confirmed map[int]bool // the ids of all records that were begun, and whether the server has confirmed them
	succeeded int
	errs      []error // all that were met
}

// workers is how many members a crew has.
const workers = 3

// startCrew has a crew work until the test ends, or until it is stopped.
func startCrew(t *testing.T, app application) *crew {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &crew{app: app, stop: cancel, confirmed: map[int]bool{}}
	for range workers {
		c.work.Go(func() { c.keepWorking(ctx) })
	}
	t.Cleanup(c.end)
	return c
}

// end stops the crew and waits until the last member has stopped.
func (c *crew) end() {
	c.stop()
	c.work.Wait()
}

func (c *crew) keepWorking(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.once(ctx); err != nil {
			time.Sleep(pollEvery) // a client that is refused is not to take the processor from all others
		}
	}
}

// once does one piece of work, in a client's time.
func (c *crew) once(ctx context.Context) error {
	c.mu.Lock()
	id := c.next
	c.next++
	c.confirmed[id] = false
	c.mu.Unlock()

	// The crew's own end is no error to be met: what has begun is finished.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), clientTimeout)
	defer cancel()
	stored, err := c.app.work(within, id)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.confirmed[id] = stored
	if err != nil {
		c.errs = append(c.errs, err)
	} else {
		c.succeeded++
	}
	return err
}

// successes returns how often the work has been done.
func (c *crew) successes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.succeeded
}

// met returns the errors that were met after the first n.
func (c *crew) met(n int) []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.errs[n:])
}

// awaitSuccesses waits until the work has been done n times more.
func (c *crew) awaitSuccesses(t *testing.T, n int) {
	t.Helper()
	before := c.successes()
	until(t, recoversWithin, fmt.Sprintf("%d more successes", n), func() bool { return c.successes() >= before+n })
}

// check compares the book with what the server has: each record that was confirmed, once and right; any other that was
// begun once or not at all; and no others.
func (c *crew) check(t *testing.T) {
	t.Helper()
	for _, err := range c.met(0) {
		if errors.Is(err, errWrong) {
			t.Error(err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	unconfirmed, kept := 0, 0
	records := c.app.records(t)
	for id, confirmed := range c.confirmed {
		got := records[id]
		delete(records, id)
		if !confirmed {
			unconfirmed++
			kept += len(got)
		}
		switch {
		case len(got) == 0 && confirmed:
			t.Errorf("record %d was confirmed and is not there", id)
		case len(got) > 1:
			t.Errorf("record %d is there %d times, want once", id, len(got))
		case len(got) == 1 && got[0] != record(id):
			t.Errorf("record %d is there as %q", id, got[0])
		}
	}
	if len(records) > 0 {
		t.Errorf("got %d records that nobody has stored: %.200v", len(records), records)
	}
	t.Logf("%d records begun, %d not confirmed, of which %d are there", len(c.confirmed), unconfirmed, kept)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chaosgate/chaos"
)

const (
	workers   = 3                      // they share the client and its pool
	workFor   = 600 * time.Millisecond // how long exchanges are begun under each condition
	workPause = 3 * time.Millisecond   // between a worker's exchanges; a healthy one takes a tenth of that
	// recoverWithin is how long the client may take to work again. Its library tries once a second to connect when
	// that has failed often.
	recoverWithin = 5 * time.Second
)

// A lab is what the demo experiments with: a server, a gate before it, and a client of the gate.
type lab struct {
	server *demoServer
	gate   *chaos.Gate
	client *demoClient
	ended  atomic.Int64 // connections that the condition itself has ended

	patience time.Duration // how long the client may take to work again
}

// A finding is what a condition did to the client.
type finding struct {
	condition condition
	met       tally
	fired     int64
	healthy   bool          // before
	recovered bool          // afterwards
	after     time.Duration // from lifting to the first exchange that was right
	opened    int64         // connections that the client opened meanwhile
}

// sound tells whether a finding proves anything: the condition made a difference, and it passed.
func (f *finding) sound() bool { return f.healthy && f.fired > 0 && f.recovered }

// newLab starts a server, a gate and a client.
func newLab(seed uint64) (*lab, error) {
	server, err := startDemoServer()
	if err != nil {
		return nil, fmt.Errorf("cannot start the embedded server: %w", err)
	}
	l := &lab{server: server, gate: &chaos.Gate{Server: server.addr(), Seed: seed}, patience: recoverWithin}
	if err := l.gate.Start(); err != nil {
		server.close()
		return nil, fmt.Errorf("cannot start the gate: %w", err)
	}
	l.client = newDemoClient(l.gate.Addr())
	return l, nil
}

// close ends everything. It says what did not end by itself.
func (l *lab) close() error {
	l.client.close()
	err := l.gate.Close()
	l.server.close()
	return err
}

// try imposes a condition on a client that is healthy, has it work, lifts the condition and waits until the client
// works again. An error means that the demo cannot go on.
func (l *lab) try(ctx context.Context, c condition) (finding, error) {
	found := finding{condition: c}
	if found.healthy = l.warm(ctx); !found.healthy || ctx.Err() != nil {
		return found, nil
	}
	l.client.refused.Store(0)
	l.ended.Store(0)
	l.gate.Reseed(l.gate.Seed) // so that a condition meets the same randomness whatever went before
	fired, err := c.impose(l)
	if err != nil {
		return found, errors.Join(fmt.Errorf("%v: %w", c, err), l.gate.Heal())
	}
	found.met = l.work(ctx, c)
	found.fired = fired()
	if err := l.gate.Heal(); err != nil {
		return found, fmt.Errorf("%v: cannot be lifted: %w", c, err)
	}
	found.recovered, found.after, found.opened = l.recover(ctx)
	return found, nil
}

// work has workers do exchanges for a while and tells what they met.
func (l *lab) work(ctx context.Context, c condition) (met tally) {
	provoking, stop := context.WithCancel(ctx)
	var provoked sync.WaitGroup
	if c.provoke != nil {
		provoked.Go(func() { c.provoke(provoking, l) })
	}
	until := time.Now().Add(workFor)
	tallies := make([]tally, workers) // to each worker its own
	var working sync.WaitGroup
	for i := range tallies {
		working.Go(func() { l.worker(ctx, until, cmp.Or(c.pause, workPause), &tallies[i]) })
	}
	working.Wait()
	stop()
	provoked.Wait()
	for i := range tallies {
		met.merge(&tallies[i])
	}
	return met
}

// worker does one exchange after another until it is time to stop, or one hangs.
func (l *lab) worker(ctx context.Context, until time.Time, pause time.Duration, met *tally) {
	for time.Now().Before(until) && ctx.Err() == nil {
		o := l.watched(ctx)
		met.add(o)
		if o.kind == hang {
			return
		}
		rest(ctx, pause)
	}
}

// watched does one exchange and gives up on it when it hangs.
func (l *lab) watched(ctx context.Context) outcome {
	done := make(chan outcome, 1) // holds what comes of it, even when nobody waits any more
	go func() { done <- l.client.exchange(ctx) }()
	patience := time.NewTimer(hangAfter)
	defer patience.Stop()
	select {
	case o := <-done:
		return o
	case <-patience.C:
		return outcome{kind: hang, took: hangAfter}
	}
}

// recover does exchanges until one is right. It tells how long that took and how many connections were opened.
func (l *lab) recover(ctx context.Context) (recovered bool, after time.Duration, opened int64) {
	begin, before := time.Now(), l.client.dials.Load()
	for !recovered && time.Since(begin) < l.patience && ctx.Err() == nil {
		if recovered = l.watched(ctx).kind <= slow; !recovered {
			rest(ctx, workPause)
		}
	}
	return recovered, time.Since(begin), l.client.dials.Load() - before
}

// warm has as many exchanges done at once as there will be workers, until each has been right three times in a row.
// It tells whether that came to pass.
func (l *lab) warm(ctx context.Context) bool {
	const enough = 3
	until := time.Now().Add(l.patience)
	var healthy atomic.Int64
	var warming sync.WaitGroup
	for range workers {
		warming.Go(func() {
			for right := 0; right < enough; right++ {
				if time.Now().After(until) || ctx.Err() != nil {
					return
				}
				if l.watched(ctx).kind > slow {
					right = -1
					rest(ctx, workPause)
				}
			}
			healthy.Add(1)
		})
	}
	warming.Wait()
	return healthy.Load() == workers
}

// baseline returns the median of what an exchange takes with nothing imposed.
func (l *lab) baseline(ctx context.Context) (time.Duration, error) {
	if !l.warm(ctx) {
		return 0, errors.New("the client does not work even with nothing imposed")
	}
	var times []time.Duration
	for range 101 {
		times = append(times, l.watched(ctx).took)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// rest pauses, as an application does between two requests.
func rest(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

package matrix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	baselineAttempts = 11               // odd, so that one is the median
	baselineEnough   = 4                // after baselineFor
	baselineFor      = 5 * time.Second  // long enough for slow probes
	baselinePatience = 30 * time.Second // for a single attempt
	settleFor        = 200 * time.Millisecond
)

// baseline measures what the probe does with nothing imposed. The first attempt counts for little: it connects, and fills caches.
func (b *bench) baseline(ctx context.Context) (Baseline, error) {
	r, began := b.run, time.Now()
	if err := b.gate.Heal(); err != nil {
		return Baseline{}, fmt.Errorf("gate: %w", err)
	}
	client := r.newClient(b.gate.Addr())
	base := Baseline{}
	defer func() { b.clear(ctx, client, base) }()
	b.watch.begin(b.gate, began)
	watching := true
	watched := func() (seen Seen) {
		if watching {
			watching = false
			seen, _ = b.watch.end(time.Now())
		}
		return seen
	}
	defer watched()
	answers := map[string]bool{}
	var moved [3][]int64 // bytes to the server, bytes to the client, connections of each attempt
	for len(base.Attempts) < baselineAttempts && (len(base.Attempts) < baselineEnough || time.Since(began) < baselineFor) {
		before, at := b.gate.Stats(), time.Since(began)
		a := client.attempt(ctx, cmp.Or(r.Deadline, baselinePatience))
		if ctx.Err() != nil {
			return base, context.Cause(ctx)
		}
		if a.Outcome != OK {
			err := errors.New("the probe does not work with nothing imposed: " + a.Says)
			if a.Output != "" {
				err = fmt.Errorf("%w\n%s", err, a.Output)
			}
			return base, err
		}
		b.settle(ctx)
		after := b.gate.Stats()
		a.Phase, a.At, a.Conns = Before, Span(at), after.Accepted-before.Accepted
		for i, n := range []int64{after.ToServer - before.ToServer, after.ToClient - before.ToClient, a.Conns} {
			if len(base.Attempts) > 0 {
				moved[i] = append(moved[i], n)
			}
		}
		answers[client.answer] = true
		base.Kept = after.Live
		base.Attempts = append(base.Attempts, a)
	}
	if b.gate.Stats().Accepted == 0 && base.Kept == 0 {
		return base, fmt.Errorf("the probe works, but without the gate at %s: it has to connect there", b.gate.Addr())
	}
	took := []Span{}
	for _, a := range base.Attempts[1:] {
		took = append(took, a.Took)
	}
	slices.Sort(took)
	base.Took, base.Worst = medianOf(took), max(base.Attempts[0].Took, took[len(took)-1])
	for i, to := range []*int64{&base.ToServer, &base.ToClient, &base.Conns} {
		slices.Sort(moved[i])
		*to = medianOf(moved[i])
	}
	base.Alive = base.Took
	if lives := livesOf(watched()); len(lives) > 0 && base.Kept == 0 {
		base.Alive = medianOf(lives)
	}
	base.Varies = len(answers) > 1
	r.wanted = client.answer
	base.Answer, _ = clip(r.wanted)
	base.AnswerSize = len(r.wanted)
	r.lengths(&base)
	return base, nil
}

// livesOf returns how long connections have lived that have ended, sorted.
func livesOf(seen Seen) (lives []Span) {
	for _, c := range seen.Conns {
		if c.Ended > 0 && c.Opened >= 0 {
			lives = append(lives, c.Ended-c.Opened)
		}
	}
	slices.Sort(lives)
	return lives
}

// lengths sets what follows from how long an attempt takes.
func (r *Run) lengths(b *Baseline) {
	// A busy machine delays a process by tens of milliseconds: what nobody feels is not slow.
	b.SlowAfter = cmp.Or(Span(r.Slow), max(5*b.Took, 2*b.Worst, b.Took+Span(100*time.Millisecond)))
	b.Deadline = cmp.Or(Span(r.Deadline), max(Span(10*time.Second), 10*b.Took))
	b.Patience = cmp.Or(Span(r.Patience), max(Span(15*time.Second), b.Deadline*3/2))
}

// settle waits until the connections that a probe has closed have left the gate, if it has, and what it has sent went on.
func (b *bench) settle(ctx context.Context) {
	until := time.Now().Add(settleFor)
	last := b.gate.Stats()
	for quiet := 0; quiet < 5 && last.Live > 0 && time.Now().Before(until); quiet++ {
		wait(ctx, 2*time.Millisecond, nil)
		now := b.gate.Stats()
		if now.Live != last.Live || now.ToServer != last.ToServer || now.ToClient != last.ToClient {
			quiet = 0
		}
		last = now
	}
}

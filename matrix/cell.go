package matrix

import (
	"context"
	"errors"
	"time"

	"github.com/chaosgate/chaos"
)

const (
	mostUnder    = 20                     // attempts under a condition that has not fired
	underFor     = 250 * time.Millisecond // a condition holds so long at least, so that a client that loops is seen to
	firstPause   = 10 * time.Millisecond  // between two attempts to recover
	longestPause = 100 * time.Millisecond
	inARow       = 3 // attempts that are right make a recovery
	mostAttempts = 40
)

// A trial is a cell that is being tried.
type trial struct {
	*bench
	base   Baseline
	plan   plannedCell
	client *client
	began  time.Time
	cell   Cell

	imposed   *imposition
	imposedAt time.Time
	liftedAt  time.Time
	accepted  int64 // by the gate when the condition was imposed
}

// try tries a cell: healthy before, impose, probe, lift, probe until it succeeds.
func (b *bench) try(ctx context.Context, r *Report, c plannedCell) Cell {
	t := &trial{bench: b, base: r.Baseline, plan: c, began: time.Now()}
	seed := cellSeed(b.run.Seed, c.id)
	t.cell = Cell{
		ID: c.id, Condition: c.condition.Name, Group: c.condition.Group, Direction: c.direction, Moment: c.moment,
		Imposed: c.condition.imposes(r.Baseline, c.direction), Seed: seed, Began: Span(time.Since(r.Started)), Attempts: []Attempt{},
	}
	b.gate.Reseed(uint64(seed))
	b.watch.begin(b.gate, t.began)
	why := t.run(ctx)
	if err := b.gate.Heal(); err != nil && why == nil {
		why = err
	}
	now := time.Now()
	var seen Seen
	seen, t.cell.Timeline.Points = b.watch.end(now)
	seen.Under, seen.Rate = t.cell.Seen.Under, t.cell.Seen.Rate
	t.cell.Seen = seen
	t.cell.Took = Span(now.Sub(t.began))
	t.cell.Timeline.Until = t.cell.Took
	t.conclude(why)
	b.clear(ctx, t.client, t.base)
	return t.cell
}

// clear ends a client and the connections that it leaves behind, unless they are those of the next one as well.
func (b *bench) clear(ctx context.Context, c *client, base Baseline) {
	c.end()
	if b.run.Open != nil || base.Kept == 0 {
		b.settle(ctx) // what closes by itself is not closed by the gate
		b.gate.CloseConns(chaos.All)
		b.settle(ctx)
	}
}

// Why a cell is not tried.
var (
	errUnhealthy    = errors.New("the probe did not work before the condition was imposed")
	errNothingMoves = errors.New("a request cannot be caught under way, because nothing goes in that direction")
)

// run does what makes a cell. An error is why the cell is skipped.
func (t *trial) run(ctx context.Context) error {
	t.newClient()
	if !t.healthy(ctx) {
		return errUnhealthy
	}
	if t.plan.moment == Connecting {
		t.clear(ctx, t.client, t.base)
		t.gate.CloseConns(chaos.All) // also those of a client that is the next one as well: it has to connect
		t.newClient()
	}
	if err := t.under(ctx); err != nil {
		return err
	}
	t.watch.mark()
	if err := t.gate.Heal(); err != nil {
		return err
	}
	t.liftedAt = time.Now()
	t.watch.mark()
	t.cell.Timeline.Lifted = t.since(t.liftedAt)
	t.recover(ctx)
	return nil
}

func (t *trial) newClient() {
	t.client = t.bench.run.newClient(t.gate.Addr())
	t.client.slow = time.Duration(t.base.SlowAfter)
	if !t.base.Varies {
		t.client.want = &t.bench.run.wanted
	}
}

// since returns a moment as the record has it.
func (t *trial) since(at time.Time) Span { return Span(at.Sub(t.began)) }

// probe probes once and notes what came of it.
func (t *trial) probe(ctx context.Context, phase Phase) Attempt {
	a := t.attempt(ctx, phase)
	if phase == Under {
		a.Fired = t.imposed.fired(failures(a)) > 0
	}
	t.note(a)
	return a
}

// attempt probes once.
func (t *trial) attempt(ctx context.Context, phase Phase) Attempt {
	at, before := time.Now(), t.gate.Stats().Accepted
	deadline := time.Duration(t.base.Deadline)
	if phase == Under {
		deadline += t.plan.condition.Grace
	}
	a := t.client.attempt(ctx, deadline)
	a.Phase, a.At, a.Conns = phase, t.since(at), t.gate.Stats().Accepted-before
	return a
}

// note adds an attempt to the record. Of very many the last one stays.
func (t *trial) note(a Attempt) {
	if len(t.cell.Attempts) >= mostAttempts {
		t.cell.Attempts = t.cell.Attempts[:mostAttempts-1]
		t.cell.LeftOut++
	}
	t.cell.Attempts = append(t.cell.Attempts, a)
}

// failures returns 1 for an attempt that has failed.
func failures(a Attempt) int {
	if right(a) {
		return 0
	}
	return 1
}

// right reports whether an attempt has got its answer.
func right(a Attempt) bool { return a.Outcome == OK || a.Outcome == Slow }

// healthy probes until it works: twice, where a connection is to be used.
func (t *trial) healthy(ctx context.Context) bool {
	want := 2
	if t.plan.moment == Connecting {
		want = 1
	}
	for rights := 0; time.Since(t.began) < time.Duration(t.base.Patience) && ctx.Err() == nil; {
		if !right(t.probe(ctx, Before)) {
			rights = 0
			wait(ctx, longestPause, nil)
		} else if rights++; rights == want {
			return true
		}
	}
	return false
}

// under imposes the condition and probes: again, if it has not fired, for what is drawn may come later.
func (t *trial) under(ctx context.Context) error {
	impose := func() (err error) {
		t.watch.mark()
		t.imposedAt, t.accepted = time.Now(), t.gate.Stats().Accepted
		t.cell.Timeline.Imposed = t.since(t.imposedAt)
		t.imposed, err = t.bench.impose(t.base, t.plan)
		return err
	}
	failed := 0
	if t.plan.moment == Underway {
		a, err := t.caught(ctx, impose)
		if err != nil {
			return err
		}
		failed += failures(a)
	} else {
		if err := impose(); err != nil {
			return err
		}
		if t.plan.moment == Idle && t.plan.condition.Ripens > 0 {
			t.imposed.ripen(ctx, t.plan.condition.Ripens+time.Second)
		}
		failed += failures(t.probe(ctx, Under))
	}
	if failed > 0 && t.plan.condition.Door != chaos.Open && t.plan.moment != Connecting {
		failed += failures(t.probe(ctx, Under)) // the connection that was there is gone: now it meets the door
	}
	for n := 1; n < mostUnder && !t.plan.condition.Once && failed == 0 && t.imposed.fired(0) == 0 && ctx.Err() == nil; n++ {
		if time.Since(t.imposedAt) > time.Duration(t.base.Deadline) {
			break
		}
		wait(ctx, 5*time.Millisecond, nil) // what ends connections by the clock has its chance
		failed += failures(t.probe(ctx, Under))
	}
	if left := underFor - time.Since(t.imposedAt); left > 0 && !t.plan.condition.Once {
		wait(ctx, left, nil)
	}
	t.cell.Fired = t.imposed.fired(failed)
	t.cell.Seen.Under = t.gate.Stats().Accepted - t.accepted
	t.cell.Seen.Rate = float64(t.cell.Seen.Under) / max(time.Since(t.imposedAt), time.Millisecond).Seconds()
	return nil
}

// caught probes, and has the condition imposed while the request or its answer is under way.
func (t *trial) caught(ctx context.Context, impose func() error) (Attempt, error) {
	for _, early := range []bool{false, true} {
		hold := t.hold(t.base, t.plan, early)
		done := make(chan Attempt, 1) // what came of the attempt
		held, over := context.WithCancel(ctx)
		go func() {
			done <- t.attempt(ctx, Under)
			over()
		}()
		caught := hold.Wait(held, 1) == nil
		var err error
		if caught {
			err = impose()
		}
		hold.Lift()
		a := <-done
		switch {
		case caught && err == nil:
			a.Fired = t.imposed.fired(failures(a)) > 0
			t.note(a)
			return a, nil
		case caught:
			return a, err
		}
		a.Phase = Before // it was over before it could be caught
		t.note(a)
		if !right(a) {
			return a, errUnhealthy
		}
	}
	return Attempt{}, errNothingMoves
}

// recover probes until it works three times in a row, or patience ends.
func (t *trial) recover(ctx context.Context) {
	r := &Recovery{Patience: t.base.Patience}
	t.cell.Recovery = r
	before := t.gate.Stats().Accepted
	pause := firstPause
	for row := 0; row < inARow && time.Since(t.liftedAt) < time.Duration(t.base.Patience) && ctx.Err() == nil; {
		a := t.probe(ctx, After)
		r.Attempts++
		if !right(a) {
			r.Failed++
			row = 0
			wait(ctx, pause, nil)
			pause = min(pause*3/2, longestPause)
			continue
		}
		row++
		if !r.Once {
			r.Once, r.First = true, Span(time.Since(t.liftedAt))
		}
		if row == inARow {
			r.Recovered, r.Three = true, Span(time.Since(t.liftedAt))
		}
	}
	r.Conns = t.gate.Stats().Accepted - before
}

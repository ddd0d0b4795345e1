package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

// A sweeping is a sweep at work.
type sweeping struct {
	*Sweep
	prepared *matrix.Prepared
	began    time.Time
	report   *Report

	mu        sync.Mutex // guards what follows; held shortly
	explorers []*exploring
	runs      int
	over      string // why no more points are begun; empty if they are
}

// An exploring is one action in one message.
type exploring struct {
	action  Action
	message Message
	*explorer
	pending []int64 // offsets that nobody has begun yet
	stale   bool    // nothing has come since it had no more
	results map[int64]matrix.Cell
}

// do records the exchange, tries its points, and writes the report.
func (w *sweeping) do(ctx context.Context) error {
	exchange, err := w.record(ctx)
	if err != nil {
		return err
	}
	if len(exchange.Messages) == 0 {
		return ErrNothing
	}
	if w.Point != nil {
		if err := exchange.Check(*w.Point); err != nil {
			return err
		}
	}
	w.plan(exchange)
	w.tell(Progress{Exchange: &exchange})
	if w.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, w.began.Add(w.Time), errTime)
		defer cancel()
	}
	var trying sync.WaitGroup
	for range w.prepared.Report().Subject.Workers {
		trying.Go(func() { w.work(ctx) })
	}
	trying.Wait()
	w.conclude(ctx, exchange)
	return nil
}

// errTime ends a sweep that has used up its time.
var errTime = errors.New("the time was over")

// record records the exchange.
func (w *sweeping) record(ctx context.Context) (Exchange, error) {
	var all []*recorder
	for i := range recordings {
		r := newRecorder(newTracker(w.Pause), time.Now())
		condition := matrix.Condition{Name: "recording", Help: "nothing is done", Faults: []chaos.Fault{r}, Once: true}
		cell, err := w.prepared.TryCondition(ctx, fmt.Sprintf("recording/%d", i+1), condition, matrix.Both, matrix.Connecting)
		if err != nil {
			return Exchange{}, err
		}
		if cell.Verdict != matrix.OK && cell.Verdict != matrix.Slow {
			return Exchange{}, fmt.Errorf("recording %d: %s", i+1, cell.Says)
		}
		all = append(all, r)
	}
	return compareRecordings(all), nil
}

// plan notes what is to be explored.
func (w *sweeping) plan(x Exchange) {
	for _, a := range w.Actions {
		for _, m := range x.Messages {
			if !slices.Contains(w.Directions, m.Direction) || a.needsByte() && m.Size == 0 {
				continue
			}
			e := &exploring{action: a, message: m, explorer: newExplorer(m, a, w.EveryByte), results: map[int64]matrix.Cell{}}
			if w.Point != nil {
				if m.at(w.Point.Offset) != *w.Point {
					continue
				}
				e.explorer.initial = []int64{w.Point.Offset}
			}
			w.explorers = append(w.explorers, e)
		}
	}
}

// next returns a point that is to be tried, and false if there is none at present; over is whether there will be none.
func (w *sweeping) next() (e *exploring, offset int64, ok, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over != "" || w.MaxRuns > 0 && w.runs >= w.MaxRuns {
		if w.over == "" {
			w.over = fmt.Sprintf("%d points were tried, which is as many as were allowed", w.runs)
		}
		return nil, 0, false, true
	}
	busy := false
	for _, e := range w.explorers {
		if len(e.pending) == 0 && !e.stale {
			e.pending = e.explorer.next()
			e.stale = len(e.pending) == 0 || w.Point != nil
		}
		if len(e.pending) > 0 {
			offset, e.pending = e.pending[0], e.pending[1:]
			w.runs++
			return e, offset, true, false
		}
		busy = busy || e.left() > 0
	}
	return nil, 0, false, !busy
}

// work tries points until there are no more.
func (w *sweeping) work(ctx context.Context) {
	for ctx.Err() == nil {
		e, offset, ok, over := w.next()
		switch {
		case over:
			return
		case !ok: // what is next depends on what others are trying
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		cell, err := w.try(ctx, e, offset)
		if err != nil {
			return
		}
		w.mu.Lock()
		e.results[offset] = cell
		e.explorer.came(offset, string(cell.Verdict))
		e.stale = w.Point != nil
		w.mu.Unlock()
		w.tell(Progress{Point: e.action.Name + "/" + e.message.at(offset).String(), Verdict: cell.Verdict})
	}
}

// try has an action happen at a point. Where the exchange went another way it is tried once more.
func (w *sweeping) try(ctx context.Context, e *exploring, offset int64) (cell matrix.Cell, err error) {
	point := e.message.at(offset)
	name := e.action.Name + "/" + point.String()
	for range 2 {
		c := &cut{tracker: newTracker(w.Pause), action: e.action, point: point}
		condition := matrix.Condition{Name: e.action.Name, Help: e.action.Help, Faults: []chaos.Fault{c}, Once: true}
		if cell, err = w.prepared.TryCondition(ctx, name, condition, matrix.Both, matrix.Connecting); err != nil {
			return cell, err
		}
		cell.Imposed = fmt.Sprintf("%s behind %d bytes of message %d %s, connection %d", spec.Text(e.action.Fault), offset, point.Message, words(point.Direction), point.Conn)
		if c.fired.Load() {
			break
		}
		cell.Verdict, cell.Says = matrix.NotExercised, "diverged: "+c.tracker.far(point)
	}
	if w.Check != nil && cell.Recovery != nil && cell.Recovery.Recovered && cell.Fired > 0 {
		w.oracle(ctx, &cell)
	}
	if w.Repeat != nil {
		cell.Repeat = w.Repeat(e.action.Name, point, w.prepared.Report().Seed)
	}
	return cell, nil
}

// oracle asks whether what the attempt under the condition has done is right.
func (w *sweeping) oracle(ctx context.Context, cell *matrix.Cell) {
	i := slices.IndexFunc(cell.Attempts, func(a matrix.Attempt) bool { return a.Phase == matrix.Under })
	if i < 0 {
		return
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(w.prepared.Report().Baseline.Patience))
	defer cancel()
	if err := w.Check(limited, cell.Attempts[i]); err != nil && matrix.Wrong.Worse(cell.Verdict) {
		cell.Says = fmt.Sprintf("the check failed: %v; %s", err, cell.Says)
		cell.Verdict = matrix.Wrong
	}
}

// tell tells whoever wants to know how far things are.
func (w *sweeping) tell(how Progress) {
	if w.Progress == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.explorers {
		how.Done += len(e.results)
		how.Known += len(e.results) + e.left()
	}
	w.Progress(how)
}

// conclude writes the report.
func (w *sweeping) conclude(ctx context.Context, x Exchange) {
	of := w.prepared.Report()
	r := &Report{
		Version: Version, Seed: of.Seed, Started: of.Started, Took: matrix.Span(time.Since(w.began)), Machine: of.Machine, Subject: of.Subject, Baseline: of.Baseline,
		Exchange: x, EveryByte: w.EveryByte, Strips: []Strip{},
	}
	if of.Baseline.Varies {
		r.Notes = append(r.Notes, "The probe answers something else each time, so a wrong answer cannot be told from a right one.")
	}
	for _, a := range w.Actions {
		r.Actions = append(r.Actions, ActionInfo{a.Name, a.Help, spec.Text(a.Fault)})
	}
	left := 0
	for _, e := range w.explorers {
		s := Strip{Action: e.action.Name, Conn: e.message.Conn, Direction: e.message.Direction, Message: e.message.Number, Size: e.message.Size, Ranges: []Range{}}
		for _, t := range e.stretches() {
			cell := e.results[t.from]
			s.Ranges = append(s.Ranges, Range{From: t.from, To: t.to, Tried: len(t.tried), Verdict: cell.Verdict, Says: cell.Says, Sample: cell, Repeat: cell.Repeat})
			if cell.Verdict.Bad() {
				r.Bad++
			}
		}
		r.Runs += len(e.results)
		left += e.left()
		r.Strips = append(r.Strips, s)
	}
	switch {
	case errors.Is(context.Cause(ctx), errTime):
		w.over = fmt.Sprintf("%v were over", w.Time)
	case ctx.Err() != nil:
		r.Interrupted = true
		w.over = "it was interrupted"
	}
	if w.over != "" {
		r.LeftOut = append(r.LeftOut, fmt.Sprintf("%s: %d points at least were not tried", w.over, left))
	}
	r.LeftOut = append(r.LeftOut, x.Notes...)
	w.report = r
}

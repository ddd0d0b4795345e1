package matrix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chaosgate/chaos"
)

// A Prepared is a run whose probe has been seen to work, and whose cells can be tried one by one.
type Prepared struct {
	run   *Run
	cells []plannedCell
	began time.Time
	idle  chan *bench // those on which no cell is tried now

	telling sync.Mutex // held while whoever wants to know is told

	mu      sync.Mutex // guards what follows
	report  Report
	tried   map[string]Cell
	benches []*bench
	closed  bool
}

// Prepare checks a run, starts its gates, measures the baseline and plans the cells. Its errors say what is wrong before
// anything is tried.
func (r *Run) Prepare(ctx context.Context) (*Prepared, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if _, _, err := r.plan(true); err != nil {
		return nil, err
	}
	if err := r.Expect.fits(r); err != nil {
		return nil, err
	}
	if err := r.reachServer(ctx); err != nil {
		return nil, unable{err}
	}
	p := &Prepared{run: r, began: time.Now(), tried: map[string]Cell{}}
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// prepare makes the benches, and measures the baseline on the first.
func (p *Prepared) prepare(ctx context.Context) error {
	b, err := p.run.newBench()
	if err != nil {
		return unable{err}
	}
	p.benches = []*bench{b}
	baseline, err := b.baseline(ctx)
	if err != nil {
		return unable{err}
	}
	if err := p.begin(baseline); err != nil {
		return err
	}
	if err := p.addBenches(); err != nil {
		return unable{err}
	}
	return nil
}

// begin begins the record, and plans the cells.
func (p *Prepared) begin(b Baseline) error {
	r := p.run
	cells, notes, err := r.plan(b.Kept > 0)
	if err != nil {
		return err
	}
	p.cells = cells
	if b.Varies {
		notes = append(notes, "The probe answers something else each time, so a wrong answer cannot be told from a right one.")
	}
	subject := r.Subject
	subject.Network, subject.Server, subject.Workers = r.Network, r.Server, min(r.Workers, len(cells))
	if r.Gate != nil || r.Listen != "" {
		subject.Gate = p.benches[0].gate.Addr()
	}
	p.report = Report{
		Version: Version, Seed: r.Seed, Started: p.began.UTC(), Machine: machine(), Subject: subject, Baseline: b, Planned: len(cells),
		Choice: Choice{Quick: r.Quick, Only: r.Only, Cell: r.Cell}, Notes: notes, Cells: []Cell{}, Counts: map[Verdict]int{},
	}
	if r.Repeat != nil {
		p.report.Repeat = r.Repeat("", r.Seed)
	}
	for _, c := range cells {
		if !slices.ContainsFunc(p.report.Conditions, func(i ConditionInfo) bool { return i.Name == c.condition.Name }) {
			p.report.Conditions = append(p.report.Conditions, c.condition.info(b))
		}
	}
	p.tell(Progress{})
	return nil
}

// addBenches makes as many benches as cells are tried at once.
func (p *Prepared) addBenches() error {
	p.idle = make(chan *bench, p.report.Subject.Workers)
	p.idle <- p.benches[0]
	for range p.report.Subject.Workers - 1 {
		b, err := p.run.newBench()
		if err != nil {
			return err
		}
		p.benches = append(p.benches, b)
		p.idle <- b
	}
	return nil
}

// subject returns what is tried.
func (p *Prepared) subject() Subject { return p.report.Subject }

// Cells returns the names of the cells that are to be tried, in their order.
func (p *Prepared) Cells() []string {
	ids := make([]string, len(p.cells))
	for i, c := range p.cells {
		ids[i] = c.id
	}
	return ids
}

// Try tries a cell, once. The error is that of the context, when it has ended first: then the record has no such cell.
func (p *Prepared) Try(ctx context.Context, id string) (Cell, error) {
	i := slices.IndexFunc(p.cells, func(c plannedCell) bool { return c.id == id })
	if i < 0 {
		return Cell{}, fmt.Errorf("cell %s: %w", id, errNoCell)
	}
	cell, err := p.try(ctx, p.cells[i])
	if err != nil {
		return Cell{}, err
	}
	if p.run.Repeat != nil {
		cell.Repeat = p.run.Repeat(id, p.run.Seed)
	}
	cell.judge(p.run.Expect)
	p.mu.Lock()
	p.tried[id] = cell
	p.mu.Unlock()
	p.tell(Progress{Cell: &cell})
	return cell, nil
}

// TryCondition tries a condition that is none of the plan's, under a name of its own from which its seed follows. The record does not have it.
func (p *Prepared) TryCondition(ctx context.Context, name string, c Condition, d Direction, m Moment) (Cell, error) {
	return p.try(ctx, plannedCell{name, c, d, m})
}

// try tries a cell on a bench that is free.
func (p *Prepared) try(ctx context.Context, c plannedCell) (Cell, error) {
	var b *bench
	select {
	case b = <-p.idle:
		defer func() { p.idle <- b }()
	case <-ctx.Done():
		return Cell{}, context.Cause(ctx)
	}
	if slices.ContainsFunc(p.cells, func(planned plannedCell) bool { return planned.id == c.id }) {
		p.tell(Progress{Begun: c.id})
	}
	cell := b.try(ctx, &p.report, c)
	if ctx.Err() != nil {
		return Cell{}, context.Cause(ctx)
	}
	return cell, nil
}

// tell tells whoever wants to know how far things are.
func (p *Prepared) tell(how Progress) {
	if p.run.Progress == nil {
		return
	}
	p.telling.Lock()
	defer p.telling.Unlock()
	how.Report = p.Report()
	how.Planned, how.Done = len(p.cells), len(how.Report.Cells)
	p.run.Progress(how)
}

// Report returns the record of what was tried so far.
func (p *Prepared) Report() *Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	report := p.report
	report.Cells, report.Counts, report.Worse = []Cell{}, map[Verdict]int{}, 0
	for _, planned := range p.cells {
		cell, ok := p.tried[planned.id]
		if !ok {
			continue
		}
		report.Cells = append(report.Cells, cell)
		report.Counts[cell.Verdict]++
		if cell.Worse {
			report.Worse++
		}
	}
	report.Took = Span(time.Since(p.began))
	report.Interrupted = len(report.Cells) < len(p.cells)
	report.Expected = p.run.Expect.compare(&report, p.run)
	report.Failed = report.Worse > 0 || report.Expected != nil && len(report.Expected.Missing) > 0
	return &report
}

// Close ends the gates. What was given is healed.
func (p *Prepared) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	var errs []error
	for _, b := range p.benches {
		errs = append(errs, b.close())
	}
	return errors.Join(errs...)
}

// A bench is where cells are tried, one after another: a gate before the server.
type bench struct {
	run   *Run
	gate  *chaos.Gate
	watch *witness
}

// newBench returns a bench with a gate of its own, or with the one that the run was given.
func (r *Run) newBench() (*bench, error) {
	b := &bench{run: r, gate: r.Gate, watch: &witness{}}
	if r.Gate != nil {
		b.watch.handles = true
		return b, nil
	}
	b.gate = &chaos.Gate{Network: r.Network, Server: r.Server, Listen: r.Listen, Seed: uint64(r.Seed), Observe: b.watch.observe}
	if r.Configure != nil {
		r.Configure(b.gate)
	}
	if err := b.gate.Start(); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	return b, nil
}

func (b *bench) close() error {
	if b.run.Gate != nil {
		return b.gate.Heal()
	}
	return b.gate.Close()
}

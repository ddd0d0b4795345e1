package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/chaosgate/chaos/matrix"
)

// A matrixProgress shows how far a matrix is: on a terminal by a line with the time left, and each bad cell above it; elsewhere by a line for each
// cell.
type matrixProgress struct {
	*progress
	running []string // the cells that are being tried
}

func newMatrixProgress(w io.Writer) *matrixProgress {
	return &matrixProgress{progress: newProgress(w, 0)}
}

// tell shows what has changed.
func (p *matrixProgress) tell(now matrix.Progress) {
	p.total = now.Planned
	switch {
	case now.Begun != "":
		p.running = append(p.running, now.Begun)
	case now.Cell != nil:
		p.running = slices.DeleteFunc(p.running, func(id string) bool { return id == now.Cell.ID })
		p.cell(*now.Cell)
	default:
		p.introduce(now.Report)
	}
	switch n := len(p.running); {
	case n == 1:
		p.begin(p.running[0])
	case n > 1: // all of them would leave no room for the time
		p.begin(fmt.Sprintf("%s and %d more", p.running[0], n-1))
	}
}

// introduce says what is tried.
func (p *matrixProgress) introduce(r *matrix.Report) {
	b := r.Baseline
	fmt.Fprintf(p.w, "probe     %s\n", clip(safe(r.Subject.Probe), 120))
	where := "a gate for each of " + plural(int64(r.Subject.Workers), "worker")
	if r.Subject.Gate != "" {
		where = "gate " + r.Subject.Gate
	}
	fmt.Fprintf(p.w, "server    %s, %s, seed %v\n", r.Subject.Server, where, r.Seed)
	fmt.Fprintf(p.w, "baseline  %v, %s, %d B to the server, %d B to the client\n", b.Took, plural(b.Conns, "connection"), b.ToServer, b.ToClient)
	fmt.Fprintf(p.w, "cells     %d; slow is over %v, a hang over %v\n", r.Planned, b.SlowAfter, b.Deadline)
	for _, note := range r.Notes {
		fmt.Fprintf(p.w, "note      %s\n", note)
	}
	fmt.Fprintln(p.w)
}

// cell shows a cell that is done.
func (p *matrixProgress) cell(c matrix.Cell) {
	if p.terminal && !c.Worse {
		p.done++
		return
	}
	p.end(fmt.Sprintf("%-34s %s  %s", c.ID, verdictColour(p.paint, c)(fmt.Sprintf("%-13s", c.Verdict.Words())), clip(safe(c.Says), 200)))
}

// verdictColour returns the paint for a cell's verdict.
func verdictColour(p paint, c matrix.Cell) func(string) string {
	switch {
	case c.Worse:
		return p.red
	case c.Verdict == matrix.OK:
		return p.green
	}
	return p.yellow
}

package main

import (
	"fmt"
	"io"
	"time"
)

// A progress shows lines as they come and, on a terminal, beneath them how far things are.
type progress struct {
	w        io.Writer
	paint    paint
	terminal bool
	started  time.Time
	total    int
	done     int
}

// newProgress returns a progress of so many steps.
func newProgress(w io.Writer, total int) *progress {
	return &progress{w: w, paint: paintFor(w), terminal: isTerminal(w), started: time.Now(), total: total}
}

// begin says what is under way.
func (p *progress) begin(what string) {
	if !p.terminal {
		return
	}
	text := fmt.Sprintf("%d of %d: %s", p.done+1, p.total, what)
	if p.done > 0 {
		left := time.Since(p.started) / time.Duration(p.done) * time.Duration(p.total-p.done)
		text += fmt.Sprintf(", %.0f s left", left.Seconds())
	}
	fmt.Fprint(p.w, "\r\x1b[K", p.paint.dim(clip(text, columns(p.w)-1)))
}

// end says what has come of it.
func (p *progress) end(line string) {
	p.clear()
	p.done++
	fmt.Fprintf(p.w, "%*d/%d  %s\n", len(fmt.Sprint(p.total)), p.done, p.total, line)
}

// clear takes away what begin has written.
func (p *progress) clear() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

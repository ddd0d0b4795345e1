package main

import (
	"io"
	"sync"
	"time"
)

// A logWriter writes lines behind the back of who logs them, so that nobody ever waits for who reads the log: a program that has started a
// daemon need not read on once it knows where the daemon listens. When too many lines wait, more are lost, and how many is told.
type logWriter struct {
	to   io.Writer
	tell func(lost int) []byte // returns the line that tells so
	done chan struct{}         // closed when all is written

	mu    sync.Mutex // guards what follows; never held while something is written
	more  sync.Cond  // of mu: told when there are lines, or no more will come
	lines [][]byte
	lost  int
	ended bool
}

// waitingLines is how many lines wait to be written at most.
const waitingLines = 4096

func newLogWriter(to io.Writer, tell func(lost int) []byte) *logWriter {
	w := &logWriter{to: to, tell: tell, done: make(chan struct{})}
	w.more.L = &w.mu
	go w.run()
	return w
}

// Write takes a line. It never fails, and never waits.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines) >= waitingLines || w.ended {
		w.lost++
		return len(line), nil
	}
	w.lines = append(w.lines, append([]byte(nil), line...))
	w.more.Signal()
	return len(line), nil
}

// run writes until there will be no more. That it cannot is nothing that could be said anywhere.
func (w *logWriter) run() {
	defer close(w.done)
	for {
		lines, lost := w.take()
		if lines == nil && lost == 0 {
			return
		}
		for _, line := range lines {
			_, _ = w.to.Write(line)
		}
		if lost > 0 {
			_, _ = w.to.Write(w.tell(lost))
		}
	}
}

// take waits for lines, and takes all. There are none when no more will come.
func (w *logWriter) take() (lines [][]byte, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.lines) == 0 && !w.ended {
		w.more.Wait()
	}
	lines, lost = w.lines, w.lost
	w.lines, w.lost = nil, 0
	return lines, lost
}

// close waits until all is written, but not for long.
func (w *logWriter) close(patience time.Duration) {
	w.mu.Lock()
	w.ended = true
	w.more.Signal()
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-time.After(patience):
	}
}

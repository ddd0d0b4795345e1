package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// trialWorkers run trials side by side, each on a wire of its own.
const trialWorkers = 4

// pattern is what is sent in trials. No two places of it look alike, so that a byte lost, doubled or moved is seen.
var pattern = func() []byte {
	p := make([]byte, largest+mostMore)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(p)
	return p
}()

// The trials of one kind: they count what came out, and remember the first that went wrong.
type trials struct {
	run, wrong atomic.Int64
	mu         sync.Mutex // guards first
	first      string     // what went wrong in the first that did
}

// failed notes a trial that went wrong.
func (ts *trials) failed(format string, args ...any) {
	ts.wrong.Add(1)
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.first == "" {
		ts.first = fmt.Sprintf(format, args...)
	}
}

// A trial connects once over a wire and says what was wrong, or nothing. An error is for what kept the trial from being made.
type trial func(w *wire, rng *rand.Rand) (wrong string, err error)

// try makes so many trials over wires that are straight or go through gates.
func try(count int, through bool, seed uint64, one trial) (*trials, error) {
	ts := &trials{}
	errs := make([]error, trialWorkers)
	var left atomic.Int64
	left.Store(int64(count))
	var working sync.WaitGroup
	for i := range trialWorkers {
		working.Go(func() {
			w, err := newWire("tcp", through, seed)
			if err != nil {
				errs[i] = err
				return
			}
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			for err == nil && left.Add(-1) >= 0 {
				var wrong string
				if wrong, err = one(w, rng); err != nil {
					break
				}
				if ts.run.Add(1); wrong != "" {
					ts.failed("%s", wrong)
				}
			}
			errs[i] = errors.Join(err, w.close())
		})
	}
	working.Wait()
	return ts, errors.Join(errs...)
}

// judgeTrials judges what must never go wrong. No noise excuses it, unless the same goes wrong without a gate.
func judgeTrials(control, gate *trials) verdict {
	switch {
	case control.wrong.Load() > 0 || gate.run.Load() == 0:
		return inconclusive
	case gate.wrong.Load() > 0:
		return off
	}
	return ok
}

// A reader is how fast a peer reads: one of three is busy otherwise between its reads, all have buffers of some size.
type reader struct {
	buf  []byte
	slow bool
	rng  *rand.Rand
}

// newReader draws a reader that is to read n bytes, in not too many reads.
func newReader(n int, rng *rand.Rand) *reader {
	return &reader{make([]byte, 1+n/50+rng.IntN(30_000)), rng.IntN(3) == 0, rng}
}

// readAll reads until the connection ends, and says how much came and how it ended: "FIN", "RST" or what went wrong. It ends early with
// what came if that is not what was sent.
func (r *reader) readAll(c net.Conn) (n int, end string) {
	for {
		if r.slow {
			time.Sleep(time.Duration(r.rng.IntN(500)) * time.Microsecond)
		}
		k, err := c.Read(r.buf)
		if n+k > len(pattern) || !bytes.Equal(r.buf[:k], pattern[n:n+k]) {
			return n, "wrong bytes"
		}
		n += k
		switch {
		case err == io.EOF:
			return n, "FIN"
		case errors.Is(err, syscall.ECONNRESET):
			return n, "RST"
		case err != nil:
			return n, err.Error()
		}
	}
}

// writeAll writes the pattern's first bytes in pieces of sizes that are drawn from a seed.
func writeAll(c net.Conn, n int, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	most := 1 + rng.IntN(64<<10)
	for sent := 0; sent < n; {
		k := min(n-sent, 1+rng.IntN(most))
		if _, err := c.Write(pattern[sent : sent+k]); err != nil {
			return err
		}
		sent += k
	}
	return nil
}

// Sizes of trials: the largest is more than the buffers of the kernels on its way hold, and what is sent behind a limit comes on top.
const (
	largest  = 4 << 20
	mostMore = 100_000
)

// size draws how many bytes a trial is about: few and many alike, and one time in fifty very many.
func size(rng *rand.Rand) int {
	switch k := rng.IntN(50); {
	case k == 0:
		return 1 + rng.IntN(largest)
	case k < 25:
		return 1 + rng.IntN(200_000)
	}
	return 1 + rng.IntN(1<<rng.IntN(18))
}

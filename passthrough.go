package chaos

import (
	"errors"
	"os"
	"time"
)

// passThrough moves bytes straight from the source to the destination until it is interrupted or the source ends.
// Small messages go through a buffer that is borrowed while bytes are there; bulk moves inside the kernel, where the
// platform can do that. An idle connection holds neither.
func (p *pump) passThrough() {
	if !p.armWrite(time.Time{}) || !p.armRest() {
		return
	}
	for {
		n, err := p.raw.move(p)
		if n > 0 && err == nil {
			if p.kicks.Load() != p.seen {
				return
			}
			continue
		}
		var w *writeError
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			p.readBy, p.writeBy = stale, stale
		case errors.As(err, &w):
			p.line.conn.heard(p.dst)
			p.unpipe()
		default:
			p.sourceEnded(err)
		}
		return
	}
}

// relay writes what was read into a buffer. What an interruption leaves is put under way: it had arrived before.
func (p *pump) relay(data []byte) error {
	p.line.offset += int64(len(data))
	n, err := p.dst.conn.Write(data)
	p.line.conn.moved[p.line.dir].Add(int64(n))
	if n < len(data) {
		p.underWay(data[n:])
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = &writeError{err}
	}
	return err
}

// underWay queues bytes that have passed the stages already.
func (p *pump) underWay(data []byte) {
	p.line.now = time.Now()
	p.line.add(p.line.queue.push(Segment{Data: data, Due: p.line.now}, nil, true))
}

// A writeError is an error of the destination.
type writeError struct{ error }

func (e *writeError) Unwrap() error { return e.error }

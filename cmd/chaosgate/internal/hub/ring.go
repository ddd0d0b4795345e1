package hub

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/chaosgate/chaos/status"
)

// keptEvents is how many events are kept for those who read late.
const keptEvents = 1 << 14

// batch is how many events are read at once at most.
const batch = 256

// Now is where to read from to be told of new events only.
const Now = math.MaxUint64

// ErrClosed is what a reader gets when there will be no more events.
var ErrClosed = errors.New("the daemon is stopping")

// A ring keeps the latest events. Readers have nothing but a position in it, so that nobody is kept by one that is slow: it loses the
// oldest events, and is told how many.
type ring struct {
	mu     sync.Mutex // guards what follows; held shortly
	events []status.Event
	last   uint64        // the ID of the latest event
	more   chan struct{} // closed when there are more events; nil if nobody waits
	closed bool
}

// add numbers an event and keeps it.
func (r *ring) add(e status.Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.last++
	e.ID = r.last
	if len(r.events) < keptEvents {
		r.events = append(r.events, e)
	} else {
		r.events[(e.ID-1)%keptEvents] = e
	}
	r.wake()
}

// wake has those go on who wait. r.mu guards it.
func (r *ring) wake() {
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
}

// close tells all readers that there are no more events to come.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.wake()
}

// A Reader reads events, in order. One goroutine uses it.
type Reader struct {
	ring *ring
	seen uint64 // the ID of the last event that was read
}

// Events returns a reader of the events behind one that was seen already: of all that are kept if since is 0, of new ones only if it is [Now].
func (h *Hub) Events(since uint64) *Reader {
	r := h.events
	r.mu.Lock()
	defer r.mu.Unlock()
	if since == Now {
		since = r.last
	}
	return &Reader{r, since}
}

// Seen returns the ID of the last event that was read; 0 if that was one of another daemon's.
func (r *Reader) Seen() uint64 {
	r.ring.mu.Lock()
	defer r.ring.mu.Unlock()
	if r.seen > r.ring.last {
		return 0
	}
	return r.seen
}

// Next returns events, at least one. Where some were lost it says so in an event of its own, which has no ID. Its error is why the
// context has ended, or [ErrClosed] when all events were read and there will be no more.
func (r *Reader) Next(ctx context.Context) ([]status.Event, error) {
	for {
		events, more, closed := r.read()
		if len(events) > 0 {
			return events, nil
		}
		if closed {
			return nil, ErrClosed
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// read returns what there is to read, and what to wait for if that is nothing.
func (r *Reader) read() (events []status.Event, more <-chan struct{}, closed bool) {
	g := r.ring
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.seen > g.last { // it is an ID of a daemon that was there before
		r.seen = 0
		events = append(events, status.Event{Time: time.Now(), Type: status.EventLost, Err: "the daemon was started anew: what happened in between is not known"})
	}
	if oldest := g.last - uint64(len(g.events)); r.seen < oldest {
		events = append(events, status.Event{Time: time.Now(), Type: status.EventLost, Lost: int64(oldest - r.seen)})
		r.seen = oldest
	}
	for ; r.seen < g.last && len(events) < batch; r.seen++ {
		events = append(events, g.events[r.seen%keptEvents])
	}
	if len(events) == 0 && !g.closed && g.more == nil {
		g.more = make(chan struct{})
	}
	return events, g.more, g.closed
}

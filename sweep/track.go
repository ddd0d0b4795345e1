package sweep

import (
	"fmt"
	"sync"
	"time"

	"github.com/chaosgate/chaos"
)

// A tracker tells where in an exchange bytes are that a gate carries. It is told of all of them, in both directions of all connections, and begins
// anew with each attempt of the probe.
//
// A message is what goes one way until something goes the other, or until there is a pause. Who answers has read what is answered, so that
// the stages of both directions see the turns in their order.
type tracker struct {
	pause time.Duration // what is longer parts two messages

	mu    sync.Mutex // guards what follows; held shortly
	conns map[uint64]*talk
}

// A talk is how far one connection is.
type talk struct {
	conn int // its number in the exchange
	last chaos.Direction
	said [2]said
}

// A said is how far one direction of a connection is.
type said struct {
	message int // the number of the latest, 0 if there is none
	offset  int64
	at      time.Time // when its latest byte came
}

func newTracker(pause time.Duration) *tracker {
	t := &tracker{pause: pause}
	t.begin()
	return t
}

// begin begins a new exchange.
func (t *tracker) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns = map[uint64]*talk{}
}

// move notes that n bytes go one way on a connection, and returns the point before them.
func (t *tracker) move(ordinal uint64, dir chaos.Direction, n int, now time.Time) Point {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.conns[ordinal]
	if c == nil {
		c = &talk{conn: len(t.conns) + 1, last: dir}
		t.conns[ordinal] = c
	}
	s := &c.said[dir]
	if s.message == 0 || c.last != dir || t.pause > 0 && now.Sub(s.at) > t.pause {
		s.message++
		s.offset = 0
	}
	c.last = dir
	p := Point{c.conn, dir, s.message, s.offset}
	s.offset += int64(n)
	s.at = now
	return p
}

// far says how far the exchange has come in a point's message.
func (t *tracker) far(p Point) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		if c.conn != p.Conn {
			continue
		}
		switch s := c.said[p.Direction]; {
		case s.message < p.Message:
			return fmt.Sprintf("only %d messages went %s on connection %d", s.message, words(p.Direction), p.Conn)
		case s.message == p.Message:
			return fmt.Sprintf("message %d %s has ended after %d bytes", p.Message, words(p.Direction), s.offset)
		default:
			return fmt.Sprintf("message %d %s was shorter", p.Message, words(p.Direction))
		}
	}
	return fmt.Sprintf("there was no connection %d", p.Conn)
}

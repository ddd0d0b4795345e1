package chaos

import (
	"errors"
	"syscall"
	"time"
)

// sendAgain is after how long it is tried again to send what the kernel had no room for.
const sendAgain = 500 * time.Microsecond

// put sends a message soon: with others, if they go by the same socket. Its data must stay as it is until flush.
func (x *exchange) put(m message) {
	if n := len(x.out); n == batchSize || n > 0 && !x.out[0].goesWith(m) {
		x.flush()
	}
	x.out = append(x.out, m)
}

// goesWith reports whether two messages go by the same socket.
func (m message) goesWith(other message) bool {
	return m.dir == other.dir && (m.dir == ToClient || m.s == other.s)
}

// flush sends what was put.
func (x *exchange) flush() {
	if len(x.out) == 0 {
		return
	}
	ms := x.out
	for len(ms) > 0 {
		n, err := x.net.send(ms)
		for i := range ms[:n] {
			ms[i].sent()
		}
		if ms = ms[n:]; len(ms) == 0 || err == nil {
			continue
		}
		switch x.failedToSend(&ms[0], err) {
		case giveUp:
			ms = ms[1:]
		case standBack:
			for _, m := range ms {
				m.s.standBack(m.dir, m.data)
			}
			ms = nil
		}
	}
	clear(x.out)
	x.out = x.out[:0]
}

// sends sends one message now and reports whether it is done with.
func (s *session) sends(m message) bool {
	x := s.x
	x.one[0] = m
	for {
		n, err := x.net.send(x.one[:])
		if n == 1 {
			m.sent()
			return true
		}
		if err == nil {
			continue
		}
		switch x.failedToSend(&x.one[0], err) {
		case giveUp:
			return true
		case standBack:
			return false
		}
	}
}

// What becomes of a message that was not sent.
type fate uint8

const (
	tryAgain fate = iota
	giveUp
	standBack
)

// failedToSend decides what becomes of a message. An error may be about one that was sent before: that is tried again, once.
func (x *exchange) failedToSend(m *message, err error) fate {
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOBUFS):
		return standBack
	case errors.Is(err, syscall.ECONNREFUSED):
		if m.dir == ToServer {
			x.refused(m.s)
		}
		if !m.tried {
			m.tried = true
			return tryAgain
		}
	}
	x.gate.stats.sendErrors.Add(1)
	m.s.conn.dropped.Add(int64(len(m.data)))
	return giveUp
}

// sent counts a message that was sent.
func (m *message) sent() {
	m.s.conn.moved[m.dir].Add(int64(len(m.data)))
	m.s.conn.datagrams[m.dir].Add(1)
	m.s.touch()
}

// standBack keeps a datagram that has passed already and that the kernel had no room for. All behind it waits as well.
func (s *session) standBack(dir Direction, data []byte) {
	l := &s.lines[dir].line
	l.add(l.queue.push(Segment{Data: data, Due: s.x.now}, nil, false))
	s.again = s.x.now.Add(sendAgain)
	s.x.timers.set(s, first(s.moment, s.again))
}

package chaos

import (
	"cmp"
	"container/heap"
	"errors"
	"net/netip"
	"time"
)

// An address tells whose session a datagram belongs to.
type address struct {
	peer  netip.AddrPort // the client's
	local netip.Addr     // the gate's own that the client used, if the gate listens on all
	name  string         // the client's, on a network that has other addresses
}

// String returns the client's address.
func (a address) String() string {
	if a.name != "" {
		return a.name
	}
	return netip.AddrPortFrom(a.peer.Addr().Unmap(), a.peer.Port()).String()
}

// own returns the gate's address as the client knows it.
func (a address) own(front string) string {
	at, err := netip.ParseAddrPort(front)
	if err != nil || !a.local.IsValid() {
		return front
	}
	return netip.AddrPortFrom(a.local.Unmap(), at.Port()).String()
}

const (
	// mostSessions is how many sessions a gate has at most, unless it says otherwise: each is a descriptor.
	mostSessions = 10_000
	// silence is after how long a session expires. RFC 4787 wants two minutes at least from a NAT, and recommends five.
	silence = 5 * time.Minute
)

// fromClient takes a datagram that has arrived at the front.
func (x *exchange) fromClient(of address, data []byte) {
	if Door(x.door.Load()) == Blackhole {
		x.swallowed.Add(1)
		x.gate.stats.lostDatagrams.Add(1)
		return
	}
	s := x.sessions[of]
	if s != nil && s.isOver() {
		s = nil
	}
	if s == nil {
		if x.graves.take(of, x.now) {
			x.gate.stats.lostDatagrams.Add(1)
			return
		}
		for len(x.sessions) >= cmp.Or(x.gate.Sessions, mostSessions) {
			x.evict()
		}
		if s = x.begin(of); s == nil {
			return
		}
	}
	s.feed(ToServer, data)
}

// fromServer takes a datagram that has arrived at a session's socket.
func (x *exchange) fromServer(s *session, data []byte) {
	s.silent = false
	if s.isOver() {
		x.gate.stats.lostDatagrams.Add(1)
		return
	}
	s.feed(ToClient, data)
}

// isOver reports whether the session has ended, and leaves nothing of one that has: CloseConns may have returned already.
func (s *session) isOver() bool {
	if s.conn.over.Load() {
		s.finish()
	}
	return s.ended
}

func (x *exchange) arriving() { x.now = time.Now() }

// refused notes that the server's host has said that nobody listens. It is told once, until something is heard again.
func (x *exchange) refused(s *session) {
	x.gate.stats.refused.Add(1)
	if !s.silent {
		s.silent = true
		x.gate.events.add(Event{Type: EventDialError, Conn: s.conn.ordinal, Err: "server " + text(s.conn.server.peer) + ": " + errRefused.Error()})
	}
}

var errRefused = errors.New("connection refused: nobody listens there")

// failed notes that the front could not be read.
func (x *exchange) failed(err error) { x.gate.acceptFailed(err) }

// evict ends the session that was silent for longest, so that another has room.
func (x *exchange) evict() { x.recent.oldest.endAs("evicted") }

// endAs ends the session at once.
func (s *session) endAs(by string) {
	s.conn.end(FullClose, by, nil)
	s.finish()
}

// expires returns when the session expires that was silent for longest.
func (x *exchange) expires() time.Time {
	return x.recent.oldest.heard.Add(cmp.Or(x.gate.Expire, silence))
}

// expire ends the sessions that were silent for too long. One with something under way is not silent.
func (x *exchange) expire() {
	for len(x.sessions) > 0 && !x.expires().After(x.now) {
		s := x.recent.oldest
		if s.lines[ToServer].line.held+s.lines[ToClient].line.held > 0 {
			s.touch()
			continue
		}
		s.endAs("expired")
	}
}

// A recency is all sessions in the order in which they were last heard of.
type recency struct{ oldest, newest *session }

func (r *recency) add(s *session) {
	if s.older = r.newest; s.older != nil {
		s.older.newer = s
	} else {
		r.oldest = s
	}
	r.newest = s
}

func (r *recency) remove(s *session) {
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		r.oldest = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		r.newest = s.older
	}
	s.older, s.newer = nil, nil
}

// touch makes a session the one that was heard of last.
func (r *recency) touch(s *session) {
	if r.newest != s {
		r.remove(s)
		r.add(s)
	}
}

// timers are the sessions that wait for a moment, as a heap.
type timers struct{ waiting []*session }

// set has due return the session at a moment, or not at all if that is zero.
func (t *timers) set(s *session, at time.Time) {
	was := s.moment
	s.moment = at
	switch {
	case at.IsZero() && s.place > 0:
		heap.Remove(t, s.place-1)
	case at.IsZero():
	case s.place == 0:
		heap.Push(t, s)
	case !at.Equal(was):
		heap.Fix(t, s.place-1)
	}
}

// next returns the first moment that a session waits for, zero if none does.
func (t *timers) next() (at time.Time) {
	if len(t.waiting) > 0 {
		at = t.waiting[0].moment
	}
	return at
}

// due takes out a session whose moment has come, nil if there is none.
func (t *timers) due(now time.Time) *session {
	if len(t.waiting) == 0 || t.waiting[0].moment.After(now) {
		return nil
	}
	s := heap.Pop(t).(*session)
	s.moment = time.Time{}
	return s
}

func (t *timers) Len() int           { return len(t.waiting) }
func (t *timers) Less(i, j int) bool { return t.waiting[i].moment.Before(t.waiting[j].moment) }

func (t *timers) Swap(i, j int) {
	w := t.waiting
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i+1, j+1
}

// Push implements [heap.Interface].
func (t *timers) Push(x any) {
	t.waiting = append(t.waiting, x.(*session))
	t.waiting[len(t.waiting)-1].place = len(t.waiting)
}

// Pop implements [heap.Interface].
func (t *timers) Pop() any {
	last := len(t.waiting) - 1
	s := t.waiting[last]
	t.waiting[last] = nil
	t.waiting = t.waiting[:last]
	s.place = 0
	return s
}

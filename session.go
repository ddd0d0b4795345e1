package chaos

import (
	"time"
)

// A session is the datagrams of one client: a Conn, and both of its lines. It belongs to the exchange's goroutine.
type session struct {
	x      *exchange
	conn   *Conn
	from   address
	to     any    // what send needs to reach the client
	server socket // nil until the server's address is known
	lines  [2]follower
	unread [2]queue  // what has arrived and the line does not take yet
	again  time.Time // when to try again to send what the kernel did not take; zero if nothing stands back
	silent bool      // the server was heard to refuse, and that was told

	heard            time.Time // when a datagram came last
	newer, older     *session  // in the order of heard
	moment           time.Time // when it wants to look
	place            int       // one more than its place among the timers, 0 if it has none
	dirty            bool      // guarded by the exchange's mu
	tombstone, ended bool
}

// begin makes a session for a client that was not heard of before, or returns nil.
func (x *exchange) begin(of address) *session {
	c := &Conn{gate: x.gate, opened: x.now, giveUp: func() {}}
	c.client.own, c.client.peer = place(of.own(x.net.addr())), place(of.String())
	if !x.gate.enroll(c) {
		return nil
	}
	s := &session{x: x, conn: c, from: of, to: x.net.destination(of), heard: x.now}
	nudge := func() { x.mark(s) }
	for dir := range s.lines {
		f := &s.lines[dir]
		f.follow(c, Direction(dir), nudge)
		f.line.datagrams, f.line.rebind = true, s.rebind
		f.join()
	}
	c.mu.Lock()
	c.lines = [2]*follower{&s.lines[ToServer], &s.lines[ToClient]}
	c.mu.Unlock()
	x.sessions[of] = s
	x.recent.add(s)
	s.connect()
	s.look()
	return s
}

// feed takes a datagram that has arrived.
func (s *session) feed(dir Direction, data []byte) {
	x, l := s.x, &s.lines[dir].line
	if s.ended {
		x.gate.stats.lostDatagrams.Add(1)
		return
	}
	s.touch()
	switch {
	case l.clear() && s.unread[dir].len() == 0 && s.server != nil:
		l.offset++
		x.put(message{s: s, dir: dir, data: data})
		return
	case l.crowded():
		x.gate.stats.overflowed.Add(1)
		return
	}
	l.now = x.now
	if s.takes(dir) {
		l.push(data, More)
	} else {
		l.add(s.unread[dir].push(Segment{Data: data, Due: x.now}, nil, true))
	}
	s.work(dir)
	s.settle()
}

// touch notes that something has come or gone.
func (s *session) touch() {
	if s.x.now.After(s.heard) && !s.ended {
		s.heard = s.x.now
		s.x.recent.touch(s)
	}
}

// takes reports whether a line takes what arrives next.
func (s *session) takes(dir Direction) bool {
	return s.server != nil && s.unread[dir].len() == 0 && s.lines[dir].line.holds().IsZero()
}

// look looks at everything that may have changed, or fallen due.
func (s *session) look() {
	if s.ended {
		return
	}
	if !s.again.After(s.x.now) {
		s.again = time.Time{}
	}
	for dir := range s.lines {
		f := &s.lines[dir]
		f.line.now = s.x.now
		if progs := f.asked(); progs != f.progs {
			s.x.flush() // what has passed already is not to be changed any more
			f.obey(progs)
		}
		f.runPosts()
		f.line.advance(s.x.now)
	}
	for dir := range s.lines {
		s.work(Direction(dir))
	}
	s.settle()
}

// work lets one direction take and send all that it can now.
func (s *session) work(dir Direction) {
	l := &s.lines[dir].line
	s.drain(l)
	for unread := &s.unread[dir]; s.server != nil && unread.len() > 0 && l.ending == nil && !s.conn.over.Load(); s.drain(l) {
		if !l.holds().IsZero() {
			l.watchers(func(st *Stage) {
				f := st.onBytes
				st.onBytes = nil
				f()
			})
			break
		}
		data := unread.front().data
		l.push(data, More)
		l.add(-unread.pop())
	}
}

// drain sends what is due.
func (s *session) drain(l *line) {
	for it := l.due(); it != nil && s.again.IsZero() && !s.conn.over.Load(); it = l.due() {
		end, by := it.end, it.by
		if len(it.data) > 0 || end == More {
			if s.server == nil {
				return
			}
			s.x.flush()
			if !s.sends(message{s: s, dir: l.dir, data: it.data}) {
				s.again = s.x.now.Add(sendAgain)
				return
			}
		}
		l.sent(len(it.data))
		if end != More {
			s.endBy(end, by, nil)
		}
	}
}

// settle ends the session if it is to end, and else says when it wants to look again.
func (s *session) settle() {
	for dir := range s.lines {
		if e := s.lines[dir].line.ending; e != nil {
			s.endBy(e.how, e.by, e.err)
		}
	}
	if s.conn.over.Load() {
		s.finish()
		return
	}
	var t time.Time
	for dir := range s.lines {
		n := s.lines[dir].line.next()
		if s.server == nil { // nothing leaves before the server is reached, whatever is due
			n = s.lines[dir].line.nextAlarm()
		}
		if !n.IsZero() {
			t = first(t, n)
		}
	}
	if !s.again.IsZero() {
		t = s.again
	}
	s.x.timers.set(s, t)
}

// endBy ends the session for a stage's sake.
func (s *session) endBy(how End, by *Stage, err error) {
	if s.conn.end(how, by.name(), err) {
		s.tombstone = true
	}
}

// finish sends what is due, and ends what is left of the session.
func (s *session) finish() {
	if s.ended {
		return
	}
	s.ended = true
	x := s.x
	x.flush()
	for dir := range s.lines {
		f := &s.lines[dir]
		f.leave()
		f.line.advance(x.now)
		for it := f.line.due(); it != nil && s.server != nil; it = f.line.due() {
			end := it.end
			if len(it.data) > 0 || end == More {
				if !s.sends(message{s: s, dir: Direction(dir), data: it.data}) {
					s.conn.dropped.Add(int64(len(it.data)))
				}
			}
			if f.line.sent(len(it.data)); end != More {
				break
			}
		}
		s.conn.dropped.Add(f.line.bytes() + s.unread[dir].bytes())
		f.line.close()
		s.unread[dir].clear()
		f.runPosts()
	}
	x.timers.set(s, time.Time{})
	x.recent.remove(s)
	delete(x.sessions, s.from)
	if s.tombstone {
		x.graves.add(s.from, x.now)
	}
	if s.server != nil {
		x.drops += s.server.drops()
		s.server.close()
	}
	s.conn.giveUp()
	x.gate.gone(s.conn)
}

package chaos

import (
	"context"
	"errors"
	"syscall"
)

// connect gives a session its socket to the server. Where that may take time, as a name's resolution does, what arrives is kept meanwhile.
func (s *session) connect() {
	s.reach(s.x.gate.Server, func(to socket, err error) {
		switch {
		case err == nil && s.conn.over.Load():
			to.close()
		case err == nil:
			s.joined(to)
			s.conn.mu.Lock()
			if s.conn.how == More {
				s.conn.state = Established
			}
			s.conn.mu.Unlock()
			s.x.gate.established(s.conn)
		case s.conn.end(FullClose, "dial", err):
			s.x.gate.dialFailed(s.conn, err)
		}
	})
}

// joined makes a socket the session's.
func (s *session) joined(to socket) {
	own, peer := to.addrs()
	s.conn.mu.Lock()
	s.conn.server.own, s.conn.server.peer = place(own), place(peer)
	s.conn.mu.Unlock()
	s.server = to
	s.x.net.watch(s)
}

// rebind has the server see the session come from another port from now on. What is on its way to the old one is lost. A stage
// asks for it, amid the work of a line; it happens as soon as that is done, before anything more is read.
func (s *session) rebind() { s.x.post(s.bindAnew) }

func (s *session) bindAnew() {
	if s.server == nil || s.ended {
		return
	}
	s.reach(text(s.conn.server.peer), func(to socket, err error) {
		switch {
		case err != nil:
			s.x.gate.dialFailed(s.conn, err)
		case s.ended:
			to.close()
		default:
			s.x.flush()
			old := s.server
			drops := old.drops()
			if old.retire(s.x); s.ended { // by what had arrived
				to.close()
				return
			}
			s.x.drops += drops
			s.joined(to)
		}
	})
}

// reach connects a socket to the server, and has then called what is to be done with it: at once, if that can be.
func (s *session) reach(server string, then func(socket, error)) {
	x := s.x
	if x.net.quick(server) {
		to, err := x.net.connect(x.ctx, server)
		if errors.Is(err, syscall.EMFILE) && x.recent.oldest != s {
			x.evict()
			to, err = x.net.connect(x.ctx, server)
		}
		then(to, err)
		return
	}
	ctx, cancel := context.WithCancel(x.ctx)
	s.conn.mu.Lock()
	s.conn.giveUp = cancel
	s.conn.mu.Unlock()
	x.gate.conns.Go(func() {
		to, err := x.net.connect(ctx, server)
		cancel()
		if !x.post(func() {
			x.reached(s, to, err, then)
		}) && err == nil {
			to.close()
		}
	})
}

// reached is told what has come of reaching the server.
func (x *exchange) reached(s *session, to socket, err error, then func(socket, error)) {
	if s.ended {
		if err == nil {
			to.close()
		}
		return
	}
	then(to, err)
	s.look()
}

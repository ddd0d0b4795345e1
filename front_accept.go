package chaos

import (
	"errors"
	"net"
	"time"
)

// accept returns the next client's connection. It waits while the door is not open, and
// survives every error: it tells onError and tries again a little later, because what is
// wrong (no descriptors, no memory, a client that has gone) passes, and connections that
// live must not die of it. The only error that it returns is net.ErrClosed.
func (f *front) accept() (net.Conn, error) {
	var pause time.Duration
	for {
		ln, err := f.enter()
		if err != nil {
			return nil, err
		}
		c, err := ln.Accept()
		closed, barred := f.leave()
		switch {
		case err == nil && closed:
			abandon(c)
			return nil, net.ErrClosed
		case err == nil && f.way.ours(c):
			c.Close()
			continue
		case err == nil:
			if !f.inlines && !isNil(c) { // whoever accepts for us may have handed over nothing, which the gate refuses
				oobInline(c)
			}
			return c, nil
		case closed:
			return nil, net.ErrClosed
		case barred:
			continue // whatever it was, the door has interrupted it
		case errors.Is(err, net.ErrClosed):
			// Somebody else has closed a listener that came from outside.
			return nil, net.ErrClosed
		}
		if f.onError != nil {
			f.onError(err)
		}
		pause = min(max(2*pause, firstPause), lastPause)
		f.rest(pause)
	}
}

// enter waits until it is free to accept, and says from what.
func (f *front) enter() (net.Listener, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.free && !f.closed {
		f.await()
	}
	if f.closed {
		return nil, net.ErrClosed
	}
	f.inside++
	return f.ln, nil
}

// leave ends what enter began, and says what has happened meanwhile.
func (f *front) leave() (closed, barred bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside--
	if f.inside == 0 && !f.free {
		f.tell()
	}
	return f.closed, !f.free
}

// rest waits for a while, or until something changes.
func (f *front) rest(d time.Duration) {
	f.mu.Lock()
	changed, closed := f.changed, f.closed
	f.mu.Unlock()
	if closed {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-changed:
	}
}

// abandon ends a connection that was accepted too late, as the kernel ends those that
// nobody has accepted: with a reset.
func abandon(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0)
	}
	c.Close()
}

package chaostest

import (
	"net"
	"os"
	"syscall"
)

// CloseWrite sends a FIN: the peer reads what was written, then EOF. A connection that has ended both ways already has
// nothing left to shut down and answers ENOTCONN, as a TCP socket does.
func (c *memConn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return c.fail("close", net.ErrClosed)
	case c.network == "tcp" && c.over():
		return c.fail("close", os.NewSyscallError("shutdown", syscall.ENOTCONN))
	}
	c.sendFIN()
	return nil
}

// SetLinger says what Close does: with 0 it resets the connection, with anything else it sends a FIN. There is nothing
// unsent to linger for. A unix socket has no reset to send, and refuses.
func (c *memConn) SetLinger(sec int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return c.fail("set", net.ErrClosed)
	case c.network == "unix":
		return c.fail("set", os.NewSyscallError("setsockopt", syscall.EOPNOTSUPP))
	}
	c.linger0 = sec == 0
	return nil
}

// Close ends both directions. The peer reads what was written and then EOF; but if this end leaves bytes unread, or
// SetLinger(0) was called, the connection is reset: the peer reads what was written, then gets ECONNRESET.
func (c *memConn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return c.fail("close", net.ErrClosed)
	}
	heard := c.hangUp(c.linger0 || c.in.size() > 0)
	c.mu.Unlock()
	if c.forget != nil {
		c.forget()
	}
	for _, f := range heard {
		f()
	}
	return nil
}

// abort resets a connection that nobody has accepted.
func (c *memConn) abort() {
	c.mu.Lock()
	heard := c.hangUp(true)
	c.mu.Unlock()
	for _, f := range heard {
		f()
	}
}

// hangUp ends both directions and returns what is to be called with the mutex free. The mutex is held.
func (c *memConn) hangUp(reset bool) (heard []func()) {
	c.closed = true
	c.onReset = nil
	for _, d := range []*memDeadline{&c.reading, &c.writing} {
		d.disarm()
		d.cond.Broadcast()
	}
	if reset {
		return c.peer.hearReset()
	}
	c.sendFIN()
	return nil
}

// over reports whether the connection has ended both ways, by two FINs or a reset: in TCP's words, whether its state is
// CLOSED, or TIME-WAIT. Nothing can be sent then, and a reset means nothing. The mutex is held.
func (c *memConn) over() bool { return c.reset || c.finIn && c.finOut }

// sendFIN ends the direction to the peer. The mutex is held.
func (c *memConn) sendFIN() {
	c.finOut = true
	c.writing.cond.Broadcast()
	c.peer.finIn = true
	c.peer.in.shut = true
	c.peer.reading.cond.Broadcast()
}

// hearReset is what happens to this end when the peer resets the connection. What has been received stays readable. It
// returns what is to be called with the mutex free. The mutex is held.
//
// A TCP connection that has ended both ways already is in no state to receive one.
func (c *memConn) hearReset() (heard []func()) {
	if c.closed || c.network == "tcp" && c.over() {
		return nil
	}
	c.reset = true
	c.pending = syscall.ECONNRESET
	if c.network == "tcp" && c.finIn {
		c.pending = syscall.EPIPE // what tcp_reset sets in CLOSE-WAIT
	}
	c.reading.cond.Broadcast()
	c.writing.cond.Broadcast()
	heard, c.onReset = c.onReset, nil
	return heard
}

// WasReset reports whether the peer has reset the connection. It takes nothing: the error is still told to the next call.
func (c *memConn) WasReset() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reset
}

// OnReset has f called once when the peer resets the connection, or at once if it has. f runs on the goroutine that makes
// it happen, must not block, and may call anything on the connection. After Close nothing is called any more.
func (c *memConn) OnReset(f func()) {
	c.mu.Lock()
	if c.reset {
		c.mu.Unlock()
		f()
		return
	}
	if !c.closed {
		c.onReset = append(c.onReset, f)
	}
	c.mu.Unlock()
}

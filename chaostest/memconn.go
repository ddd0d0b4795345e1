package chaostest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A memConn is one end of a connection of a Network. What an end goes through is told in the kernel's terms, because the
// kernel is what it has to be like: a FIN has come in or gone out, a RST has come in, and an error is pending that the
// next call to fail takes away (the kernel's sk_err).
type memConn struct {
	network       string // "tcp" or "unix"
	local, remote net.Addr
	peer          *memConn
	forget        func() // gives the port back; nil if there is none to give

	mu      *sync.Mutex // shared with peer; guards everything below in both ends
	reading memDeadline // where Read and WaitRead are parked
	writing memDeadline // where Write is parked
	in      memStream   // what peer has written
	busy    bool        // a Write is going on; the next waits for its turn
	finIn   bool        // peer writes no more
	finOut  bool        // this end writes no more
	reset   bool        // peer has reset the connection
	pending syscall.Errno
	linger0 bool // Close resets
	closed  bool // by its owner
	onReset []func()
}

// newMemPair returns the two ends of a connection: the client's and the server's.
func newMemPair(network string, client, server net.Addr, buffer int) (c, s *memConn) {
	mu := new(sync.Mutex)
	end := func(local, remote net.Addr) *memConn {
		e := &memConn{network: network, local: local, remote: remote, mu: mu, in: memStream{limit: buffer}}
		e.reading.cond.L, e.writing.cond.L = mu, mu
		return e
	}
	c, s = end(client, server), end(server, client)
	c.peer, s.peer = s, c
	return c, s
}

func (c *memConn) LocalAddr() net.Addr  { return c.local }
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

// Read returns bytes of one Write of the peer, as many of them as fit.
func (c *memConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case len(p) == 0:
			return 0, nil
		case c.reading.expired():
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case c.in.size() > 0:
			n := c.in.take(p)
			if len(c.in.more) == 0 {
				c.peer.writing.cond.Broadcast()
			}
			return n, nil
		case c.ended():
			return 0, c.ending()
		}
		c.reading.wait()
	}
}

// WaitRead returns nil as soon as a Read would not block: data, the end of the stream or a reset are there. It takes
// nothing. At the read deadline it returns os.ErrDeadlineExceeded, after Close net.ErrClosed.
func (c *memConn) WaitRead() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return net.ErrClosed
		case c.reading.expired():
			return os.ErrDeadlineExceeded
		case c.in.size() > 0 || c.ended():
			return nil
		}
		c.reading.wait()
	}
}

// ended reports whether nothing more will come in. The mutex is held.
func (c *memConn) ended() bool { return c.finIn || c.reset }

// ending is what a Read past the last byte returns. The mutex is held.
//
// A TCP socket that has received a FIN says EOF for ever, whatever comes after; otherwise a reset is told once, to whoever
// calls first, and then the stream just ends. A unix socket tells the pending error first.
func (c *memConn) ending() error {
	if c.finIn && c.network != "unix" || c.pending == 0 {
		return io.EOF
	}
	return c.failed("read", c.told())
}

// told takes away the pending error. The mutex is held.
func (c *memConn) told() syscall.Errno {
	e := c.pending
	c.pending = 0
	return e
}

// Write returns when the peer's receive buffer holds all of p.
//
// A Write to a peer that has closed succeeds, as it does with the kernel: it is what makes the peer answer with a reset.
// (On a unix socket, which needs no packet to find out, it fails with EPIPE.)
func (c *memConn) Write(p []byte) (int, error) {
	n, heard, err := c.write(p)
	for _, f := range heard {
		f()
	}
	return n, err
}

// write is Write, but for the calls that are to be made with the mutex free.
func (c *memConn) write(p []byte) (n int, heard []func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.busy && !c.closed && !c.writing.expired() {
		c.writing.wait()
	}
	if err := c.unwritable(); err != nil || len(p) == 0 {
		return 0, nil, err
	}
	if c.peer.closed {
		return len(p), c.hearReset(), nil
	}
	c.busy = true
	to := &c.peer.in
	to.put(p)
	c.peer.reading.cond.Broadcast()
	for len(to.more) > 0 && err == nil {
		c.writing.wait()
		if len(to.more) > 0 {
			err = c.unwritable()
		}
	}
	n = len(p) - to.leave()
	c.busy = false
	c.writing.cond.Broadcast()
	return n, nil, err
}

// unwritable is why a Write cannot go on, or nil. The mutex is held.
func (c *memConn) unwritable() error {
	switch {
	case c.closed:
		return c.fail("write", net.ErrClosed)
	case c.writing.expired():
		return c.fail("write", os.ErrDeadlineExceeded)
	case c.network == "unix" && (c.finOut || c.peer.closed):
		return c.failed("write", syscall.EPIPE) // what is pending stays for a Read
	case c.pending != 0:
		return c.failed("write", c.told())
	case c.reset || c.finOut:
		return c.failed("write", syscall.EPIPE)
	}
	return nil
}

// Unsent is the number of bytes written and not yet in the peer's receive buffer. It is always 0: there is no other buffer.
func (c *memConn) Unsent() int { return 0 }

func (c *memConn) SetDeadline(t time.Time) error      { return c.expire(t, &c.reading, &c.writing) }
func (c *memConn) SetReadDeadline(t time.Time) error  { return c.expire(t, &c.reading) }
func (c *memConn) SetWriteDeadline(t time.Time) error { return c.expire(t, &c.writing) }

func (c *memConn) expire(t time.Time, deadlines ...*memDeadline) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return &net.OpError{Op: "set", Net: c.network, Addr: c.local, Err: net.ErrClosed}
	}
	for _, d := range deadlines {
		d.set(t)
	}
	return nil
}

// fail says which connection err happened to, as package net does.
func (c *memConn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network, Source: c.local, Addr: c.remote, Err: err}
}

// failed is fail for what would be the answer of a system call of the operation's name.
func (c *memConn) failed(op string, e syscall.Errno) error {
	return c.fail(op, os.NewSyscallError(op, e))
}

package chaostest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/chaosgate/chaos"
)

// A memListener is a listener of a Network. Its mutable fields are guarded by the network's mutex, so that a dial finds it
// and joins its queue in one step.
type memListener struct {
	net     *Network
	network string
	addr    net.Addr

	accepting memDeadline
	queue     []*memConn // the server's ends of the connections that nobody has accepted
	door      chaos.Door
	dropped   int64         // the dials that have met this Blackhole
	moved     chan struct{} // closed when the door moves or the listener closes, for those whom nobody answers
	closed    bool
}

func (l *memListener) Addr() net.Addr { return l.addr }

// Accept takes the connection that has waited longest. While the door is on Hold it takes none.
func (l *memListener) Accept() (net.Conn, error) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, l.fail("accept", net.ErrClosed)
		case l.accepting.expired():
			return nil, l.fail("accept", os.ErrDeadlineExceeded)
		case len(l.queue) > 0 && l.door != chaos.Hold:
			c := l.queue[0]
			l.queue = l.queue[1:]
			return c, nil
		}
		l.accepting.wait()
	}
}

// SetDeadline ends the Accepts that are going on at t, and refuses later ones from then on; never, if t is zero.
func (l *memListener) SetDeadline(t time.Time) error {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if l.closed {
		return l.fail("set", net.ErrClosed)
	}
	l.accepting.set(t)
	return nil
}

// SetDoor changes how dials are received. With Open and Hold they join the queue; with Refuse they get ECONNREFUSED, and the
// connections in the queue are reset; with Blackhole nobody answers them, and the queue can still be accepted. A unix socket
// answers a connect at once or not at all, and has no Blackhole.
func (l *memListener) SetDoor(door chaos.Door) error {
	switch {
	case door > chaos.Blackhole:
		return l.fail("set", fmt.Errorf("door %d is not one of open, hold, refuse and blackhole", uint8(door)))
	case door == chaos.Blackhole && l.network == "unix":
		return l.fail("set", errors.New("a unix socket has no black hole: its connect does not wait for an answer"))
	}
	l.net.mu.Lock()
	if l.closed {
		l.net.mu.Unlock()
		return l.fail("set", net.ErrClosed)
	}
	var queued []*memConn
	if door != l.door {
		l.door = door
		l.dropped = 0
		l.move()
		if door == chaos.Refuse {
			queued, l.queue = l.queue, nil
		}
	}
	l.net.mu.Unlock()
	abortAll(queued)
	return nil
}

// DoorHits tells what the door does: for Hold how many connections are waiting, for Blackhole how many dials have met it since
// it was set. A refusal is not seen by a listener, nor is it counted here.
func (l *memListener) DoorHits() int64 {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	switch l.door {
	case chaos.Hold:
		return int64(len(l.queue))
	case chaos.Blackhole:
		return l.dropped
	}
	return 0
}

// Close frees the address, ends the Accepts that are going on and resets the connections in the queue.
func (l *memListener) Close() error {
	l.net.mu.Lock()
	if l.closed {
		l.net.mu.Unlock()
		return l.fail("close", net.ErrClosed)
	}
	l.closed = true
	l.accepting.disarm()
	l.move()
	l.net.listeners = slices.DeleteFunc(l.net.listeners, func(other *memListener) bool { return other == l })
	queued := l.queue
	l.queue = nil
	l.net.mu.Unlock()
	abortAll(queued)
	return nil
}

// knock is what becomes of a SYN: an answer, none, or a refusal. The network's mutex is held.
func (l *memListener) knock() (answers bool, err error) {
	switch l.door {
	case chaos.Refuse:
		return false, syscall.ECONNREFUSED
	case chaos.Blackhole:
		l.dropped++
		return false, nil
	}
	return true, nil
}

// move wakes everybody whom a door concerns. The network's mutex is held.
func (l *memListener) move() {
	close(l.moved)
	l.moved = make(chan struct{})
	l.accepting.cond.Broadcast()
}

// abortAll resets connections. It is called with the network's mutex free, because what hears a reset may call anything.
func abortAll(queued []*memConn) {
	for _, c := range queued {
		c.abort()
	}
}

// fail says which listener err happened to, as package net does.
func (l *memListener) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: l.network, Addr: l.addr, Err: err}
}

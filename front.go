package chaos

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// A front is the listening side of a gate: what accepts, and the door before it.
//
// The invariants are these. Accept is called on the listener only while free holds. A
// change of the door first takes free away and waits until nobody is inside Accept (it
// interrupts whoever is, so that it waits for no peer), then turns the listener, then
// gives free back if the door is open. So after setDoor has returned, no connection is
// received the old way.
type front struct {
	onError func(error) // told each error of accepting that is not the end; set before accept is called
	address string
	way     doorway
	inlines bool   // what is accepted has its urgent bytes inline, from its listener
	cleanup func() // frees what the address needed, after the listener

	turning sync.Mutex // held by the one change under way, which never waits for a peer

	mu       sync.Mutex // guards what follows
	ln       net.Listener
	position Door // what setDoor was last asked for
	now      Door // what the listener does: the position, or Refuse while shut
	isShut   bool
	closed   bool
	free     bool
	inside   int           // how many are inside Accept
	changed  chan struct{} // closed and made anew whenever somebody may go on
}

// A doorway is how the doors work on one kind of listener. Its turn is called by one
// goroutine at a time, and with nobody inside Accept unless it answersItself.
type doorway interface {
	// allows says why the door cannot take a position here, or nothing.
	allows(d Door) error
	// turn changes what the listener does. If it fails, nothing has changed.
	turn(from, to Door) error
	// listener returns what to accept from since the last turn.
	listener() net.Listener
	// answersItself reports whether the listener keeps its own door in Accept.
	answersItself() bool
	// hits counts what the door that holds now has done.
	hits(now Door) int64
	// ours reports whether c is a connection that turn made, and not a client's.
	ours(c net.Conn) bool
	close() error
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// Accepting is tried again this long after an error, and after each further one in
// double the time.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

func newFront(address string, way doorway, cleanup func()) *front {
	_, inlines := way.(interface{ inlines() })
	return &front{
		address: address, way: way, inlines: inlines, cleanup: cleanup, ln: way.listener(), free: true, changed: make(chan struct{}),
	}
}

// addr returns the address that clients use.
func (f *front) addr() string { return f.address }

// door returns the position that was last set, also while the front is shut.
func (f *front) door() Door {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.position
}

// hits returns what the door has done: for Hold how many clients wait in the queue, for
// Blackhole how many SYNs have been dropped since it was set, else 0. What Refuse has
// done cannot be seen from here. A shut front has no hits.
func (f *front) hits() int64 {
	f.mu.Lock()
	now, closed := f.now, f.closed
	f.mu.Unlock()
	if closed || now != Hold && now != Blackhole {
		return 0
	}
	return f.way.hits(now)
}

// setDoor puts the door into a position. When it returns the position holds, or an error
// says why it cannot and everything is as before. On a shut front the position takes
// effect with restore.
func (f *front) setDoor(d Door) error {
	if err := d.check(); err != nil {
		return err
	}
	if err := f.way.allows(d); err != nil {
		return err
	}
	f.turning.Lock()
	defer f.turning.Unlock()
	if !f.isShut {
		if err := f.turn(d); err != nil {
			return fmt.Errorf("set the door to %v: %w", d, err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return net.ErrClosed
	}
	f.position = d
	return nil
}

// shut refuses new connections, whatever the door's position, until restore.
func (f *front) shut() error { return f.setShut(true) }

// restore takes back shut: the door is where it was, or has been set to since.
func (f *front) restore() error { return f.setShut(false) }

func (f *front) setShut(shut bool) error {
	f.turning.Lock()
	defer f.turning.Unlock()
	to := Refuse
	if !shut {
		to = f.position
	}
	if err := f.turn(to); err != nil {
		return err
	}
	f.isShut = shut
	return nil
}

// turn makes the listener do what a door means. f.turning is held.
func (f *front) turn(to Door) error {
	f.mu.Lock()
	from, closed := f.now, f.closed
	f.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	if from == to {
		return nil
	}
	if !f.way.answersItself() {
		f.bar()
	}
	err := f.way.turn(from, to)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ln = f.way.listener()
	if err == nil {
		f.now = to
	}
	if f.now == Open || f.way.answersItself() {
		if l, ok := f.ln.(deadliner); ok && !f.free {
			l.SetDeadline(time.Time{})
		}
		f.free = true
	}
	f.tell()
	return err
}

// A deadliner is a listener whose Accept can be interrupted.
type deadliner interface{ SetDeadline(time.Time) error }

// bar lets nobody begin to accept, and returns when nobody does.
func (f *front) bar() {
	f.mu.Lock()
	f.free = false
	ln := f.ln
	f.mu.Unlock()
	if l, ok := ln.(deadliner); ok {
		l.SetDeadline(longAgo)
	} else {
		// Only shut comes here, which closes such a listener in any case.
		ln.Close()
	}
	f.awaitNobody()
}

func (f *front) awaitNobody() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.inside > 0 {
		f.await()
	}
}

// await waits for the next change. f.mu is held, but not while waiting.
func (f *front) await() {
	changed := f.changed
	f.mu.Unlock()
	<-changed
	f.mu.Lock()
}

// tell wakes everybody in await. f.mu is held.
func (f *front) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// close frees the address and everything that is held, and ends accept.
func (f *front) close() error {
	f.turning.Lock()
	defer f.turning.Unlock()
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	f.free = false
	f.tell()
	f.mu.Unlock()
	err := f.way.close()
	f.awaitNobody()
	if f.cleanup != nil {
		f.cleanup()
	}
	if errors.Is(err, net.ErrClosed) {
		err = nil // a listener that was shut by closing it
	}
	return err
}

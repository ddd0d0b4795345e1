package chaos

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// A packetDoor is a socket that keeps its own door, such as the memory network's.
type packetDoor interface{ SetDoor(Door) error }

// allows says which doors a socket can do that is not the exchange's own: to hold is not to read it. To refuse it has to keep its
// own door.
func (c *connSockets) allows(d Door) error {
	if _, ok := c.front.PacketConn.(packetDoor); ok || d != Refuse {
		return nil
	}
	if c.gate.ListenPacket == nil {
		return fmt.Errorf("the door cannot be %v on %s: %w", d, runtime.GOOS, errors.ErrUnsupported)
	}
	return fmt.Errorf("the door cannot be %v: a %T has no SetDoor: %w", d, c.front.PacketConn, errors.ErrUnsupported)
}

func (c *connSockets) turn(from, to Door) error {
	f := c.front
	if own, ok := f.PacketConn.(packetDoor); ok {
		if to == Blackhole {
			to = Open // the exchange throws away itself, and counts it
		}
		return own.SetDoor(to)
	}
	switch {
	case to == Hold || to == Refuse:
		f.park()
		if to == Refuse { // the gate has stopped
			f.gone = true
			return f.Close()
		}
	case f.gone:
		pc, err := c.listen(context.Background(), c.address)
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.PacketConn, f.gone = pc, false
		f.mu.Unlock()
		f.proceed()
	default:
		f.proceed()
	}
	return nil
}

// empty does nothing: a socket that refuses throws away itself what it holds.
func (c *connSockets) empty() int64 { return 0 }

// drain does nothing: a reader hands over one datagram at a time, and what it has not read yet comes after.
func (c *connSockets) drain(receiver) {}

// park has the reader read nothing any more. What it has read already it hands over.
func (f *packetFront) park() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.resume == nil {
		f.resume = make(chan struct{})
		f.SetReadDeadline(aLongTimeAgo)
	}
}

// proceed has the reader read again.
func (f *packetFront) proceed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.resume != nil {
		f.SetReadDeadline(time.Time{})
		close(f.resume)
		f.resume = nil
	}
}

// hits is what a socket says that keeps its own door.
func (c *connSockets) hits(Door) int64 {
	c.front.mu.Lock()
	conn := c.front.PacketConn
	c.front.mu.Unlock()
	if h, ok := conn.(interface{ DoorHits() int64 }); ok {
		return h.DoorHits()
	}
	return 0
}

func (c *connSockets) frontDrops() int64 { return dropsOf(c.front.PacketConn) }

// close ends the readers and waits for them.
func (c *connSockets) close() error {
	select {
	case <-c.end:
		return nil
	default:
	}
	close(c.end)
	if c.timer != nil {
		c.timer.Stop()
	}
	err := c.front.Close()
	c.readers.Wait()
	return err
}

package chaostest

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/chaosgate/chaos"
)

// SetDoor changes how datagrams are received, from now on and for a read that is going on as well. With Open they are read.
// With Hold they wait in the buffer, and no read takes any. With Refuse nobody seems to be there: senders get ECONNREFUSED,
// and what waits is lost. With Blackhole all that comes is taken and thrown away, and so is what Hold has kept waiting; what
// has come in by an open door can still be read.
func (c *memPacketConn) SetDoor(door chaos.Door) error {
	if door > chaos.Blackhole {
		return c.failedToSet(fmt.Errorf("door %d is not one of open, hold, refuse and blackhole", uint8(door)))
	}
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	switch {
	case c.closed:
		return c.failedToSet(net.ErrClosed)
	case door == c.door:
		return nil
	}
	c.dropped = 0
	switch {
	case c.door == chaos.Hold && door == chaos.Blackhole:
		c.dropped = int64(c.queue.size())
		c.queue.clear()
	case door == chaos.Refuse:
		c.queue.clear()
	}
	c.door = door
	c.reading.cond.Broadcast()
	return nil
}

// DoorHits tells what the door does: for Hold how many datagrams are waiting, for Blackhole how many were thrown away since it
// was set. A refusal is not seen by a socket, nor is it counted here.
func (c *memPacketConn) DoorHits() int64 {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	switch c.door {
	case chaos.Hold:
		return int64(c.queue.size())
	case chaos.Blackhole:
		return c.dropped
	}
	return 0
}

// arrive receives the datagram p. The mutex is held.
func (c *memPacketConn) arrive(p []byte, from netip.AddrPort) {
	switch {
	case c.door == chaos.Blackhole:
		c.dropped++
	case !c.queue.put(p, from):
		c.drops++
	default:
		c.reading.cond.Broadcast()
	}
}

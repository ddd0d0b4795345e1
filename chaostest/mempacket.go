package chaostest

import (
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/chaosgate/chaos"
)

// A memPacketConn is a UDP socket of a Network, connected or not. Its mutable fields are guarded by the mutex of packets.
type memPacketConn struct {
	packets       *memPackets
	network       string
	local, remote *net.UDPAddr   // bound and peer in package net's words; remote is nil if the socket is not connected
	bound         netip.AddrPort // never an IPv4 address in IPv6's dress; nor is peer
	peer          netip.AddrPort // not valid if the socket is not connected
	dual          bool           // bound to the wildcard of both versions of IP

	reading memDeadline  // where reads and WaitRead are parked
	writing memDeadline  // when writes give up; none is ever parked
	queue   memDatagrams // what has arrived
	refused bool         // nobody has received what was sent, and the owner has not been told (the kernel's sk_err)
	drops   int64        // the datagrams that have found the buffer full
	door    chaos.Door
	dropped int64 // the datagrams that have met this Blackhole
	shut    bool  // nothing more is received
	closed  bool
}

// The largest datagrams: what a length of 16 bits has room for besides the headers, of which only IPv4 counts its own.
const largestDatagram4, largestDatagram6 = 65535 - 8 - 20, 65535 - 8

func (c *memPacketConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is nil for a socket that is not connected.
func (c *memPacketConn) RemoteAddr() net.Addr {
	if c.remote == nil {
		return nil
	}
	return c.remote
}

// Read receives one datagram. What of it does not fit into p is lost.
func (c *memPacketConn) Read(p []byte) (int, error) {
	n, _, err := c.receive("read", p)
	return n, err
}

// ReadFrom is Read, and tells who has sent the datagram.
func (c *memPacketConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(p)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromUDPAddrPort is ReadFrom without an allocation. On a socket of both versions of IP, the address of an IPv4 sender is
// an IPv4-mapped one, as package net has it.
func (c *memPacketConn) ReadFromUDPAddrPort(p []byte) (n int, from netip.AddrPort, err error) {
	n, from, err = c.receive("recvfrom", p)
	if c.dual && err == nil {
		from = netip.AddrPortFrom(netip.AddrFrom16(from.Addr().As16()), from.Port())
	}
	return n, from, err
}

// receive is what the kernel does about the system call of that name. A refusal goes before the data.
func (c *memPacketConn) receive(call string, p []byte) (n int, from netip.AddrPort, err error) {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, from, c.fail("read", c.RemoteAddr(), net.ErrClosed)
		case call == "read" && len(p) == 0:
			return 0, from, nil // package net does not ask the kernel
		case c.reading.expired():
			return 0, from, c.fail("read", c.RemoteAddr(), os.ErrDeadlineExceeded)
		case c.shut && c.queue.size() == 0:
			return 0, from, io.EOF
		case !c.readable():
		case c.refused:
			c.refused = false
			return 0, from, c.fail("read", c.RemoteAddr(), os.NewSyscallError(call, syscall.ECONNREFUSED))
		default:
			n, from = c.queue.take(p)
			return n, from, nil
		}
		c.reading.wait()
	}
}

// WaitRead returns nil as soon as a Read would not block: a datagram or a refusal is there. It takes nothing. At the read
// deadline it returns os.ErrDeadlineExceeded, after Close net.ErrClosed.
func (c *memPacketConn) WaitRead() error {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	for {
		switch {
		case c.closed:
			return net.ErrClosed
		case c.reading.expired():
			return os.ErrDeadlineExceeded
		case c.readable() || c.shut:
			return nil
		}
		c.reading.wait()
	}
}

// readable reports whether there is something to be read, and the door lets it be taken. The mutex is held.
func (c *memPacketConn) readable() bool {
	return c.door != chaos.Hold && (c.refused || c.queue.size() > 0)
}

// Drops is the number of datagrams that the socket has lost because its buffer was full.
func (c *memPacketConn) Drops() int64 {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	return c.drops
}

// Close frees the address and ends the reads that are going on. What nobody has read is lost.
func (c *memPacketConn) Close() error {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	if c.closed {
		return c.fail("close", c.RemoteAddr(), net.ErrClosed)
	}
	c.closed = true
	c.queue = memDatagrams{}
	if !c.shut {
		c.packets.forget(c)
	}
	c.reading.disarm()
	c.reading.cond.Broadcast()
	return nil
}

// CloseRead has the socket receive nothing more: for others it is closed. What has arrived can be read, and then io.EOF is.
func (c *memPacketConn) CloseRead() error {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	if c.closed || c.shut {
		return c.fail("close", c.RemoteAddr(), net.ErrClosed)
	}
	c.shut = true
	c.packets.forget(c)
	c.reading.cond.Broadcast()
	return nil
}

func (c *memPacketConn) SetDeadline(t time.Time) error      { return c.expire(t, &c.reading, &c.writing) }
func (c *memPacketConn) SetReadDeadline(t time.Time) error  { return c.expire(t, &c.reading) }
func (c *memPacketConn) SetWriteDeadline(t time.Time) error { return c.expire(t, &c.writing) }

func (c *memPacketConn) expire(t time.Time, deadlines ...*memDeadline) error {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	if c.closed {
		return c.failedToSet(net.ErrClosed)
	}
	for _, d := range deadlines {
		d.set(t)
	}
	return nil
}

// connected reports whether the socket has a peer.
func (c *memPacketConn) connected() bool { return c.peer.IsValid() }

// stands reports whether ip is an address of the socket, or its wildcard stands for it.
func (c *memPacketConn) stands(ip netip.Addr) bool {
	own := c.bound.Addr()
	return own == ip || own.IsUnspecified() && (c.dual || own.Is4() == ip.Is4())
}

// fail says which socket err happened to, and about whom, as package net does.
func (c *memPacketConn) fail(op string, about net.Addr, err error) error {
	return &net.OpError{Op: op, Net: c.network, Source: c.local, Addr: about, Err: err}
}

// failedToSet is fail for what sets something of the socket itself.
func (c *memPacketConn) failedToSet(err error) error {
	return &net.OpError{Op: "set", Net: c.network, Addr: c.local, Err: err}
}

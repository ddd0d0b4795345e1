package chaostest

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/chaosgate/chaos"
)

// Write sends p to the peer. It never waits: what finds no room there is dropped.
func (c *memPacketConn) Write(p []byte) (int, error) {
	if err := c.send("write", p, c.peer); err != nil {
		return 0, c.fail("write", c.RemoteAddr(), err)
	}
	return len(p), nil
}

// WriteTo sends p to addr, which is a *net.UDPAddr, from a socket that is not connected.
func (c *memPacketConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	switch {
	case !ok:
		return 0, c.fail("write", addr, syscall.EINVAL)
	case to == nil:
		addr = nil // so that the error does not name it
	}
	at, err := addrPortOf(to, c.bound.Addr().Is6())
	if err == nil || c.connected() { // of which package net complains first
		err = c.sendTo(p, at)
	}
	if err != nil {
		return 0, c.fail("write", addr, err)
	}
	return len(p), nil
}

// WriteToUDPAddrPort is WriteTo for another form of address.
func (c *memPacketConn) WriteToUDPAddrPort(p []byte, addr netip.AddrPort) (int, error) {
	to := netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port())
	if err := c.sendTo(p, to); err != nil {
		return 0, c.fail("write", packetAddr{addr}, err)
	}
	return len(p), nil
}

var errMissingAddress = errors.New("missing address") // package net does not export its own

// sendTo checks the address as package net does and sends.
func (c *memPacketConn) sendTo(p []byte, to netip.AddrPort) error {
	switch {
	case c.connected():
		return net.ErrWriteToConnected
	case !to.IsValid():
		return errMissingAddress
	case c.bound.Addr().Is4() && !to.Addr().Is4():
		return &net.AddrError{Err: "non-IPv4 address", Addr: to.Addr().String()}
	}
	return c.send("sendto", p, to)
}

// send is what the kernel does about the system call of that name, and then the network about the datagram.
func (c *memPacketConn) send(call string, p []byte, to netip.AddrPort) error {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	switch {
	case c.closed:
		return net.ErrClosed
	case c.writing.expired():
		return os.ErrDeadlineExceeded
	}
	if errno := c.unsendable(len(p), to); errno != 0 {
		return os.NewSyscallError(call, errno)
	}
	if to.Addr().IsUnspecified() {
		to = netip.AddrPortFrom(c.self(to.Addr()), to.Port())
	}
	from := c.bound
	if from.Addr().IsUnspecified() {
		from = netip.AddrPortFrom(sourceFor(to.Addr()), from.Port())
	}
	if to := c.packets.receiver(from, to); to == nil || to.door == chaos.Refuse {
		c.hearRefusal()
	} else {
		to.arrive(p, from)
	}
	return nil
}

// unsendable is why the kernel does not send n bytes to an address, or 0. It takes a refusal away. The mutex is held.
func (c *memPacketConn) unsendable(n int, to netip.AddrPort) syscall.Errno {
	largest := largestDatagram6
	if to.Addr().Is4() {
		largest = largestDatagram4
	}
	switch {
	case n > 65535 && c.bound.Addr().Is4():
		return syscall.EMSGSIZE // before IPv4 looks at anything else
	case !to.IsValid():
		return syscall.EDESTADDRREQ
	case to.Port() == 0 && !c.connected():
		return syscall.EINVAL
	case to.Addr().Is4() && c.bound.Addr().Is6() && !c.dual:
		return syscall.ENETUNREACH
	case n > largest:
		return syscall.EMSGSIZE // of which a refusal is not the worse
	case c.refused:
		c.refused = false
		return syscall.ECONNREFUSED
	}
	return 0
}

// self is the address that the wildcard stands for when it is sent to: the sender's own. The mutex is held.
func (c *memPacketConn) self(wildcard netip.Addr) netip.Addr {
	if own := c.bound.Addr(); own.Is4() && !own.IsUnspecified() {
		return own
	}
	return loopback(wildcard)
}

// hearRefusal is what happens when nobody receives: a connected socket learns of it, by a message of ICMP that quotes what was
// sent; another one is told nothing. The mutex is held.
func (c *memPacketConn) hearRefusal() {
	if c.connected() {
		c.refused = true
		c.reading.cond.Broadcast()
	}
}

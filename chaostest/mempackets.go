package chaostest

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
)

// memPackets is what a network knows of UDP: its sockets. Its mutex guards also everything in them that changes, so that a
// send finds who is to receive and puts the datagram there, or is refused, in one step.
type memPackets struct {
	mu        sync.Mutex
	sockets   map[uint16][]*memPacketConn // by port; no two of a port's sockets have an address in common
	lastFree  int                         // the port that a ListenPacket was given last
	lastLocal int                         // the port that a dial was given last
}

// packetBuffer is the receive buffer that Linux gives to a socket: net.core.rmem_default.
const packetBuffer = 208 << 10

// ListenPacket makes a UDP socket that receives from everybody, on the network "udp", "udp4" or "udp6" and an address as for
// Listen. TCP and UDP have their ports apart.
func (n *Network) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	at, err := packetListenAddress(network, address)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, packetError("listen", network, at, err)
	}
	c := n.newPacketConn(network, at)
	if err := n.packets.bind(c); err != nil {
		return nil, packetError("listen", network, at, os.NewSyscallError("bind", err))
	}
	return c, nil
}

// dialPacket is Dial for datagrams.
func (n *Network) dialPacket(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := packetDialAddress(network, address)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, packetError("dial", network, to, err)
	}
	c := n.newPacketConn(network, netip.AddrPortFrom(sourceFor(to.Addr()), 0))
	c.peer, c.remote = to, net.UDPAddrFromAddrPort(to)
	if err := n.packets.bind(c); err != nil {
		return nil, packetError("dial", network, to, os.NewSyscallError("connect", err))
	}
	return c, nil
}

// newPacketConn returns a socket that is not in the network yet.
func (n *Network) newPacketConn(network string, bound netip.AddrPort) *memPacketConn {
	c := &memPacketConn{packets: &n.packets, network: network, bound: bound}
	c.dual = network == "udp" && bound.Addr() == netip.IPv6Unspecified()
	c.reading.cond.L, c.writing.cond.L = &n.packets.mu, &n.packets.mu
	c.queue.limit = n.Buffer
	if n.Buffer <= 0 {
		c.queue.limit = packetBuffer
	}
	return c
}

// bind gives c its address, and a port if it has none.
func (m *memPackets) bind(c *memPacketConn) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	port := c.bound.Port()
	switch {
	case port != 0:
		if m.taken(c) {
			return syscall.EADDRINUSE
		}
	case c.connected():
		if port = m.unused(&m.lastLocal, firstLocalPort, lastLocalPort); port == 0 {
			return syscall.EAGAIN // what a connect says that finds no port
		}
	default:
		if port = m.unused(&m.lastFree, firstListenPort, lastListenPort); port == 0 {
			return syscall.EADDRINUSE
		}
	}
	c.bound = netip.AddrPortFrom(c.bound.Addr(), port)
	c.local = net.UDPAddrFromAddrPort(c.bound)
	if m.sockets == nil {
		m.sockets = make(map[uint16][]*memPacketConn)
	}
	m.sockets[port] = append(m.sockets[port], c)
	return nil
}

// taken reports whether there is a socket with an address in common with c. The mutex is held.
func (m *memPackets) taken(c *memPacketConn) bool {
	return slices.ContainsFunc(m.sockets[c.bound.Port()], func(other *memPacketConn) bool {
		return other.stands(c.bound.Addr()) || c.stands(other.bound.Addr())
	})
}

// unused returns the next port that no socket has, or 0. The mutex is held.
func (m *memPackets) unused(given *int, first, last int) uint16 {
	for range last - first + 1 {
		*given = nextPort(*given, first, last)
		if len(m.sockets[uint16(*given)]) == 0 {
			return uint16(*given)
		}
	}
	return 0
}

// forget frees c's address. The mutex is held.
func (m *memPackets) forget(c *memPacketConn) {
	port := c.bound.Port()
	m.sockets[port] = slices.DeleteFunc(m.sockets[port], func(other *memPacketConn) bool { return other == c })
	if len(m.sockets[port]) == 0 {
		delete(m.sockets, port)
	}
}

// receiver finds the socket for what comes from one address to another. A socket that is connected to a third one is as
// good as none. The mutex is held.
func (m *memPackets) receiver(from, to netip.AddrPort) *memPacketConn {
	for _, c := range m.sockets[to.Port()] {
		if c.stands(to.Addr()) {
			if c.connected() && c.peer != from {
				return nil
			}
			return c
		}
	}
	return nil
}

// packetError says which address err happened to, if that is known, as package net does.
func packetError(op, network string, at netip.AddrPort, err error) error {
	failed := &net.OpError{Op: op, Net: network, Err: err}
	if at.IsValid() {
		failed.Addr = packetAddr{at}
	}
	return failed
}

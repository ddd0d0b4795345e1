package chaostest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Network is a network in memory, on which a whole test can run inside a testing/synctest bubble: a gate, its clients and
// its server, with an hour of delay asserted exactly in a millisecond. Its Listen, ListenPacket and Dial fit
// [chaos.Gate.ListenFunc], [chaos.Gate.ListenPacket] and [chaos.Gate.DialContext].
//
// It has the networks "tcp" and "unix" for streams, and "udp", "udp4" and "udp6" for datagrams. What is written can be read
// in no time at all.
//
// What its streams do about half-close, close, reset and deadlines is what Linux sockets do. These things differ:
//
//   - Write boundaries are kept. One Read returns bytes of one Write, as many as fit, and the next Read goes on there. What
//     Reads return depends on the sizes of Writes and Reads alone, so that chunking is the same in every run.
//   - There is one buffer in each direction, the receiver's. A Write returns when all of its bytes are there.
//   - The accept queue of a listener has no bound.
//   - A unix socket that nobody listens on refuses, as it does in the kernel when its file was left behind.
//   - A dial that has met [chaos.Blackhole] sends its next SYN on the second: a whole number of seconds after it began, the
//     first time after the door has changed or the listener was closed. It ends with its context, never by itself.
//
// Its connections have, besides the methods of [net.Conn]: CloseWrite; SetLinger, with which SetLinger(0) followed by Close
// resets; WaitRead, which waits until a Read would not block; WasReset and OnReset, which tell that the peer has reset the
// connection and take nothing; and Unsent. Its listeners have SetDeadline for Accept, SetDoor and DoorHits.
//
// What its datagrams do about sizes, lost peers, filtering, truncation and full buffers is what Linux sockets do, on an
// interface with an MTU so large that nothing is fragmented. These things differ:
//
//   - The network is one machine that has every address. A socket which is not bound to one of them sends from the address
//     that it sends to, and from 127.0.0.1 to all of 127.0.0.0/8. So an answer of a wildcard socket comes from the address
//     that its client used, unless that was another one of 127.0.0.0/8.
//   - Each datagram takes its size and 832 bytes more of a receive buffer, which is what Linux counts for an empty one. (It
//     rounds larger ones up, so that there is room for fewer of some sizes.) A buffer with nothing in it takes every datagram.
//   - No refusal gets lost. The kernel sends some of them only so many times a second.
//   - There is no broadcast and no multicast.
//
// Its UDP sockets, those of ListenPacket and those of Dial alike, have the methods of [net.Conn] and of [net.PacketConn], as
// a [net.UDPConn] has, and ReadFromUDPAddrPort and WriteToUDPAddrPort, which allocate nothing; WaitRead; Drops, which counts
// what the socket has lost because its buffer was full; CloseRead, which frees the address and lets what has arrived be read,
// and then EOF; SetDoor and DoorHits.
//
// The zero Network is ready for use.
type Network struct {
	// Buffer is how many bytes each direction of a connection holds before a Write has to wait, 64 KiB if zero; and how many
	// bytes of datagrams a UDP socket holds before it drops the next one, 208 KiB if zero, as on Linux. It is looked at when
	// a connection is dialled and when a UDP socket is made.
	Buffer int

	mu        sync.Mutex // guards what is below, and the listeners' queues and doors
	listeners []*memListener
	lastFree  int              // the port that a listener was given last
	lastLocal int              // the port that a dial was given last
	locals    map[int]struct{} // the ports of dialled connections that are not closed

	packets memPackets // UDP has its own lock and its own ports
}

// synEvery is the time between the SYNs of a dial that nobody answers: the kernel's first retransmission comes after 1 s.
const synEvery = time.Second

// NewNetwork returns a network on which nobody listens.
func NewNetwork() *Network { return new(Network) }

// Listen listens on an address of the network: for "tcp" a host, which is an IP address, localhost or empty, and a port; for
// "unix" any name. With the port 0, or no address at all, it gets a free one: the first is 127.0.0.1:40001.
func (n *Network) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	addr, err := listenAddress(network, address)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: err}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr, err = n.free(addr); err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: os.NewSyscallError("bind", err)}
	}
	l := &memListener{net: n, network: network, addr: addr, moved: make(chan struct{})}
	l.accepting.cond.L = &n.mu
	n.listeners = append(n.listeners, l)
	return l, nil
}

// Dial connects to a listener of the network. It returns as soon as the connection is in the listener's queue; the listener
// may accept it later, and what is written meanwhile waits there. If nobody listens it fails with ECONNREFUSED.
//
// For "udp", "udp4" and "udp6" it returns a socket that sends to the address and receives from there alone. A Write that
// nobody receives succeeds, and the next Read or Write fails with ECONNREFUSED, once.
func (n *Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if carriesPackets(network) {
		return n.dialPacket(ctx, network, address)
	}
	addr, err := dialAddress(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
	}
	began := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return nil, &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
		}
		conn, unanswered, err := n.connect(network, addr)
		switch {
		case err != nil:
			return nil, &net.OpError{Op: "dial", Net: network, Addr: addr, Err: os.NewSyscallError("connect", err)}
		case conn != nil:
			return conn, nil
		}
		// Waiting for the door to move, and only then for the second, lets synctest see a dial that will never end.
		select {
		case <-unanswered:
			awaitSYN(ctx, synEvery-time.Since(began)%synEvery)
		case <-ctx.Done():
		}
	}
}

// awaitSYN waits for d, which is how long the next SYN is off, or until ctx ends.
func awaitSYN(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// connect is one SYN and what comes of it: a connection, an error, or no answer until the channel is closed.
func (n *Network) connect(network string, addr net.Addr) (*memConn, <-chan struct{}, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.listener(addr)
	if l == nil {
		return nil, nil, syscall.ECONNREFUSED
	}
	if answers, err := l.knock(); err != nil || !answers {
		return nil, l.moved, err
	}
	local, port, err := n.local(addr)
	if err != nil {
		return nil, nil, err
	}
	buffer := n.Buffer
	if buffer <= 0 {
		buffer = 64 << 10
	}
	client, server := newMemPair(network, local, addr, buffer)
	if port != 0 {
		client.forget = func() { n.forget(port) }
	}
	l.queue = append(l.queue, server)
	l.accepting.cond.Broadcast()
	return client, nil, nil
}

// listener finds who listens on addr; an exact address goes before a wildcard. The mutex is held.
func (n *Network) listener(addr net.Addr) (found *memListener) {
	for _, l := range n.listeners {
		switch {
		case sameAddress(l.addr, addr):
			return l
		case overlaps(l.addr, addr):
			found = l
		}
	}
	return found
}

// free returns addr if nobody listens on it, or, if it leaves the choice, a free address. The mutex is held.
func (n *Network) free(addr net.Addr) (net.Addr, error) {
	if !leavesChoice(addr) {
		if n.taken(addr) {
			return addr, syscall.EADDRINUSE
		}
		return addr, nil
	}
	for range lastListenPort - firstListenPort + 1 {
		n.lastFree = nextPort(n.lastFree, firstListenPort, lastListenPort)
		if chosen := withPort(addr, n.lastFree); !n.taken(chosen) {
			return chosen, nil
		}
	}
	return addr, syscall.EADDRINUSE
}

// taken reports whether a listener on addr would get in another's way. The mutex is held.
func (n *Network) taken(addr net.Addr) bool {
	for _, l := range n.listeners {
		if overlaps(l.addr, addr) {
			return true
		}
	}
	return false
}

// local returns the address that a client of addr gets, and the port to give back. The mutex is held.
func (n *Network) local(addr net.Addr) (net.Addr, int, error) {
	to, ok := addr.(*net.TCPAddr)
	if !ok {
		return &net.UnixAddr{Net: "unix", Name: "@"}, 0, nil // package net's name for a socket without one
	}
	ip, _ := netip.AddrFromSlice(to.IP)
	for range lastLocalPort - firstLocalPort + 1 {
		n.lastLocal = nextPort(n.lastLocal, firstLocalPort, lastLocalPort)
		if _, used := n.locals[n.lastLocal]; used {
			continue
		}
		if n.locals == nil {
			n.locals = make(map[int]struct{})
		}
		n.locals[n.lastLocal] = struct{}{}
		return &net.TCPAddr{IP: sourceFor(ip.Unmap()).AsSlice(), Port: n.lastLocal}, n.lastLocal, nil
	}
	return nil, 0, syscall.EADDRNOTAVAIL
}

// forget makes a client's port free again.
func (n *Network) forget(port int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.locals, port)
}

// unknownNetwork is the error for a network that is not one of this one's, or that has datagrams where a stream is wanted.
func unknownNetwork(network string) error {
	if carriesPackets(network) {
		return fmt.Errorf("%s has datagrams and no streams: use ListenPacket", network)
	}
	return fmt.Errorf("the memory network carries tcp, unix and udp, not %q", network)
}

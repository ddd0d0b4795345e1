package chaos

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kernelPackets tells whether datagrams can be moved by descriptors.
const kernelPackets = true

// kernelSockets are plain descriptors in an epoll of their own, which waits in the runtime's poller as a watcher's does: a session costs
// neither a goroutine nor a place in the poller.
type kernelSockets struct {
	network string
	front   *descriptor
	permit  func(network, address string) error
	at      netip.AddrPort // what the front is bound to
	v6      bool           // the front is a socket of IPv6
	any     bool           // the front listens on all addresses, and has to know which one a client used
	epoll   *os.File
	poll    syscall.RawConn
	byFD    map[int32]*descriptor
	ready   [64]unix.EpollEvent
	found   int
	pollFn  func(fd uintptr) bool // made once, for a closure is an allocation
	outgo   outgoing
	dead    *descriptor // what the front is connected to while it refuses
	past    int64       // datagrams that fronts of before have dropped
	wake    *wake
	until   time.Time // what the epoll's deadline is set to
	stale   bool      // it may have been moved by a kick
	kicked  atomic.Bool

	peeking sync.Mutex // guards what follows, and what is looked at that waits at the front
	peeked  int64      // how many were
	closed  bool
}

// A descriptor is a socket of datagrams.
type descriptor struct {
	k         *kernelSockets
	fd        int
	s         *session // whose it is; nil for the front
	own, peer string
	closed    bool
}

func listenKernel(ctx context.Context, network, address string, permit func(network, address string) error) (sockets, error) {
	k := &kernelSockets{network: network, permit: permit, byFD: make(map[int32]*descriptor), stale: true}
	k.pollFn = k.poll0
	if err := k.bind(ctx, address); err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		k.epoll, k.poll, err = pollable(fd, "epoll")
	}
	if err == nil {
		err = k.add(k.front)
	}
	if err != nil {
		k.close()
		return nil, err
	}
	k.outgo.init()
	return k, nil
}

func (k *kernelSockets) addr() string { return k.at.String() }

// add has wait look at a descriptor.
func (k *kernelSockets) add(d *descriptor) error {
	k.byFD[int32(d.fd)] = d
	return k.look(d, unix.EPOLL_CTL_ADD)
}

// look has the epoll look at a descriptor, or not any more.
func (k *kernelSockets) look(d *descriptor, op int) (err error) {
	k.poll.Control(func(epfd uintptr) {
		err = unix.EpollCtl(int(epfd), op, d.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(d.fd)})
	})
	return os.NewSyscallError("epoll_ctl", err)
}

// quick reports whether the server's address needs no look-up.
func (k *kernelSockets) quick(server string) bool {
	_, err := netip.ParseAddrPort(server)
	return err == nil
}

func (k *kernelSockets) connect(ctx context.Context, server string) (socket, error) {
	ats, err := resolve(ctx, k.network, server)
	for _, at := range ats {
		if err = k.permit(k.network, at.String()); err != nil {
			continue
		}
		var d *descriptor
		if d, err = k.connectTo(at); err == nil {
			return d, nil
		}
	}
	return nil, &net.OpError{Op: "dial", Net: k.network, Err: fmt.Errorf("%s: %w", server, err)}
}

func (k *kernelSockets) watch(s *session) {
	d := s.server.(*descriptor)
	d.s = s
	if err := k.add(d); err != nil {
		s.x.failed(err)
	}
}

func (k *kernelSockets) kick() {
	if !k.kicked.Swap(true) {
		k.epoll.SetReadDeadline(aLongTimeAgo)
	}
}

// wait arms the deadline and then looks whether it was kicked; kick says so and then moves the deadline: one of the two always notices
// the other.
func (k *kernelSockets) wait(until time.Time, to receiver) {
	if k.stale || !k.until.Equal(until) {
		k.epoll.SetReadDeadline(until)
		k.until, k.stale = until, false
	}
	if !until.IsZero() {
		if k.wake == nil {
			k.wake = newWake(k.kick)
		}
		k.wake.at(until)
	}
	if k.kicked.Swap(false) {
		k.stale = true
		return
	}
	k.found = 0
	if err := k.poll.Read(k.pollFn); err != nil {
		k.stale = true
		k.kicked.Store(false)
		return
	}
	b := batches.Get().(*batch)
	for _, ev := range k.ready[:k.found] {
		if d := k.byFD[ev.Fd]; d != nil {
			d.receive(b, to)
		}
	}
	batches.Put(b)
}

// poll0 is called when something may be there.
func (k *kernelSockets) poll0(epfd uintptr) bool {
	n, err := unix.EpollWait(int(epfd), k.ready[:], 0)
	k.found = max(n, 0)
	return n > 0 || err == unix.EINTR
}

func (k *kernelSockets) frontDrops() int64 {
	if k.closed {
		return 0
	}
	return k.past + k.front.drops()
}

func (k *kernelSockets) close() error {
	k.peeking.Lock()
	defer k.peeking.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	k.wake.cancel()
	k.front.close()
	if k.dead != nil {
		k.dead.close()
	}
	if k.epoll == nil {
		return nil
	}
	return k.epoll.Close()
}

// close frees the descriptor. The epoll forgets it by itself.
func (d *descriptor) close() {
	if d.closed {
		return
	}
	if d.k.byFD[int32(d.fd)] == d {
		delete(d.k.byFD, int32(d.fd))
	}
	d.closed = true
	unix.Close(d.fd)
}

func (d *descriptor) retire(to receiver) {
	b := batches.Get().(*batch)
	for d.receive(b, to) {
	}
	batches.Put(b)
	d.close()
}

func (d *descriptor) addrs() (own, peer string) { return d.own, d.peer }

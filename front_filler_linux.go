package chaos

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A filler is a connection to our own listener, there to fill its queue.
type filler struct {
	fd    int
	local netip.AddrPort // by which it is known when it is accepted
}

// fill sees to it that one connection stands in the queue: a client's, if one is there
// already or comes first, or else our own.
func (t *tcpDoorway) fill() error {
	var failed error
	// Twice is enough but for clients that take the place and are gone again.
	for range 16 {
		if t.queued() > 0 {
			return nil
		}
		for _, to := range t.loopbacks() {
			if failed = t.connect(to); failed == nil {
				break
			}
		}
	}
	if t.queued() > 0 {
		return nil
	}
	return fmt.Errorf("fill the queue of %v: %w", t.ln.Addr(), failed)
}

// loopbacks returns the addresses at which the listener can be reached from here.
func (t *tcpDoorway) loopbacks() []*net.TCPAddr {
	a := *t.ln.Addr().(*net.TCPAddr)
	if !a.IP.IsUnspecified() {
		return []*net.TCPAddr{&a}
	}
	four := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: a.Port}
	if a.IP.To4() != nil {
		return []*net.TCPAddr{four}
	}
	return []*net.TCPAddr{four, {IP: net.IPv6loopback, Port: a.Port}}
}

// connect makes one connection to ourselves and keeps it if it succeeds before a client
// has taken the place in the queue. It returns nil in both cases.
func (t *tcpDoorway) connect(to *net.TCPAddr) error {
	family, sa := sockaddr("", to)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return err
	}
	// Without lingering, so that closing leaves nothing behind, not even TIME_WAIT.
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	err = unix.Connect(fd, sa)
	if err == unix.EINPROGRESS {
		err = t.established(fd)
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	local, err := localAddr(fd)
	if err != nil {
		unix.Close(fd)
		return nil // it was not established, because the place was taken
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fillers = append(t.fillers, filler{fd, local})
	return nil
}

// established waits until fd is connected, or somebody else is in the queue. Our own
// kernel answers in microseconds; the limit is for a firewall between it and itself.
func (t *tcpDoorway) established(fd int) error {
	for range 20 {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if n, _ := unix.Poll(fds, 1); n > 0 {
			code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if err == nil && code != 0 {
				err = unix.Errno(code)
			}
			return err
		}
		if t.queued() > 0 {
			return nil
		}
	}
	return unix.ETIMEDOUT
}

// localAddr returns the address of a connected socket, and an error for another.
func localAddr(fd int) (netip.AddrPort, error) {
	if _, err := unix.Getpeername(fd); err != nil {
		return netip.AddrPort{}, err
	}
	sa, err := unix.Getsockname(fd)
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)), nil
	}
	return netip.AddrPort{}, err
}

// ours reports whether c is a filler that has been accepted, and ends our side of it.
func (t *tcpDoorway) ours(c net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.fillers) == 0 {
		return false
	}
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	remote := a.AddrPort()
	remote = netip.AddrPortFrom(remote.Addr().Unmap().WithZone(""), remote.Port())
	for i, f := range t.fillers {
		if f.local == remote {
			unix.Close(f.fd)
			t.fillers = append(t.fillers[:i], t.fillers[i+1:]...)
			return true
		}
	}
	return false
}

// release closes the fillers.
func (t *tcpDoorway) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.fillers {
		unix.Close(f.fd)
	}
	t.fillers = nil
}

package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Socket buffers as large as the kernel gives: the default holds 92 datagrams of 1400 bytes. The front's takes those of all clients.
// Nothing is taken from memory before it is filled.
const (
	frontBuffer  = 32 << 20
	serverBuffer = 4 << 20
)

// bind opens the front.
func (k *kernelSockets) bind(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	at := netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	if host == "" {
		_, service, _ := net.SplitHostPort(address)
		port, err := net.DefaultResolver.LookupPort(ctx, k.network, service)
		if err != nil {
			return err
		}
		if k.network == "udp4" || !hasIPv6() {
			at = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
		}
		at = netip.AddrPortFrom(at.Addr(), uint16(port))
	} else {
		ats, err := resolve(ctx, k.network, address)
		if err != nil {
			return err
		}
		at = ats[0]
	}
	if at.Addr().IsMulticast() {
		return fmt.Errorf("got %v, want no group: a gate has one client at the other end of each session", at.Addr())
	}
	if k.front, err = k.listenOn(at, false); err != nil {
		return err
	}
	sa, err := unix.Getsockname(k.front.fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	at = netip.AddrPortFrom(at.Addr(), addrPort(sa).Port())
	k.at, k.v6, k.any = at, !at.Addr().Unmap().Is4(), at.Addr().IsUnspecified()
	return nil
}

// listenOn opens a socket that is bound to an address; beside another, if that allows it.
func (k *kernelSockets) listenOn(at netip.AddrPort, beside bool) (*descriptor, error) {
	v6, every := !at.Addr().Unmap().Is4(), at.Addr().IsUnspecified()
	d, err := k.open(v6, frontBuffer)
	if err != nil {
		return nil, err
	}
	if beside {
		err = d.share(true)
	}
	if v6 && err == nil {
		only := 0
		if k.network == "udp6" || !every {
			only = 1
		}
		err = unix.SetsockoptInt(d.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
		if every && err == nil {
			err = unix.SetsockoptInt(d.fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	} else if every && err == nil {
		err = unix.SetsockoptInt(d.fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}
	if err = os.NewSyscallError("setsockopt", err); err == nil {
		err = os.NewSyscallError("bind", unix.Bind(d.fd, sockaddrOf(at, v6)))
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// open opens a socket of datagrams.
func (k *kernelSockets) open(v6 bool, buffer int) (*descriptor, error) {
	family := unix.AF_INET
	if v6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	for _, option := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, option[0], buffer) != nil { // for which one has to be privileged
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, option[1], buffer)
		}
	}
	return &descriptor{k: k, fd: fd}, nil
}

// connectTo returns a socket that is connected to an address.
func (k *kernelSockets) connectTo(at netip.AddrPort) (*descriptor, error) {
	v6 := !at.Addr().Unmap().Is4()
	d, err := k.open(v6, serverBuffer)
	if err != nil {
		return nil, err
	}
	err = os.NewSyscallError("connect", unix.Connect(d.fd, sockaddrOf(at, v6)))
	var sa unix.Sockaddr
	if err == nil {
		sa, err = unix.Getsockname(d.fd)
		err = os.NewSyscallError("getsockname", err)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	d.own, d.peer = addrPort(sa).String(), at.String()
	return d, nil
}

// hasIPv6 reports whether the machine has IPv6.
func hasIPv6() bool {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrInet6{Addr: netip.IPv6Loopback().As16()}) == nil
}

// sockaddrOf returns an address for a system call on a socket of a family.
func sockaddrOf(at netip.AddrPort, v6 bool) unix.Sockaddr {
	if !v6 {
		return &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().Unmap().As4()}
	}
	return &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16(), ZoneId: zoneID(at.Addr().Zone())}
}

// addrPort does the reverse of sockaddrOf.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).WithZone(zoneName(sa.ZoneId)), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// drops returns how many datagrams the kernel has dropped because the receive buffer was full: the counter that SO_RXQ_OVFL tells
// with the next datagram, and SO_MEMINFO at any time.
func (d *descriptor) drops() int64 {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	if _, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(d.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0); errno != 0 {
		return 0
	}
	return int64(info[unix.SK_MEMINFO_DROPS])
}

func (*kernelSockets) allows(Door) error { return nil }

// turn does the doors:
//
//   - Hold takes the front out of the epoll: what arrives waits in its buffer;
//   - Refuse connects it to a socket of our own that never sends, so that for everybody else nobody listens and the kernel
//     answers "port unreachable", while answers go out by it as before.
func (k *kernelSockets) turn(from, to Door) error {
	k.peeking.Lock()
	defer k.peeking.Unlock()
	var err error
	switch {
	case to == Refuse:
		err = k.refuse()
	case from == Refuse:
		err = k.replace()
	}
	if err != nil {
		return err
	}
	k.peeked = 0
	switch {
	case to == Hold && from != Refuse:
		err = k.look(k.front, unix.EPOLL_CTL_DEL)
	case to != Hold && to != Refuse && (from == Hold || from == Refuse):
		err = k.add(k.front)
	}
	if to == Hold {
		return errors.Join(err, k.front.peekFrom(0))
	}
	return errors.Join(err, k.front.peekFrom(-1))
}

// replace opens another front beside the one that refuses, which has the address for as long as that takes, and closes that. A
// socket of IPv6 that was connected hears that peer alone for good: AF_UNSPEC undoes it only for IPv4.
func (k *kernelSockets) replace() error {
	old := k.front
	if err := old.share(true); err != nil {
		return err
	}
	front, err := k.listenOn(k.at, true)
	if err == nil {
		err = front.share(false)
	}
	if err != nil {
		return errors.Join(err, old.share(false))
	}
	k.front = front
	k.past += old.drops()
	old.close()
	k.dead.close()
	k.dead = nil
	return nil
}

// share lets another socket be bound to the same address, or not.
func (d *descriptor) share(on bool) error {
	value := 0
	if on {
		value = 1
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(d.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, value))
}

// refuse connects the front to a socket that never sends.
func (k *kernelSockets) refuse() error {
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if k.v6 {
		loopback = netip.IPv6Loopback()
	}
	dead, err := k.open(k.v6, 1)
	if err != nil {
		return err
	}
	var sa unix.Sockaddr
	err = os.NewSyscallError("bind", unix.Bind(dead.fd, sockaddrOf(netip.AddrPortFrom(loopback, 0), k.v6)))
	if err == nil {
		sa, err = unix.Getsockname(dead.fd)
	}
	if err == nil {
		err = os.NewSyscallError("connect", unix.Connect(k.front.fd, sa))
	}
	if err != nil {
		dead.close()
		return err
	}
	k.dead = dead
	return nil
}

package chaos

import (
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// holdPort binds a socket to a free port and does not listen with it. The port stays held
// until the socket is closed; SO_REUSEADDR, which Go's listeners have, lets one be bound
// beside it.
func holdPort(network, host string) (fd, port int, err error) {
	addr, err := net.ResolveTCPAddr(network, net.JoinHostPort(host, "0"))
	if err != nil {
		return -1, 0, err
	}
	family, sa := sockaddr(network, addr)
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if errors.Is(err, unix.EAFNOSUPPORT) && wildcard(network, addr) {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{}
		fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	}
	if err != nil {
		return -1, 0, fmt.Errorf("find a free port: %w", err)
	}
	if family == unix.AF_INET6 {
		only6 := 0
		if network == "tcp6" {
			only6 = 1
		}
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only6)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, sa)
	}
	if err == nil {
		sa, err = unix.Getsockname(fd)
	}
	if err != nil {
		unix.Close(fd)
		return -1, 0, fmt.Errorf("find a free port of %v: %w", addr.IP, err)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		port = sa.Port
	case *unix.SockaddrInet6:
		port = sa.Port
	}
	return fd, port, nil
}

// wildcard reports whether Go would listen on both families for the address.
func wildcard(network string, addr *net.TCPAddr) bool {
	return network == "tcp" && (len(addr.IP) == 0 || addr.IP.IsUnspecified())
}

// sockaddr returns the address and its family, as Go chooses it for listening.
func sockaddr(network string, addr *net.TCPAddr) (family int, sa unix.Sockaddr) {
	if ip := addr.IP.To4(); network == "tcp4" || ip != nil && !wildcard(network, addr) {
		sa := &unix.SockaddrInet4{Port: addr.Port}
		copy(sa.Addr[:], ip)
		return unix.AF_INET, sa
	}
	six := &unix.SockaddrInet6{Port: addr.Port}
	if !wildcard(network, addr) {
		copy(six.Addr[:], addr.IP.To16())
	}
	if addr.Zone != "" {
		if i, err := net.InterfaceByName(addr.Zone); err == nil {
			six.ZoneId = uint32(i.Index)
		}
	}
	return unix.AF_INET6, six
}

//go:build linux

package wiretest

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// procAddress reads an address of /proc/net/udp: little-endian words in hexadecimal, then the port. What cannot be read is the
// zero address, which no check looks for.
func procAddress(text string) netip.AddrPort {
	host, port, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	raw := make([]byte, 0, 16)
	for i := 0; i+8 <= len(host); i += 8 {
		w, werr := strconv.ParseUint(host[i:i+8], 16, 32)
		if werr != nil {
			return netip.AddrPort{}
		}
		raw = append(raw, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	ip, ok := netip.AddrFromSlice(raw)
	if !ok || err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(n))
}

// Gone waits until no socket has one of the ports, and returns those that still do.
func Gone(within time.Duration, ports ...int) ([]Socket, error) {
	return GoneExcept(within, func(Socket) bool { return false }, ports...)
}

// GoneExcept is Gone, but for sockets that may stay.
func GoneExcept(within time.Duration, stays func(Socket) bool, ports ...int) ([]Socket, error) {
	for end := time.Now().Add(within); ; {
		left, err := Sockets(ports...)
		left = slices.DeleteFunc(left, stays)
		if err != nil || len(left) == 0 || time.Now().After(end) {
			return left, err
		}
		time.Sleep(time.Millisecond) // the kernel tells nobody when a socket changes its state
	}
}

// portOf returns the port of an address, or 0 for a unix socket's.
func portOf(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}

// Descriptors returns how many descriptors this process has open.
func Descriptors() (int, error) {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	return len(names) - 1, err // but for the one that reads the folder
}

// An OwnSocket is a socket of this process.
type OwnSocket struct {
	FD            int
	Local, Remote int // ports
	Listens       bool
}

// OwnSockets returns the IP sockets of this process.
func OwnSockets() ([]OwnSocket, error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	var found []OwnSocket
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		local, err := unix.Getsockname(fd)
		if err != nil {
			continue // a file, a pipe, or closed by now
		}
		s := OwnSocket{FD: fd, Local: sockaddrPort(local)}
		if remote, err := unix.Getpeername(fd); err == nil {
			s.Remote = sockaddrPort(remote)
		}
		listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		s.Listens = err == nil && listens != 0
		if s.Local != 0 {
			found = append(found, s)
		}
	}
	return found, nil
}

func sockaddrPort(sa unix.Sockaddr) int {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return sa.Port
	case *unix.SockaddrInet6:
		return sa.Port
	default:
		return 0
	}
}

// Legs returns the descriptors of what stands between clients and server, if it is in this process: its sockets towards the
// clients and towards the server.
func Legs(serverPort, targetPort int) (front, back []int, err error) {
	all, err := OwnSockets()
	for _, s := range all {
		switch {
		case s.Listens:
		case s.Local == targetPort && s.Remote != 0:
			front = append(front, s.FD)
		case s.Remote == serverPort:
			back = append(back, s.FD)
		}
	}
	return front, back, err
}

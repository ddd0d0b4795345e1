package chaos

import (
	"net"

	"golang.org/x/sys/unix"
)

// The functions of this file ask the kernel about a connection's socket without reading
// or writing it. Where there is no descriptor to ask, they give the neutral answer.

// unsent returns how many bytes written to c its peer's kernel has not acknowledged yet.
// A FIN under way counts as one byte. A unix socket has none: what is written to it
// stands in the peer's queue at once, and survives a Close. A connection that is no
// socket can answer for itself with a method Unsent() int.
func unsent(c net.Conn) int {
	if u, ok := c.(interface{ Unsent() int }); ok {
		return u.Unsent()
	}
	if _, ok := c.(*net.UnixConn); ok {
		return 0
	}
	n := 0
	control(c, func(fd int) {
		if v, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ); err == nil {
			n = v
		}
	})
	return n
}

// wasReset reports whether a reset of c is waiting to be read. Unlike SO_ERROR it leaves
// the error where it is, so that the next read still returns it. Once something has
// consumed the error the answer is false. A connection that is no socket can answer for
// itself with a method WasReset() bool.
func wasReset(c net.Conn) bool {
	if r, ok := c.(interface{ WasReset() bool }); ok {
		return r.WasReset()
	}
	rc := rawConn(c)
	return rc != nil && poll(rc, 0)&unix.POLLERR != 0
}

// lastState tells of a connection that says EOF whether a reset of it is waiting to be
// read, as wasReset does, and whether it is closed both ways: shut by us as well, or reset.
func lastState(c net.Conn) (reset, closed bool) {
	if _, ok := c.(*net.TCPConn); !ok {
		return wasReset(c), closedState(c)
	}
	rc := rawConn(c)
	if rc == nil {
		return false, false
	}
	events := poll(rc, 0) // asks for both at once, and at less cost than TCP_INFO
	return events&unix.POLLERR != 0, events&unix.POLLHUP != 0
}

// closedState reports whether the kernel has nothing left to do for the TCP connection c:
// it was reset, or both FINs have been sent and acknowledged.
func closedState(c net.Conn) bool {
	closed := false
	control(c, func(fd int) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		// The kernel asserts that its TCP_CLOSE and the number it gives BPF are one.
		closed = err == nil && info.State == unix.BPF_TCP_CLOSE
	})
	return closed
}

//go:build unix

package chaos

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// oobInline lets urgent bytes arrive in their place in the stream; otherwise the kernel
// takes them out of it. It reports whether c now does so.
func oobInline(c net.Conn) bool {
	done := false
	control(c, func(fd int) {
		done = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_OOBINLINE, 1) == nil
	})
	return done
}

// readable reports whether a read would return at once, with bytes, an end or an error.
// It consumes nothing.
func readable(rc syscall.RawConn) bool {
	return rc != nil && poll(rc, unix.POLLIN)&(unix.POLLIN|unix.POLLERR|unix.POLLHUP) != 0
}

// poll returns which of events hold on rc now, and POLLERR and POLLHUP if they do.
func poll(rc syscall.RawConn, events int16) int16 {
	var revents int16
	rc.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		for {
			_, err := unix.Poll(fds, 0)
			if err == unix.EINTR {
				continue
			}
			if err == nil {
				revents = fds[0].Revents
			}
			return
		}
	})
	return revents
}

//go:build unix

package chaos

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// oobInline lets urgent bytes arrive in their place in the stream; otherwise the kernel
// takes them out of it. It reports whether c now does so, or what it accepts if it listens.
func oobInline(c any) bool {
	done := false
	control(c, func(fd int) { done = inlineUrgent(uintptr(fd)) == nil })
	return done
}

// inlineUrgent is oobInline for a descriptor.
func inlineUrgent(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_OOBINLINE, 1)
}

// readable reports whether a read would return at once, with bytes, an end or an error.
// It consumes nothing.
func readable(rc syscall.RawConn) bool {
	return rc != nil && poll(rc, unix.POLLIN)&(unix.POLLIN|unix.POLLERR|unix.POLLHUP) != 0
}

// A polling asks about one descriptor. It is used again, for it is asked each time the kernel has nothing more to move.
type polling struct {
	fds [1]unix.PollFd
	ask func(fd uintptr) // made once, for a closure is an allocation
}

var pollings = sync.Pool{New: func() any {
	p := new(polling)
	p.ask = func(fd uintptr) {
		p.fds[0].Fd = int32(fd)
		for {
			_, err := unix.Poll(p.fds[:], 0)
			if err == nil {
				return
			}
			if p.fds[0].Revents = 0; err != unix.EINTR {
				return
			}
		}
	}
	return p
}}

// poll returns which of events hold on rc now, and POLLERR and POLLHUP if they do.
func poll(rc syscall.RawConn, events int16) int16 {
	p := pollings.Get().(*polling)
	defer pollings.Put(p)
	p.fds[0] = unix.PollFd{Events: events}
	rc.Control(p.ask)
	return p.fds[0].Revents
}

//go:build linux

package wiretest

import (
	"net"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// rawConn is a connection or a listener that has a descriptor.
type rawConn interface {
	SyscallConn() (syscall.RawConn, error)
}

// withFD calls f with the descriptor of c.
func withFD(c rawConn, f func(fd int)) error {
	rc, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return rc.Control(func(fd uintptr) { f(int(fd)) })
}

// setOption sets a socket option.
func setOption(c rawConn, level, option, value int) error {
	var err error
	if ferr := withFD(c, func(fd int) { err = unix.SetsockoptInt(fd, level, option, value) }); ferr != nil {
		return ferr
	}
	return err
}

// Reset closes a TCP connection by RST: linger 0 destroys what is unsent.
func Reset(c net.Conn) error {
	if t, ok := c.(*net.TCPConn); ok {
		if err := t.SetLinger(0); err != nil {
			return err
		}
	}
	return c.Close()
}

// poll waits for events on the actor's socket.
func (a *actor) poll(events int16, wait time.Duration, none string) string {
	return pollSocket(a.conn, events, wait, none)
}

// pollSocket waits for events on a socket; POLLERR always counts, and consumes nothing. What no event is called, the caller says.
func pollSocket(c rawConn, events int16, wait time.Duration, none string) string {
	var names []string
	var err error
	ferr := withFD(c, func(fd int) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		end := time.Now().Add(wait)
		for {
			_, err = unix.Poll(fds, int(max(0, time.Until(end).Milliseconds())))
			if err != unix.EINTR {
				break
			}
		}
		for _, e := range []struct {
			bit  int16
			name string
		}{{unix.POLLIN, "readable"}, {unix.POLLERR, "error"}, {unix.POLLHUP, "hangup"}} {
			if fds[0].Revents&e.bit != 0 {
				names = append(names, e.name)
			}
		}
	})
	switch {
	case ferr != nil:
		return errName(ferr)
	case err != nil:
		return errName(err)
	case names == nil:
		return none
	}
	return strings.Join(names, " ")
}

// drain waits until nothing that was sent is left in this socket.
func (a *actor) drain() string {
	for end := time.Now().Add(a.patience); ; {
		left, err := unsent(a.conn)
		switch {
		case err != nil:
			return errName(err)
		case left == 0:
			return "ok"
		case time.Now().After(end):
			return "timeout"
		}
		time.Sleep(200 * time.Microsecond) // the kernel has no event for an empty send queue
	}
}

// unsent returns how many bytes the peer's kernel has not acknowledged.
func unsent(c rawConn) (int, error) {
	var n int
	var err error
	if ferr := withFD(c, func(fd int) { n, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ) }); ferr != nil {
		return 0, ferr
	}
	return n, err
}

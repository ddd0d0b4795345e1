//go:build !linux

package chaos

import "net"

// The functions of this file give the neutral answers of a platform whose sockets the
// gate cannot ask. What that costs is said at each.

// unsent returns how many bytes written to c its peer's kernel has not acknowledged yet,
// if c has a method Unsent() int, else 0: an ending then does not wait for the last
// bytes, and a reset may overtake them.
func unsent(c net.Conn) int {
	if u, ok := c.(interface{ Unsent() int }); ok {
		return u.Unsent()
	}
	return 0
}

// wasReset reports whether a reset of c is waiting to be read, if c has a method
// WasReset() bool, else false: a reset is then heard only by the next read or write.
func wasReset(c net.Conn) bool {
	r, ok := c.(interface{ WasReset() bool })
	return ok && r.WasReset()
}

// lastState tells of a connection that says EOF what wasReset and closedState do.
func lastState(c net.Conn) (reset, closed bool) { return wasReset(c), closedState(c) }

// closedState would report whether the kernel has nothing left to do for c. It reports
// false: the caller's own time limit then ends the wait.
func closedState(net.Conn) bool { return false }

//go:build !linux

package chaos

import (
	"net"
	"sync/atomic"
)

// watcherStart does nothing: only on Linux are resets heard on sockets that nobody reads.
func watcherStart() error { return nil }

// watcherStop does nothing.
func watcherStop() {}

// watch has f called once when c is reset, if c has a method OnReset(func()), as the
// memory network's connections do. Elsewhere than on Linux a socket has no such
// report: a reset is heard by the next read or write.
func watch(c net.Conn, f func()) (stop func()) {
	r, ok := c.(interface{ OnReset(func()) })
	if !ok {
		return func() {}
	}
	var stopped atomic.Bool
	r.OnReset(func() {
		if !stopped.Swap(true) {
			f()
		}
	})
	return func() { stopped.Store(true) }
}

//go:build !linux

package chaos

import "net"

// A watcher there is only on Linux.
type watcher struct{}

func (*watcher) forget(uint64) {}

func (*watcher) listen(net.Conn, uint64, bool) bool { return false }

// watcherStart does nothing: only on Linux are resets heard on sockets that nobody reads.
func watcherStart() error { return nil }

// watcherStop does nothing.
func watcherStop() {}

// watch tells h once when c is reset, if c has a method OnReset(func()), as the memory
// network's connections do. Elsewhere than on Linux a socket has no such report: a reset
// is heard by the next read or write.
func watch(c net.Conn, h hearer) watched {
	if r, ok := c.(interface{ OnReset(func()) }); ok {
		return watchSelf(r, h)
	}
	return watched{}
}

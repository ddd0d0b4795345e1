//go:build !linux

package chaos

import (
	"context"
	"net"
	"runtime"
	"syscall"
)

// listenTCP listens with the doors that every platform has. Refuse closes the listener;
// opening listens again at the same port, and says so in an error if another has taken it
// meanwhile. A black hole needs Linux.
func listenTCP(ctx context.Context, network, address string) (doorway, error) {
	ln, err := listenConfig().Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	again := func() (net.Listener, error) {
		return listenConfig().Listen(context.Background(), network, ln.Addr().String())
	}
	return &plainDoorway{ln: ln, again: again, refuses: true, where: "on " + runtime.GOOS}, nil
}

// tcpDoors gives a test's own TCP listener the doors that every platform has.
func tcpDoors(ln *net.TCPListener, network string) (doorway, error) {
	again := func() (net.Listener, error) {
		return listenConfig().Listen(context.Background(), network, ln.Addr().String())
	}
	return &plainDoorway{ln: ln, again: again, refuses: true, where: "on " + runtime.GOOS}, nil
}

// unixQueue is not known: only Linux tells the length of a unix listener's queue.
func unixQueue(syscall.RawConn) int64 { return 0 }

package chaos

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// A listenFunc listens as net.ListenConfig does; see Gate.ListenFunc.
type listenFunc = func(ctx context.Context, network, address string) (net.Listener, error)

// listen returns a front with an open door. An empty address is a free port of the
// loopback interface, or for a unix socket a place in a new temporary folder. If custom
// is nil the real network is used.
func listen(ctx context.Context, network, address string, custom listenFunc) (*front, error) {
	var cleanup func()
	switch network {
	case "tcp", "tcp4":
		if address == "" {
			address = "127.0.0.1:0"
		}
	case "tcp6":
		if address == "" {
			address = "[::1]:0"
		}
	case "unix":
		if address == "" {
			dir, err := os.MkdirTemp("", "chaos-")
			if err != nil {
				return nil, err
			}
			address = filepath.Join(dir, "gate.sock")
			cleanup = func() { os.RemoveAll(dir) }
		}
	default:
		return nil, fmt.Errorf("network %q cannot be listened on: it is tcp, tcp4, tcp6 or unix", network)
	}
	way, err := openDoorway(ctx, network, address, custom)
	if err != nil {
		if cleanup != nil {
			cleanup()
		}
		return nil, err
	}
	return newFront(way.listener().Addr().String(), way, cleanup), nil
}

func openDoorway(ctx context.Context, network, address string, custom listenFunc) (doorway, error) {
	switch {
	case custom != nil:
		return listenCustom(ctx, network, address, custom)
	case network == "unix":
		return listenUnix(ctx, address)
	default:
		return listenTCP(ctx, network, address)
	}
}

// listenConfig is how the gate listens. Go's default would be Multipath TCP, which shows
// in the socket's protocol number; keep-alive is Go's default.
func listenConfig() *net.ListenConfig {
	lc := new(net.ListenConfig)
	lc.SetMultipathTCP(false)
	return lc
}

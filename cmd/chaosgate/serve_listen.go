package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// listen listens for HTTP. Where others than this machine can connect it does so only if they have to know a token.
func listenHTTP(ctx context.Context, flag, address string, token bool) (net.Listener, error) {
	isLoopback, err := onLoopback(ctx, address)
	if err != nil {
		return nil, usage(fmt.Errorf("--%s: got %q, want HOST:PORT: %w", flag, address, err))
	}
	if !isLoopback && !token {
		return nil, usage(fmt.Errorf("--%s: got %s, where others than this machine can connect: that needs a --token, or $CHAOSGATE_TOKEN, "+
			"because whoever reaches the daemon can have it connect to anything", flag, address))
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w; is another daemon running? --%s names another address, and with port 0 any free port", err, flag)
	}
	return listener, err
}

// onLoopback reports whether only this machine can connect to an address.
func onLoopback(ctx context.Context, address string) (bool, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false, err
	}
	if _, err := net.DefaultResolver.LookupPort(ctx, "tcp", port); err != nil {
		return false, err
	}
	if host == "" {
		return false, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() {
			return false, nil
		}
	}
	return true, err
}

// A steadyListener goes on listening where the system cannot give it a connection just now, for want of memory or of descriptors: a daemon
// in which that ends HTTP could not be asked to lift what it has imposed.
type steadyListener struct {
	net.Listener
	log *slog.Logger
}

// Accept waits for a connection. Its error is that the listener is closed.
func (l steadyListener) Accept() (net.Conn, error) {
	const least, most = 5 * time.Millisecond, time.Second
	for pause := least; ; pause = min(2*pause, most) {
		conn, err := l.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return conn, err
		}
		l.log.Warn("cannot accept a client of the API", "error", err)
		time.Sleep(pause)
	}
}

// boundTo returns where a listener listens.
func boundTo(l net.Listener) netip.AddrPort {
	at := l.Addr().(*net.TCPAddr).AddrPort() // it listens on tcp
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

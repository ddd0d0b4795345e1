//go:build linux

package wiretest

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// serial numbers the unix sockets of this process.
var serial atomic.Int64

// listen opens a plain listener: no Multipath TCP, no keep-alive, as a server written in C would.
func listen(network, address string, rcvbuf int) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: bufferControl(rcvbuf)}
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), network, address)
}

// dial connects a plain socket.
func (e *Env) dial(target string, rcvbuf int) (stream, error) {
	d := net.Dialer{Timeout: e.patience(), KeepAlive: -1, Control: bufferControl(rcvbuf)}
	c, err := d.Dial(e.network(), target)
	if err != nil {
		return nil, err
	}
	return c.(stream), nil
}

// bufferControl asks for a receive buffer before the socket is connected or listens. As root the system's maximum does not bind.
func bufferControl(rcvbuf int) func(network, address string, c syscall.RawConn) error {
	if rcvbuf == 0 {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, rcvbuf) != nil {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, rcvbuf)
			}
		})
	}
}

// accept takes one connection, and no longer than patience.
func accept(ln net.Listener, patience time.Duration) (stream, error) {
	type deadliner interface{ SetDeadline(time.Time) error }
	if err := ln.(deadliner).SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	c, err := ln.Accept()
	if err != nil {
		return nil, err
	}
	return c.(stream), nil
}

// A rig is a server with something before it, for checks that are no scripts.
type rig struct {
	env    *Env
	ln     net.Listener
	target string
}

func newRig(e *Env, via func(string) string) (*rig, error) {
	ln, err := e.listen(0)
	if err != nil {
		return nil, err
	}
	return &rig{e, ln, via(ln.Addr().String())}, nil
}

func (r *rig) close() { r.ln.Close() }

// ports returns the ports of the server and of what stands before it (the same one for a direct connection).
func (r *rig) ports() (server, target int) { return portOf(r.ln.Addr().String()), portOf(r.target) }

// pair connects a client and accepts its connection at the server.
func (r *rig) pair() (client, server stream, err error) {
	client, err = r.env.dial(r.target, 0)
	if err != nil {
		return nil, nil, err
	}
	server, err = accept(r.ln, r.env.patience())
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	end := time.Now().Add(r.env.patience())
	return client, server, errors.Join(client.SetDeadline(end), server.SetDeadline(end))
}

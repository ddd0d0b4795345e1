//go:build linux

package wiretest

import (
	"errors"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// A BlackHole is the address of a server that answers no SYN, because its accept queue is full, until it is released.
type BlackHole struct {
	fd     int
	filler net.Conn
	addr   string
}

// NewBlackHole opens a black hole on the loopback interface.
func NewBlackHole() (*BlackHole, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	b := &BlackHole{fd: fd}
	// A queue of length 0 holds one connection.
	err = errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0))
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	b.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(sockaddrPort(sa)))
	if b.filler, err = net.Dial("tcp4", b.addr); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return b, nil
}

// Addr returns its address.
func (b *BlackHole) Addr() string { return b.addr }

// Release makes an ordinary listener of it. Who waits gets in with its next SYN, about a second after its first. The listener is
// the caller's to close; the black hole must be closed as well.
func (b *BlackHole) Release() (net.Listener, error) {
	if err := unix.Listen(b.fd, 4096); err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(b.fd), "black hole")
	b.fd = -1
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	c, err := ln.Accept() // the filler was the first
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, c.Close()
}

// Close frees what is not released.
func (b *BlackHole) Close() error {
	err := b.filler.Close()
	if b.fd >= 0 {
		err = errors.Join(err, unix.Close(b.fd))
		b.fd = -1
	}
	return err
}

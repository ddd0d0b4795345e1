package main

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

// listen runs a server on loopback that calls serve with each of its connections.
func listen(serve func(*net.TCPConn)) (string, error) {
	// Multipath TCP, Go's default for listeners, is another protocol with other costs.
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	ln, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				time.Sleep(time.Millisecond) // descriptors are wanting, and will be there again
				continue
			}
			go func() {
				defer c.Close()
				serve(c.(*net.TCPConn))
			}()
		}
	}()
	return ln.Addr().String(), nil
}

// serverRole is the role of a child that serves each connection alike and is asked nothing.
func serverRole(serve func(*net.TCPConn)) func([]string) (string, func(string) string, func(), error) {
	return func([]string) (string, func(string) string, func(), error) {
		addr, err := listen(serve)
		return addr, func(string) string { return "error: there is nothing to ask" }, nil, err
	}
}

// echo says what it hears. Its buffer is small because there may be thousands of connections.
func echo(c *net.TCPConn) {
	buf := make([]byte, 4<<10)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			c.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// source sends for as long as the 8 bytes that it is sent first say, in nanoseconds.
func source(c *net.TCPConn) {
	var request [8]byte
	if _, err := io.ReadFull(c, request[:]); err != nil {
		return
	}
	send(c, time.Duration(binary.BigEndian.Uint64(request[:])))
	c.CloseWrite()
	io.Copy(io.Discard, c) // a Close with unread bytes would be a reset
}

// stall never reads.
func stall(*net.TCPConn) { select {} }

// A ledger is what a sink knows of the connections that have ended.
type ledger struct {
	mu    sync.Mutex // guards ended
	ended []span
	more  chan struct{} // told that ended has grown
}

// sinkRole is the role of a server that reads everything. Asked for n, it waits until as many connections have ended and
// returns when their bytes came, because not every proxy would leave a direction in which to answer open.
func sinkRole([]string) (string, func(string) string, func(), error) {
	l := &ledger{more: make(chan struct{}, 1)}
	addr, err := listen(func(c *net.TCPConn) {
		if s := receive(c); s.Bytes > 0 { // and not one who only looked whether somebody listens
			l.mu.Lock()
			l.ended = append(l.ended, s)
			l.mu.Unlock()
			select {
			case l.more <- struct{}{}:
			default:
			}
		}
	})
	return addr, l.answer, nil, err
}

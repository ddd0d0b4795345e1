package main

import (
	"bytes"
	"errors"
	"net"

	"github.com/alicebob/miniredis/v2"
)

// A demoServer is a server that speaks Redis's protocol, on loopback, in this process.
type demoServer struct {
	redis  *miniredis.Miniredis
	front  net.Listener
	closed chan struct{} // closed when nothing is accepted any more
}

// startDemoServer starts a server on a free port.
func startDemoServer() (*demoServer, error) {
	redis := miniredis.NewMiniRedis()
	if err := redis.Start(); err != nil {
		return nil, err
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		redis.Close()
		return nil, err
	}
	s := &demoServer{redis: redis, front: front, closed: make(chan struct{})}
	go s.accept()
	return s, nil
}

// accept serves connections until the listener is closed.
func (s *demoServer) accept() {
	defer close(s.closed)
	for {
		conn, err := s.front.Accept()
		if err != nil {
			return
		}
		s.redis.Server().ServeConn(&guarded{Conn: conn})
	}
}

func (s *demoServer) addr() string { return s.front.Addr().String() }

// close ends the server and its connections.
func (s *demoServer) close() {
	s.front.Close()
	<-s.closed
	s.redis.Close()
}

// A guarded connection does not let a command without a name through, which a real Redis ignores, but at which the
// embedded server panics. The demo corrupts requests, so that sooner or later the "*2" that begins one becomes "*0".
// No value that the demo sends has a star in it.
type guarded struct {
	net.Conn
	last byte // the last byte of what was read before
}

var errEmptyCommand = errors.New("a command without a name")

// Read reads, and fails when it meets an empty command.
func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if n == 0 {
		return n, err
	}
	if (g.last == '*' && p[0] == '0') || bytes.Contains(p[:n], []byte("*0")) {
		return 0, errEmptyCommand
	}
	g.last = p[n-1]
	return n, err
}

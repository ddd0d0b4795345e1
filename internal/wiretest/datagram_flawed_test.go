//go:build linux

package wiretest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// flawedDatagrams is a forwarder of datagrams as it is written in an afternoon, with one mistake. Without any it is a wire, as far
// as a goroutine for each session goes.
type flawedDatagrams struct {
	truncates  bool // reads into 2048 bytes
	fragments  bool // sends what is larger than an Ethernet frame in two
	loseEmpty  bool // takes an empty datagram for the end of something
	join       bool // sends two together that are there at once
	double     bool // sends one in ten twice
	swapPairs  bool // two that are there at once change places
	loses      bool // one in a thousand
	tiny       bool // has the receive buffer of a toy
	newPort    bool // has a socket for each datagram
	onePort    bool // has one socket for all clients
	lastClient bool // answers who spoke last
	moves      bool // takes another socket after 30 ms of silence
	silent     bool // passes no answer before the client has asked anew
	dies       bool // ends a session when the server refuses
	deafened   bool // never hears the server again after that
	forgets    bool // throws the datagram away that meets the error of an earlier one
	repeats    bool // sends what met an error again, and once more when it did not
	batches    bool // collects for 5 ms
	polls      bool // looks every 5 ms
	leaks      bool // opens one descriptor more
}

// start listens, forwards to server, and ends with the test.
func (f flawedDatagrams) start(t *testing.T, server, address string) *forwarder {
	lc := net.ListenConfig{Control: bufferControl(8 << 20)}
	if f.tiny {
		lc.Control = bufferControl(4 << 10)
	}
	front, err := lc.ListenPacket(context.Background(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	to, err := net.ResolveUDPAddr("udp", server)
	if err != nil {
		t.Fatal(err)
	}
	w := &forwarder{flawedDatagrams: f, front: front.(*net.UDPConn), server: to, sessions: map[netip.AddrPort]*forwarded{}}
	w.wg.Go(w.serve)
	t.Cleanup(w.close)
	return w
}

type forwarder struct {
	flawedDatagrams
	front  *net.UDPConn
	server *net.UDPAddr
	wg     sync.WaitGroup
	shut   atomic.Bool // what comes is lost

	mu       sync.Mutex // guards what follows
	sessions map[netip.AddrPort]*forwarded
	last     netip.AddrPort // who spoke last
	closers  []func() error
	ended    bool
}

// A forwarded is a client's session.
type forwarded struct {
	client netip.AddrPort
	back   *net.UDPConn
	spoken time.Time
	count  int
	held   []byte
	failed atomic.Bool // an error has come back, and no datagram was sent since
}

func (w *forwarder) close() {
	w.front.Close()
	w.mu.Lock()
	w.ended = true
	for _, c := range w.closers {
		_ = c()
	}
	w.mu.Unlock()
	w.wg.Wait()
}

// serve passes on what clients send.
func (w *forwarder) serve() {
	size := 1 << 16
	if w.truncates {
		size = 2048
	}
	buf := make([]byte, size)
	for {
		if w.polls {
			_ = w.front.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		}
		n, from, err := w.front.ReadFromUDPAddrPort(buf)
		if w.polls && errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return
		}
		if w.shut.Load() {
			continue
		}
		if w.batches {
			time.Sleep(5 * time.Millisecond)
		}
		s := w.session(from)
		if s == nil {
			return
		}
		data := append([]byte(nil), buf[:n]...)
		for _, d := range w.spoil(s, data, w.front) {
			w.toServer(s, d)
		}
	}
}

// session returns the session of a client, nil when all has ended.
func (w *forwarder) session(from netip.AddrPort) *forwarded {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = from
	key := from
	if w.onePort {
		key = netip.AddrPort{}
	}
	s := w.sessions[key]
	stale := s != nil && w.moves && time.Since(s.spoken) > 30*time.Millisecond
	if s == nil || w.newPort || stale {
		back, err := net.DialUDP("udp", nil, w.server)
		if err != nil || w.ended {
			return nil
		}
		_ = back.SetReadBuffer(8 << 20)
		w.closers = append(w.closers, back.Close)
		s = &forwarded{client: from, back: back}
		w.sessions[key] = s
		if w.leaks {
			if r, err := os.Open(os.DevNull); err == nil {
				w.closers = append(w.closers, r.Close)
			}
		}
		w.wg.Go(func() { w.answers(s, back) })
	}
	s.spoken = time.Now()
	return s
}

// spoil does to one datagram what is wrong with content and order, and returns what is to be sent now.
func (w *forwarder) spoil(s *forwarded, d []byte, from *net.UDPConn) [][]byte {
	s.count++
	more := pollSocket(from, unix.POLLIN, 0, "") == "readable"
	switch {
	case w.loseEmpty && len(d) == 0, w.loses && s.count%1000 == 0:
		return nil
	case w.fragments && len(d) > 1472:
		return [][]byte{d[:1472], d[1472:]}
	case w.double && s.count%10 == 0:
		return [][]byte{d, d}
	case s.held != nil:
		held := s.held
		s.held = nil
		if w.join {
			return [][]byte{append(held, d...)}
		}
		return [][]byte{d, held}
	case (w.join || w.swapPairs) && more:
		s.held = d
		return nil
	}
	return [][]byte{d}
}

// toServer sends one datagram.
func (w *forwarder) toServer(s *forwarded, d []byte) {
	failed := s.failed.Swap(false)
	if failed && w.forgets {
		return
	}
	if failed && w.repeats {
		_, _ = s.back.Write(d)
	}
	_ = stubbornly(func() error {
		_, err := s.back.Write(d)
		if err != nil && w.dies {
			w.end(s)
		}
		return err
	})
}

// end forgets a session.
func (w *forwarder) end(s *forwarded) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sessions, s.client)
	s.back.Close()
}

// answers passes on what the server sends.
func (w *forwarder) answers(s *forwarded, back *net.UDPConn) {
	size := 1 << 16
	if w.truncates {
		size = 2048
	}
	buf := make([]byte, size)
	own := &forwarded{} // this direction's count and held datagram
	var answered time.Time
	for {
		n, err := back.Read(buf)
		if errors.Is(err, unix.ECONNREFUSED) && !w.deafened {
			s.failed.Store(true)
			if w.dies {
				w.end(s)
			}
			continue
		}
		if err != nil {
			return
		}
		w.mu.Lock()
		to, spoken := s.client, s.spoken
		if w.lastClient || w.onePort {
			to = w.last
		}
		w.mu.Unlock()
		if w.silent && spoken.Equal(answered) {
			continue
		}
		answered = spoken
		for _, d := range w.spoil(own, append([]byte(nil), buf[:n]...), back) {
			_, _ = w.front.WriteToUDPAddrPort(d, to)
		}
	}
}

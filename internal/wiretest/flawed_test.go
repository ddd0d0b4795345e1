//go:build linux

package wiretest

import (
	"context"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// A flawed proxy is what is written in an afternoon, with one mistake that has been seen in real ones. Without any it copies both
// ways with half-close and is still no wire.
type flawed struct {
	closeBoth   bool // the first end of stream ends both directions
	resetEnds   bool // and by RST
	ignoreFIN   bool // an end of stream is noticed and not passed on
	lazyDial    bool // the server is dialled when the client has spoken
	serialDial  bool // the server is dialled in the accept loop
	dialTwice   bool // the server is probed before it is connected to
	giveUpOnFIN bool // a client that shuts while the server is being dialled is dropped
	failFIN     bool // a dial that fails ends the client with FIN, not RST
	dropOnDial  bool // a dial has a timeout of its own
	remember    bool // after a dial that failed every client is sent away
	few         bool // more than a hundred clients are sent away
	batch       bool // bytes wait 40 ms for more of them
	cork        bool // an end of stream waits 100 ms
	lockstep    bool // one direction writes at a time
	unbounded   bool // what the reader does not take piles up
	overtake    bool // a FIN does not wait for the pile
	flip        bool // one byte in 64 KiB is changed
	swap        bool // two reads change places now and then
	poll        bool // a goroutine looks every 5 ms
	idle        bool // an idle connection is ended after half a second
	deaf        bool // no keep-alive
	multipath   bool // the default of Go's listeners
	hastyReset  bool // a reset is passed on before what is queued
	leak        bool // the server's side is never closed
	hoards      bool // 4 KiB are kept of each connection
	keepsPipe   bool // two more descriptors for each connection
}

// start listens, proxies to server, and ends with the test.
func (f flawed) start(t *testing.T, network, server, address string) string {
	lc := net.ListenConfig{}
	lc.SetMultipathTCP(f.multipath)
	if f.deaf {
		lc.KeepAlive = -1
	}
	ln, err := lc.Listen(context.Background(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{flawed: f, network: network, server: server, conns: map[net.Conn]bool{}}
	p.wg.Go(func() { p.serve(ln) })
	t.Cleanup(func() {
		ln.Close()
		p.closeAll()
		p.wg.Wait()
	})
	return ln.Addr().String()
}

type proxy struct {
	flawed
	network, server string
	wg              sync.WaitGroup
	mu              sync.Mutex        // guards conns, hoard, ended, failed
	conns           map[net.Conn]bool // open
	hoard           [][]byte
	ended, failed   bool
}

func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	if p.ended {
		c.Close()
	}
}

func (p *proxy) drop(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	for c := range p.conns {
		c.Close()
	}
}

func (p *proxy) serve(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		p.keep(c)
		if p.serialDial {
			if s := p.dial(c); s != nil {
				p.wg.Go(func() { p.relay(c.(stream), s) })
			}
			continue
		}
		p.wg.Go(func() {
			if s := p.dial(c); s != nil {
				p.relay(c.(stream), s)
			}
		})
	}
}

// dial connects to the server, or ends the client.
func (p *proxy) dial(c net.Conn) stream {
	if p.lazyDial || p.giveUpOnFIN {
		wait := 30 * time.Second
		if p.giveUpOnFIN {
			wait = 50 * time.Millisecond
		}
		a := &actor{conn: c.(stream)}
		if a.poll(0x2001, wait, "") != "" && p.giveUpOnFIN { // POLLIN|POLLRDHUP
			p.drop(c)
			return nil
		}
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	if p.deaf {
		d.KeepAlive = -1
	}
	if p.dropOnDial {
		d.Timeout = 300 * time.Millisecond
	}
	if p.dialTwice {
		if s, err := d.Dial(p.network, p.server); err == nil {
			s.Close()
		}
	}
	p.mu.Lock()
	failed := p.failed && p.remember || p.few && len(p.conns) > 100
	p.mu.Unlock()
	s, err := d.Dial(p.network, p.server)
	if err == nil && !failed {
		p.keep(s)
		return s.(stream)
	}
	if err == nil {
		s.Close()
	}
	p.mu.Lock()
	p.failed = true
	p.mu.Unlock()
	if !p.failFIN {
		if t, ok := c.(*net.TCPConn); ok {
			t.SetLinger(0)
		}
	}
	p.drop(c)
	return nil
}

// relay copies both ways until both have ended.
func (p *proxy) relay(c, s stream) {
	if p.hoards {
		p.mu.Lock()
		p.hoard = append(p.hoard, make([]byte, 4<<10))
		p.mu.Unlock()
	}
	if p.keepsPipe {
		r, w, err := os.Pipe()
		if err == nil {
			defer r.Close()
			defer w.Close()
		}
	}
	var turn sync.Mutex // held while writing, by proxies in lockstep
	both := func() {
		if p.resetEnds {
			Reset(c)
			Reset(s)
		}
		p.drop(c)
		p.drop(s)
	}
	var ways sync.WaitGroup
	ways.Go(func() { p.copy(s, c, &turn, both) })
	ways.Go(func() { p.copy(c, s, &turn, both) })
	ways.Wait()
	p.drop(c)
	if !p.leak {
		p.drop(s)
	}
}

// copy moves the bytes of one direction.
func (p *proxy) copy(dst, src stream, turn *sync.Mutex, both func()) {
	queue := make(chan []byte, 1)
	if p.unbounded || p.overtake {
		queue = make(chan []byte, 1<<16)
	}
	var writing sync.WaitGroup
	writing.Go(func() {
		var total int
		var held []byte
		for b := range queue {
			if p.batch {
				time.Sleep(40 * time.Millisecond)
			}
			if p.flip && (total-1)>>16 != (total-1+len(b))>>16 {
				b[len(b)-1] ^= 1
			}
			total += len(b)
			if p.swap {
				if held == nil && total > 100 {
					held = b
					continue
				}
				b, held = append(b, held...), nil
			}
			if p.lockstep {
				turn.Lock()
			}
			dst.Write(b)
			if p.lockstep {
				turn.Unlock()
			}
		}
		if p.swap && held != nil {
			dst.Write(held)
		}
	})
	var err error
	for err == nil {
		b := make([]byte, 32<<10)
		if p.idle {
			src.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		}
		if p.poll {
			src.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		}
		var n int
		n, err = src.Read(b)
		if p.poll && errName(err) == "timeout" {
			err = nil
		}
		if n > 0 {
			queue <- b[:n]
		}
	}
	if p.overtake {
		dst.CloseWrite()
	}
	if p.hastyReset && errName(err) != "EOF" {
		Reset(dst)
	}
	close(queue)
	writing.Wait()
	if p.cork {
		time.Sleep(100 * time.Millisecond)
	}
	switch {
	case p.closeBoth || p.resetEnds || p.idle && errName(err) == "timeout":
		both()
	case !p.ignoreFIN:
		dst.CloseWrite()
	}
}

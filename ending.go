package chaos

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"syscall"
	"time"
)

// patience is how long an ending waits for a peer's kernel to take something. A kernel that has taken nothing for so
// long belongs to a program that does not read.
const patience = time.Second

// finish ends both legs as the connection's end asks for. What was written to a leg is waited for as long as the
// peer's kernel takes it, never for the peer's program; the rest is destroyed by a reset. A plain Close with unread
// bytes sends RST, so it is never how a clean end is made: the leg is shut, and read until what was sent has arrived.
func (c *Conn) finish() {
	c.mu.Lock()
	how := c.how
	c.mu.Unlock()
	legs := []*leg{&c.client}
	if c.server.conn != nil {
		legs = append(legs, &c.server)
	}
	for _, l := range legs {
		if how == FullClose {
			l.closeWrite()
		}
	}
	deadline := time.Now().Add(patience)
	left := make([]int, len(legs))
	for k := range left {
		left[k] = math.MaxInt
	}
	for pause := 20 * time.Microsecond; (how == FullClose || how == RST) && time.Now().Before(deadline) && !c.gate.impatient.Load(); {
		waiting := false
		for k, l := range legs {
			if l.closed {
				continue
			}
			if how == FullClose {
				l.discard()
			}
			n := 0
			if !l.reset.Load() {
				n = unsent(l.conn)
			}
			if n == 0 {
				l.close(how == RST)
				continue
			}
			waiting = true
			if n < left[k] {
				left[k], deadline = n, time.Now().Add(patience)
			}
		}
		if !waiting {
			break
		}
		time.Sleep(pause)
		pause = min(2*pause, 5*time.Millisecond)
	}
	for _, l := range legs {
		if l.closed {
			continue
		}
		if how != FIN && !l.reset.Load() {
			n := unsent(l.conn)
			if l.shut.Load() {
				n-- // the FIN counts for a byte
			}
			c.undelivered(l, int64(max(n, 0)))
		}
		l.close(how != FIN)
	}
}

// undelivered takes back what was counted as delivered and is destroyed.
func (c *Conn) undelivered(l *leg, n int64) {
	way := ToClient
	if l == &c.server {
		way = ToServer
	}
	n = min(n, c.moved[way].Load())
	c.moved[way].Add(-n)
	c.dropped.Add(n)
}

// closeWrite sends FIN.
func (l *leg) closeWrite() {
	if l.shut.Swap(true) {
		return
	}
	if w, ok := l.conn.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
	}
}

// discard reads and forgets what has arrived, without waiting for more. That may be the peer's reset: who reads it must
// tell, for the kernel tells it once and counts the FIN it answers as under way for good.
func (l *leg) discard() {
	ch := chunks.Get().(*chunk)
	defer chunks.Put(ch)
	for range 16 { // a peer that floods is not waited for
		n, err := readNow(l.conn, ch.buf[:])
		if err != nil {
			l.reset.Store(true)
		}
		if n == 0 || err != nil {
			return
		}
	}
}

// readNow reads what has arrived already. That nothing has, or that the stream has ended, is no error.
func readNow(c net.Conn, buf []byte) (n int, err error) {
	if readsRaw && rawConn(c) != nil {
		control(c, func(fd int) { n, err = readFD(uintptr(fd), buf) })
	} else {
		c.SetReadDeadline(time.Now().Add(time.Millisecond)) // time enough to take what is there
		n, err = c.Read(buf)
	}
	if err == io.EOF || err == syscall.EAGAIN || errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return max(n, 0), err
}

// close frees the leg, with RST if reset is set.
func (l *leg) close(reset bool) {
	if l.closed {
		return
	}
	l.closed = true
	if s, ok := l.conn.(interface{ SetLinger(int) error }); ok && reset {
		s.SetLinger(0)
	}
	l.watched.end()
	l.conn.Close()
}

// finish writes what is due when the connection ends, as long as the peer's kernel takes it, and drops the rest.
func (p *pump) finish() {
	p.leave()
	p.line.advance(time.Now())
	p.unpipe()
	for it := p.line.due(); it != nil && !p.passed && p.lastWrite(it); it = p.line.due() {
		if end := it.end; p.line.sent(0) && end != More {
			break
		}
	}
	p.line.conn.dropped.Add(p.line.bytes())
	p.line.close()
	p.runPosts()
	if p.pacer != nil {
		p.pacer.cancel()
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	p.raw.close()
	p.line.conn.gate.memory.forget(p)
}

// lastWrite writes a segment of an ending connection and reports whether all of it has gone. A late kick may interrupt
// it, so it is the lack of progress that counts.
func (p *pump) lastWrite(it *item) bool {
	for since := time.Now(); len(it.data) > 0; {
		if p.dst.reset.Load() || p.line.conn.gate.impatient.Load() || p.line.conn.aborted() || time.Since(since) > patience {
			return false
		}
		p.dst.conn.SetWriteDeadline(time.Now().Add(patience))
		n, err := p.dst.conn.Write(it.data)
		p.line.conn.moved[p.line.dir].Add(int64(n))
		it.data = it.data[n:]
		if n > 0 {
			since = time.Now()
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
	}
	return true
}

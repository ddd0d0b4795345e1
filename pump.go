package chaos

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// aLongTimeAgo is a non-zero time used to interrupt pending I/O.
var aLongTimeAgo = time.Unix(1, 0)

// A pump moves the bytes of one direction of one connection. It does the reading, the writing and the waiting, and
// nothing else does. It lives as long as its connection, not until its FIN.
//
// All its state belongs to the goroutine of run, but for what kick touches.
type pump struct {
	follower
	dst, src *leg
	raw      *raw // nil where there are no descriptors, and at rest

	kicks atomic.Uint32                 // how often kick was called
	seen  uint32                        // how many of them run has noticed
	wake  atomic.Pointer[chan struct{}] // of capacity 1, sent on by a kick; made when run first sleeps
	pacer *wake                         // kicks on time, made when first needed where there are descriptors
	timer *time.Timer                   // for sleeping, made when first needed

	readBy, writeBy deadline
	rest            rest

	still atomic.Bool // it reads and writes no more, so that a kick has nothing to interrupt

	eof    bool // the source has ended
	passed bool // the FIN was passed on
	told   bool // the source's reset was fed to the line
	full   bool // the reading has stopped for want of room
}

func newPump(c *Conn, dir Direction) *pump {
	p := &pump{src: &c.client, dst: &c.server}
	if dir == ToClient {
		p.src, p.dst = p.dst, p.src
	}
	p.follow(c, dir, p.kick)
	return p
}

// kick makes run look at everything again. It may be called by any goroutine, and comes after whatever is to be
// noticed was stored.
func (p *pump) kick() {
	p.kicks.Add(1)
	if p.rest.ends() {
		go p.line.conn.move(p)
		return
	}
	if !p.still.Load() {
		p.src.conn.SetReadDeadline(aLongTimeAgo)
		p.dst.conn.SetWriteDeadline(aLongTimeAgo)
	}
	if wake := p.wake.Load(); wake != nil {
		select {
		case *wake <- struct{}{}:
		default:
		}
	}
}

// run moves bytes until the connection is to end, or, if it reports false, until the pump is at rest.
func (p *pump) run() (ended bool) {
	if p.progs[0] == nil {
		p.join()
	}
	p.wakeUp()
	for {
		p.notice()
		switch {
		case p.line.conn.over.Load(): // looked at behind the kicks, like all that a kick may be about
			p.finish()
			return true
		case p.line.ending != nil:
			e := p.line.ending
			p.line.conn.end(e.how, e.by.name(), e.err)
		case p.drain():
		case p.eof || p.held():
			p.wait()
		case p.raw != nil && p.line.clear() && !p.dst.reset.Load():
			if p.rests() {
				return false
			}
			p.passThrough()
		default:
			p.read()
		}
	}
}

// notice looks at everything that a kick may be about: programs, posted functions, a reset; and at the time.
func (p *pump) notice() {
	if n := p.kicks.Load(); n != p.seen {
		p.seen = n
		p.readBy, p.writeBy = stale, stale
	}
	p.line.now = time.Now()
	if progs := p.asked(); progs != p.progs {
		p.obey(progs)
	}
	p.runPosts()
	p.line.advance(p.line.now)
	// A reset comes behind the data that the source's kernel still has, unless nobody will ever read that.
	if p.src.reset.Load() && !p.told && (p.eof || p.line.holds() == Never) {
		p.feed(nil, RST)
	}
}

// feed pushes what has come from the source through the line.
func (p *pump) feed(data []byte, end End) {
	switch end {
	case FIN:
		p.eof = true
	case RST:
		p.eof, p.told = true, true
	}
	p.line.push(data, end)
}

// held reports whether the gate should not read now: a stage holds the direction, or there is no room for more.
// A line with nothing under way may always read, so that no other can starve it.
func (p *pump) held() bool {
	if !p.line.holds().IsZero() {
		return true
	}
	if p.line.queue.len() == 0 {
		p.full = false
		return false
	}
	g := p.line.conn.gate
	was := p.full
	if p.full = p.line.held >= int64(g.window()) || g.memory.full(p); p.full && !was {
		g.stats.windowFull.Add(1)
	}
	return p.full
}

// read reads once, at most until the line wants to be advanced. A buffer is borrowed only when bytes are there.
func (p *pump) read() {
	t := p.line.next()
	if !t.IsZero() && !t.After(time.Now()) { // it has fallen due meanwhile; to be told so by the read is an allocation
		return
	}
	if !t.IsZero() && p.raw != nil { // of a stream that does not pause no read needs a deadline
		if ch, n, err := p.raw.readNow(p.line.readMost()); ch != nil {
			p.take(ch, n, err)
			return
		}
	}
	if !p.armRead(t) {
		return
	}
	if p.raw != nil {
		p.take(p.raw.read(p.line.readMost()))
		return
	}
	ch := chunks.Get().(*chunk)
	n, err := p.src.conn.Read(ch.buf[:p.line.readMost()])
	p.take(ch, n, err)
}

// take feeds the line what a read has returned, and puts its buffer back.
func (p *pump) take(ch *chunk, n int, err error) {
	if n > 0 {
		p.line.now = time.Now()
		p.feed(ch.buf[:n], More)
	}
	if ch != nil {
		chunks.Put(ch)
	}
	p.sourceEnded(err)
}

// sourceEnded feeds the end of the stream to the line, if err is one. Whoever reads or writes first consumes a
// socket's error, and the next read then says EOF: so what is known of a reset is looked at before anything is
// called an EOF.
func (p *pump) sourceEnded(err error) {
	switch {
	case err == nil:
		return
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.readBy = stale
		return
	case err != io.EOF, p.src.reset.Load(), p.src.died():
		p.line.now = time.Now()
		p.feed(nil, RST)
		p.line.conn.heard(p.src)
	default:
		p.line.now = time.Now()
		if p.line.clear() && !p.line.conn.over.Load() { // nothing is before it, nor to be done to it
			p.eof, p.line.finished = true, true
			p.finishWith(FIN, nil)
			return
		}
		p.feed(nil, FIN)
	}
}

// drain writes what is due, and reports whether it did anything.
func (p *pump) drain() (busy bool) {
	if !p.line.clear() && p.piped() {
		p.flushPipe()
		return true
	}
	for it := p.line.due(); it != nil; it = p.line.due() {
		busy = true
		if p.writeMany() {
			continue
		}
		end, by := it.end, it.by
		if len(it.data) > 0 && !p.write(it) {
			return true
		}
		if len(it.data) == 0 {
			p.line.sent(0)
		}
		if end != More {
			p.finishWith(end, by)
			return true
		}
	}
	return busy
}

// write writes a segment and reports whether all of it has gone.
func (p *pump) write(it *item) bool {
	if p.dst.reset.Load() {
		p.drop(it)
		return true
	}
	if !p.armWrite(p.line.nextAlarm()) {
		return false
	}
	n, err := p.dst.conn.Write(it.data)
	p.line.conn.moved[p.line.dir].Add(int64(n))
	it.data = it.data[n:]
	switch {
	case err == nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.writeBy = stale
	default:
		p.line.conn.heard(p.dst)
		p.drop(it)
	}
	return len(it.data) == 0
}

// drop forgets a segment whose receiver is gone.
func (p *pump) drop(it *item) {
	p.line.conn.dropped.Add(int64(len(it.data)))
	it.data = nil
}

// finishWith does what the end of a segment asks for.
func (p *pump) finishWith(end End, by *Stage) {
	name := by.name()
	if by == nil {
		name = p.src.name()
	}
	if _, ok := p.dst.conn.(interface{ CloseWrite() error }); end == FIN && !ok {
		end = FullClose // what cannot be half-closed can only be closed
	}
	if end != FIN {
		p.line.conn.end(end, name, nil)
		return
	}
	p.passed = true
	p.still.Store(p.eof)
	p.dst.closeWrite()
	p.line.conn.passedFIN(p.line.dir, name)
}

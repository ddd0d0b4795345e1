package chaos

import "bytes"

// A rewriter replaces the matches of a pattern in one stream of bytes. What comes out is what
// [regexp.Regexp.ReplaceAll] would make of the whole stream, however it is cut, as long as no match has more bytes than
// may be held back. It belongs to one goroutine.
//
// What it keeps true:
//   - held back is what follows the earliest place at which a match is still alive, and never more than the bound;
//     all the rest has been emitted when feed returns, from the slice that was fed;
//   - sent ≤ the start of every thread ≤ pos: bytes that were emitted are not looked at again, because whoever
//     receives them may change them;
//   - everything is decided at a position, from the bytes before it or the one behind it, so that the cuts cannot matter.
//
// A match that would have more bytes than may be held back is given up, and what lies behind its first byte is looked
// at afresh; but where that happens so often that it costs more than a few steps a byte, matches that began inside of
// it and came to the same state of the program are given up as well.
//
// Behind a match all bytes are looked at again that were held back in the hope of a preferred one. A pattern that keeps
// such a hope alive on purpose, such as a([ab]*c)? on nothing but a, pays the bound for every byte; so does ReplaceAll.
type rewriter struct {
	rw     *rewrite
	max    int64
	emit   func(rewritten) // while a call runs
	buf    []byte          // bytes held back by earlier calls
	data   []byte          // bytes of this call, which follow them
	origin int64           // position of the first byte of buf and data
	sent   int64           // up to where bytes have been emitted
	pos    int64           // up to where bytes have been looked at
	before rune            // the byte before sent, -1 if there is none
	prev   rune            // the byte before pos, -1 if there is none
	out    []byte          // the last replacement
	vm     rewriteState

	text    []byte // what a datagram becomes
	changes int
	collect func(rewritten) // gather, bound once
}

const (
	// noBound is more bytes than a datagram has.
	noBound = 1 << 30
	// maxIdleBuffer is what a rewriter that holds nothing back may keep for the next time: more than the usual
	// bound, so that only who asks for a large one pays for allocating again.
	maxIdleBuffer = 64 << 10
)

// rewritten is a run of bytes that goes on, and the bytes of the source that it stands for: those from at, src in
// number. Its data may be modified and must not be retained. It may be empty where a match was deleted.
type rewritten struct {
	data    []byte
	at      int64
	src     int
	changed bool // it is the replacement of a match, and differs from it
}

// newRewriter returns a rewriter for the bytes of a stream from a position on. Behind the stream's start nothing is
// known of the byte before it: it is taken for the end of a line, since a test imposes its faults between messages.
func newRewriter(rw *rewrite, at int64) *rewriter {
	r := &rewriter{rw: rw, max: int64(rw.max), origin: at, sent: at, pos: at, before: -1}
	if at > 0 {
		r.before = '\n'
	}
	r.prev = r.before
	r.vm.init(rw)
	return r
}

// feed takes bytes that have arrived and emits in order what may go on. What must wait is copied.
func (r *rewriter) feed(data []byte, emit func(rewritten)) {
	r.data, r.emit = data, emit
	r.run()
	keep := r.pos
	if len(r.vm.now.list) > 0 {
		keep = r.vm.now.list[0].start
	}
	r.pass(keep)
	r.carry(keep)
}

// flush emits what is held back, matched as it stands. At the end of the stream that is exact. If it has not ended (it
// pauses, or the fault is lifted), \b and (?m)$ take the last byte for the last of a text, and \z and $ do not match.
func (r *rewriter) flush(ended bool, emit func(rewritten)) {
	r.emit = emit
	r.finish(ended)
	r.carry(r.pos)
}

// held tells how many bytes are held back.
func (r *rewriter) held() int { return len(r.buf) }

// whole rewrites a datagram, which is a text of its own: nothing is held back, and a match may have any length. It
// returns the datagram itself if nothing changed, else bytes that are good until the next call, and counts the changes.
// A rewriter is used for datagrams or for a stream, not for both.
func (r *rewriter) whole(datagram []byte) (out []byte, changes int) {
	r.origin, r.sent, r.pos, r.before, r.prev = 0, 0, 0, -1, -1
	r.max = noBound
	r.text, r.changes = r.text[:0], 0
	if r.collect == nil {
		r.collect = r.gather
	}
	r.data, r.emit = datagram, r.collect
	r.run()
	r.finish(true)
	r.data, r.emit = nil, nil
	if r.changes == 0 {
		return datagram, 0
	}
	return r.text, r.changes
}

// gather puts the text of a rewritten datagram together, once something has changed.
func (r *rewriter) gather(p rewritten) {
	if p.changed && r.changes == 0 {
		r.text = append(r.text, r.data[:p.at]...)
	}
	if p.changed {
		r.changes++
	}
	if r.changes > 0 {
		r.text = append(r.text, p.data...)
	}
}

// run looks at all bytes that are there.
func (r *rewriter) run() {
	end := r.origin + int64(len(r.buf)+len(r.data))
	for r.pos < end {
		if len(r.vm.now.list) > 0 || r.skip() {
			r.step(r.byteAt(r.pos))
		}
	}
}

// skip moves on to the next byte that a match can begin with, when none is alive. It stops at the end of a slice and
// reports whether there is such a byte.
func (r *rewriter) skip() bool {
	rest := r.buf
	i := r.pos - r.origin
	if n := int64(len(r.buf)); i >= n {
		rest, i = r.data, i-n
	}
	rest = rest[i:]
	n := len(rest)
	if !r.rw.anchored || r.pos == 0 {
		n = r.rw.begin(rest)
	}
	r.moveTo(r.pos + int64(n))
	return n < len(rest)
}

// finish settles what is alive when no more bytes follow, and emits everything.
func (r *rewriter) finish(ended bool) {
	for r.settleEnd(ended); r.vm.found.ok; r.settleEnd(ended) {
		r.commit()
		r.run()
	}
	r.vm.clear()
	r.pass(r.pos)
}

// commit replaces the match that was found, and goes on behind it.
func (r *rewriter) commit() {
	m := r.vm.found
	r.out = r.out[:0]
	for _, p := range r.rw.with {
		switch {
		case p.group < 0:
			r.out = append(r.out, p.text...)
		case p.group == 0:
			r.out = r.appendBytes(r.out, m.start, m.end)
		case m.caps[p.slot] >= 0 && m.caps[p.slot+1] >= 0:
			r.out = r.appendBytes(r.out, m.caps[p.slot], m.caps[p.slot+1])
		}
	}
	if a, b := r.between(m.start, m.end); !equalParts(r.out, a, b) {
		r.pass(m.start)
		r.before, r.sent = rune(r.byteAt(m.end-1)), m.end
		r.emit(rewritten{data: r.out, at: m.start, src: int(m.end - m.start), changed: true})
	}
	r.vm.clear()
	r.moveTo(m.end)
}

// pass emits the bytes up to a position as they are.
func (r *rewriter) pass(to int64) {
	if to == r.sent {
		return
	}
	at := r.sent
	a, b := r.between(at, to)
	r.before, r.sent = rune(r.byteAt(to-1)), to
	if len(a) > 0 {
		r.emit(rewritten{data: a, at: at, src: len(a)})
	}
	if len(b) > 0 {
		r.emit(rewritten{data: b, at: at + int64(len(a)), src: len(b)})
	}
}

// carry keeps the bytes from a position on for the next call.
func (r *rewriter) carry(from int64) {
	if i, n := int(from-r.origin), len(r.buf); i >= n {
		r.buf = append(r.buf[:0], r.data[i-n:]...)
	} else if i > 0 || len(r.data) > 0 {
		r.buf = append(r.buf[:copy(r.buf, r.buf[i:])], r.data...)
	}
	if len(r.buf) == 0 && cap(r.buf) > maxIdleBuffer {
		r.buf = nil
	}
	r.origin = from
	r.data, r.emit = nil, nil
}

// moveTo makes pos the next byte to look at.
func (r *rewriter) moveTo(pos int64) {
	r.pos = pos
	if r.prev = r.before; pos > r.sent {
		r.prev = rune(r.byteAt(pos - 1))
	}
}

func (r *rewriter) byteAt(pos int64) byte {
	i, n := int(pos-r.origin), len(r.buf)
	if i < n {
		return r.buf[i]
	}
	return r.data[i-n]
}

// between returns the bytes between two positions, which may lie in two slices.
func (r *rewriter) between(from, to int64) (a, b []byte) {
	i, j, n := int(from-r.origin), int(to-r.origin), len(r.buf)
	if i < n {
		end := min(j, n)
		a = r.buf[i:end:end]
		i = n
	}
	if j > n {
		b = r.data[i-n : j-n : j-n]
	}
	return a, b
}

func (r *rewriter) appendBytes(dst []byte, from, to int64) []byte {
	a, b := r.between(from, to)
	return append(append(dst, a...), b...)
}

// equalParts reports whether a and b together are the same bytes as s.
func equalParts(s, a, b []byte) bool {
	return len(s) == len(a)+len(b) && bytes.Equal(s[:len(a)], a) && bytes.Equal(s[len(a):], b)
}

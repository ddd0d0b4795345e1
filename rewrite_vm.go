package chaos

import "regexp/syntax"

// A rewriteState is the simulation of a compiled pattern: all threads that could still become the match, in the order
// of preference that leftmost-first means. It is Pike's machine, except that a thread is followed as far as it can be
// without the byte that comes next: only the assertions that look at that byte wait for it, so that a match is known
// with its last byte.
type rewriteState struct {
	now, next rewriteThreads // next is for those behind the next byte, and keeps those before the last
	found     rewriteMatch   // the best match so far; the threads that remain are those that would be preferred to it
	waiting   bool           // a thread of now stands before an assertion that needs the next byte
	again     int64          // how many bytes have been looked at again

	// What add works with.
	into    *rewriteThreads
	at      int64
	start   int64
	flags   syntax.EmptyOp // the assertions that hold at this place
	unknown syntax.EmptyOp // those for which the next byte must be known
	caps    []int64
	cut     bool // a match was found: what comes now would not be preferred to it
}

type rewriteMatch struct {
	ok         bool
	start, end int64
	caps       []int64
}

// rewriteThreads are threads in the order of preference, so also in the order of their starts.
type rewriteThreads struct {
	list []rewriteThread
	caps []int64  // of the first thread, of the second, …
	mark []uint64 // the steps of the program that have been visited have the mark gen
	gen  uint64
}

// A rewriteThread stands before a step that matches a byte, or before an assertion.
type rewriteThread struct {
	pc    uint32
	start int64
}

func (t *rewriteThreads) reset() {
	t.list, t.caps = t.list[:0], t.caps[:0]
	t.gen++
}

func (s *rewriteState) init(rw *rewrite) {
	s.now.mark, s.next.mark = make([]uint64, len(rw.prog)), make([]uint64, len(rw.prog))
	s.caps, s.found.caps = make([]int64, rw.slots), make([]int64, rw.slots)
}

func (s *rewriteState) clear() {
	s.now.reset()
	s.waiting, s.found.ok = false, false
}

// load makes the start and the captures of thread i the current ones.
func (s *rewriteState) load(from *rewriteThreads, i int) {
	s.start = from.list[i].start
	n := len(s.caps)
	copy(s.caps, from.caps[i*n:])
}

// aim says where add is to put threads, at which place in the stream and in which surroundings.
func (s *rewriteState) aim(into *rewriteThreads, at int64, flags, unknown syntax.EmptyOp) {
	s.into, s.at, s.flags, s.unknown, s.cut = into, at, flags, unknown, false
}

// lookahead are the assertions that depend on the byte behind the place.
const lookahead = syntax.EmptyEndLine | syntax.EmptyEndText | syntax.EmptyWordBoundary | syntax.EmptyNoWordBoundary

// add follows the program from pc on to the steps that need a byte.
func (s *rewriteState) add(rw *rewrite, pc uint32) {
	if s.cut || s.into.mark[pc] == s.into.gen {
		return
	}
	s.into.mark[pc] = s.into.gen
	switch step := &rw.prog[pc]; step.op {
	case syntax.InstAlt, syntax.InstAltMatch:
		s.add(rw, step.out)
		s.add(rw, step.arg)
	case syntax.InstNop:
		s.add(rw, step.out)
	case syntax.InstCapture:
		if step.arg == noSlot {
			s.add(rw, step.out)
			return
		}
		old := s.caps[step.arg]
		s.caps[step.arg] = s.at
		s.add(rw, step.out)
		s.caps[step.arg] = old
	case syntax.InstEmptyWidth:
		need := syntax.EmptyOp(step.arg) &^ s.flags
		if need == 0 {
			s.add(rw, step.out)
		} else if need&^s.unknown == 0 {
			s.waiting = true
			s.put(pc)
		}
	case syntax.InstMatch:
		s.found.ok, s.found.start, s.found.end = true, s.start, s.at
		copy(s.found.caps, s.caps)
		s.cut = true
	case syntax.InstRune:
		s.put(pc)
	}
}

func (s *rewriteState) put(pc uint32) {
	s.into.list = append(s.into.list, rewriteThread{pc, s.start})
	s.into.caps = append(s.into.caps, s.caps...)
}

// follow lets the threads of from take the byte c, behind which is the place that was aimed at.
func (r *rewriter) follow(from *rewriteThreads, c byte) {
	s := &r.vm
	s.into.reset()
	s.waiting = false
	for i, t := range from.list {
		if step := &r.rw.prog[t.pc]; step.has(c) {
			s.load(from, i)
			if s.add(r.rw, step.out); s.cut {
				return
			}
		}
	}
}

// settle takes the last byte once more, now that it is known what follows it. To go on from the assertions that
// waited would not do: which of two ways is preferred can depend on the steps that were visited before them.
func (r *rewriter) settle(flags syntax.EmptyOp) {
	s := &r.vm
	s.aim(&s.now, r.pos, flags, 0)
	r.follow(&s.next, byte(r.prev))
}

// settleEnd settles what waits when there is no next byte.
func (r *rewriter) settleEnd(ended bool) {
	if !r.vm.waiting {
		return
	}
	flags := syntax.EmptyOpContext(r.prev, -1)
	if !ended {
		flags &^= syntax.EmptyEndText
	}
	r.settle(flags)
}

// step looks at the byte at pos. It leaves pos behind the byte, or, where a match was found or given up, at the place
// from which to go on.
func (r *rewriter) step(c byte) {
	s, rw := &r.vm, r.rw
	var flags syntax.EmptyOp
	if rw.asserts {
		flags = syntax.EmptyOpContext(r.prev, rune(c))
	}
	if s.waiting {
		r.settle(flags)
		if r.decide() {
			return
		}
	}
	if !s.found.ok && rw.first[c] {
		r.begin(flags)
	}
	flags, unknown := syntax.EmptyOp(0), syntax.EmptyOp(0)
	if rw.asserts {
		flags, unknown = syntax.EmptyOpContext(rune(c), -1)&^lookahead, lookahead
	}
	s.aim(&s.next, r.pos+1, flags, unknown)
	r.follow(&s.now, c)
	s.now, s.next = s.next, s.now
	r.pos++
	r.prev = rune(c)
	r.decide()
}

// begin starts a thread at pos, behind all that are there.
func (r *rewriter) begin(flags syntax.EmptyOp) {
	s := &r.vm
	if len(s.now.list) == 0 {
		s.now.reset() // What is marked was visited at another place.
	}
	for i := range s.caps {
		s.caps[i] = -1
	}
	s.aim(&s.now, r.pos, flags, 0)
	s.start = r.pos
	s.add(r.rw, r.rw.start)
}

// decide commits a match to which none can be preferred any more, and gives up those that have become too long.
// It reports whether pos has moved.
func (r *rewriter) decide() (moved bool) {
	s := &r.vm
	for len(s.now.list) > 0 {
		start := s.now.list[0].start
		if r.pos-start < r.max || s.waiting && r.awaits(start) {
			return false
		}
		if s.found.ok && s.found.start == start {
			break // What would be preferred would be too long.
		}
		// Looking again may cost eight steps for each byte of the stream, and something to begin with.
		if n := r.pos - start - 1; s.again+n <= 8*(r.pos+r.max) {
			s.again += n
			s.clear()
			r.moveTo(start + 1)
			return true
		}
		r.drop(start)
	}
	if !s.found.ok {
		return false
	}
	r.commit()
	return true
}

// awaits reports whether a thread with this start waits for the next byte: it may be a match as long as is allowed.
func (r *rewriter) awaits(start int64) bool {
	for _, t := range r.vm.now.list {
		if t.start != start {
			break
		}
		if r.rw.prog[t.pc].op == syntax.InstEmptyWidth {
			return true
		}
	}
	return false
}

// drop gives up the threads with the earliest start.
func (r *rewriter) drop(start int64) {
	t := &r.vm.now
	n := 0
	for n < len(t.list) && t.list[n].start == start {
		n++
	}
	t.list = t.list[:copy(t.list, t.list[n:])]
	t.caps = t.caps[:copy(t.caps, t.caps[n*len(r.vm.caps):])]
	// What they have visited must not stand in the way of threads that begin here.
	t.gen++
	for _, kept := range t.list {
		t.mark[kept.pc] = t.gen
	}
}

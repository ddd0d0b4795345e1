package chaos

import (
	"sync/atomic"
	"time"
)

// pause is how long a stream is silent before what [Substitute] holds back goes on: far longer than the parts of a
// message are apart, and short beside what a person or a timeout notices.
const pause = 20 * time.Millisecond

// A rewriting is one direction of one connection in the hands of a [Substitute]. It is the stage's State, and its bytes count for the line.
type rewriting struct {
	st    *Stage
	next  Sink
	rw    *rewrite
	r     *rewriter // made when the first bytes come, for only then their position is known
	last  mark      // when the last of what is held back had come
	held  int       // bytes that the line was told of
	armed bool      // an alarm is set
	due   time.Time // when what is emitted is to leave
	path  []step    // for use again
	emit  func(rewritten)
	wake  func()
}

// compiled returns the compiled pattern, which all connections share.
func (f Substitute) compiled(st *Stage) *rewrite {
	type of struct {
		fault Substitute
		rw    *rewrite
	}
	shared := st.Shared(func() any { return new(atomic.Pointer[of]) }).(*atomic.Pointer[of])
	if c := shared.Load(); c != nil && c.fault == f {
		return c.rw
	}
	rw, err := compileRewrite(f.Pattern, f.With, f.Max)
	if err != nil {
		panic(err) // Check has compiled it
	}
	shared.Store(&of{f, rw})
	return rw
}

// follow makes rw what is obeyed, now that the fault was imposed or changed.
func (w *rewriting) follow(rw *rewrite) {
	w.emit, w.wake, w.armed = w.pass, w.ring, false
	if w.rw != rw {
		w.release()
		w.rw, w.r = rw, nil
	}
	w.arm()
}

// sink rewrites a segment.
func (w *rewriting) sink(s Segment) {
	if w.r == nil {
		w.r = newRewriter(w.rw, w.st.Offset())
	}
	if w.st.Datagrams() {
		n, changes := len(s.Data), 0
		s.Data, changes = w.r.whole(s.Data)
		w.st.hits(changes, w.st.Offset(), n)
		w.next(s)
		return
	}
	if end := w.last.due.Add(pause); w.held > 0 && s.Due.After(end) {
		w.flush(end, false) // it will have left when s gets here
	}
	w.due = s.Due
	w.r.feed(s.Data, w.emit)
	if s.End != More {
		w.r.flush(true, w.emit)
		w.next(Segment{Due: s.Due, End: s.End, by: s.by})
	}
	held := w.held > 0
	if w.count(); w.held > 0 && (!held || s.Due.After(w.last.due)) {
		w.last.set(s.Due, w.st.line.path)
	}
	w.arm()
}

// flush matches what is held back as it stands and passes it on.
func (w *rewriting) flush(due time.Time, ended bool) {
	if w.held == 0 {
		return
	}
	w.due = later(due, w.last.due)
	came := Segment{Due: w.last.due, at: w.st.line.offset + 1}
	w.path = w.st.again(came, w.last.path, w.path, func() { w.r.flush(ended, w.emit) })
	w.count()
}

// release flushes because the fault was lifted or changed: nothing that it has added is to be taken back.
func (w *rewriting) release() {
	w.last.due = later(w.last.due, w.st.Now())
	w.flush(w.last.due, false)
}

// pass passes on what the rewriter emits.
func (w *rewriting) pass(p rewritten) {
	if p.changed {
		w.st.hits(1, p.at, p.src)
	}
	if len(p.data) > 0 {
		w.next(Segment{Data: p.data, Due: w.due, at: p.at + 1})
	}
}

// arm has an alarm ring at the end of a pause, or before: one at a time will do.
func (w *rewriting) arm() {
	if w.held > 0 && !w.armed {
		w.armed = true
		w.st.At(w.last.due.Add(pause), w.wake)
	}
}

// ring flushes if the stream has paused.
func (w *rewriting) ring() {
	w.armed = false
	if end := w.last.due.Add(pause); !end.After(w.st.Now()) {
		w.flush(end, false)
	}
	w.arm()
}

// count tells the line how much is held back.
func (w *rewriting) count() {
	held := w.r.held()
	w.st.line.add(int64(held - w.held))
	w.held = held
}

func (w *rewriting) takeBack(st *Stage, _ time.Time) {
	w.last.takeBack(st)
	w.armed = false
	w.arm()
}

func (w *rewriting) bytes() int64 { return int64(w.held) }

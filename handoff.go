package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A transform is a test's own code: it reads the bytes of a direction and writes what is to go on. It ends when ctx does.
type transform func(ctx context.Context, dst io.Writer, src io.Reader) error

// lastCall is how long a transform may take to return once it was lifted, or its source was reset.
const lastCall = time.Second

// A handoff is one direction of one connection in the hands of a transform, on a goroutine of the transform's own: what [Through]
// and [Detour] do. It is a State.
//
// What it keeps true:
//   - the line never waits for the transform: bytes change hands in two spools, and word of it comes by Post;
//   - the transform gets bytes when they are due, and what it writes is due at once;
//   - what has come and is not handed over is kept, and holds the reading when it is due or too much;
//   - nothing is passed on that a transform would overtake: lifted or changed, it is waited for.
type handoff struct {
	kept
	next  Sink
	task  *task  // the transform at work, nil once its end was passed on
	end   End    // how the source's stream has ended, as far as the transform was told
	by    *Stage // who has ended it
	then  func() // what follows the transform's return in place of an end, nil if nothing
	bell  bell   // rings for what is kept and not due
	ring  func() // what it calls
	wrote int64  // position of the next datagram that a transform writes, plus one
	over  bool   // the connection has ended
	whole bool   // when the transform returns before the stream has ended, that ends the connection, not just the direction
}

// A task is one run of a transform.
type task struct {
	in, out  *spool
	cancel   context.CancelFunc
	returned bool
	err      error
}

// handOff has a transform do a fault's work. If the fault was changed, the transform of before is ended first. A transform that returns
// before its source has ended ends the direction or, if whole, the connection.
func handOff(st *Stage, next Sink, whole bool, code transform) Sink {
	fresh := false
	h := st.State(func() any { fresh = true; return new(handoff) }).(*handoff)
	h.st, h.next, h.whole, h.bell = st, next, whole, bell{}
	h.moved = func() {
		h.bell = bell{}
		h.move()
	}
	h.ring = func() {
		if h.bell.rang(st.line.now) {
			h.move()
		}
	}
	st.Cleanup(h.lifted)
	switch {
	case fresh:
		h.wrote = st.Offset() + 1
		h.begin(code)
	case h.task != nil:
		h.recall(func() {
			if h.end != More {
				h.passEnd(h.end)
			} else {
				h.begin(code)
			}
			h.move()
		})
	}
	return func(s Segment) {
		if st.hasData(s) {
			st.Hit(len(s.Data))
		}
		h.keep(s)
		h.move()
		if s.End == RST && s.by == nil { // a transform may make something of a reset, but not keep it from being heard
			h.unlessReturned(s.Due.Add(lastCall), func() {
				h.end, h.by = RST, nil
				h.passEnd(RST)
			})
		}
	}
}

// begin starts a transform.
func (h *handoff) begin(code transform) {
	st := h.st
	ctx, cancel := context.WithCancel(context.Background())
	t := &task{cancel: cancel}
	t.in = newSpool(st.Datagrams(), func() { st.Post(h.move) })
	t.out = newSpool(st.Datagrams(), func() { st.Post(func() { h.drain(t) }) })
	h.task = t
	st.line.conn.gate.spawn(st, func() {
		t.run(ctx, code, func(err error) {
			st.Post(func() {
				t.returned, t.err = true, err
				h.drain(t)
			})
		})
	})
}

// run calls the transform and tells what it returned. A panic is an error.
func (t *task) run(ctx context.Context, code transform, ended func(error)) {
	err := errors.New("the code has ended its goroutine instead of returning")
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
		t.end(net.ErrClosed) // what the transform may have left behind
		ended(err)
	}()
	err = code(ctx, t.out, t.in)
}

// end makes whatever the transform does from now on fail.
func (t *task) end(err error) {
	t.in.abandon(err)
	t.out.abandon(err)
	t.cancel()
}

// finish lets the transform read what it was given, and then the end of the stream.
func (t *task) finish(end End) {
	if end == RST || end == Abort {
		t.in.finish(syscall.ECONNRESET)
	} else {
		t.in.finish(io.EOF)
	}
}

// move hands over what is due and has room.
func (h *handoff) move() {
	now := h.st.line.now
	for it := h.front(); it != nil && h.then == nil && !it.leave.After(now); it = h.front() {
		if h.task == nil {
			h.st.line.forget(it.segment())
		} else {
			if h.task.in.full() {
				break
			}
			if h.st.hasData(it.segment()) {
				h.task.in.put(it.data)
			}
			if it.end != More {
				h.end, h.by = it.end, it.by
				h.task.finish(it.end)
			}
		}
		h.pop() // whatever comes after the transform's end is taken and forgotten
	}
	h.hold(now)
}

// hold keeps the gate from reading as long as there is no more room, and waits for what is not due.
func (h *handoff) hold(now time.Time) {
	it := h.front()
	late := it != nil && !it.leave.After(now)
	if h.then != nil || late || h.queue.cost >= int64(h.st.line.conn.gate.window()) {
		h.st.Hold(Never)
	} else {
		h.st.Hold(time.Time{})
	}
	if it != nil && !late {
		h.bell.at(h.st, it.leave, h.ring)
	}
}

// drain passes on what a transform has written, as far as there is room, and in the end what follows it.
func (h *handoff) drain(t *task) {
	if h.over || h.task != t || !h.st.line.room(func() { h.drain(t) }) {
		return
	}
	t.out.take(func(data []byte) {
		s := Segment{Data: data, Due: h.st.Now()}
		if h.st.Datagrams() { // the same number for the same datagram, whenever it comes back
			s.at = h.wrote
			h.wrote++
		}
		h.next(s)
	})
	if !t.returned {
		return
	}
	h.task = nil
	switch then := h.then; {
	case t.err != nil && !(h.end == RST && errors.Is(t.err, syscall.ECONNRESET)):
		h.st.fail(RST, t.err)
	case then != nil:
		h.then = nil
		then()
	default:
		end := max(FIN, h.end)
		if h.whole && h.end == More {
			end, h.by = closing(false), h.st
		}
		h.passEnd(end)
		h.move()
	}
}

// bytes counts what waits for the transform and what it has written as well: when the connection ends that is lost.
func (h *handoff) bytes() int64 {
	n := h.kept.bytes()
	if h.task != nil {
		n += h.task.in.waiting() + h.task.out.waiting()
	}
	return n
}

// passEnd passes the end of the stream on: the source's, if it has come to that, or the transform's own.
func (h *handoff) passEnd(end End) {
	s := Segment{Due: h.st.Now(), End: end, at: h.st.line.offset + 1, by: h.by}
	from := s
	from.End = h.end
	h.path = h.st.again(from, nil, h.path, func() { h.next(s) })
}

// recall ends the transform, and has then called once it has returned and all it wrote was passed on.
func (h *handoff) recall(then func()) {
	h.then = then
	h.task.in.finish(io.EOF)
	h.hold(h.st.Now())
	h.unlessReturned(h.st.Now().Add(lastCall), func() { h.st.End(RST) })
}

// unlessReturned has f called at some time, unless the transform has returned by then.
func (h *handoff) unlessReturned(at time.Time, f func()) {
	t := h.task
	h.st.At(at, func() {
		if t != nil && h.task == t {
			f()
		}
	})
}

// lifted ends the handoff: at once if the connection has ended, or else when the transform has returned.
func (h *handoff) lifted() {
	if h.st.line.ending != nil {
		h.over = true
		h.drop()
		if h.task != nil {
			h.task.end(net.ErrClosed)
		}
		return
	}
	st := h.st
	settle := func() {
		if h.end != More { // it came with the last of what the transform was given
			h.passEnd(h.end)
		}
		h.release(h.next)
		st.line.settled(st)
	}
	if h.task == nil { // its end was passed on: nothing can follow
		h.drop()
		return
	}
	st.lingers = true
	st.Cleanup(h.lifted) // for the connection's end, which may come first
	h.recall(settle)
}

// panicked returns an error for what recover has returned in a deferred function, with the place of the panic.
func panicked(v any) error {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") || !more {
			return fmt.Errorf("panic: %v (%s, line %d)", v, frame.Function, frame.Line)
		}
	}
}

// carriesLingering reports whether a fault that the stage's carries was lifted and is waited for, so that the stage has to
// linger as well.
func (st *Stage) carriesLingering() (lingers bool) {
	for _, sub := range st.subs {
		if !sub.gone {
			sub.lingers = sub.lingers || sub.carriesLingering()
			lingers = lingers || sub.lingers
		}
	}
	return lingers
}

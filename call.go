package chaos

import (
	"cmp"
	"time"
	"unsafe"
)

// A call is what a stage's Sink is working on. Its zero value stands for work that no segment started: an alarm,
// a cleanup, a posted function.
type call struct {
	inside bool
	due    time.Time
	at     int64
	twin   uint64
	data   []byte
	end    End
	passed int // how many steps the segment had behind it
}

// enter hands a segment to the fault.
func (st *Stage) enter(s Segment) {
	was := st.now
	st.now = call{inside: true, due: s.Due, at: s.at, twin: s.twin, data: s.Data, end: s.End, passed: len(st.line.path)}
	st.sink(s)
	st.now = was
}

// pass is the Sink that a fault passes its segments to. It keeps what the fault need not know: the position of the
// bytes, the time that the fault added, and who ended the stream.
func (st *Stage) pass(s Segment) {
	if st.gone {
		return
	}
	if st.line.datagrams && s.End != More && len(s.Data) > 0 {
		datagram := s
		datagram.End = More
		st.pass(datagram)
		s.Data = nil // the session ends behind all that is under way, for which no datagram is to wait
	}
	st.locate(&s)
	l, step := st.line, step{stage: st}
	if st.now.inside {
		step.added = s.Due.Sub(st.now.due)
		for _, p := range l.path[st.now.passed:] {
			if p.stage != st && p.stage.within(st) {
				step.added -= p.added
			}
		}
	}
	if s.End != More && s.by == nil && (!st.now.inside || st.now.end == More) {
		s.by = st
	}
	l.path = append(l.path, step)
	st.next(s)
	l.path = l.path[:len(l.path)-1]
}

// locate gives a segment that a fault passes on, or keeps, its position.
func (st *Stage) locate(s *Segment) {
	switch fresh := s.at == 0; {
	case st.now.inside:
		if fresh {
			s.twin = st.now.twin
		}
		s.at = st.place(*s)
	case fresh:
		s.at = st.line.offset + 1
	}
}

// place returns the position of a segment that a Sink passes on. A part of what came in lies that much further on;
// a segment that was kept has its own; anything else stands where what came in stood. A datagram stands where it stood,
// whatever is left of it.
func (st *Stage) place(s Segment) int64 {
	c := &st.now
	if st.line.datagrams {
		return cmp.Or(s.at, c.at)
	}
	if len(s.Data) > 0 && len(c.data) > 0 {
		if d := uintptr(unsafe.Pointer(&s.Data[0])) - uintptr(unsafe.Pointer(&c.data[0])); d < uintptr(len(c.data)) {
			return c.at + int64(d)
		}
	}
	if len(s.Data) == 0 && s.End != More {
		return c.at + int64(len(c.data))
	}
	if s.at != 0 {
		return s.at
	}
	return c.at
}

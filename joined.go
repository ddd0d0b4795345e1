package chaos

import (
	"slices"
	"time"
)

// joined is what a [Concat] holds back: any number of segments as one. It is the stage's State. Its bytes count for the line.
type joined struct {
	st          *Stage
	data        []byte
	end         End
	by          *Stage
	at          int64  // position of the first byte
	first, last mark   // when the first and the last byte had come
	armed       bool   // an alarm is set
	moved       func() // called when the marks have moved
	path        []step // for use again
}

// A mark is a moment, and what the stages before have added to it.
type mark struct {
	due  time.Time
	path []step
}

// add joins the segment that the stage's Sink works on to the others.
func (j *joined) add(s Segment) {
	path := j.st.line.path
	if len(j.data) == 0 {
		j.at = j.st.place(s)
		j.first.set(s.Due, path)
		j.last.set(s.Due, path)
	} else if s.Due.After(j.last.due) {
		j.last.set(s.Due, path)
	}
	j.data = append(j.data, s.Data...)
	j.end, j.by = s.End, s.by
	j.st.line.add(int64(len(s.Data)))
}

// set makes the mark that of a segment.
func (m *mark) set(due time.Time, path []step) { m.due, m.path = due, append(m.path[:0], path...) }

// release passes what is held on, as one segment.
func (j *joined) release(due time.Time, next Sink) {
	if len(j.data) == 0 {
		return
	}
	s := Segment{Data: j.data, Due: due, End: j.end, at: j.at, by: j.by}
	came := s
	came.Due = j.last.due
	j.data = j.data[:0]
	j.st.line.add(-int64(len(s.Data)))
	j.path = j.st.again(came, j.last.path, j.path, func() { next(s) })
}

func (j *joined) takeBack(st *Stage, _ time.Time) {
	j.first.takeBack(st)
	j.last.takeBack(st)
	if j.first.due.After(j.last.due) {
		j.last.set(j.first.due, j.first.path)
	}
	j.moved()
}

// takeBack takes back the time that a stage has added.
func (m *mark) takeBack(st *Stage) {
	m.path = slices.DeleteFunc(m.path, func(p step) bool {
		if p.stage.within(st) {
			m.due = m.due.Add(-p.added)
			return true
		}
		return false
	})
}

func (j *joined) bytes() int64 { return int64(len(j.data)) }

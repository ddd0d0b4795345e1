package chaos

import "time"

// slicing is where the pieces of a Slice stand.
type slicing struct {
	left int       // bytes that the piece which has begun still takes
	last time.Time // when the last write leaves
	path []step    // what the stages before have added to that
}

// takeBack implements keeper: what comes next does not wait for a moment that was put off by a fault which is lifted.
func (s *slicing) takeBack(st *Stage, _ time.Time) {
	m := mark{s.last, s.path}
	m.takeBack(st)
	s.last, s.path = m.due, m.path
}

func (s *slicing) bytes() int64 { return 0 }

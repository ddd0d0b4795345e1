package chaostest

// A memStream is one direction of a connection: what one end has written and the other has not read.
//
// It remembers where each Write ended. A Write that finds too little room leaves its rest in more, and every take refills
// the room that it makes from there, under the same lock. What a take returns therefore depends on the Writes and on the
// sizes of the Reads alone, never on the limit or on which goroutine ran first.
//
// The fields are guarded by the connection's mutex.
type memStream struct {
	limit int    // how much data may hold, at least 1
	data  []byte // the bytes to be read, from head on
	head  int
	lens  []int  // how many bytes of data are left of each Write, in order; none is zero
	more  []byte // the rest of the Write that is parked; it belongs to that Write and is only read
	open  bool   // the last of lens belongs to the Write that is parked
	shut  bool   // the writer has ended the stream: nothing more is taken from more
}

// size is the number of bytes that can be read.
func (s *memStream) size() int { return len(s.data) - s.head }

// put takes as much of p as there is room for; the rest is in more. No other Write is parked.
func (s *memStream) put(p []byte) {
	s.more, s.open = p, false
	s.fill()
}

// leave ends the Write that was parked and returns how many of its bytes were not taken.
func (s *memStream) leave() (rest int) {
	rest = len(s.more)
	s.more, s.open = nil, false
	return rest
}

// fill moves bytes of the parked Write into the room there is.
func (s *memStream) fill() {
	n := min(s.limit-s.size(), len(s.more))
	if n == 0 || s.shut {
		return
	}
	if s.head > 0 && len(s.data)+n > cap(s.data) {
		s.data = s.data[:copy(s.data, s.data[s.head:])]
		s.head = 0
	}
	s.data = append(s.data, s.more[:n]...)
	s.more = s.more[n:]
	if s.open {
		s.lens[len(s.lens)-1] += n
		return
	}
	s.lens = append(s.lens, n)
	s.open = true
}

// take moves into p what fits of the earliest Write, even what that Write is still waiting to put. It is called only when
// size is not zero.
func (s *memStream) take(p []byte) (n int) {
	for n < len(p) {
		k := copy(p[n:], s.data[s.head:s.head+s.lens[0]])
		n += k
		s.head += k
		s.lens[0] -= k
		s.fill()
		if s.lens[0] > 0 {
			continue // p is full, or the parked Write has just put more
		}
		if s.lens = s.lens[1:]; len(s.lens) == 0 {
			s.data, s.head, s.lens, s.open = s.data[:0], 0, nil, false
		}
		return n
	}
	return n
}

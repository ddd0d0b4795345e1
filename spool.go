package chaos

import (
	"bytes"
	"sync"
	"syscall"
)

// spoolSize is how many bytes wait at most between a line and a test's own code, either way.
const spoolSize = 64 << 10

// A spool carries bytes between a line and the goroutine of a test's own code, one way. The line's side (put, full, take, finish,
// abandon) never waits; the code's (Read, Write) does. Datagrams are read and written one at a time.
type spool struct {
	datagrams bool
	notify    func() // tells the line that there is room again, or something to take; it does not wait

	mu    sync.Mutex // guards what follows; held shortly
	moved sync.Cond  // whenever the code may go on; of mu
	buf   bytes.Buffer
	sizes []int // of the datagrams in buf
	owed  bool  // the line is to be notified when there is room, or has been and has not looked yet
	end   error // what a reader gets after the bytes, nil if more may come
	gone  error // what both get at once, nil as long as the code and the line are there

	spare bytes.Buffer // the line's own: what was taken last, for use again
}

func newSpool(datagrams bool, notify func()) *spool {
	s := &spool{datagrams: datagrams, notify: notify}
	s.moved.L = &s.mu
	return s
}

// put adds bytes for the code to read. There should be room; a little more does no harm.
func (s *spool) put(data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(data)
	s.moved.Broadcast()
}

func (s *spool) add(data []byte) {
	s.buf.Write(data)
	if s.datagrams {
		s.sizes = append(s.sizes, len(data))
	}
}

// waiting returns how many bytes are in the spool.
func (s *spool) waiting() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(s.buf.Len())
}

// full reports whether there is no room, and has the line notified when there is.
func (s *spool) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed = s.load() >= spoolSize && s.gone == nil
	return s.owed
}

// load returns how much waits. A datagram counts for more than its bytes, so that empty ones are bounded, too.
func (s *spool) load() int { return s.buf.Len() + 64*len(s.sizes) }

// finish lets the code read what there is, and then err. Only the first counts.
func (s *spool) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		s.end = err
	}
	s.moved.Broadcast()
}

// abandon makes the code's every call fail with err, from now on.
func (s *spool) abandon(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = err
	s.moved.Broadcast()
}

// Read reads what the line has put, or one datagram, and waits for it.
func (s *spool) Read(p []byte) (n int, err error) {
	s.mu.Lock()
	for s.gone == nil && s.end == nil && s.empty() {
		s.moved.Wait()
	}
	switch {
	case s.gone != nil:
		err = s.gone
	case s.empty():
		err = s.end
	case s.datagrams:
		n = copy(p, s.buf.Next(s.sizes[0]))
		s.sizes = s.sizes[1:]
	default:
		n, _ = s.buf.Read(p)
	}
	room := s.owed && s.load() < spoolSize
	if room {
		s.owed = false
	}
	s.mu.Unlock()
	if room {
		s.notify()
	}
	return n, err
}

// empty reports whether there is nothing to read.
func (s *spool) empty() bool { return s.buf.Len() == 0 && len(s.sizes) == 0 }

// Write hands bytes, or one datagram, to the line, and waits for room.
func (s *spool) Write(p []byte) (n int, err error) {
	if s.datagrams && len(p) > mostDatagram {
		return 0, syscall.EMSGSIZE
	}
	for first := true; err == nil && (first || len(p) > 0); first = false {
		s.mu.Lock()
		for s.gone == nil && s.load() >= spoolSize {
			s.moved.Wait()
		}
		part := p
		if !s.datagrams {
			part = p[:min(len(p), max(0, spoolSize-s.buf.Len()))]
		}
		if err = s.gone; err == nil {
			s.add(part)
			n, p = n+len(part), p[len(part):]
		}
		tell := err == nil && !s.owed
		s.owed = s.owed || tell
		s.mu.Unlock()
		if tell {
			s.notify()
		}
	}
	return n, err
}

// take passes what the code has written to f, as one piece or datagram by datagram. What f is given is gone when it returns.
func (s *spool) take(f func(data []byte)) {
	s.mu.Lock()
	s.owed = false
	buf, sizes := s.buf, s.sizes
	s.buf, s.sizes = s.spare, nil
	s.moved.Broadcast()
	s.mu.Unlock()
	for _, n := range sizes {
		f(buf.Next(n))
	}
	if buf.Len() > 0 {
		f(buf.Bytes())
	}
	buf.Reset()
	s.spare = buf
}

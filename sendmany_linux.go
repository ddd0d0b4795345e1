package chaos

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// manyAtOnce is how many small writes go to the kernel at once, each still a write of its own. It spends more than twice as
	// long on 64 bytes that come alone.
	manyAtOnce = 64
	// fewAtOnce is up to how many are not worth the trouble.
	fewAtOnce = 4
)

// A sheaf is what so many writes are handed over in.
type sheaf struct {
	headers [manyAtOnce]mmsghdr
	iovs    [manyAtOnce]unix.Iovec
	n       int // how many are to be written
	done    int // how many were, the last perhaps in part
	err     error
	writeFn func(fd uintptr) bool // made once, for a closure is an allocation
}

var sheaves = sync.Pool{New: func() any {
	s := new(sheaf)
	s.writeFn = s.write
	for i := range s.headers {
		s.headers[i].hdr.Iov = &s.iovs[i]
		s.headers[i].hdr.SetIovlen(1)
	}
	return s
}}

// write is called when the socket may have room.
func (s *sheaf) write(fd uintptr) bool {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.headers[0])), uintptr(s.n), unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			s.done = int(n)
			return true
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		}
		s.err = errno
		return true
	}
}

// writeMany writes the small segments at the front of the queue that are due, and reports whether there were enough to do so.
func (p *pump) writeMany() bool {
	if p.raw == nil || p.dst.reset.Load() {
		return false
	}
	items := p.line.dueSmall(manyAtOnce)
	if len(items) <= fewAtOnce || !p.armWrite(p.line.nextAlarm()) {
		return false
	}
	s := sheaves.Get().(*sheaf)
	defer sheaves.Put(s)
	for i := range items {
		s.iovs[i].Base = &items[i].data[0]
		s.iovs[i].SetLen(len(items[i].data))
	}
	s.n, s.done, s.err = len(items), 0, nil
	if err := p.raw.dst.Write(s.writeFn); err != nil {
		s.err = err
	}
	for i := range items {
		s.iovs[i].Base = nil
		if i < s.done {
			n := int(s.headers[i].n)
			p.line.conn.moved[p.line.dir].Add(int64(n))
			p.line.sent(n)
		}
	}
	switch {
	case s.err == nil:
	case errors.Is(s.err, os.ErrDeadlineExceeded):
		p.writeBy = stale
		return false
	case errors.Is(s.err, syscall.EAGAIN):
		return false
	default:
		p.line.conn.heard(p.dst)
	}
	return true
}

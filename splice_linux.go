package chaos

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// pipeSize is what a pipe should hold: larger ones moved no more bytes a second on loopback.
	pipeSize = 256 << 10
	// bulk is from where on the kernel moves bytes faster than a buffer does.
	bulk = chunkSize
	// smallReads is after how many moves of less than bulk a connection is taken for one of small messages again.
	smallReads = 16
)

// A pipe is a kernel buffer between two sockets.
type pipe struct{ r, w int }

// pipes is a small free list. A sync.Pool would drop pipes at a collection and so leak their descriptors.
var pipes = make(chan *pipe, 16)

func borrowPipe() *pipe {
	select {
	case p := <-pipes:
		return p
	default:
	}
	var fd [2]int
	if unix.Pipe2(fd[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return nil
	}
	unix.FcntlInt(uintptr(fd[1]), unix.F_SETPIPE_SZ, pipeSize) // where it is refused the default size serves
	return &pipe{fd[0], fd[1]}
}

func returnPipe(p *pipe) {
	select {
	case pipes <- p:
	default:
		closePipe(p)
	}
}

func closePipe(p *pipe) {
	unix.Close(p.r)
	unix.Close(p.w)
}

// closePipes empties the free list, when the last gate has closed.
func closePipes() {
	for {
		select {
		case p := <-pipes:
			closePipe(p)
		default:
			return
		}
	}
}

// A splicer moves bytes between two sockets inside the kernel. Unlike io.Copy it loses nothing when interrupted: what is
// in its pipe stays there, or is handed back.
type splicer struct {
	pipe   *pipe
	inPipe int64
	got    int64
	serr   error
	bulk   bool                  // large reads were seen: splice
	small  int                   // moves of less than bulk in a row
	inFn   func(fd uintptr) bool // made when first needed
	outFn  func(fd uintptr) bool
	ferry
}

// in fills the pipe. It borrows it only when bytes are there, so that an idle connection holds none. Splice stops at an
// urgent byte for good; only a read gets past it. So when there is nothing to splice and yet something to read,
// that is left to a buffer.
func (r *raw) in(fd uintptr) bool {
	if r.pipe == nil {
		if r.pipe = borrowPipe(); r.pipe == nil {
			r.serr = unix.EMFILE
			return true
		}
	}
	for {
		n, err := unix.Splice(int(fd), nil, r.pipe.w, nil, pipeSize, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		if err == unix.EINTR {
			continue
		}
		r.got, r.serr = int64(n), err
		if err == unix.EAGAIN {
			r.give()
			return readable(r.src)
		}
		return true
	}
}

// out empties the pipe.
func (s *splicer) out(fd uintptr) bool {
	for s.got = 0; s.inPipe > 0; {
		n, err := unix.Splice(s.pipe.r, nil, int(fd), nil, int(s.inPipe), unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		if err == unix.EINTR {
			continue
		}
		if n > 0 {
			s.got += int64(n)
			s.inPipe -= int64(n)
		}
		if err != nil {
			s.serr = err
			return err != unix.EAGAIN
		}
	}
	s.serr = nil
	return true
}

// give returns an empty pipe.
func (s *splicer) give() {
	if s.pipe != nil && s.inPipe == 0 {
		returnPipe(s.pipe)
		s.pipe = nil
	}
}

// move moves what has arrived: through the kernel if the connection carries bulk, else through a buffer.
func (r *raw) move(p *pump) (n int, err error) {
	if r.inPipe > 0 {
		return int(r.inPipe), r.flush(p)
	}
	if !r.bulk {
		n, err := r.pass(r, p)
		r.bulk, r.small = n >= bulk, 0
		return n, err
	}
	if r.inFn == nil {
		r.inFn, r.outFn = r.in, r.out
	}
	r.got, r.serr = 0, nil
	err = r.src.Read(r.inFn)
	if err == nil {
		err = r.serr
	}
	if err == unix.EMFILE || err == unix.EINVAL || err == unix.EAGAIN || err == nil && r.got == 0 {
		// There is no pipe to be had, or nothing to splice. Splice stops at an urgent byte, and calls that an end when
		// the stream has ended behind it: only a read can tell.
		r.give()
		r.bulk = false
		return r.pass(r, p)
	}
	if err != nil {
		r.give()
		return 0, err
	}
	n = int(r.got)
	r.inPipe = r.got
	p.line.offset += r.got
	if n >= bulk {
		r.small = 0
	} else if r.small++; r.small >= smallReads {
		r.bulk = false
	}
	return n, r.flush(p)
}

// flush empties the pipe into the destination.
func (r *raw) flush(p *pump) error {
	before := r.inPipe
	err := r.dst.Write(r.outFn)
	p.line.conn.moved[p.line.dir].Add(before - r.inPipe)
	if err == nil && r.serr != nil && r.serr != syscall.EAGAIN {
		err = &writeError{r.serr}
	}
	r.give()
	return err
}

// piped reports whether an interruption has left something in the pipe. It had arrived before anything that is queued.
func (p *pump) piped() bool { return p.raw != nil && p.raw.inPipe > 0 }

// flushPipe writes what is in the pipe, at most until the line wants to be advanced.
func (p *pump) flushPipe() {
	if p.dst.reset.Load() {
		p.unpipe()
		return
	}
	if !p.armWrite(p.line.nextAlarm()) {
		return
	}
	switch err := p.raw.flush(p); {
	case err == nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.writeBy = stale
	default:
		p.line.conn.heard(p.dst)
		p.unpipe()
	}
}

// unpipe takes what an interruption left in the pipe and puts it under way: it had arrived before.
func (p *pump) unpipe() {
	if p.raw == nil || p.raw.inPipe == 0 {
		return
	}
	ch := chunks.Get().(*chunk)
	defer chunks.Put(ch)
	for p.raw.inPipe > 0 {
		n, err := readFD(uintptr(p.raw.pipe.r), ch.buf[:])
		if n <= 0 {
			panic("chaos: a pipe lost data: " + err.Error())
		}
		p.raw.inPipe -= int64(n)
		p.underWay(ch.buf[:n])
	}
	p.raw.give()
}

// close frees what the raw still holds.
func (r *raw) close() {
	if r != nil && r.pipe != nil {
		closePipe(r.pipe)
		r.pipe, r.inPipe = nil, 0
	}
}

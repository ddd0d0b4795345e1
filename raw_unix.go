//go:build unix

package chaos

import (
	"io"
	"net"
	"syscall"
)

// readsRaw tells that readFD works.
const readsRaw = true

// A raw is the access to the descriptors of a pump's sockets. It reads without holding a buffer while it waits.
type raw struct {
	src, dst syscall.RawConn
	most     int // how many bytes to read at once
	ch       *chunk
	n        int
	err      error
	readFn   func(fd uintptr) bool // made once, for a closure is an allocation
	waitFn   func(fd uintptr) bool // made when first needed, as the next
	nowFn    func(fd uintptr)
	splicer
}

// newRaw returns nil where a socket has no descriptor.
func newRaw(dst, src net.Conn) *raw {
	if !bare(src) || !bare(dst) {
		return nil
	}
	r := &raw{src: rawConn(src), dst: rawConn(dst)}
	if r.src == nil || r.dst == nil {
		return nil
	}
	r.readFn = r.readOnce
	return r
}

// bare reports whether a connection is nothing but its socket. One that wraps a socket, and so has its SyscallConn, may do
// something in its Read and Write.
func bare(c net.Conn) bool {
	switch c.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// readOnce is called when bytes may be there.
func (r *raw) readOnce(fd uintptr) bool {
	r.ch = chunks.Get().(*chunk)
	r.n, r.err = readFD(fd, r.ch.buf[:r.most])
	if r.err == syscall.EAGAIN {
		chunks.Put(r.ch)
		r.ch, r.n = nil, 0
		return false
	}
	return true
}

// read returns what has arrived, up to a number of bytes, in a buffer that is the caller's to put back.
func (r *raw) read(most int) (ch *chunk, n int, err error) {
	r.most, r.ch, r.n, r.err = most, nil, 0, nil
	if err := r.src.Read(r.readFn); err != nil {
		return r.ch, 0, err
	}
	return r.taken()
}

// readNow is read that does not wait, whatever the deadline: it returns no buffer if nothing has arrived.
func (r *raw) readNow(most int) (ch *chunk, n int, err error) {
	if r.nowFn == nil {
		r.nowFn = func(fd uintptr) { r.readOnce(fd) }
	}
	r.most, r.ch, r.n, r.err = most, nil, 0, nil
	if r.src.Control(r.nowFn); r.ch == nil {
		return nil, 0, nil
	}
	return r.taken()
}

// taken returns what readOnce has taken.
func (r *raw) taken() (ch *chunk, n int, err error) {
	if r.err == nil && r.n == 0 {
		r.err = io.EOF
	}
	return r.ch, max(r.n, 0), r.err
}

// waitRead waits until a read would not block. It consumes nothing.
func (r *raw) waitRead() error {
	if r.waitFn == nil {
		r.waitFn = func(uintptr) bool { return readable(r.src) }
	}
	return r.src.Read(r.waitFn)
}

// readFD reads from a descriptor that does not block.
func readFD(fd uintptr, buf []byte) (n int, err error) {
	for {
		n, err = syscall.Read(int(fd), buf)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// lingerNone makes a close of a socket a reset.
func lingerNone(fd uintptr) {
	syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
}

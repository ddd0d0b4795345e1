package chaos

import (
	"io"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A ferry passes small messages on from one socket to another without leaving the wait for them: it reads, writes and waits
// again inside one call of RawConn.Read.
//
// What it keeps true:
//   - it waits only when the kernel has just said that nothing is there, so what comes later makes the poller's next edge;
//   - it looks for a kick behind each message, and a kick moves the deadline that ends the wait;
//   - its system calls never block and are short, so they are made without a word to the scheduler. That word costs as much
//     as some of them, and has Go's monitor wake every 20 µs to see whether one of them lasts.
type ferry struct {
	pump     *pump
	data     []byte // what sendFn is to write
	sent     int    // how much of it was written
	errno    syscall.Errno
	acrossFn func(fd uintptr) bool // made when first needed
	sendFn   func(fd uintptr)
}

// shortWrite is up to how many bytes one write is short. A scheduler that is told of system calls would not take the thread's
// work away any sooner.
const shortWrite = 16 << 10

// pass waits for what arrives and passes it on. It returns how long the last message was when there is something else to
// do, such as to move bulk.
func (f *ferry) pass(r *raw, p *pump) (n int, err error) {
	if f.acrossFn == nil {
		f.acrossFn, f.sendFn = r.across, f.send
	}
	f.pump, r.n, r.err = p, 0, nil
	if err := r.src.Read(f.acrossFn); err != nil {
		return 0, err
	}
	return r.n, r.err
}

// across is called when bytes may be there.
func (r *raw) across(fd uintptr) bool {
	p := r.pump
	for {
		ch := chunks.Get().(*chunk)
		n, err := receive(fd, ch.buf[:])
		if n > 0 {
			err = p.ferry(ch.buf[:n])
		} else if err == nil {
			err = io.EOF
		}
		chunks.Put(ch)
		if err == unix.EAGAIN {
			return false
		}
		if r.n, r.err = n, err; err != nil || n >= bulk || p.kicks.Load() != p.seen {
			return true
		}
	}
}

// receive reads what is there.
func receive(fd uintptr, buf []byte) (n int, err error) {
	for {
		got, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(got), nil
		case unix.EINTR:
			continue
		}
		return 0, errno
	}
}

// ferry writes what was received, as relay does.
func (p *pump) ferry(data []byte) error {
	f := &p.raw.ferry
	f.data, f.sent, f.errno = data, 0, 0
	if len(data) <= shortWrite {
		p.raw.dst.Control(f.sendFn) // which fails for a closed socket, as a write will
	}
	p.line.offset += int64(f.sent)
	p.line.conn.moved[p.line.dir].Add(int64(f.sent))
	data, f.data = data[f.sent:], nil
	switch {
	case len(data) == 0:
		return nil
	case f.errno == 0 || f.errno == unix.EAGAIN || f.errno == unix.EINTR:
		return p.relay(data)
	}
	p.line.offset += int64(len(data))
	p.underWay(data)
	return &writeError{f.errno}
}

// send writes as much as there is room for.
func (f *ferry) send(fd uintptr) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&f.data[0])), uintptr(len(f.data)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if f.errno = errno; errno == 0 {
		f.sent = int(n)
	}
}

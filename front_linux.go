package chaos

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A tcpDoorway is the doors of a TCP listener, all of them on the one socket, which keeps
// its port from first to last:
//
//   - Refuse is shutdown(SHUT_RD), which sends a listening socket back to being merely
//     bound and resets whoever waits in its queue; listen undoes it.
//   - Blackhole is listen with a backlog of 0, and one connection of our own in the queue:
//     a queue holds one more than its backlog, and while it is full the kernel drops SYNs
//     without an answer. The filler is known by its address when it is accepted.
type tcpDoorway struct {
	ln *net.TCPListener
	rc syscall.RawConn

	mu      sync.Mutex // guards what follows
	fillers []filler   // those in the queue
	dropped uint32     // what the socket had dropped when the black hole was set
}

// backlog is clamped by the kernel to what net.core.somaxconn allows.
const backlog = math.MaxInt32

// listenTCP binds to an explicit port even if any port will do, because a socket bound to
// port 0 loses its port when it is shut down.
func listenTCP(ctx context.Context, network, address string) (doorway, error) {
	if !wantsAnyPort(address) {
		return bindTCP(ctx, network, address)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	// A port that is free for the placeholder can be taken for the listener if the two
	// differ in family, so another is tried then.
	for range 16 {
		fd, port, err := holdPort(network, host)
		if err != nil {
			return nil, err
		}
		way, err := bindTCP(ctx, network, net.JoinHostPort(host, strconv.Itoa(port)))
		unix.Close(fd)
		if err == nil || !errors.Is(err, unix.EADDRINUSE) {
			return way, err
		}
	}
	return nil, fmt.Errorf("listen on %s: no free port was found", address)
}

func bindTCP(ctx context.Context, network, address string) (doorway, error) {
	lc := listenConfig()
	lc.KeepAlive = -1 // the listener has it, in its place
	ln, err := lc.Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	keepAlive(ln.(*net.TCPListener))
	return tcpDoors(ln.(*net.TCPListener), network)
}

// inlines says that what is accepted has its urgent bytes inline, as the listener has.
func (t *tcpDoorway) inlines() {}

// keepAlive gives a listener the keep-alive that Go gives to each connection. What is
// accepted inherits it, and so each saves four system calls.
func keepAlive(ln *net.TCPListener) {
	control(ln, func(fd int) {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9)
	})
}

// tcpDoors gives doors to a TCP listener that was bound to an explicit port.
func tcpDoors(ln *net.TCPListener, _ string) (doorway, error) {
	rc, err := ln.SyscallConn()
	if err != nil {
		ln.Close()
		return nil, err
	}
	oobInline(ln)
	return &tcpDoorway{ln: ln, rc: rc}, nil
}

// allows nothing less than everything.
func (t *tcpDoorway) allows(Door) error { return nil }

func (t *tcpDoorway) turn(from, to Door) error {
	switch {
	case to == Refuse:
		return t.refuse()
	case to == Blackhole:
		if err := t.blackhole(); err != nil {
			return errors.Join(err, t.back(from))
		}
		return nil
	default:
		return t.back(to)
	}
}

// back returns from a black hole that was not filled, or from anything to open or hold.
func (t *tcpDoorway) back(to Door) error {
	if to == Refuse {
		return t.refuse()
	}
	return t.listen(backlog)
}

func (t *tcpDoorway) refuse() error {
	err := t.do("shutdown", func(fd int) error { return unix.Shutdown(fd, unix.SHUT_RD) })
	if err == nil {
		t.release() // the queue is gone, and the fillers with it
	}
	return err
}

func (t *tcpDoorway) blackhole() error {
	if err := t.listen(0); err != nil {
		return err
	}
	if err := t.fill(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropped = t.drops()
	return nil
}

func (t *tcpDoorway) listen(backlog int) error {
	return t.do("listen", func(fd int) error { return unix.Listen(fd, backlog) })
}

// do makes one system call on the listening socket.
func (t *tcpDoorway) do(call string, f func(fd int) error) error {
	var failed error
	if err := t.rc.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("%s: %w", call, failed)
	}
	return nil
}

// hits is the length of the queue, or the SYNs dropped since the black hole was set.
func (t *tcpDoorway) hits(now Door) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now == Blackhole {
		return int64(t.drops() - t.dropped) // also if the kernel's counter has wrapped
	}
	return max(t.queued()-int64(len(t.fillers)), 0)
}

// queued returns how many connections nobody has accepted yet. A listener's TCP_INFO
// tells it in the place of the unacknowledged segments.
func (t *tcpDoorway) queued() int64 {
	var n int64
	t.do("getsockopt", func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil && info.State == unix.BPF_TCP_LISTEN {
			n = int64(info.Unacked)
		}
		return err
	})
	return n
}

// drops returns how many SYNs the listening socket has dropped in its life.
func (t *tcpDoorway) drops() uint32 {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	t.do("getsockopt", func(fd int) error {
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	return info[unix.SK_MEMINFO_DROPS]
}

func (t *tcpDoorway) listener() net.Listener { return t.ln }
func (t *tcpDoorway) answersItself() bool    { return false }

func (t *tcpDoorway) close() error {
	err := t.ln.Close()
	t.release()
	return err
}

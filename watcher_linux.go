package chaos

import (
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A watcher hears resets of sockets that nobody reads. It has an epoll of its own in
// which each socket stands with no events but the edge: the kernel then reports errors
// and hang-ups only, and is silent for data and for one FIN. The epoll waits in the Go
// runtime's poller like any file, so that the watcher holds up no thread.
//
// Sockets are known to it by numbers that are never used twice. A report that was
// already under way when its socket was closed thus meets nobody, even if the descriptor
// belongs to another socket by then.
type watcher struct {
	file *os.File
	wait syscall.RawConn

	control       sync.Mutex // guards what follows: one call of ctl, without an allocation
	socket, epoll func(fd uintptr)
	op, fd        int
	event         unix.EpollEvent
	failed        error

	mu      sync.Mutex // guards what follows
	last    uint64
	watched map[uint64]hearer
	done    chan struct{} // nil before run starts; closed when run has ended
}

// watching is the one watcher of the process, while any gate runs.
var watching struct {
	sync.Mutex
	users int
	w     *watcher
}

// watcherStart keeps the process's watcher alive until the matching watcherStop. It
// starts no goroutine: the first socket to be watched does, so that a gate on a memory
// network can live in a synctest bubble, where a goroutine in the poller stops the clock.
// An error says that there is no descriptor for it now; watch tries again.
func watcherStart() error {
	watching.Lock()
	defer watching.Unlock()
	watching.users++
	_, err := watcherNow()
	return err
}

// watcherNow returns the watcher, and makes it if need be. watching is held; without users
// there is no watcher.
func watcherNow() (*watcher, error) {
	if watching.w == nil && watching.users > 0 {
		w, err := newWatcher()
		if err != nil {
			return nil, err
		}
		watching.w = w
	}
	return watching.w, nil
}

// watcherStop takes back one watcherStart. The last one returns when the watcher's
// goroutine has ended and its descriptor is closed; it must not be called by a
// hearer.
func watcherStop() {
	watching.Lock()
	watching.users--
	var w *watcher
	if watching.users == 0 {
		w, watching.w = watching.w, nil
	}
	watching.Unlock()
	if w != nil {
		w.close()
	}
}

// watch tells h once when c is reset. It is not told of data, nor of a FIN or both, and it
// may still be told while end returns. What c has received stays where it is: a read still
// returns the data and then ECONNRESET.
//
// A connection that is no socket can say so itself: if it has a method OnReset(func()),
// that is asked to.
func watch(c net.Conn, h hearer) watched {
	if r, ok := c.(interface{ OnReset(func()) }); ok {
		return watchSelf(r, h)
	}
	rc := rawConn(c)
	if rc == nil {
		return watched{}
	}
	watching.Lock()
	w, _ := watcherNow()
	watching.Unlock()
	if w == nil {
		return watched{} // the next read or write hears a reset, though later
	}
	return w.watch(rc, h)
}

func newWatcher() (*watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	w := &watcher{watched: make(map[uint64]hearer)}
	w.socket, w.epoll = w.onSocket, w.onEpoll
	w.file, w.wait, err = pollable(fd, "epoll")
	return w, err
}

// pollable gives a descriptor to the runtime's poller, which then owns it.
func pollable(fd int, name string) (*os.File, syscall.RawConn, error) {
	// os.NewFile uses the poller only for a descriptor that does not block.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(fd), name)
	rc, err := f.SyscallConn()
	return f, rc, err
}

func (w *watcher) watch(rc syscall.RawConn, h hearer) watched {
	w.mu.Lock()
	w.last++
	id := w.last
	w.watched[id] = h
	if w.done == nil {
		w.done = make(chan struct{})
		go w.run(w.done)
	}
	w.mu.Unlock()
	if !w.ctl(rc, unix.EPOLL_CTL_ADD, id, 0) { // c is closed already, and its owner knows
		w.forget(id)
		return watched{}
	}
	return watched{w: w, id: id}
}

// listen has the watcher tell, or no more, when c can be read.
func (w *watcher) listen(c net.Conn, id uint64, on bool) bool {
	rc := rawConn(c)
	if rc == nil {
		return false
	}
	var events uint32
	if on {
		events = unix.EPOLLIN | unix.EPOLLRDHUP
	}
	return w.ctl(rc, unix.EPOLL_CTL_MOD, id, events)
}

// ctl adds a socket, or changes what events of it are told beside errors. The kernel
// reports at once what has come before. A socket that was watched before is still in the
// epoll: only its closing takes it out, which mostly follows at once and so saves a
// system call.
func (w *watcher) ctl(rc syscall.RawConn, op int, id uint64, events uint32) bool {
	w.control.Lock()
	defer w.control.Unlock()
	w.op, w.failed = op, nil
	w.event = unix.EpollEvent{Events: events | unix.EPOLLET&0xffffffff, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	err := rc.Control(w.socket)
	return err == nil && w.failed == nil
}

// onSocket is the first half of ctl, and onEpoll the second.
func (w *watcher) onSocket(fd uintptr) {
	w.fd = int(fd)
	if err := w.wait.Control(w.epoll); err != nil {
		w.failed = err
	}
}

func (w *watcher) onEpoll(epfd uintptr) {
	w.failed = unix.EpollCtl(int(epfd), w.op, w.fd, &w.event)
	if w.failed == unix.EEXIST {
		w.failed = unix.EpollCtl(int(epfd), unix.EPOLL_CTL_MOD, w.fd, &w.event)
	}
}

// forget takes out who was to be told about id, and returns it.
func (w *watcher) forget(id uint64) hearer {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.watched[id]
	delete(w.watched, id)
	return h
}

// find returns who is to be told about id, nil if nobody is.
func (w *watcher) find(id uint64) hearer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.watched[id]
}

// run tells who is to be told until the watcher is closed.
func (w *watcher) run(done chan<- struct{}) {
	defer close(done)
	events := make([]unix.EpollEvent, 64)
	for {
		var n int
		err := w.wait.Read(func(epfd uintptr) bool {
			var err error
			n, err = unix.EpollWait(int(epfd), events, 0)
			// An interrupted call has told nothing, and is asked again.
			return n > 0 || err == unix.EINTR
		})
		if err != nil {
			return
		}
		for _, ev := range events[:max(n, 0)] {
			id := uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32
			if ev.Events&unix.EPOLLERR != 0 {
				if h := w.forget(id); h != nil {
					h.heard()
				}
				continue
			}
			// A hang-up without an error is what two clean FINs leave.
			if ev.Events&(unix.EPOLLIN|unix.EPOLLRDHUP) != 0 {
				if s, ok := w.find(id).(stirrer); ok {
					s.stirred()
				}
			}
		}
	}
}

// close ends run and waits for it.
func (w *watcher) close() {
	w.file.Close()
	w.mu.Lock()
	done := w.done
	w.mu.Unlock()
	if done != nil {
		<-done
	}
}

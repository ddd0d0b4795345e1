package chaos

import (
	"container/heap"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A pacer wakes pumps on time. Go's own timers wait in whole milliseconds; a timerfd
// that is read through the runtime's poller is a tenth as late. One timerfd serves the
// process, set to the earliest moment of a heap.
//
// It is set anew only for an earlier moment. When the earliest moment is put off or
// cancelled the timer is left as it is, fires once for nothing and is then set right:
// a pump that moves its moment with every chunk so costs no system call a chunk.
type pacer struct {
	file    *os.File
	timer   syscall.RawConn
	settime func(fd uintptr) // made once, so that setting the timer allocates nothing

	mu     sync.Mutex // guards what follows, and the queued of each wake
	wakes  wakeHeap
	armed  int64 // the moment the timer is set for; 0 if it is not
	fires  int64 // when it goes off, a lead before that; 0 if at once
	lead   lead
	next   int64 // the moment that settime sets it to
	spec   unix.ItimerSpec
	closed bool
	done   chan struct{} // nil before run starts; closed when run has ended
}

// pacing is the one pacer of the process, while any gate runs.
var pacing struct {
	sync.Mutex
	users int
	p     *pacer
}

// epoch is the zero of the pacer's moments. It has a monotonic reading, and so have the
// differences to it: setting the wall clock moves no wake.
var epoch = time.Now()

// A wake is one moment at which a function is to be called, again and again. A nil wake
// does nothing.
type wake struct {
	f      func()
	p      *pacer
	due    atomic.Int64 // nanoseconds after epoch; 0 for none
	queued int          // one more than the place in the heap; 0 if not there
}

// pacerStart keeps the process's pacer alive until the matching pacerStop. It starts no
// goroutine; the first moment that is asked for does (see watcherStart). An error says
// that there is no descriptor for it now; newWake tries again.
func pacerStart() error {
	pacing.Lock()
	defer pacing.Unlock()
	pacing.users++
	_, err := pacerNow()
	return err
}

// pacerNow returns the pacer, and makes it if need be. pacing is held; without users there
// is no pacer.
func pacerNow() (*pacer, error) {
	if pacing.p == nil && pacing.users > 0 {
		p, err := newPacer()
		if err != nil {
			return nil, err
		}
		pacing.p = p
	}
	return pacing.p, nil
}

// pacerStop takes back one pacerStart. The last one returns when the pacer's goroutine
// has ended and its descriptor is closed; the moments still pending are forgotten. It
// must not be called by a wake's function.
func pacerStop() {
	pacing.Lock()
	pacing.users--
	var p *pacer
	if pacing.users == 0 {
		p, pacing.p = pacing.p, nil
	}
	pacing.Unlock()
	if p != nil {
		p.close()
	}
}

// newWake returns a wake that calls f. The pacer's goroutine calls it, holding no lock;
// f must not block. The wake serves until the pacer ends; made while there is none, it
// does nothing, and its owner's deadlines serve alone.
func newWake(f func()) *wake {
	pacing.Lock()
	defer pacing.Unlock()
	p, _ := pacerNow()
	return &wake{f: f, p: p}
}

// at has f called at t and not before, in place of the moment asked for earlier. A moment
// that has passed is due at once; the zero time is none, as for a deadline. It belongs to
// one goroutine, together with cancel.
func (w *wake) at(t time.Time) {
	if w == nil || w.p == nil {
		return
	}
	if t.IsZero() {
		w.cancel()
		return
	}
	// Zero is kept for "none", and nothing is due before the first nanosecond.
	due := max(int64(t.Sub(epoch)), 1)
	if w.due.Load() != due {
		w.p.queue(w, due)
	}
}

// cancel forgets the moment asked for. A call that has begun goes on.
func (w *wake) cancel() {
	if w == nil || w.p == nil || w.due.Load() == 0 {
		return
	}
	w.p.drop(w)
}

func newPacer() (*pacer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	p := &pacer{lead: lead{firstLead}}
	p.settime = p.setTimer
	p.file, p.timer, err = pollable(fd, "timerfd")
	return p, err
}

func (p *pacer) queue(w *wake, due int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if p.done == nil {
		p.done = make(chan struct{})
		go p.run(p.done)
	}
	w.due.Store(due)
	if w.queued == 0 {
		heap.Push(&p.wakes, w)
	} else {
		heap.Fix(&p.wakes, w.queued-1)
	}
	p.arm()
}

func (p *pacer) drop(w *wake) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.due.Store(0)
	if w.queued != 0 {
		heap.Remove(&p.wakes, w.queued-1)
	}
}

// arm sets the timer if the earliest moment comes before what it is set to. p.mu is held.
func (p *pacer) arm() {
	if len(p.wakes) == 0 {
		return
	}
	due := p.wakes[0].due.Load()
	if p.armed != 0 && p.armed <= due {
		return
	}
	p.next = due
	p.timer.Control(p.settime)
}

// setTimer sets the timer to p.next. p.mu is held.
func (p *pacer) setTimer(fd uintptr) {
	p.fires = p.next - int64(p.lead.by)
	left := p.fires - int64(time.Since(epoch))
	if left < 1 { // a timer set to zero is off, so what is overdue is due in a nanosecond
		left, p.fires = 1, 0
	}
	p.spec.Value = unix.NsecToTimespec(left)
	if unix.TimerfdSettime(int(fd), 0, &p.spec, nil) == nil {
		p.armed = p.next
	}
}

// run calls what is due until the pacer is closed.
func (p *pacer) run(done chan<- struct{}) {
	defer close(done)
	var expirations [8]byte
	var due []func()
	for {
		if _, err := p.file.Read(expirations[:]); err != nil {
			return
		}
		for soon := p.woken(); int64(time.Since(epoch)) < soon; {
		}
		due = p.take(due[:0])
		for i, f := range due {
			f()
			due[i] = nil
		}
	}
}

// woken learns from how late the timer was. If it was too early it returns until when to spin.
func (p *pacer) woken() (soon int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := int64(time.Since(epoch))
	if p.fires != 0 {
		p.lead.learn(time.Duration(now - p.fires))
	}
	if len(p.wakes) > 0 && p.wakes[0].due.Load() <= now+int64(spinMost) {
		soon = p.wakes[0].due.Load()
	}
	return soon
}

// take appends what is due to fs and sets the timer for the rest.
func (p *pacer) take(fs []func()) []func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = 0
	now := int64(time.Since(epoch))
	for len(p.wakes) > 0 && p.wakes[0].due.Load() <= now {
		w := heap.Pop(&p.wakes).(*wake)
		w.due.Store(0)
		fs = append(fs, w.f)
	}
	p.arm()
	return fs
}

// close ends run and waits for it.
func (p *pacer) close() {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.wakes {
		w.due.Store(0)
		w.queued = 0
	}
	p.wakes = nil
	done := p.done
	p.mu.Unlock()
	p.file.Close()
	if done != nil {
		<-done
	}
}

// A wakeHeap has the earliest wake first.
type wakeHeap []*wake

func (h wakeHeap) Len() int           { return len(h) }
func (h wakeHeap) Less(i, j int) bool { return h[i].due.Load() < h[j].due.Load() }

func (h wakeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].queued, h[j].queued = i+1, j+1
}

func (h *wakeHeap) Push(x any) {
	w := x.(*wake)
	*h = append(*h, w)
	w.queued = len(*h)
}

func (h *wakeHeap) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	w.queued = 0
	return w
}

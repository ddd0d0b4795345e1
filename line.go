package chaos

import (
	"slices"
	"time"
)

// A line is the state of one direction of one connection: the stages imposed on it and the segments under way.
// It does no I/O, starts no goroutine, takes no lock and reads no clock: its pump tells it the time.
//
// What it keeps true:
//   - a stream leaves in the order in which it passed the last stage, whatever the stages did to its moments; datagrams
//     leave by their moments, and the end of their session behind all of them;
//   - the data of a queued segment is the line's own;
//   - what a stage added to a queued segment's moment can be taken back, and only that.
type line struct {
	conn      *Conn
	dir       Direction
	datagrams bool
	finished  bool         // the stream has ended; only a reset may follow
	closed    bool         // the connection has ended: what still moves is counted as dropped already
	key       uint64       // seed, connection and direction
	post      func(func()) // has a function called on the line's goroutine
	memory    *memory      // what all lines of the gate hold back, nil if nobody counts
	rebind    func()       // gives a session of datagrams a new socket to the server, nil if it has none
	now       time.Time    // what time it is
	offset    int64        // bytes, or datagrams, read from the source
	stages    []*Stage     // the first sees the bytes first
	path      []step       // the stages that the current segment has passed, and what each added
	queue     queue        // what is under way
	held      int64        // bytes that stages hold back
	roomless  []func()     // see whenRoom
	alarms    []alarm      // in order
	ending    *ending      // the connection is to end now, or has ended
}

// A step is one stage on a segment's path and the time that it added.
type step struct {
	stage *Stage
	added time.Duration
}

type alarm struct {
	at    time.Time
	stage *Stage
	f     func()
}

// An ending is how a connection is ended, and by which stage.
type ending struct {
	how End
	by  *Stage
	err error
}

// overAlready is the ending of a line that was closed.
var overAlready = ending{how: FIN}

// An entry is a fault in a program.
type entry struct {
	imposed *Imposed
	fault   Fault
	version uint64 // counts the changes of the Imposed's fault
}

// push feeds what has just arrived from the source to the first stage.
func (l *line) push(data []byte, end End) {
	s := Segment{Data: data, Due: l.now, End: end, at: l.offset + 1}
	if !l.datagrams {
		l.offset += int64(len(data))
	} else if end == More {
		l.offset++
	}
	l.start(0, s)
}

// start hands a segment to stage i, or to the queue behind the last.
func (l *line) start(i int, s Segment) {
	if i < len(l.stages) {
		l.stages[i].enter(s)
	} else {
		l.enqueue(s)
	}
}

// enqueue receives what has passed every stage. A stream ends once, and so does a session of datagrams; a reset may follow.
func (l *line) enqueue(s Segment) {
	if l.finished && s.End != RST || len(s.Data) == 0 && s.End == More && !l.datagrams {
		l.forget(s)
		return
	}
	l.finished = l.finished || s.End != More
	l.add(l.queue.push(s, l.path, !l.datagrams))
}

// forget counts a datagram that goes nowhere because its session has ended already.
func (l *line) forget(s Segment) {
	if l.datagrams && s.End == More {
		l.lose(1)
	}
}

// lose counts datagrams that are thrown away.
func (l *line) lose(n int64) {
	if l.datagrams && !l.closed {
		l.conn.gate.stats.lostDatagrams.Add(n)
	}
}

// add counts bytes that come under way, or leave.
func (l *line) add(n int64) {
	l.held += n
	if n < 0 && len(l.roomless) > 0 {
		l.callRoomless()
	}
	if l.memory != nil {
		l.memory.add(n)
	}
}

// due returns the segment that may leave now, or nil. It stays until sent says how much of it has left.
func (l *line) due() *item {
	if it := l.queue.front(); it != nil && !it.leave.After(l.now) {
		return it
	}
	return nil
}

// dueSmall returns up to so many small segments that may leave now.
func (l *line) dueSmall(most int) []item { return l.queue.small(l.now, most) }

// sent says that n bytes of what due returned have left, and reports whether that was all of it.
func (l *line) sent(n int) bool {
	it := l.queue.front()
	it.data = it.data[n:]
	if len(it.data) > 0 {
		return false
	}
	l.add(-l.queue.pop())
	return true
}

// advance tells the line what time it is.
func (l *line) advance(now time.Time) {
	l.now = now
	for len(l.alarms) > 0 && !l.alarms[0].at.After(now) {
		f := l.alarms[0].f
		l.alarms = slices.Delete(l.alarms, 0, 1)
		f()
	}
}

// setAlarm has f called once the time is t.
func (l *line) setAlarm(t time.Time, st *Stage, f func()) {
	if st.gone || t.Equal(Never) {
		return
	}
	i := len(l.alarms)
	for i > 0 && l.alarms[i-1].at.After(t) {
		i--
	}
	l.alarms = slices.Insert(l.alarms, i, alarm{t, st, f})
}

func (l *line) clearAlarms(st *Stage) {
	l.alarms = slices.DeleteFunc(l.alarms, func(a alarm) bool { return a.stage == st })
}

// next returns when the line wants to be advanced, the zero time if never: when a segment falls due, an alarm rings or
// a hold ends.
func (l *line) next() time.Time {
	t := l.nextAlarm()
	if it := l.queue.front(); it != nil {
		t = first(t, it.leave)
	}
	for _, st := range l.stages {
		if h := st.holdsUntil(l.now); !h.IsZero() && h != Never {
			t = first(t, h)
		}
	}
	return t
}

// nextAlarm returns when the next alarm rings, the zero time if none does.
func (l *line) nextAlarm() time.Time {
	if len(l.alarms) == 0 {
		return time.Time{}
	}
	return l.alarms[0].at
}

// holds tells until when the stages keep the gate from reading: the zero time if they do not.
func (l *line) holds() (until time.Time) {
	for _, st := range l.stages {
		until = later(until, st.holdsUntil(l.now))
	}
	return until
}

// holdsUntil returns the latest hold of the stage and those within it that is still to come.
func (st *Stage) holdsUntil(now time.Time) (until time.Time) {
	if st.hold.After(now) {
		until = st.hold
	}
	for _, sub := range st.subs {
		until = later(until, sub.holdsUntil(now))
	}
	return until
}

// readMost returns how many bytes to read at once: what a slow stage takes at most, so that it is the sender's buffers
// that fill.
func (l *line) readMost() int {
	n := chunkSize
	for _, st := range l.stages {
		n = st.readMost(n)
	}
	return n
}

func (st *Stage) readMost(n int) int {
	if st.most > 0 {
		n = min(n, st.most)
	}
	for _, sub := range st.subs {
		n = sub.readMost(n)
	}
	return n
}

// watchers calls f with each stage that wants to know when bytes wait that are not read.
func (l *line) watchers(f func(*Stage)) {
	var each func([]*Stage)
	each = func(stages []*Stage) {
		for _, st := range stages {
			if st.onBytes != nil && st.hold.After(l.now) {
				f(st)
			}
			each(st.subs)
		}
	}
	each(l.stages)
}

// clear reports whether bytes may go straight through.
// A stream that a fault has ended is not clear: what its source still sends is to be thrown away, not written.
func (l *line) clear() bool { return len(l.stages) == 0 && l.queue.len() == 0 && !l.finished }

// endNow asks for the connection to be ended, once.
func (l *line) endNow(how End, by *Stage, err error) {
	if l.ending == nil {
		l.ending = &ending{how, by, err}
	}
}

// bytes returns how many bytes are under way or kept by a stage.
func (l *line) bytes() int64 {
	n := l.queue.bytes()
	l.keepers(func(k keeper) { n += k.bytes() })
	return n
}

// close runs the cleanups of every stage; what they release goes nowhere.
func (l *line) close() {
	l.finished, l.closed = true, true
	if l.ending == nil {
		l.ending = &overAlready
	}
	for _, st := range l.stages {
		st.cleanup()
		st.gone = true
	}
	l.add(-l.held)
	l.queue.clear()
}

// takeBack takes the time that a stage added back from what is under way.
func (l *line) takeBack(st *Stage) {
	l.queue.takeBack(st, l.now)
	l.keepers(func(k keeper) { k.takeBack(st, l.now) })
}

func first(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

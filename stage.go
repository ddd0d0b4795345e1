package chaos

import (
	"reflect"
	"time"
)

// A Stage is one fault at work on one direction of one connection: what [Fault.Impose] is given.
// All of it belongs to one goroutine; only Post may be called from another.
type Stage struct {
	line     *line
	imposed  *Imposed
	parent   *Stage // the stage whose fault carries this one's, nil at the top
	fault    Fault
	version  uint64 // which Change of the fault this is
	key      uint64 // makes the stage's draws its own
	sink     Sink   // what Impose returned
	next     Sink   // where what it passes goes
	memory   any    // see State
	hold     time.Time
	most     int    // how many bytes the gate reads at once at most, 0 if the stage does not mind
	onBytes  func() // see whenBytesWait
	cleanups []func()
	subs     []*Stage
	since    int64 // position from which the fault holds
	now      call
	lingers  bool // lifted, and still holding the direction until settled
	gone     bool
}

// Now returns the current time.
func (st *Stage) Now() time.Time { return st.line.now }

// Conn returns the connection that the stage works on.
func (st *Stage) Conn() *Conn { return st.line.conn }

// Direction returns the direction that the stage works on.
func (st *Stage) Direction() Direction { return st.line.dir }

// Datagrams reports whether segments are datagrams, which are never cut or joined.
func (st *Stage) Datagrams() bool { return st.line.datagrams }

// Offset returns the position of the current segment's first byte in the stream that the source sent. Behind a fault
// that changes the stream's length it stays the source's. Outside of a Sink it is the position up to which the
// gate has read. A datagram is one position: its number in the session's direction, from 0.
func (st *Stage) Offset() int64 {
	if st.now.inside {
		return st.now.at - 1
	}
	return st.line.offset
}

// Draw returns 64 random bits that depend on the gate's seed, the connection's ordinal, the direction, the fault's
// ordinal and offset, and on nothing else. Faults use no other randomness, so the same seed and the same bytes give
// the same faults however the stream happened to be read. Only the copies of a datagram draw each for itself.
func (st *Stage) Draw(offset int64) uint64 {
	draw := mix(st.key, uint64(offset))
	if twin := st.now.twin; twin != 0 && offset >= 0 {
		draw = mix(draw, twin)
	}
	return draw
}

// chance is a draw from 0 up to, not including, 1.
func (st *Stage) chance(offset int64) float64 { return portion(st.Draw(offset)) }

// portion makes a draw a number from 0 up to, not including, 1.
func portion(draw uint64) float64 { return float64(draw>>11) / (1 << 53) }

// Hold stops the gate from reading this direction until a moment: [Never] holds it for good, the zero time lets it go on.
func (st *Stage) Hold(until time.Time) { st.hold = until }

// At has f called at t, or as soon as the direction's goroutine can after it.
func (st *Stage) At(t time.Time, f func()) { st.line.setAlarm(t, st, f) }

// Cleanup has f called when the fault is lifted from the connection, or when the connection ends.
// What a fault holds back it passes on there.
func (st *Stage) Cleanup(f func()) { st.cleanups = append(st.cleanups, f) }

// Hit counts that the fault changed what would have happened, at the current Offset and for so many bytes.
func (st *Stage) Hit(bytes int) { st.hits(1, st.Offset(), bytes) }

// hits counts n hits, the first of which is at offset.
func (st *Stage) hits(n int, offset int64, bytes int) {
	if i := st.imposed; i != nil && !st.line.closed {
		i.hit(Hit{Conn: st.line.conn.ordinal, Direction: st.line.dir, Offset: offset, Bytes: int64(bytes), Time: st.line.now}, int64(n))
	}
}

// hasData reports whether a segment brings bytes or is a datagram, which may be empty.
func (st *Stage) hasData(s Segment) bool {
	return len(s.Data) > 0 || st.line.datagrams && s.End == More
}

// lose counts that the fault has thrown a datagram of so many bytes away: a hit, and a loss.
func (st *Stage) lose(bytes int) {
	st.Hit(bytes)
	st.line.lose(1)
}

// rebind has the server see the session come from another port from now on, if there is a socket to it.
func (st *Stage) rebind() {
	if f := st.line.rebind; f != nil {
		f()
	}
}

// State returns the stage's memory, made by init when it is first asked for. It survives [Imposed.Change] to a fault
// of the same type: what a fault counts or holds back belongs in it.
func (st *Stage) State(init func() any) any {
	if st.memory == nil {
		st.memory = init()
	}
	return st.memory
}

// Shared returns one value for all connections of the Imposed, made by init when it is first asked for.
// It is used by many goroutines at once, so it may be touched by atomic operations only.
func (st *Stage) Shared(init func() any) any {
	if st.imposed == nil {
		return st.State(init)
	}
	return st.imposed.sharedValue(sharer{st.depth(), reflect.TypeOf(st.fault)}, init)
}

// depth tells how many faults carry this stage's.
func (st *Stage) depth() (n int) {
	for p := st.parent; p != nil; p = p.parent {
		n++
	}
	return n
}

// End ends the connection now. Nothing that is under way and not yet due is waited for; to end it behind the data,
// pass a Segment with an End instead.
func (st *Stage) End(how End) { st.line.endNow(how, st, nil) }

// fail ends the connection now because a test's own code failed, which is reported.
func (st *Stage) fail(how End, err error) {
	st.line.endNow(how, st, err)
	if i := st.imposed; i != nil && i.flow != nil {
		i.flow.events().add(Event{
			Type: EventFailed, Conn: st.line.conn.ordinal, Direction: st.line.dir, Fault: KindOf(st.fault), Ordinal: i.ordinal, Imposed: i, Err: err.Error(),
		})
	}
}

// EndAll ends every connection that the fault is imposed on, except this one, as End does.
func (st *Stage) EndAll(how End) {
	if st.imposed != nil {
		st.imposed.endAll(how, st.depth(), st.line)
	}
}

// Post has f called on the direction's goroutine, soon. It may be called by any goroutine. After the connection
// has ended f is not called.
func (st *Stage) Post(f func()) { st.line.post(f) }

// Sub imposes a fault within this one, for faults that carry another: it has its own hold, alarms, cleanups and
// memory, and hits count for the one that carries it. Segments enter it through in, and what it passes goes to next.
// To lift it is to lift a fault: it releases what it holds and takes back the time it added.
func (st *Stage) Sub(fault Fault, next Sink) (in Sink, lift func()) {
	sub := &Stage{
		line: st.line, imposed: st.imposed, parent: st, fault: fault, next: next,
		key: mix(st.key, subSalt), since: st.line.offset, now: st.now,
	}
	// A carried fault finds its memory again when the one that carries it is changed, as long as it keeps its type.
	for i, old := range st.subs {
		if old.gone && sameType(old.fault, fault) {
			sub.memory, sub.subs = old.memory, old.subs
			old.parent = sub // what it has added is taken back with what sub adds
			st.subs = append(st.subs[:i], st.subs[i+1:]...)
			break
		}
	}
	st.subs = append(st.subs, sub)
	sub.sink = fault.Impose(sub, sub.pass)
	sub.now = call{}
	in = func(s Segment) {
		st.locate(&s)
		sub.enter(s)
	}
	return in, func() {
		if !sub.gone {
			sub.lift()
			if !sub.lingers {
				st.drop(sub)
			}
		}
	}
}

// drop forgets a sub that was lifted.
func (st *Stage) drop(sub *Stage) {
	for i, s := range st.subs {
		if s == sub {
			st.subs = append(st.subs[:i], st.subs[i+1:]...)
			return
		}
	}
}

// whenBytesWait has f called once when bytes are there that the hold keeps the gate from reading.
func (st *Stage) whenBytesWait(f func()) { st.onBytes = f }

// lift ends the stage: what it holds is released and the time that it added is taken back.
func (st *Stage) lift() {
	st.cleanup()
	st.lingers = st.lingers || st.carriesLingering()
	if !st.lingers {
		st.settle()
	}
	st.line.takeBack(st)
}

// cleanup runs the cleanups of the stage and of those within it, the innermost first.
func (st *Stage) cleanup() {
	for _, sub := range st.subs {
		if !sub.gone {
			sub.cleanup()
		}
	}
	fs := st.cleanups
	st.cleanups = nil
	for _, f := range fs {
		f()
	}
}

// settle ends a stage whose cleanups have run.
func (st *Stage) settle() {
	st.gone, st.lingers = true, false
	st.hold, st.most, st.onBytes = time.Time{}, 0, nil
	st.line.clearAlarms(st)
	for _, sub := range st.subs {
		sub.settle()
	}
}

// within reports whether st is s or carried by it.
func (st *Stage) within(s *Stage) bool {
	for ; st != nil; st = st.parent {
		if st == s {
			return true
		}
	}
	return false
}

// name returns the kind of the fault at work, as the one that ended a connection.
func (st *Stage) name() string {
	if st == nil {
		return ""
	}
	return KindOf(st.fault)
}

package chaos

import (
	"sync/atomic"
	"time"
)

// A rest is a pump's that has nothing to do for a while: it has no goroutine then, and so no stack, which is most of what an
// idle connection takes. The watcher, or a kick, gives it one again.
//
// What it keeps true:
//   - A pump that is at rest passes through: it has no stage and nothing under way, in its queue or its pipe, so no alarm, no
//     deadline and no room to wait for. It waits for bytes, for an end, or for a kick.
//   - Whoever ends the rest owns the pump: the one whose swap of now succeeds. A pump that has said that it is at rest touches
//     nothing of its own any more but by ending the rest itself.
//   - A kick meets it: a pump says that it is at rest and then looks at the kicks; a kick counts itself and then looks
//     whether the pump is at rest. One of the two always notices the other. So what kicks a pump (a change of a flow, an end
//     of the connection or of the gate, a reset of either leg, a posted function) need not know of rests.
//   - Bytes and ends meet it: the watcher is asked to listen before the pump says that it is at rest, and then tells of what
//     has come before, too. If it does so between the two, its kick is one that the pump notices.
//   - A reset meets it once only: the watcher tells of one and then knows the leg no more, and no second to notice it kicks.
//     Each stores it before it kicks, so a pump that has seen the kick sees the reset, and does not rest but reads.
type rest struct {
	now   atomic.Bool   // the pump is at rest
	heeds bool          // the watcher listens to the source
	never bool          // the watcher cannot
	nth   uint8         // how often at was set: each time for a silence of double the length
	at    time.Duration // how old the connection is when it is to be looked whether bytes have come since this was set
	moved int64         // the line's offset at that time
}

// A pump rests after so long a silence: early while its connection is new, so that few of many that are opened have a stack
// at any time, and later each time that bytes have come, since to rest and to begin again takes some ten microseconds.
const (
	firstRest = 3 * time.Millisecond
	lastRest  = time.Second
)

// armRest is armRead until it may be time to rest.
func (p *pump) armRest() bool {
	r := &p.rest
	if p.src.watched.w == nil || r.never {
		return p.armRead(time.Time{})
	}
	if age := p.line.now.Sub(p.line.conn.opened); r.at <= age {
		r.at, r.moved = age+min(firstRest<<r.nth, lastRest), p.line.offset
		r.nth = min(r.nth+1, 10) // by then it is lastRest
	}
	if t := p.line.conn.opened.Add(r.at); p.readBy.moves(t) { // without the pacer: nobody waits for it
		p.src.conn.SetReadDeadline(t)
	}
	return p.kicks.Load() == p.seen
}

// rests has the pump rest if nothing has come for long enough. If it reports true the pump is no more the caller's.
func (p *pump) rests() bool {
	r := &p.rest
	if p.src.reset.Load() { // nobody would tell of what is still to be read
		return false
	}
	if r.at == 0 || r.at > p.line.now.Sub(p.line.conn.opened) || r.moved != p.line.offset || p.piped() {
		return false
	}
	r.at = 0
	if !p.src.watched.listen(p.src.conn, true) {
		r.never = true
		return false
	}
	r.heeds = true
	p.raw = nil
	seen := p.seen
	r.now.Store(true)
	if p.kicks.Load() == seen || !r.ends() {
		return true
	}
	p.wakeUp()
	return false
}

// ends ends the rest, and reports whether there was one: then the caller begins the pump's goroutine, or is it.
func (r *rest) ends() bool { return r.now.CompareAndSwap(true, false) }

// wakeUp begins the work of a goroutine.
func (p *pump) wakeUp() {
	p.readBy, p.writeBy = stale, stale
	p.unheed()
	if p.raw == nil {
		p.raw = newRaw(p.dst.conn, p.src.conn)
	}
}

// unheed has the watcher listen to the source no more.
func (p *pump) unheed() {
	if p.rest.heeds {
		p.rest.heeds = false
		p.src.watched.listen(p.src.conn, false)
	}
}

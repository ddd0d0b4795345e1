package chaos

import "time"

// A deadline is one that was set on a socket, in nanoseconds of Unix time, 0 for none: each connection has four. It is not set
// again while it stands.
type deadline int64

// stale is a deadline that a kick may have moved.
const stale deadline = -1

// armRead prepares for a read that ends by t, if t is set, or when kicked. It reports whether there is nothing else to
// do first. The order matters: kick counts itself before it moves the deadlines, this moves them before it looks at
// the count, so one of the two always notices the other.
func (p *pump) armRead(t time.Time) bool {
	if p.readBy.moves(t) {
		p.src.conn.SetReadDeadline(t)
	}
	p.pace(t)
	return p.kicks.Load() == p.seen
}

// armWrite is armRead for a write.
func (p *pump) armWrite(t time.Time) bool {
	if p.writeBy.moves(t) {
		p.dst.conn.SetWriteDeadline(t)
	}
	p.pace(t)
	return p.kicks.Load() == p.seen
}

// moves reports whether a deadline has to be set to be t.
func (d *deadline) moves(t time.Time) bool {
	at := deadline(0)
	if !t.IsZero() {
		at = deadline(t.UnixNano())
	}
	if *d == at {
		return false
	}
	*d = at
	return true
}

// pace has the pump kicked at t, on time: deadlines alone are up to a millisecond late.
func (p *pump) pace(t time.Time) {
	if t.IsZero() || p.raw == nil {
		return
	}
	if p.pacer == nil {
		p.pacer = newWake(p.nudge)
	}
	p.pacer.at(t)
}

// wait sleeps until something falls due, or a kick.
func (p *pump) wait() {
	t := p.line.next()
	if p.awaitBytes(t) {
		return
	}
	p.pace(t)
	wake := p.wake.Load()
	if wake == nil {
		made := make(chan struct{}, 1)
		wake = &made
		p.wake.Store(wake) // before the kicks are looked at: a kick counts itself before it looks for a bell
	}
	if p.kicks.Load() != p.seen {
		return
	}
	var rings <-chan time.Time
	if !t.IsZero() {
		d := time.Until(t)
		if p.timer == nil {
			p.timer = time.NewTimer(d)
		} else {
			p.timer.Reset(d)
		}
		rings = p.timer.C
	}
	select {
	case <-*wake:
	case <-rings:
	}
}

// awaitBytes waits for bytes that a hold keeps the gate from reading, if a stage wants to know of them, and reports
// whether it has waited. It consumes nothing.
func (p *pump) awaitBytes(t time.Time) bool {
	wanted := false
	p.line.watchers(func(*Stage) { wanted = true })
	if !wanted || p.eof {
		return false
	}
	var err error
	if w, ok := p.src.conn.(interface{ WaitRead() error }); ok {
		if !p.armRead(t) {
			return true
		}
		err = w.WaitRead()
	} else if p.raw != nil {
		if !p.armRead(t) {
			return true
		}
		err = p.raw.waitRead()
	} else {
		return false
	}
	if err != nil {
		p.readBy = stale
		return true
	}
	p.line.now = time.Now()
	p.line.watchers(func(st *Stage) {
		f := st.onBytes
		st.onBytes = nil
		f()
	})
	return true
}

package chaos

import "slices"

// A carrier is the part of a selector that has its fault imposed, or not.
type carrier struct {
	st    *Stage
	fault Fault
	next  Sink
	on    bool
	in    Sink   // to the fault, while it is imposed or, lifted, is waited for
	lift  func() // lifts it
}

// switchTo imposes the fault or lifts it.
func (c *carrier) switchTo(on bool) {
	if !on && !c.on {
		c.forget()
	}
	if on == c.on {
		return
	}
	if c.on = on; on {
		c.in, c.lift = c.st.Sub(c.fault, c.next)
	} else {
		c.lift()
	}
}

// forget lifts the fault if it was imposed until the selector was changed: it may hold something back.
func (c *carrier) forget() {
	for _, sub := range c.st.subs {
		if sub.gone {
			_, lift := c.st.Sub(c.fault, c.next)
			lift()
			return
		}
	}
}

// sink takes a segment to the fault if it is imposed, and else past it.
func (c *carrier) sink(s Segment) {
	if c.on || c.st.carriesLingering() {
		c.in(s)
	} else {
		c.next(s)
	}
}

// endWhere ends the line's connection if a stage of the Imposed is at work on it, so deep within others: a selector may have
// spared the connection.
func (l *line) endWhere(i *Imposed, how End, depth int) {
	at := func(st *Stage) bool { return st.imposed == i && !st.gone && !st.lingers }
	for _, st := range l.stages {
		if !at(st) {
			continue
		}
		for ; depth > 0; depth-- {
			k := slices.IndexFunc(st.subs, at)
			if k < 0 {
				return
			}
			st = st.subs[k]
		}
		st.End(how)
		return
	}
}

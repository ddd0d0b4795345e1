package chaos

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

package main

import (
	"context"
	"slices"
	"time"
)

// A measurement is one table of the report.
type measurement struct {
	name, about string
	role        string   // the server's
	faults      []fault  // a contender has a wire with each of them; one that imposes nothing if there is none
	fresh       bool     // contenders are started anew for each turn, and none is warmed up
	who         []string // the contenders, by name; all that know the faults if nil
	many        int      // how many connections it keeps; not for contenders that cannot have as many
	rounds      int      // at most; as many as asked if 0
	metrics     []string // with their units
	targets     []target
	turn        func(ctx context.Context, t turn) (figures, error)
}

// figures are what was measured in a turn, by metric.
type figures map[string]float64

// A turn is what a measurement has when it measures a contender once.
type turn struct {
	wires  []*wire       // one for each of the measurement's faults
	length time.Duration // of a load
}

// A wire is the way to a server, through a contender.
type wire struct {
	*running
	server *child
}

// spent returns the processor time that the contender has used while f ran.
func (w *wire) spent(f func() error) (time.Duration, error) {
	if w.pid == 0 {
		return 0, f()
	}
	before, err := cpuOf(w.pid)
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := cpuOf(w.pid)
	return after - before, err
}

// close stops the contender and its server.
func (w *wire) close() {
	w.stop()
	w.server.stop()
}

// wants reports whether a contender takes part in a measurement.
func (m measurement) wants(c contender) bool {
	return (m.who == nil || slices.Contains(m.who, c.name)) && (c.most == 0 || m.many <= c.most) && c.takes(m.faults)
}

// measurements are those of gates beside all others, in the order in which they are done.
func measurements(s scale) []measurement {
	return []measurement{
		bulkToServer(), bulkToClient(), roundTripTimes(), connectionRate(), idleCost(s), stalledReader(), neighbours(s),
		setting(s), switching(), allocations(),
		delayError(), delayThroughput(),
		bandwidth(10_000), bandwidth(1_000_000), bandwidth(100_000_000),
		slicing(), limiting(), corrupting(), substitutingLiteral(), substitutingOther(),
	}
}

// measurementsOfToxics are those beside Toxiproxy alone, when both speak its API: what a proxy costs, and each toxic.
func measurementsOfToxics(s scale) []measurement {
	return []measurement{
		bulkToServer(), bulkToClient(), roundTripTimes(), connectionRate(), idleCost(s), changingToxics(s),
		delayError(), delayThroughput(),
		bandwidth(10_000), bandwidth(1_000_000), bandwidth(100_000_000),
		slicing(), limiting(), passing(),
		slowClose(), timeout(), resetPeer(), limitReached(),
	}
}

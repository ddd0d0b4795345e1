package chaos

import (
	"reflect"
	"slices"
	"time"
)

// adopt makes the line obey the gate's entries (level 0) and the connection's own (level 1). Stages whose fault stays
// keep their memory; stages whose fault goes are lifted, which releases what they hold.
func (l *line) adopt(entries [2][]entry) {
	wanted := slices.Concat(entries[0], entries[1])
	for _, st := range l.stages {
		stays := func(e entry) bool {
			return e.imposed == st.imposed && (e.version == st.version || sameShape(e.fault, st.fault))
		}
		if !st.gone && !slices.ContainsFunc(wanted, stays) {
			st.lift()
		}
	}
	old := l.stages
	l.stages = nil
	var fresh []*Stage
	for i, e := range wanted {
		at := slices.IndexFunc(old, func(st *Stage) bool { return !st.gone && !st.lingers && st.imposed == e.imposed })
		var st *Stage
		if at >= 0 {
			st = old[at]
		} else {
			level := uint64(0)
			if i >= len(entries[0]) {
				level = 1
			}
			st = &Stage{line: l, imposed: e.imposed, since: l.offset, key: mix(l.key, level<<32|uint64(e.imposed.ordinal))}
		}
		if at < 0 || st.version != e.version {
			st.reset()
			st.fault, st.version = e.fault, e.version
			fresh = append(fresh, st)
		}
		l.stages = append(l.stages, st)
	}
	l.keepLingering(old)
	l.connect()
	for _, st := range slices.Backward(fresh) {
		st.sink = st.fault.Impose(st, st.pass)
	}
}

// keepLingering puts stages that were lifted and are not settled yet before the stages that they stood before.
func (l *line) keepLingering(old []*Stage) {
	for i, st := range old {
		if !st.lingers {
			continue
		}
		at := len(l.stages)
		for _, after := range old[i+1:] {
			if j := slices.Index(l.stages, after); j >= 0 {
				at = j
				break
			}
		}
		l.stages = slices.Insert(l.stages, at, st)
	}
}

// connect makes each stage pass on to the one behind it.
func (l *line) connect() {
	for i, st := range l.stages {
		if i+1 < len(l.stages) {
			st.next = l.stages[i+1].enter
		} else {
			st.next = l.enqueue
		}
	}
}

// settled removes a stage that lingered.
func (l *line) settled(st *Stage) {
	st.settle()
	if p := st.parent; p != nil {
		p.drop(st)
		if p.lingers && !p.carriesLingering() {
			l.settled(p)
		}
		return
	}
	if i := slices.Index(l.stages, st); i >= 0 {
		l.stages = slices.Delete(slices.Clone(l.stages), i, i+1)
		l.connect()
	}
}

// reset prepares a stage for a changed fault: its memory stays, and nothing is released.
func (st *Stage) reset() {
	st.hold, st.most, st.onBytes, st.cleanups = time.Time{}, 0, nil, nil
	st.line.clearAlarms(st)
	for _, sub := range st.subs {
		sub.reset()
		sub.gone = true
	}
}

// sameType reports whether two faults are of one type.
func sameType(a, b Fault) bool { return reflect.TypeOf(a) == reflect.TypeOf(b) }

// sameShape reports whether two faults are of one type and so are the faults that they carry, so that the memory of
// one serves the other.
func sameShape(a, b Fault) bool {
	for a != nil && b != nil {
		if !sameType(a, b) {
			return false
		}
		a, b = carried(a), carried(b)
	}
	return a == nil && b == nil
}

// carried returns the fault that a fault carries, nil if none.
func carried(f Fault) Fault {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Struct {
		return nil
	}
	c := v.FieldByName("Fault")
	if !c.IsValid() || !c.CanInterface() {
		return nil
	}
	g, _ := c.Interface().(Fault)
	return g
}

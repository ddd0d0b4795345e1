package toxiproxy

import (
	"strconv"
	"strings"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A toxic is a toxic as clients see it.
type toxic struct {
	Attributes attributes `json:"attributes"`
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Stream     string     `json:"stream"`
	Toxicity   float32    `json:"toxicity"`
}

// streams are the directions as clients call them.
var streams = map[chaos.Direction]string{chaos.ToServer: "upstream", chaos.ToClient: "downstream"}

// direction returns the direction of the toxic's stream, which may be written in capitals.
func (t toxic) direction() chaos.Direction {
	if strings.EqualFold(t.Stream, streams[chaos.ToServer]) {
		return chaos.ToServer
	}
	return chaos.ToClient
}

// made are the faults that a toxic is made of. The one beside the main one may be nil.
type made struct{ main, beside chaos.Fault }

// faults returns what the toxic is made of.
func (t toxic) faults() (m made, err error) {
	if m.main, m.beside, err = t.Attributes.faults(); err != nil {
		return made{}, err
	}
	if t.Toxicity >= 1 {
		return m, nil
	}
	// Both are of one group, so that a connection has the whole toxic or nothing of it.
	chance, _ := strconv.ParseFloat(strconv.FormatFloat(float64(max(t.Toxicity, 0)), 'g', -1, 32), 64) // 0.2 rather than 0.20000000298
	some := func(fault chaos.Fault) chaos.Fault {
		if fault == nil {
			return nil
		}
		return chaos.Sometimes{Chance: chance, Group: t.Name, Fault: fault}
	}
	return made{some(m.main), some(m.beside)}, nil
}

// besideID returns the id of the fault that may go with a toxic's main one; it is empty if none does.
func besideID(name string, main chaos.Fault) string {
	if some, ok := main.(chaos.Sometimes); ok {
		main = some.Fault
	}
	switch main.(type) {
	case chaos.Discard:
		return name + ".idle"
	case chaos.Close:
		return name + ".stall"
	}
	return ""
}

// entries returns the toxic's faults in the order in which bytes are to meet them.
func (m made) entries(name string) spec.Entries {
	es := spec.Entries{{ID: name, Fault: m.main}}
	if m.beside != nil { // what is discarded reaches nothing behind
		es = append(spec.Entries{{ID: besideID(name, m.main), Fault: m.beside}}, es...)
	}
	return es
}

// An imposition is a toxic with the faults that it is made of.
type imposition struct {
	toxic
	made
}

// toxics returns a gate's toxics: those to the server first, each in the order in which they were imposed.
func (a *API) toxics(g status.Gate) []imposition {
	all := []imposition{}
	for _, list := range [][]status.Fault{g.ToServer, g.ToClient} {
		byID := map[string]chaos.Fault{}
		for _, f := range list {
			byID[f.ID] = f.Fault.Fault // none has an empty id
		}
		gone := map[string]bool{} // with another fault into one toxic
		for _, f := range list {
			m := made{main: f.Fault.Fault}
			beside := besideID(f.ID, m.main)
			m.beside = byID[beside]
			t, ok := a.remembered(g.Name, f.ID, m)
			if !ok {
				t, ok = m.toxic(f.ID, f.Direction)
			}
			if ok {
				all = append(all, imposition{t, m})
				gone[beside] = m.beside != nil
			}
		}
		all = without(all, gone)
	}
	return all
}

// without returns the toxics but for those that are a part of another.
func without(all []imposition, gone map[string]bool) []imposition {
	left := all[:0]
	for _, i := range all {
		if !gone[i.Name] {
			left = append(left, i)
		}
	}
	return left
}

// toxic returns the toxic that faults stand for, if they do.
func (m made) toxic(name string, dir chaos.Direction) (toxic, bool) {
	t := toxic{Name: name, Stream: streams[dir], Toxicity: 1}
	inner := m
	if some, ok := m.main.(chaos.Sometimes); ok {
		t.Toxicity, inner.main = float32(some.Chance), some.Fault
		if beside, ok := m.beside.(chaos.Sometimes); ok {
			inner.beside = beside.Fault
		}
	}
	var ok bool
	if t.Type, t.Attributes, ok = read(inner.main, inner.beside); !ok {
		return t, false
	}
	again, err := t.faults()
	if some, is := m.main.(chaos.Sometimes); is && some.Group == "" && m.beside == nil { // as people write it
		some.Group = name
		m.main = some
	}
	return t, err == nil && again == m
}

package spec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/chaosgate/chaos"
)

// ParseFault reads one fault from its text form, such as "delay by=200ms jitter=20ms". Its errors are of type [*Error].
func ParseFault(text string) (chaos.Fault, error) {
	faults, err := parse(newReading(), text, nil)
	switch {
	case err != nil:
		return nil, err
	case len(faults) > 1:
		return nil, &Error{Column: 1, Err: fmt.Errorf("got %d faults, want one", len(faults))}
	}
	return faults[0], nil
}

// ParseFaults reads one fault or more from a line, such as "delay by=200ms bandwidth rate=64KiB/s". A selector is always the last,
// because it takes the rest. The errors of ParseFaults are of type [*Error].
func ParseFaults(text string) ([]chaos.Fault, error) {
	faults, err := parse(newReading(), text, nil)
	if err != nil { // a nil *Error must not become an error
		return nil, err
	}
	return faults, nil
}

// Text returns the text form of a fault, which is as short as can be: [ParseFault] makes an equal fault of it. A fault that exists in
// Go only is named by its type, which cannot be read again.
func Text(fault chaos.Fault) string {
	var b strings.Builder
	writeText(&b, kinds(), fault)
	return b.String()
}

// writeText writes a fault, and behind its keys the fault that it carries.
func writeText(b *strings.Builder, kinds map[string]chaos.Kind, fault chaos.Fault) {
	name := chaos.KindOf(fault)
	b.WriteString(name)
	kind, ok := kinds[name]
	if !ok {
		return
	}
	v := reflect.ValueOf(fault)
	for _, p := range kind.Params {
		field := v.FieldByName(p.Field)
		if p.Type == "fault" || field.IsZero() {
			continue
		}
		b.WriteString(" " + p.Name)
		if value := valueText(p, field); p.Type != "flag" {
			if !plain(value) {
				value = strconv.Quote(value)
			}
			b.WriteString("=" + value)
		}
	}
	if p, ok := carried(kind); ok {
		inner, _ := v.FieldByName(p.Field).Interface().(chaos.Fault)
		b.WriteByte(' ')
		writeText(b, kinds, inner)
	}
}

// parse reads and checks the faults of a line, which stand in selectors if path says so.
func parse(r *reading, text string, path []string) ([]chaos.Fault, *Error) {
	line := &line{reading: r, words: words{line: text}}
	if line.peek() == nil {
		return nil, fail(&chaos.FaultError{Path: path, Allowed: "a fault such as delay by=200ms"}, 1)
	}
	var faults []chaos.Fault
	for line.peek() != nil {
		if len(faults) > 0 {
			r.forget()
		}
		fault, err := line.fault(path)
		if err == nil && len(path) == 0 {
			err = r.check(fault) // a fault that is carried is checked with its selectors
		}
		if err != nil {
			return nil, err
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

// A line is a text form that is being read.
type line struct {
	*reading
	words
}

// fault reads a kind, its keys, and the fault that it carries.
func (l *line) fault(path []string) (chaos.Fault, *Error) {
	first := l.take()
	if first.assigned {
		err := fmt.Errorf("got %s=%s, want a fault before its keys, such as delay by=200ms", shown(first.name), shown(first.value))
		return nil, fail(&chaos.FaultError{Path: path, Err: err}, first.column)
	}
	d, err := l.draft(first.name, path, first.column)
	if err != nil {
		return nil, err
	}
	for err == nil && l.peek() != nil && !l.begins(d, l.peek()) {
		err = l.key(d, l.take())
	}
	if err != nil {
		return nil, err
	}
	if err := l.carried(d); err != nil {
		return nil, err
	}
	return d.fault()
}

// begins reports whether a word within a fault is the next kind's name.
func (l *line) begins(d *draft, w *word) bool {
	p, ok := paramNamed(d.kind, w.name)
	_, isKind := l.kinds[canonical(w.name)]
	return isKind && !w.assigned && !(ok && p.Type == "flag")
}

// key reads a parameter.
func (l *line) key(d *draft, w *word) *Error {
	if _, ok := paramNamed(d.kind, w.name); !ok {
		return l.unknown(d, w)
	}
	p, err := d.param(w.name, w.column)
	switch {
	case err != nil:
		return err
	case w.broken != "":
		return d.refuse(p.Name, w.value, w.broken, w.at)
	case p.Type == "fault":
		return d.refuse(p.Name, w.value, "the fault behind the keys of "+d.kind.Name+", without "+p.Name+"=", w.column)
	case p.Type == "flag" && !w.assigned:
		return d.set(p, "true", w.column)
	case !w.assigned || w.value == "" && p.Type != "text":
		return d.refuse(p.Name, "", want(p), w.column)
	}
	return d.set(p, w.value, w.at)
}

// unknown returns the error about a word that is no key of the fault in which it stands.
func (l *line) unknown(d *draft, w *word) *Error {
	for i := len(d.path) - 2; i >= 0; i -= 2 {
		if _, ok := paramNamed(l.kinds[d.path[i]], w.name); ok {
			return d.wrong(fmt.Errorf("unknown key %q: it is one of %s, whose keys stand before the fault it carries", w.name, d.path[i]), w.column)
		}
	}
	if w.assigned {
		_, err := d.param(w.name, w.column)
		return err
	}
	if c := w.name[0]; '0' <= c && c <= '9' && len(keys(d.kind)) > 0 {
		return d.wrong(fmt.Errorf("got %s without a key, such as %s=%s", shown(w.name), keys(d.kind)[0], shown(w.name)), w.column)
	}
	for _, near := range []string{Nearest(w.name, keys(d.kind)), Nearest(w.name, l.names())} {
		if near != "" {
			return d.wrong(fmt.Errorf("unknown key or fault %q, did you mean %s?", clip(w.name), near), w.column)
		}
	}
	if near := elsewhere[canonical(w.name)]; near != "" {
		return d.wrong(fmt.Errorf("unknown key or fault %q, did you mean %s?", clip(w.name), near), w.column)
	}
	if len(d.kind.Params) == 0 {
		return d.wrong(fmt.Errorf("takes no keys, and %s is no fault", shown(w.name)), w.column)
	}
	return d.wrong(unknown("key", w.name, keys(d.kind)), w.column)
}

// carried reads the fault that a selector carries. It takes the rest of the line.
func (l *line) carried(d *draft) *Error {
	p, ok := carried(d.kind)
	if !ok {
		return nil
	}
	if l.peek() == nil {
		return d.refuse(p.Name, "", want(p), d.column)
	}
	if _, err := d.param(p.Name, l.peek().column); err != nil {
		return err
	}
	fault, err := l.fault(d.within(p))
	if err != nil {
		return err
	}
	d.carry(p, fault)
	if next := l.peek(); next != nil {
		return d.wrong(fmt.Errorf("carries one fault, %s, and takes the rest of the line: %s must stand before %s or apart",
			chaos.KindOf(fault), shown(next.name), d.kind.Name), next.column)
	}
	return nil
}

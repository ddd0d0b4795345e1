package spec

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/chaosgate/chaos"
)

// A reading is one text, or one JSON value, on its way to becoming a fault.
//
// A fault is read first and checked when all of it has been read, because some values are wrong only beside others. Where each
// part was is noted meanwhile, by its path, such as "after.fault.delay.by".
type reading struct {
	kinds   map[string]chaos.Kind
	columns map[string]int    // what has been read; 0 in JSON
	values  map[string]string // how the values were given
}

func newReading() *reading {
	return &reading{kinds: kinds(), columns: map[string]int{}, values: map[string]string{}}
}

// forget forgets the fault that was read, before the one behind it is.
func (r *reading) forget() {
	clear(r.columns)
	clear(r.values)
}

// A draft is one fault while it is being read.
type draft struct {
	*reading
	kind   chaos.Kind
	path   []string // the selectors around it, as in [chaos.FaultError]
	column int
	value  reflect.Value // the struct
}

// deepest is how many selectors can stand around one another, as in [chaos.Check]: reading stops there.
const deepest = 32

// draft begins a fault of the kind of that name.
func (r *reading) draft(name string, path []string, column int) (*draft, *Error) {
	kind, ok := r.kinds[canonical(name)]
	if !ok {
		return nil, fail(&chaos.FaultError{Path: path, Err: unknownFault(name, r.names())}, column)
	}
	if len(path) > 2*deepest {
		given, allowed := fmt.Sprintf("%d selectors around it", len(path)/2), fmt.Sprintf("at most %d", deepest)
		refused := &chaos.FaultError{Kind: kind.Name, Given: given, Allowed: allowed} // a path of that length helps nobody
		return nil, &Error{Column: column, Path: join(path...), Err: refused}
	}
	d := &draft{reading: r, kind: kind, path: path, column: column, value: reflect.New(reflect.TypeOf(kind.Fault)).Elem()}
	r.columns[join(join(path...), kind.Name)] = column
	return d, nil
}

// names returns the names of all kinds, sorted.
func (r *reading) names() []string {
	var names []string
	for name := range r.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// fail returns an error about a fault.
func fail(e *chaos.FaultError, column int) *Error {
	return &Error{Column: column, Path: pathOf(e), Err: e}
}

// refuse returns the error about a parameter's value.
func (d *draft) refuse(param, given, allowed string, column int) *Error {
	return fail(&chaos.FaultError{Path: d.path, Kind: d.kind.Name, Param: param, Given: shown(given), Allowed: allowed}, column)
}

// wrong returns the error about something in the fault that is not a parameter's value.
func (d *draft) wrong(err error, column int) *Error {
	return fail(&chaos.FaultError{Path: d.path, Kind: d.kind.Name, Err: err}, column)
}

// param returns the parameter for a key that has not been given yet.
func (d *draft) param(key string, column int) (chaos.Param, *Error) {
	p, ok := paramNamed(d.kind, key)
	switch {
	case !ok && len(d.kind.Params) == 0:
		return p, d.wrong(fmt.Errorf("takes no keys, got %s", shown(key)), column)
	case !ok:
		return p, d.wrong(unknown("key", key, keys(d.kind)), column)
	}
	at := join(join(d.path...), d.kind.Name, p.Name)
	if _, again := d.columns[at]; again {
		return p, d.wrong(fmt.Errorf("%s is given twice", p.Name), column)
	}
	d.columns[at] = column
	return p, nil
}

// set reads the value of a parameter that is not a fault.
func (d *draft) set(p chaos.Param, text string, column int) *Error {
	if allowed := readValue(p, text, d.value.FieldByName(p.Field)); allowed != "" {
		return d.refuse(p.Name, text, allowed, column)
	}
	at := join(join(d.path...), d.kind.Name, p.Name)
	d.columns[at], d.values[at] = column, text
	return nil
}

// within returns the path for the fault that a parameter carries.
func (d *draft) within(p chaos.Param) []string {
	return slices.Concat(d.path, []string{d.kind.Name, p.Name})
}

// carry sets the fault that a selector carries.
func (d *draft) carry(p chaos.Param, fault chaos.Fault) {
	d.value.FieldByName(p.Field).Set(reflect.ValueOf(fault))
}

// fault returns what was read, if nothing is missing.
func (d *draft) fault() (chaos.Fault, *Error) {
	for _, p := range d.kind.Params {
		if _, given := d.columns[join(join(d.path...), d.kind.Name, p.Name)]; p.Required && !given {
			return nil, d.refuse(p.Name, "", want(p), d.column)
		}
	}
	return d.value.Interface().(chaos.Fault), nil
}

// check checks a fault that has been read as a whole.
func (r *reading) check(fault chaos.Fault) *Error {
	refused := check(fault)
	if refused == nil {
		return nil
	}
	column, ok := r.columns[pathOf(refused)]
	if !ok { // it is about a parameter that is missing
		column = r.columns[join(join(refused.Path...), refused.Kind)]
	}
	refused.Given = r.given(refused)
	return fail(refused, column)
}

// given returns the value that is refused in the words in which it was given: 150% rather than 1.5.
func (r *reading) given(refused *chaos.FaultError) string {
	kind := r.kinds[refused.Kind]
	text, ok := r.values[pathOf(refused)]
	p, known := paramNamed(kind, refused.Param)
	if !ok || !known {
		return refused.Given
	}
	// What a fault says that it was given can be something else than the value.
	field := reflect.TypeOf(kind.Fault)
	was, said := reflect.New(field).Elem().FieldByName(p.Field), reflect.New(field).Elem().FieldByName(p.Field)
	if readValue(p, text, was) != "" || readValue(p, refused.Given, said) != "" || !was.Equal(said) {
		return refused.Given
	}
	return shown(text)
}

// check checks a fault for whatever network it fits. What fits none is refused as on that whose sort of fault it is.
func check(fault chaos.Fault) *chaos.FaultError {
	stream, _ := errors.AsType[*chaos.FaultError](chaos.Check("tcp", fault))
	if stream == nil {
		return nil
	}
	datagrams, _ := errors.AsType[*chaos.FaultError](chaos.Check("udp", fault))
	if datagrams == nil || stream.Param == "" && stream.Given == "tcp" {
		return datagrams
	}
	return stream
}

package chaos

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Checker is a [Fault] that can say more about its values than its tags do: what fits together, what parses, on which networks
// it makes sense ([StreamsOnly], [DatagramsOnly]). [Check] asks it once every value by itself is allowed. A [*FaultError] that it returns needs no Kind; one without
// Param, with the network as Given, refuses the network whatever the values are.
type Checker interface {
	Check(network string) error
}

// A FaultError tells why a fault is refused. Its message is such as "delay: by: got -1s, want a duration of at least 0s".
type FaultError struct {
	Path    []string // the way to a fault that others carry, as kind and parameter of each, from the outside: "after", "fault"
	Kind    string   // of the fault, as [KindOf] says
	Param   string   // by the parameter's key; empty if it is none of them
	Given   string   // what was given; empty if nothing was
	Allowed string   // what would be right
	Err     error    // what a fault said of itself, if that was no FaultError
}

// Error names kind, parameter, what was given and what is allowed.
func (e *FaultError) Error() string {
	var b strings.Builder
	for _, name := range slices.Concat(e.Path, []string{e.Kind, e.Param}) {
		if name != "" {
			b.WriteString(name + ": ")
		}
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
		return b.String()
	}
	given := cmp.Or(e.Given, "nothing")
	if strings.ContainsFunc(given, func(r rune) bool { return !strconv.IsPrint(r) }) {
		given = strconv.Quote(given) // it may come from anywhere, and go to a terminal
	}
	fmt.Fprintf(&b, "got %s, want %s", given, e.Allowed)
	return b.String()
}

// Unwrap returns what the fault said of itself.
func (e *FaultError) Unwrap() error { return e.Err }

const (
	// longest is the longest duration that a parameter can have: far beyond any test, and short enough that
	// hundreds of them can be added to one moment.
	longest = 365 * 24 * time.Hour

	// largest is the largest size, rate or count, 1 PiB: positions stay far from overflow when sizes are added to them.
	largest = 1 << 50

	// deepest is how many selectors can stand around one another.
	deepest = 32
)

// Check reports, as a [*FaultError], the first of the faults that could not be imposed on a gate of that network ("" is tcp).
// It is for values that come from outside a program: what Check refuses, [Flow.Set] panics on.
func Check(network string, faults ...Fault) error {
	if network == "" {
		network = "tcp"
	}
	for _, fault := range faults {
		if refused := check(network, fault, nil); refused != nil {
			return refused
		}
	}
	return nil
}

// check checks one fault, which the selectors of path carry: each value, then all together, then the fault that it carries.
func check(network string, fault Fault, path []string) *FaultError {
	refused := func(param, given, allowed string) *FaultError {
		return &FaultError{Path: path, Kind: KindOf(fault), Param: param, Given: given, Allowed: allowed}
	}
	if fault == nil {
		return &FaultError{Path: path, Given: "nil", Allowed: "a fault"}
	}
	if len(path) > 2*deepest {
		return refused("", fmt.Sprintf("%d selectors around it", len(path)/2), fmt.Sprintf("at most %d", deepest))
	}
	v := reflect.ValueOf(fault)
	switch v.Kind() {
	case reflect.Pointer:
		if kind, ok := pointee(v.Type()); ok {
			return &FaultError{Path: path, Kind: kind.Name, Given: "a pointer", Allowed: fmt.Sprintf("the %T itself", kind.Fault)}
		}
		if v.IsNil() {
			return refused("", "nil", "a fault")
		}
	case reflect.Func:
		if v.IsNil() {
			return refused("", "nil", "a function")
		}
	}

	kind, _ := kindOf(fault)
	for _, p := range kind.Params {
		if given, allowed := p.refuse(v.FieldByName(p.Field)); allowed != "" {
			return refused(p.Name, given, allowed)
		}
	}
	if err := ask(fault, network); err != nil {
		err.Path, err.Kind = path, KindOf(fault)
		return err
	}
	for _, p := range kind.Params {
		if p.Type == "fault" {
			carried := v.FieldByName(p.Field).Interface().(Fault)
			return check(network, carried, slices.Concat(path, []string{kind.Name, p.Name}))
		}
	}
	return nil
}

// pointee returns the kind of the faults to which a type points, if they are registered.
func pointee(pointer reflect.Type) (Kind, bool) {
	fault, ok := reflect.Zero(pointer.Elem()).Interface().(Fault)
	if !ok {
		return Kind{}, false
	}
	return kindOf(fault)
}

// ask asks a fault that is a Checker about itself.
func ask(fault Fault, network string) *FaultError {
	checker, ok := fault.(Checker)
	if !ok {
		return nil
	}
	err := checker.Check(network)
	if err == nil {
		return nil
	}
	if own, ok := err.(*FaultError); ok {
		answer := *own
		return &answer
	}
	return &FaultError{Err: err}
}

// refusesNetwork reports whether a fault does not fit a network, whatever its values are.
func refusesNetwork(zero Fault, network string) bool {
	err := ask(zero, network)
	return err != nil && err.Param == "" && err.Given == network
}

// refuse returns what was given and what is allowed, if the value of a parameter by itself is not.
func (p Param) refuse(v reflect.Value) (given, allowed string) {
	switch p.Type {
	case "duration":
		return p.refuseNumber(v.Int(), int64(longest), "8760h", func(n int64) string { return time.Duration(n).String() })
	case "size", "rate", "count":
		most := map[string]string{"size": "1024TiB", "rate": "1024TiB/s", "count": "1125899906842624"}[p.Type]
		return p.refuseNumber(v.Int(), largest, most, func(n int64) string { return fmt.Sprint(n) + p.Unit })
	case "chance":
		switch f := v.Float(); {
		case p.Required && f == 0:
			return "0", "a chance above 0, of at most 1"
		case !(f >= 0 && f <= 1): // NaN is neither
			return fmt.Sprint(f), "a chance from 0 to 1"
		}
	case "text":
		if p.Required && v.Len() == 0 {
			return "", "a text"
		}
	case "choice":
		if s := v.String(); (s != "" || p.Required) && !slices.Contains(p.Choices, s) {
			return s, "one of " + strings.Join(p.Choices, ", ")
		}
	case "fault":
		if v.IsNil() {
			return "nil", "a fault"
		}
	}
	return "", ""
}

// refuseNumber refuses a number that is negative, missing, or so large that arithmetic with it could overflow.
func (p Param) refuseNumber(n, most int64, mostText string, text func(int64) string) (given, allowed string) {
	switch {
	case n < 0 && !p.Required:
		return text(n), fmt.Sprintf("a %s of at least %s", p.Type, text(0))
	case n <= 0 && p.Required:
		return text(n), fmt.Sprintf("a %s above %s", p.Type, text(0))
	case n > most:
		return text(n), fmt.Sprintf("a %s of at most %s", p.Type, mostText)
	}
	return "", ""
}

// datagrams reports whether a network carries datagrams.
func datagrams(network string) bool { return strings.HasPrefix(network, "udp") }

// StreamsOnly refuses networks of datagrams, for the Check of a fault that makes sense on streams alone; why is a reason such as
// "a datagram is never cut".
func StreamsOnly(network, why string) error {
	if !datagrams(network) {
		return nil
	}
	return &FaultError{Given: network, Allowed: "a network of streams, because " + why}
}

// DatagramsOnly refuses networks of streams, for the Check of a fault that makes sense on datagrams alone; why is a reason such as
// "a stream loses nothing".
func DatagramsOnly(network, why string) error {
	if datagrams(network) {
		return nil
	}
	return &FaultError{Given: network, Allowed: "a network of datagrams, because " + why}
}

// noReset refuses a Reset where the network has none: only TCP has.
func noReset(network string, reset bool) error {
	why := ""
	switch {
	case !reset:
	case strings.HasPrefix(network, "unix"):
		why = "a unix socket has no RST"
	case datagrams(network):
		why = "udp has no RST"
	}
	if why == "" {
		return nil
	}
	return &FaultError{Param: "reset", Given: "true", Allowed: "false, because " + why}
}

// sameFault reports whether two faults are deeply equal, so that the one may stand for the other. Functions never are.
func sameFault(a, b Fault) bool { return reflect.DeepEqual(a, b) }

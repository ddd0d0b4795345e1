package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Kind describes a registered type of fault: all that a command line, an API, a console or a manual says about it.
type Kind struct {
	Name   string  // such as "delay"
	Help   string  // one sentence
	Fault  Fault   // the zero value of its type
	Params []Param // in the order of the fields

	NoDatagrams   bool // it makes no sense for datagrams, and is refused on their networks
	OnlyDatagrams bool // it makes sense for datagrams only, and is refused on all other networks
}

// A Param describes one parameter of a kind: a field of its struct.
type Param struct {
	Name     string   // the key in JSON and in the text form, such as "by"
	Field    string   // the field in Go, such as "By"
	Type     string   // "duration", "size", "rate", "chance", "count", "flag", "text", "choice", or "fault": the one that it carries
	Unit     string   // "B" for a size, "B/s" for a rate, otherwise empty
	Help     string   // what it is, such as "how long everything is held back"
	Default  string   // what the zero value means, if not simply nothing
	Required bool     // the zero value is refused
	Choices  []string // what a choice can be
}

// registry holds the kinds that are known. Faults register from their init functions, so that there is no second list.
var registry = struct {
	sync.RWMutex // guards both maps
	byName       map[string]Kind
	byType       map[reflect.Type]string
}{byName: map[string]Kind{}, byType: map[reflect.Type]string{}}

// Register makes a type of fault known by name, so that it can be written as JSON and as text, is described by [Kinds], and its
// values are checked when it is imposed. It is meant for init functions and panics on a mistake.
//
// The fault is a struct, given as its zero value. Each field is exported and described by its tags: json is the key, help
// says what it is; default says what zero means; need:"true" refuses zero; one:"a b" lists the choices of a string. An integer is a
// size with unit:"B", a rate with unit:"B/s", otherwise a count; a float64 is a chance, with unit:"chance". At most one field may be of
// type [Fault]: such a fault is a selector, which carries another. What tags cannot say, a fault checks itself, as a [Checker].
func Register(name, help string, zero Fault) {
	kind, err := describe(name, help, zero)
	if err == nil {
		err = kind.enter()
	}
	if err != nil {
		panic(fmt.Sprintf("chaos: Register %q: %v", name, err))
	}
}

// Kinds returns the registered kinds, sorted by name.
func Kinds() []Kind {
	registry.RLock()
	defer registry.RUnlock()
	kinds := make([]Kind, 0, len(registry.byName))
	for _, kind := range registry.byName {
		kind.Params = slices.Clone(kind.Params)
		for i := range kind.Params {
			kind.Params[i].Choices = slices.Clone(kind.Params[i].Choices)
		}
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b Kind) int { return cmp.Compare(a.Name, b.Name) })
	return kinds
}

// KindOf returns the name by which a fault's type is registered, such as "delay"; of any other type its name in Go,
// such as "mypkg.Burst".
func KindOf(fault Fault) string {
	if kind, ok := kindOf(fault); ok {
		return kind.Name
	}
	if fault == nil {
		return "nil"
	}
	return reflect.TypeOf(fault).String()
}

// kindOf returns the kind of a fault whose type is registered.
func kindOf(fault Fault) (Kind, bool) {
	registry.RLock()
	defer registry.RUnlock()
	name, ok := registry.byType[reflect.TypeOf(fault)]
	return registry.byName[name], ok
}

// enter adds a kind to the registry, if it is unlike all that are there.
func (kind Kind) enter() error {
	registry.Lock()
	defer registry.Unlock()
	goType := reflect.TypeOf(kind.Fault)
	if _, ok := registry.byName[kind.Name]; ok {
		return errors.New("the name is taken")
	}
	if other, ok := registry.byType[goType]; ok {
		return fmt.Errorf("%v is registered already, as %s", goType, other)
	}
	for _, other := range registry.byName {
		if kind.hasFlag(other.Name) || other.hasFlag(kind.Name) {
			return fmt.Errorf("a flag and a kind of one name cannot be told apart in the text form: see %s", other.Name)
		}
	}
	registry.byName[kind.Name] = kind
	registry.byType[goType] = kind.Name
	return nil
}

// hasFlag reports whether the kind has a flag of that name, which in the text form is a word of its own, as a kind is.
func (kind Kind) hasFlag(name string) bool {
	return slices.ContainsFunc(kind.Params, func(p Param) bool { return p.Type == "flag" && p.Name == name })
}

var lowerSnake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// describe reads a kind from the type of its zero value and the tags of its fields.
func describe(name, help string, zero Fault) (Kind, error) {
	kind := Kind{Name: name, Help: help, Fault: zero}
	v := reflect.ValueOf(zero)
	switch {
	case !lowerSnake.MatchString(name):
		return kind, errors.New("want a name in lower_snake case")
	case help == "":
		return kind, errors.New("want one sentence of help")
	case zero == nil || v.Kind() != reflect.Struct:
		return kind, fmt.Errorf("want a struct, got %T", zero)
	case !v.IsZero():
		return kind, errors.New("want the zero value")
	}
	var err error
	kind.Params, err = describeFields(v.Type())
	kind.NoDatagrams, kind.OnlyDatagrams = refusesNetwork(zero, "udp"), refusesNetwork(zero, "tcp")
	return kind, err
}

// describeFields reads the parameters from a struct.
func describeFields(goType reflect.Type) ([]Param, error) {
	var params []Param
	for field := range goType.Fields() {
		p, err := describeField(field)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", field.Name, err)
		}
		for _, other := range params {
			if other.Name == p.Name {
				return nil, fmt.Errorf("field %s: the key %s is taken", field.Name, p.Name)
			}
			if other.Type == "fault" && p.Type == "fault" {
				return nil, fmt.Errorf("field %s: a fault carries one fault at most", field.Name)
			}
		}
		params = append(params, p)
	}
	return params, nil
}

// describeField reads a parameter from a field and its tags.
func describeField(field reflect.StructField) (Param, error) {
	key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	need := field.Tag.Get("need")
	p := Param{
		Name:     key,
		Field:    field.Name,
		Type:     paramType(field),
		Help:     field.Tag.Get("help"),
		Default:  field.Tag.Get("default"),
		Required: need == "true",
		Choices:  strings.Fields(field.Tag.Get("one")),
	}
	if p.Type == "size" || p.Type == "rate" {
		p.Unit = field.Tag.Get("unit")
	}
	if p.Type == "fault" {
		p.Required = true
	}
	switch {
	case !field.IsExported():
		return p, errors.New("want an exported field")
	case !lowerSnake.MatchString(key):
		return p, fmt.Errorf("want a json tag in lower_snake case, got %q", key)
	case p.Help == "":
		return p, errors.New("want a help tag")
	case p.Type == "":
		return p, fmt.Errorf("no parameter can be a %v with unit %q", field.Type, field.Tag.Get("unit"))
	case need != "" && need != "true", p.Required && p.Type == "flag":
		return p, fmt.Errorf("cannot need %q", need)
	case len(p.Choices) > 0 != (p.Type == "choice"):
		return p, errors.New("only a string can have choices")
	case p.Type == "choice" && !p.Required && !slices.Contains(p.Choices, p.Default):
		return p, fmt.Errorf("the default %q is none of the choices", p.Default)
	}
	return p, nil
}

// paramType returns the type of the parameter that a field is, or "".
func paramType(field reflect.StructField) string {
	unit, choices := field.Tag.Get("unit"), field.Tag.Get("one")
	switch kind := field.Type.Kind(); {
	case field.Type == reflect.TypeFor[Fault]() && unit == "":
		return "fault"
	case field.Type == reflect.TypeFor[time.Duration]() && unit == "":
		return "duration"
	case kind == reflect.Float64 && unit == "chance":
		return "chance"
	case kind == reflect.Bool && unit == "":
		return "flag"
	case kind == reflect.String && unit == "" && choices != "":
		return "choice"
	case kind == reflect.String && unit == "":
		return "text"
	case kind == reflect.Int || kind == reflect.Int64:
		return map[string]string{"B": "size", "B/s": "rate", "": "count"}[unit]
	}
	return ""
}

package chaos

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// inert is a fault that does nothing.
type inert struct{}

func (inert) Impose(_ *Stage, next Sink) Sink { return next }

// registerFor registers a kind for the time of a test.
func registerFor(t *testing.T, name string, zero Fault) {
	t.Helper()
	Register(name, "A fault of a test.", zero)
	t.Cleanup(func() {
		registry.Lock()
		defer registry.Unlock()
		delete(registry.byName, name)
		delete(registry.byType, reflect.TypeOf(zero))
	})
}

// everyParam has a parameter of every type.
type everyParam struct {
	Wait   time.Duration `json:"wait" help:"How long."`
	Size   int           `json:"size" unit:"B" default:"4KiB" help:"How much."`
	Total  int64         `json:"total,omitempty" unit:"B" need:"true" help:"How much in all."`
	Rate   int64         `json:"rate" unit:"B/s" help:"How fast."`
	Chance float64       `json:"chance" unit:"chance" help:"How often."`
	Count  int           `json:"count" help:"How many."`
	Flag   bool          `json:"flag" help:"Whether."`
	Text   string        `json:"some_text" help:"What."`
	Mood   mood          `json:"mood" one:"good bad" default:"good" help:"Which."`
	Fault  Fault         `json:"fault" help:"The fault."`
}

type mood string

func (everyParam) Impose(_ *Stage, next Sink) Sink { return next }

func TestKindIsReadFromTags(t *testing.T) {
	registerFor(t, "test_every", everyParam{})
	i := slices.IndexFunc(Kinds(), func(k Kind) bool { return k.Name == "test_every" })
	if i < 0 {
		t.Fatal("got no kind test_every")
	}
	got := Kinds()[i]
	want := Kind{Name: "test_every", Help: "A fault of a test.", Fault: everyParam{}, Params: []Param{
		{Name: "wait", Field: "Wait", Type: "duration", Help: "How long."},
		{Name: "size", Field: "Size", Type: "size", Unit: "B", Default: "4KiB", Help: "How much."},
		{Name: "total", Field: "Total", Type: "size", Unit: "B", Required: true, Help: "How much in all."},
		{Name: "rate", Field: "Rate", Type: "rate", Unit: "B/s", Help: "How fast."},
		{Name: "chance", Field: "Chance", Type: "chance", Help: "How often."},
		{Name: "count", Field: "Count", Type: "count", Help: "How many."},
		{Name: "flag", Field: "Flag", Type: "flag", Help: "Whether."},
		{Name: "some_text", Field: "Text", Type: "text", Help: "What."},
		{Name: "mood", Field: "Mood", Type: "choice", Choices: []string{"good", "bad"}, Default: "good", Help: "Which."},
		{Name: "fault", Field: "Fault", Type: "fault", Required: true, Help: "The fault."},
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("kind (-want +got):\n%s", diff)
	}
}

func TestKindsAreSortedAndOnesOwn(t *testing.T) {
	registerFor(t, "test_z", everyParam{})
	registerFor(t, "test_a", inert2{})
	first := Kinds()
	if !slices.IsSortedFunc(first, func(a, b Kind) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("got kinds out of order")
	}
	for i := range first {
		for j := range first[i].Params {
			first[i].Params[j].Name = "spoiled"
			for k := range first[i].Params[j].Choices {
				first[i].Params[j].Choices[k] = "spoiled"
			}
		}
	}
	if text := fmt.Sprint(Kinds()); strings.Contains(text, "spoiled") {
		t.Errorf("a change to what Kinds returned is in what it returns next: %s", text)
	}
}

type inert2 struct{}

func (inert2) Impose(_ *Stage, next Sink) Sink { return next }

func TestKindOf(t *testing.T) {
	registerFor(t, "test_every", everyParam{})
	tests := []struct {
		fault Fault
		want  string
	}{
		{everyParam{}, "test_every"},
		{&everyParam{}, "*chaos.everyParam"},
		{inert{}, "chaos.inert"},
		{FaultFunc(nil), "chaos.FaultFunc"},
		{nil, "nil"},
	}
	for _, tt := range tests {
		if got := KindOf(tt.fault); got != tt.want {
			t.Errorf("KindOf(%T): got %q, want %q", tt.fault, got, tt.want)
		}
	}
}

// Faults with something wrong in their type.
type (
	wrongKey struct {
		inert `json:"x"`
	}
	noJSON struct {
		A int `help:"h"`
	}
	camelJSON struct {
		A int `json:"theKey" help:"h"`
	}
	noHelp struct {
		A int `json:"a"`
	}
	unexported struct {
		a int `help:"h"`
	}
	wrongType struct {
		A []int `json:"a" help:"h"`
	}
	wrongUnit struct {
		A int `json:"a" help:"h" unit:"KB"`
	}
	plainFloat struct {
		A float64 `json:"a" help:"h"`
	}
	wrongNeed struct {
		A int `json:"a" help:"h" need:"yes"`
	}
	flagNeed struct {
		A bool `json:"a" help:"h" need:"true"`
	}
	countOne struct {
		A int `json:"a" help:"h" one:"x y"`
	}
	noDefault struct {
		A string `json:"a" help:"h" one:"x y"`
	}
	twoFaults struct {
		A Fault `json:"a" help:"h"`
		B Fault `json:"b" help:"h"`
	}
	flagged struct {
		A bool `json:"test_taken" help:"h"`
	}
	full struct {
		A int `json:"a" help:"h"`
	}
)

var _ = unexported{}.a // its being there is what Register refuses

func (noJSON) Impose(_ *Stage, next Sink) Sink     { return next }
func (camelJSON) Impose(_ *Stage, next Sink) Sink  { return next }
func (noHelp) Impose(_ *Stage, next Sink) Sink     { return next }
func (unexported) Impose(_ *Stage, next Sink) Sink { return next }
func (wrongType) Impose(_ *Stage, next Sink) Sink  { return next }
func (wrongUnit) Impose(_ *Stage, next Sink) Sink  { return next }
func (plainFloat) Impose(_ *Stage, next Sink) Sink { return next }
func (wrongNeed) Impose(_ *Stage, next Sink) Sink  { return next }
func (flagNeed) Impose(_ *Stage, next Sink) Sink   { return next }
func (countOne) Impose(_ *Stage, next Sink) Sink   { return next }
func (noDefault) Impose(_ *Stage, next Sink) Sink  { return next }
func (twoFaults) Impose(_ *Stage, next Sink) Sink  { return next }
func (flagged) Impose(_ *Stage, next Sink) Sink    { return next }
func (full) Impose(_ *Stage, next Sink) Sink       { return next }

func TestRegisterPanics(t *testing.T) {
	registerFor(t, "test_taken", inert2{})
	tests := []struct {
		name, kind, help string
		fault            Fault
		want             string
	}{
		{"name taken", "test_taken", "h", full{}, "the name is taken"},
		{"type taken", "test_other", "h", inert2{}, "registered already, as test_taken"},
		{"name in capitals", "TestOther", "h", full{}, "lower_snake"},
		{"name with hyphen", "test-other", "h", full{}, "lower_snake"},
		{"no name", "", "h", full{}, "lower_snake"},
		{"no help", "test_other", "", full{}, "help"},
		{"nil", "test_other", "h", nil, "want a struct"},
		{"pointer", "test_other", "h", &full{}, "want a struct"},
		{"function", "test_other", "h", FaultFunc(nil), "want a struct"},
		{"not zero", "test_other", "h", full{A: 1}, "zero value"},
		{"embedded and unexported", "test_other", "h", wrongKey{}, "field inert: want an exported field"},
		{"no json tag", "test_other", "h", noJSON{}, "field A: want a json tag"},
		{"json tag in camel case", "test_other", "h", camelJSON{}, `lower_snake case, got "theKey"`},
		{"no help tag", "test_other", "h", noHelp{}, "want a help tag"},
		{"unexported", "test_other", "h", unexported{}, "field a: want an exported field"},
		{"type", "test_other", "h", wrongType{}, "no parameter can be a []int"},
		{"unit", "test_other", "h", wrongUnit{}, `int with unit "KB"`},
		{"float that is no chance", "test_other", "h", plainFloat{}, "no parameter can be a float64"},
		{"need", "test_other", "h", wrongNeed{}, `cannot need "yes"`},
		{"flag that is needed", "test_other", "h", flagNeed{}, "cannot need"},
		{"choices of a count", "test_other", "h", countOne{}, "only a string can have choices"},
		{"choices without default", "test_other", "h", noDefault{}, `default "" is none of the choices`},
		{"two faults", "test_other", "h", twoFaults{}, "one fault at most"},
		{"flag called like a kind", "test_other", "h", flagged{}, "see test_taken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(Kinds())
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tt.want) {
					t.Errorf("got panic %q, want one about %q", got, tt.want)
				}
				if after := len(Kinds()); after != before {
					t.Errorf("got %d kinds afterwards, want %d", after, before)
				}
			}()
			Register(tt.kind, tt.help, tt.fault)
		})
	}
}

func TestKeysAreGivenOnce(t *testing.T) {
	field := func(name string) reflect.StructField {
		return reflect.StructField{Name: name, Type: reflect.TypeFor[int](), Tag: `json:"a" help:"h"`}
	}
	_, err := describeFields(reflect.StructOf([]reflect.StructField{field("A"), field("B")}))
	if want := "field B: the key a is taken"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestKindCalledLikeAFlagIsRefused(t *testing.T) {
	registerFor(t, "test_every", everyParam{})
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "a flag and a kind of one name") {
			t.Errorf("got panic %q, want one about the flag", got)
		}
	}()
	Register("flag", "h", full{})
}

func TestEveryKindIsSound(t *testing.T) {
	for _, kind := range Kinds() {
		if !strings.HasSuffix(kind.Help, ".") {
			t.Errorf("%s: got help %q, want a sentence", kind.Name, kind.Help)
		}
		if kind.NoDatagrams && kind.OnlyDatagrams {
			t.Errorf("%s: got a kind that fits no network", kind.Name)
		}
	}
}

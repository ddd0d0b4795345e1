package spec_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anything is a kind with a parameter of every type, none of which depends on another.
type anything struct {
	Wait   time.Duration `json:"wait" help:"How long."`
	Size   int           `json:"size" unit:"B" help:"How much."`
	Total  int64         `json:"total" unit:"B" help:"How much in all."`
	Rate   int64         `json:"rate" unit:"B/s" help:"How fast."`
	Chance float64       `json:"chance" unit:"chance" help:"How often."`
	Count  int           `json:"count" help:"How many."`
	Flag   bool          `json:"test_flag" help:"Whether."`
	Text   string        `json:"some_text" help:"What."`
	Mood   string        `json:"mood" one:"good bad" default:"good" help:"Which."`
	Fault  chaos.Fault   `json:"inner_fault" help:"The fault."`
}

func (anything) Impose(_ *chaos.Stage, next chaos.Sink) chaos.Sink { return next }

// forDatagrams is a kind that makes sense for datagrams only.
type forDatagrams struct {
	Chance float64 `json:"chance" unit:"chance" need:"true" help:"How often."`
}

func (forDatagrams) Impose(_ *chaos.Stage, next chaos.Sink) chaos.Sink { return next }

func (forDatagrams) Check(network string) error {
	if network == "udp" {
		return nil
	}
	return &chaos.FaultError{Given: network, Allowed: "udp"}
}

func init() {
	chaos.Register("test_anything", "Every type of parameter.", anything{})
	chaos.Register("test_datagrams", "Datagrams only.", forDatagrams{})
}

const (
	longest = int64(365 * 24 * time.Hour)
	largest = 1 << 50
)

// someFault draws a fault of any kind that can be imposed, with at most so many selectors around it.
func someFault(deep int) *rapid.Generator[chaos.Fault] {
	return rapid.Custom(func(t *rapid.T) chaos.Fault {
		kind := rapid.SampledFrom(chaos.Kinds()).Draw(t, "kind")
		v := reflect.New(reflect.TypeOf(kind.Fault)).Elem()
		for _, p := range kind.Params {
			field := v.FieldByName(p.Field)
			if p.Type == "fault" {
				inner := chaos.Fault(chaos.Stall{})
				if deep > 0 {
					inner = someFault(deep-1).Draw(t, "carried")
				}
				field.Set(reflect.ValueOf(inner))
			} else if p.Required || rapid.Bool().Draw(t, p.Name+" is given") {
				setSome(t, p, field)
			}
		}
		return v.Interface().(chaos.Fault)
	}).Filter(func(fault chaos.Fault) bool {
		return chaos.Check("tcp", fault) == nil || chaos.Check("udp", fault) == nil
	})
}

// setSome sets a field to any value that its parameter allows by itself; units make round values likely.
func setSome(t *rapid.T, p chaos.Param, field reflect.Value) {
	round := func(most int64, units ...int64) int64 {
		unit := rapid.SampledFrom(units).Draw(t, "unit")
		return unit * rapid.Int64Range(1, most/unit).Draw(t, p.Name)
	}
	switch p.Type {
	case "duration":
		field.SetInt(round(longest, 1, 1000, int64(time.Second), int64(time.Minute), int64(time.Hour)))
	case "size", "rate":
		field.SetInt(round(largest, 1, 1000, 1024, 1e6, 1<<20, 1e9, 1<<30, 1e12, 1<<40))
	case "count":
		field.SetInt(round(largest, 1))
	case "chance":
		field.SetFloat(rapid.OneOf(
			rapid.Float64Range(math.SmallestNonzeroFloat64, 1),
			rapid.Map(rapid.IntRange(1, 1000), func(n int) float64 { return float64(n) / 1000 }),
		).Draw(t, p.Name))
	case "flag":
		field.SetBool(true)
	case "text":
		field.SetString(rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`[a-z.\\"'=, ]{1,12}`),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 8), func(b []byte) string { return string(b) }),
		).Draw(t, p.Name))
	case "choice":
		field.SetString(rapid.SampledFrom(p.Choices).Draw(t, p.Name))
	}
}

func TestEveryFaultSurvivesBothForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := someFault(3).Draw(t, "fault")
		text := spec.Text(want)
		got, err := spec.ParseFault(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("text %s: got %v (-want +got):\n%s", text, err, diff)
		}
		data, err := spec.MarshalFault(want)
		if err != nil || !json.Valid(data) {
			t.Fatalf("MarshalFault: got %s and %v, want JSON", data, err)
		}
		got, err = spec.UnmarshalFault(data)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("JSON %s: got %v (-want +got):\n%s", data, err, diff)
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err = spec.UnmarshalFault(quoted)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("JSON %s: got %v (-want +got):\n%s", quoted, err, diff)
		}
		written, err := json.Marshal(spec.Fault{Fault: want}) // which escapes for HTML
		if err != nil {
			t.Fatal(err)
		}
		got, err = spec.UnmarshalFault(written)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("JSON %s: got %v (-want +got):\n%s", written, err, diff)
		}
	})
}

func TestListsOfFaultsSurviveBothForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := spec.EntriesOf(rapid.SliceOfN(someFault(1), 1, 5).Draw(t, "faults")...)
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got spec.Entries
		err = json.Unmarshal(data, &got)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("JSON %s: got %v (-want +got):\n%s", data, err, diff)
		}
		texts := make([]string, len(want))
		for i, entry := range want {
			texts[i] = spec.Text(entry.Fault)
			if last := i == len(want)-1; !last && selects(entry.Fault) {
				return // only the last of a line can be a selector
			}
		}
		line := strings.Join(texts, " ")
		list, err := spec.ParseFaults(line)
		if diff := cmp.Diff(want, spec.EntriesOf(list...)); err != nil || diff != "" {
			t.Fatalf("text %s: got %v (-want +got):\n%s", line, err, diff)
		}
	})
}

// selects reports whether a fault carries another.
func selects(fault chaos.Fault) bool {
	for _, d := range spec.Describe() {
		if d.Name == chaos.KindOf(fault) {
			return d.Selector
		}
	}
	return false
}

func TestTextIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := spec.Text(someFault(2).Draw(t, "fault"))
		again, err := spec.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := spec.Text(again); got != text {
			t.Fatalf("got %s, want %s", got, text)
		}
		if strings.ContainsAny(text, "\n\r\x00") {
			t.Fatalf("got %q, want one line", text)
		}
	})
}

func TestDatagramFaultsCanBeWritten(t *testing.T) {
	fault, err := spec.ParseFault("test_datagrams chance=10%")
	if diff := cmp.Diff(chaos.Fault(forDatagrams{Chance: 0.1}), fault); err != nil || diff != "" {
		t.Errorf("got %v (-want +got):\n%s", err, diff)
	}
	_, err = spec.ParseFault("test_datagrams chance=0")
	if want := "test_datagrams: chance: got 0, want a chance above 0, of at most 1"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = spec.Gate{Server: "a:1", ToServer: spec.EntriesOf(fault)}.New()
	if want := "to_server[0]: test_datagrams: got tcp, want udp"; err == nil || err.Error() != want {
		t.Errorf("on tcp: got %v, want %s", err, want)
	}
}

package spec_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/google/go-cmp/cmp"
)

func TestUnmarshalFaultIsLenient(t *testing.T) {
	tests := []struct {
		name, json, want string
	}{
		{"text form", `"delay by=200ms"`, "delay by=200ms"},
		{"text form carried", `{"after": {"bytes": "1KiB", "fault": "delay by=200ms"}}`, "after bytes=1KiB delay by=200ms"},
		{"selector in text form carried", `{"after": {"bytes": "1KiB", "fault": "sometimes chance=10% stall"}}`, "after bytes=1KiB sometimes chance=10% stall"},
		{"fault first", `{"after": {"fault": {"stall": {}}, "bytes": "1KiB"}}`, "after bytes=1KiB stall"},
		{"blanks", " { \"delay\" :\n{ \"by\" : \"1s\" } } ", "delay by=1s"},
		{"hyphens", `{"slow-close": {"by": "1s"}}`, "slow_close by=1s"},
		{"chance in percent", `{"corrupt": {"rate": "10%"}}`, "corrupt rate=10%"},
		{"chance with an exponent", `{"corrupt": {"rate": 1e-3}}`, "corrupt rate=0.1%"},
		{"flag denied", `{"close": {"reset": false}}`, "close"},
		{"escapes", `{"substitute": {"pattern": "\u0061\t\u003c"}}`, `substitute pattern="a\t<"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fault, err := spec.UnmarshalFault([]byte(tt.json))
			if err != nil {
				t.Fatal(err)
			}
			if got := spec.Text(fault); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestUnmarshalFaultRefuses(t *testing.T) {
	tests := []struct {
		name, json, path, want string
	}{
		{"nothing", ``, "", "want JSON: unexpected end of JSON input"},
		{"no JSON", `{delay}`, "", "want JSON: invalid character 'd' looking for beginning of object key string"},
		{"two values", `{"stall":{}} {}`, "", "want JSON: invalid character '{' after top-level value"},
		{"not UTF-8", "\"stall\xff\"", "", "got bytes that are not UTF-8, want JSON"},
		{"null", `null`, "", `got null, want a fault such as {"delay": {"by": "200ms"}}`},
		{"number", `5`, "", `got 5, want a fault such as {"delay": {"by": "200ms"}}`},
		{"list", `["stall"]`, "", `got "[\"stall\"]", want a fault such as {"delay": {"by": "200ms"}}`},
		{"no kind", `{}`, "", `got 0 kinds, want one, as in {"delay": {"by": "200ms"}}`},
		{"two kinds", `{"stall":{},"vanish":{}}`, "", `got 2 kinds, want one, as in {"delay": {"by": "200ms"}}`},
		{"one kind twice", `{"stall":{},"stall":{}}`, "", `stall is given twice`},
		{"kind misspelt", `{"dealy":{}}`, "dealy", `unknown fault "dealy", did you mean delay?`},
		{"kind without object", `{"delay":"200ms"}`, "delay", `delay: got "\"200ms\"", want an object with its parameters, such as {}`},
		{"kind with null", `{"stall":null}`, "stall", `stall: got null, want an object with its parameters, such as {}`},
		{"key misspelt", `{"delay":{"bye":"1s"}}`, "delay.bye", `delay: unknown key "bye", did you mean by?`},
		{"key in capitals", `{"delay":{"By":"1s"}}`, "delay.By", `delay: unknown key "By", did you mean by?`},
		{"key twice", `{"delay":{"by":"1s","by":"2s"}}`, "delay", `delay: by is given twice`},
		{"duration as a number", `{"delay":{"by":200}}`, "delay.by", "delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"duration as a string without unit", `{"delay":{"by":"200"}}`, "delay.by", "delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"duration as null", `{"delay":{"by":null}}`, "delay.by", "delay: by: got null, want a duration with its unit, such as 200ms"},
		{"duration as an object", `{"delay":{"by":{"s":1}}}`, "delay.by", `delay: by: got "{\"s\":1}", want a duration with its unit, such as 200ms`},
		{"duration as true", `{"delay":{"by":true}}`, "delay.by", `delay: by: got true, want a duration with its unit, such as 200ms`},
		{"empty duration", `{"delay":{"by":""}}`, "delay.by", `delay: by: got nothing, want a duration with its unit, such as 200ms`},
		{"negative duration", `{"delay":{"by":"-1s"}}`, "delay.by", "delay: by: got -1s, want a duration of at least 0s"},
		{"size as a number", `{"limit":{"bytes":1000}}`, "limit.bytes", "limit: bytes: got 1000, want a size with its unit, such as 64KiB"},
		{"rate as a number", `{"bandwidth":{"rate":1000}}`, "bandwidth.rate", "bandwidth: rate: got 1000, want a rate with its unit, such as 64KiB/s or 10Mbit/s"},
		{"size left out", `{"limit":{}}`, "limit.bytes", "limit: bytes: got nothing, want a size with its unit, such as 64KiB"},
		{"chance above 1", `{"corrupt":{"rate":10}}`, "corrupt.rate", "corrupt: rate: got 10, want a chance from 0 to 1"},
		{"count with fraction", `{"only":{"first":1.5,"fault":"stall"}}`, "only.first", "only: first: got 1.5, want a whole number such as 3"},
		{"flag as a string", `{"close":{"reset":"true"}}`, "close.reset", `close: reset: got "\"true\"", want true or false`},
		{"flag as a number", `{"close":{"reset":1}}`, "close.reset", `close: reset: got 1, want true or false`},
		{"text as a number", `{"substitute":{"pattern":5}}`, "substitute.pattern", `substitute: pattern: got 5, want a text`},
		{"choice", `{"delay":{"distribution":"zipf"}}`, "delay.distribution", `delay: distribution: got zipf, want uniform, normal or pareto`},
		{"choice as true", `{"delay":{"distribution":true}}`, "delay.distribution", `delay: distribution: got true, want uniform, normal or pareto`},
		{"selector without fault", `{"after":{"bytes":"1B"}}`, "after.fault", "after: fault: got nothing, want the fault that it carries, such as delay by=200ms"},
		{"selector with null", `{"after":{"bytes":"1B","fault":null}}`, "after.fault", `after: fault: got null, want a fault such as {"delay": {"by": "200ms"}}`},
		{"carried fault", `{"after":{"bytes":"1B","fault":{"delay":{"by":200}}}}`, "after.fault.delay.by", "after: fault: delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"carried fault by its check", `{"after":{"bytes":"1B","fault":{"delay":{"by":"-1s"}}}}`, "after.fault.delay.by", "after: fault: delay: by: got -1s, want a duration of at least 0s"},
		{"carried kind misspelt", `{"after":{"bytes":"1B","fault":{"dealy":{}}}}`, "after.fault.dealy", `after: fault: unknown fault "dealy", did you mean delay?`},
		{"text form", `"delay by=200"`, "delay.by", "delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"two in text form", `"stall vanish"`, "", "got 2 faults, want one"},
		{"two in text form carried", `{"after":{"bytes":"1B","fault":"stall vanish"}}`, "after.fault", "after: fault: got 2 faults, want one"},
		{"nothing in text form carried", `{"after":{"bytes":"1B","fault":""}}`, "after.fault", "after: fault: got nothing, want a fault such as delay by=200ms"},
		{"text form carried", `{"after":{"bytes":"1B","fault":"delay by=200"}}`, "after.fault.delay.by", "after: fault: delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"its check of two keys", `{"close":{"abrupt":true}}`, "close.abrupt", "close: abrupt: "},
		{
			"too deep", strings.Repeat(`{"after":{"bytes":"1B","fault":`, 33) + `"stall"` + strings.Repeat("}}", 33),
			strings.TrimSuffix(strings.Repeat("after.fault.", 33), "."), "stall: got 33 selectors around it, want at most 32",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := spec.UnmarshalFault([]byte(tt.json))
			// What a fault says of itself is its own to word.
			if err == nil || err.Error() != tt.want && !(strings.HasSuffix(tt.want, ": ") && strings.HasPrefix(err.Error(), tt.want)) {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			where, ok := errors.AsType[*spec.Error](err)
			if !ok {
				t.Fatalf("got an error of type %T, want *spec.Error", err)
			}
			if where.Path != tt.path {
				t.Errorf("got path %q, want %q", where.Path, tt.path)
			}
		})
	}
}

func TestErrorsKnowKeysFromValues(t *testing.T) {
	tests := []struct {
		name, json string
		want       spec.Error
	}{
		{"a gate's key", `{"sever":"a:1"}`, spec.Error{Path: "sever", Key: true}},
		{"a gate's value", `{"server":1}`, spec.Error{Path: "server"}},
		{"an entry's key", `{"server":"a:1","to_server":[{"id":"x","fro":"1s"}]}`, spec.Error{Path: "to_server[0].fro", Key: true}},
		{"an entry's value", `{"server":"a:1","to_server":[{"fault":"stall","for":1}]}`, spec.Error{Path: "to_server[0].for"}},
		{"a kind", `{"server":"a:1","to_client":[{"dealy":{}}]}`, spec.Error{Path: "to_client[0].dealy", Key: true}},
		{"a fault's key", `{"server":"a:1","to_client":[{"delay":{"bye":"1s"}}]}`, spec.Error{Path: "to_client[0].delay.bye", Key: true}},
		{"a fault's value", `{"server":"a:1","to_client":[{"delay":{"by":1}}]}`, spec.Error{Path: "to_client[0].delay.by"}},
		{"a named fault's key", `{"server":"a:1","to_client":[{"id":"x","fault":{"delay":{"bye":1}}}]}`, spec.Error{Path: "to_client[0].fault.delay.bye", Key: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := new(spec.Gate).UnmarshalJSON([]byte(tt.json))
			got, ok := errors.AsType[*spec.Error](err)
			if !ok || got.Path != tt.want.Path || got.Key != tt.want.Key {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestErrorsAreFaultErrors(t *testing.T) {
	_, err := spec.ParseFault("after bytes=1B delay by=200")
	got, _ := errors.AsType[*chaos.FaultError](err)
	want := &chaos.FaultError{
		Path: []string{"after", "fault"}, Kind: "delay", Param: "by",
		Given: "200", Allowed: "a duration with its unit, such as 200ms",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestMarshalFaultRefuses(t *testing.T) {
	edit := chaos.Edit(func(b []byte) []byte { return b })
	tests := []struct {
		name  string
		fault chaos.Fault
		want  string
	}{
		{"function", edit, "chaos.Edit exists in Go only: it cannot be written down"},
		{"function carried", chaos.After{Bytes: 1, Fault: edit}, "chaos.Edit exists in Go only: it cannot be written down"},
		{"nil", nil, "got nil, want a fault"},
		{"value", chaos.Corrupt{Rate: 2}, "corrupt: rate: got 2, want a chance from 0 to 1"},
		{"pointer", &chaos.Stall{}, "stall: got a pointer, want the chaos.Stall itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if data, err := spec.MarshalFault(tt.fault); err == nil || err.Error() != tt.want {
				t.Errorf("MarshalFault: got %s and %v, want %s", data, err, tt.want)
			}
			if text, err := (spec.Fault{Fault: tt.fault}).MarshalText(); err == nil || err.Error() != tt.want {
				t.Errorf("MarshalText: got %s and %v, want %s", text, err, tt.want)
			}
			if data, err := json.Marshal(spec.EntriesOf(chaos.Stall{}, tt.fault)); err == nil || !strings.HasSuffix(err.Error(), "[1]: "+tt.want) {
				t.Errorf("in a list: got %s and %v, want [1]: %s", data, err, tt.want)
			}
		})
	}
}

func TestFaultInAStruct(t *testing.T) {
	type config struct {
		One  spec.Fault   `json:"one"`
		Many spec.Entries `json:"many"`
	}
	const text = `{"one":{"delay":{"by":"1s"}},"many":[{"stall":{}},"corrupt rate=10%"]}`
	want := config{One: spec.Fault{Fault: chaos.Delay{By: time.Second}}, Many: spec.EntriesOf(chaos.Stall{}, chaos.Corrupt{Rate: 0.1})}
	var got config
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	data, err := json.Marshal(got)
	if want := `{"one":{"delay":{"by":"1s"}},"many":[{"stall":{}},{"corrupt":{"rate":0.1}}]}`; err != nil || string(data) != want {
		t.Errorf("written: got %s and %v, want %s", data, err, want)
	}
}

func TestFaultTextInAMap(t *testing.T) {
	var f spec.Fault
	if err := f.UnmarshalText([]byte("delay by=1s")); err != nil {
		t.Fatal(err)
	}
	text, err := f.MarshalText()
	if err != nil || string(text) != "delay by=1s" || f.String() != "delay by=1s" {
		t.Errorf("got %s and %v, and %v as a string, want delay by=1s", text, err, f)
	}
}

func TestRefusedValuesChangeNothing(t *testing.T) {
	before := chaos.Delay{By: time.Second}
	f := spec.Fault{Fault: before}
	if err := f.UnmarshalJSON([]byte(`{"delay":{"by":"2s","jitter":3}}`)); err == nil {
		t.Error("Fault from JSON: got nil, want an error")
	}
	if err := f.UnmarshalText([]byte("delay by=2s jitter=3")); err == nil {
		t.Error("Fault from text: got nil, want an error")
	}
	if diff := cmp.Diff(chaos.Fault(before), f.Fault); diff != "" {
		t.Errorf("fault (-want +got):\n%s", diff)
	}
	list := spec.EntriesOf(before)
	if err := list.UnmarshalJSON([]byte(`["delay by=2s", "delay by=3"]`)); err == nil {
		t.Error("Faults: got nil, want an error")
	}
	if diff := cmp.Diff(spec.EntriesOf(before), list); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	gate := spec.Gate{Name: "a"}
	if err := gate.UnmarshalJSON([]byte(`{"name":"b","server":"c"}`)); err == nil {
		t.Error("Gate: got nil, want an error")
	}
	if diff := cmp.Diff(spec.Gate{Name: "a"}, gate); diff != "" {
		t.Errorf("gate (-want +got):\n%s", diff)
	}
}

func TestFaultsForms(t *testing.T) {
	tests := []struct {
		name, json string
		want       spec.Entries
	}{
		{"list", `["stall", {"vanish":{}}]`, spec.EntriesOf(chaos.Stall{}, chaos.Vanish{})},
		{"string", `"stall vanish"`, spec.EntriesOf(chaos.Stall{}, chaos.Vanish{})},
		{"empty", `[]`, nil},
		{"null", ` null `, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got spec.Entries
			err := got.UnmarshalJSON([]byte(tt.json))
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("got %v (-want +got):\n%s", err, diff)
			}
		})
	}
	if data, err := json.Marshal(spec.Entries(nil)); err != nil || string(data) != "[]" {
		t.Errorf("no faults: got %s and %v, want []", data, err)
	}
}

func TestFaultsRefuse(t *testing.T) {
	tests := []struct {
		name, json, path, want string
	}{
		{"second", `["stall", {"delay":{"by":200}}]`, "[1].delay.by", "[1]: delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"two in one", `["stall vanish"]`, "[0]", "[0]: got 2 faults, want one"},
		{"null in it", `[null]`, "[0]", `[0]: got null, want a fault such as {"delay": {"by": "200ms"}}`},
		{"object", `{"stall":{}}`, "", `got "{\"stall\":{}}", want a list of faults, such as ["delay by=200ms"]`},
		{"string", `"stall dealy"`, "stall", `stall: unknown key or fault "dealy", did you mean delay?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got spec.Entries
			err := got.UnmarshalJSON([]byte(tt.json))
			where, ok := errors.AsType[*spec.Error](err)
			if !ok || err.Error() != tt.want || where.Path != tt.path {
				t.Errorf("got %v at %+v, want %s at %s", err, where, tt.want, tt.path)
			}
		})
	}
}

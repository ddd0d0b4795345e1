package spec_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/google/go-cmp/cmp"
)

func TestEntry(t *testing.T) {
	slow := chaos.Delay{By: 200 * time.Millisecond}
	tests := []struct {
		name, json string
		want       spec.Entry
		written    string // as json if empty
	}{
		{"bare object", `{"delay":{"by":"200ms"}}`, spec.Entry{Fault: slow}, ""},
		{"bare text", `"delay by=200ms"`, spec.Entry{Fault: slow}, `{"delay":{"by":"200ms"}}`},
		{"named", `{"id":"slow","fault":{"delay":{"by":"200ms"}}}`, spec.Entry{Fault: slow, ID: "slow"}, ""},
		{"fault as text", `{"fault":"delay by=200ms","for":"10s"}`, spec.Entry{Fault: slow, For: 10 * time.Second}, `{"fault":{"delay":{"by":"200ms"}},"for":"10s"}`},
		{
			"everything", `{"id":"slow","fault":{"delay":{"by":"200ms"}},"for":"1m30s","lease":"test 1"}`,
			spec.Entry{Fault: slow, ID: "slow", For: 90 * time.Second, Lease: "test 1"},
			"",
		},
		{"a fault alone, named so", `{"fault":"stall"}`, spec.Entry{Fault: chaos.Stall{}}, `{"stall":{}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got spec.Entry
			if err := json.Unmarshal([]byte(tt.json), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			want := tt.written
			if want == "" {
				want = tt.json
			}
			if data, err := json.Marshal(got); err != nil || string(data) != want {
				t.Errorf("written: got %s and %v, want %s", data, err, want)
			}
		})
	}
}

func TestEntryRefuses(t *testing.T) {
	tests := []struct{ name, json, path, want string }{
		{"no fault", `{"id":"slow"}`, "fault", "fault: got none, want a fault such as delay by=200ms"},
		{"bad fault", `{"id":"slow","fault":"delay by=200"}`, "fault.delay.by", "fault: delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"bad time", `{"fault":"stall","for":"soon"}`, "for", "for: got soon, want a duration with its unit, such as 200ms"},
		{"time below zero", `{"fault":"stall","for":"-1s"}`, "for", "for: got -1s, want a duration that is not below 0"},
		{"time as a number", `{"fault":"stall","for":10}`, "for", "for: got 10, want a string"},
		{"bad id", `{"fault":"stall","id":"a/b"}`, "id", `id: got a/b, want printable characters other than / and quotes`},
		{"bad lease", `{"fault":"stall","lease":" "}`, "lease", `lease: got " ", want a name`},
		{"unknown key", `{"fault":"stall","leese":"x"}`, "leese", `unknown key "leese", did you mean lease?`},
		{"twice", `{"fault":"stall","id":"a","id":"b"}`, "", "id is given twice"},
		{"unknown kind", `{"dealy":{}}`, "dealy", `unknown fault "dealy", did you mean delay?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was := spec.Entry{Fault: chaos.Vanish{}, ID: "was"}
			got := was
			err := json.Unmarshal([]byte(tt.json), &got)
			where, ok := errors.AsType[*spec.Error](err)
			if !ok || err.Error() != tt.want || where.Path != tt.path {
				t.Errorf("got %v at %+v, want %s at %s", err, where, tt.want, tt.path)
			}
			if diff := cmp.Diff(was, got); diff != "" {
				t.Errorf("it has changed (-was +is):\n%s", diff)
			}
		})
	}
}

func TestEntriesCheck(t *testing.T) {
	tests := []struct {
		name, network string
		entries       spec.Entries
		path, want    string
	}{
		{"fine", "tcp", spec.Entries{{Fault: chaos.Stall{}, ID: "a"}, {Fault: chaos.Stall{}}, {Fault: chaos.Stall{}}}, "", ""},
		{"an id twice", "tcp", spec.Entries{{Fault: chaos.Stall{}, ID: "a"}, {Fault: chaos.Stall{}, ID: "a"}}, "[1].id", "[1]: id: got a, which another fault of the gate has"},
		{"not on datagrams", "udp", spec.Entries{{Fault: chaos.Slice{Size: 1}}}, "[0].slice", ""},
		{"not on datagrams, named", "udp", spec.Entries{{Fault: chaos.Slice{Size: 1}, ID: "a"}}, "[0].fault.slice", ""},
		{"ends before it begins", "tcp", spec.Entries{{Fault: chaos.Stall{}, For: -1}}, "[0].for", "[0]: for: got -1ns, want a duration above 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.entries.Check(tt.network)
			if tt.path == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			where, ok := errors.AsType[*spec.Error](err)
			if !ok || where.Path != tt.path || tt.want != "" && err.Error() != tt.want {
				t.Errorf("got %v at %+v, want %s at %s", err, where, tt.want, tt.path)
			}
		})
	}
}

// TestGateBounds reads and writes what bounds a gate.
func TestGateBounds(t *testing.T) {
	const text = `{"network":"udp","server":"a:1","stopped":true,"window":"1MiB","memory":"2GB","sessions":10,"expire":"1m30s","lease":"l"}`
	want := spec.Gate{
		Network: "udp", Server: "a:1", Stopped: true, Window: 1 << 20, Memory: 2e9, Sessions: 10, Expire: spec.Duration(90 * time.Second), Lease: "l",
	}
	var got spec.Gate
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if data, err := json.Marshal(got); err != nil || string(data) != text {
		t.Errorf("written: got %s and %v, want %s", data, err, text)
	}
	gate, err := got.New()
	if err != nil || gate.Window != 1<<20 || gate.Memory != 2e9 || gate.Sessions != 10 || gate.Expire != 90*time.Second {
		t.Errorf("made: got %+v and %v", gate, err)
	}
	refused := []struct{ name, member, path, want string }{
		{"no unit", `"window":"5"`, "window", "window: got 5, want a size with its unit, such as 64KiB"},
		{"a number", `"window":5`, "window", "window: got 5, want a string"},
		{"below zero", `"memory":"-1KiB"`, "memory", "memory: got -1KiB, want a size that is not below 0"},
		{"half a session", `"sessions":1.5`, "sessions", "sessions: got 1.5, want a whole number"},
		{"fewer than none", `"sessions":-1`, "sessions", "sessions: got -1, want 0 or more"},
		{"null", `"stopped":null`, "stopped", "stopped: got null, want true or false"},
		{"no flag", `"stopped":"yes"`, "stopped", "stopped: got \"yes\", want true or false"},
		{"one id on both flows", `"to_server":[{"id":"a","fault":"stall"}],"to_client":[{"id":"a","fault":"stall"}]`, "to_client[0].id", "to_client[0]: id: got a, which another fault of the gate has"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			var g spec.Gate
			err := json.Unmarshal([]byte(`{"server":"a:1",`+tt.member+`}`), &g)
			where, ok := errors.AsType[*spec.Error](err)
			if !ok || err.Error() != tt.want || where.Path != tt.path {
				t.Errorf("got %v at %+v, want %s at %s", err, where, tt.want, tt.path)
			}
		})
	}
}

func FuzzUnmarshalGate(f *testing.F) {
	f.Add([]byte(`{"name":"redis","listen":"127.0.0.1:26379","server":"127.0.0.1:6379","to_client":["delay by=200ms"]}`))
	f.Add([]byte(`{"network":"udp","server":"a:1","stopped":true,"window":"1MiB","sessions":10,"expire":"1m30s","lease":"l","to_server":"stall vanish"}`))
	f.Add([]byte(`{"server":"a:1","to_server":[{"id":"a","fault":"stall","for":"1s","lease":"x"},{"delay":{"by":"1s"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var g spec.Gate
		if err := g.UnmarshalJSON(data); err != nil {
			if _, ok := errors.AsType[*spec.Error](err); !ok {
				t.Fatalf("got an error of type %T, want *spec.Error", err)
			}
			return
		}
		written, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		var again spec.Gate
		err = again.UnmarshalJSON(written)
		if diff := cmp.Diff(g, again); err != nil || diff != "" {
			t.Fatalf("%s: got %v (-want +got):\n%s", written, err, diff)
		}
	})
}

// TestMerge changes some of a gate.
func TestMerge(t *testing.T) {
	was := spec.Gate{Name: "a", Network: "udp", Server: "a:1", Sessions: 5, ToServer: spec.EntriesOf(chaos.Stall{})}
	got, err := was.Merge([]byte(`{"sessions": null, "expire": "1s", "to_server": null, "to_client": "vanish"}`))
	want := spec.Gate{Name: "a", Network: "udp", Server: "a:1", Expire: spec.Duration(time.Second), ToClient: spec.EntriesOf(chaos.Vanish{})}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("got %v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []struct{ json, path string }{
		{`{"server": null}`, "server"},
		{`{"to_client": "slice size=1B"}`, "to_client[0].slice"},
		{`{"x": null}`, "x"},
		{`[]`, ""},
	} {
		_, err := was.Merge([]byte(bad.json))
		if where, ok := errors.AsType[*spec.Error](err); !ok || where.Path != bad.path {
			t.Errorf("%s: got %v at %+v, want %s", bad.json, err, where, bad.path)
		}
	}
}

func TestMergeFault(t *testing.T) {
	now := chaos.Delay{By: time.Second, Jitter: time.Millisecond, Distribution: chaos.Normal}
	tests := []struct{ name, json, want string }{
		{"one parameter", `{"delay":{"by":"2s"}}`, "delay by=2s jitter=1ms distribution=normal"},
		{"one taken away", `{"delay":{"jitter":null}}`, "delay by=1s distribution=normal"},
		{"nothing", `{"delay":{}}`, "delay by=1s jitter=1ms distribution=normal"},
		{"a text is whole", `"delay by=2s"`, "delay by=2s"},
		{"another kind", `{"stall":{}}`, "stall"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := spec.MergeFault(now, []byte(tt.json))
			if err != nil || spec.Text(got) != tt.want {
				t.Errorf("got %v and %v, want %s", got, err, tt.want)
			}
		})
	}
	refused := []struct{ name, json, want string }{
		{"unknown parameter", `{"delay":{"bye":"2s"}}`, `delay: unknown key "bye", did you mean by?`},
		{"bad value", `{"delay":{"by":2}}`, "delay: by: got 2, want a duration with its unit, such as 200ms"},
		{"unknown null", `{"delay":{"x":null}}`, ""},
		{"twice", `{"delay":{"by":"1s","by":"2s"}}`, "delay: by is given twice"},
		{"no JSON", `{`, "want JSON: unexpected end of JSON input"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := spec.MergeFault(now, []byte(tt.json)); tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("got %v and %v, want %s", got, err, tt.want)
			}
		})
	}
}

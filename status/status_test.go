package status_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// types are all that goes over the wire.
var types = []any{
	status.Gate{},
	status.Stats{},
	status.Fault{},
	status.Hit{},
	status.Offset{},
	status.Conn{},
	status.Diff{},
	status.Healed{},
	status.GateFault{},
	status.GateDoor{},
	status.Ended{},
	status.Lease{},
	status.Version{},
	status.Event{},
}

// TestKeys checks that each field has a key of its own in JSON, in lower case, and most have a sentence for the API's document.
func TestKeys(t *testing.T) {
	for _, value := range types {
		of := reflect.TypeOf(value)
		seen := map[string]bool{}
		for _, field := range reflect.VisibleFields(of) {
			if field.Anonymous {
				continue
			}
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if key == "" || key != strings.ToLower(key) || seen[key] {
				t.Errorf("%v.%s: got key %q, want one of its own in lower case", of, field.Name, key)
			}
			seen[key] = true
		}
	}
}

// TestStatsAreTheLibrarys checks that no figure of a gate is left out.
func TestStatsAreTheLibrarys(t *testing.T) {
	of := reflect.TypeFor[status.Stats]()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[chaos.Stats]()) {
		if has, ok := of.FieldByName(field.Name); !ok || has.Type != field.Type {
			t.Errorf("%s %v is missing", field.Name, field.Type)
		}
	}
}

// TestThereAndBack writes what has values that write themselves, and reads it.
func TestThereAndBack(t *testing.T) {
	moment := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	way, how, door, hits := chaos.ToClient, chaos.RST, chaos.Blackhole, int64(0)
	gate := status.Gate{
		Name: "a", Network: "tcp", Seed: 1 << 60, Door: door, Window: 1 << 20, Expire: spec.Duration(90 * time.Second), Since: moment,
		ToServer: []status.Fault{{
			ID: "slow", Direction: way, Kind: "delay", Fault: spec.Fault{Fault: chaos.Delay{By: time.Second}}, Text: "delay by=1s", Since: moment,
			LastHit: &status.Hit{Conn: 1, Time: moment}, Offsets: []status.Offset{{Conn: 1, Offset: 5}},
		}},
		ToClient: []status.Fault{}, Stats: status.Stats{Closed: map[string]int64{"client": 1}},
	}
	event := status.Event{ID: 1, Time: moment, Type: chaos.EventClosed, Direction: &way, How: &how, Door: &door, Hits: &hits}
	conn := status.Conn{N: 1, State: chaos.HalfClosed, Opened: moment, ToServer: []status.Fault{}, ToClient: []status.Fault{}}
	back := func(from, to any) {
		t.Helper()
		data, err := json.Marshal(from)
		if err == nil {
			err = json.Unmarshal(data, to)
		}
		if diff := cmp.Diff(from, reflect.ValueOf(to).Elem().Interface()); err != nil || diff != "" {
			t.Errorf("%s: got %v (-want +got):\n%s", data, err, diff)
		}
	}
	back(gate, new(status.Gate))
	back(event, new(status.Event))
	back(conn, new(status.Conn))
	if data, _ := json.Marshal(status.Event{Time: moment, Type: "x"}); string(data) != `{"id":0,"time":"2026-01-02T03:04:05.000000006Z","type":"x"}` {
		t.Errorf("got %s, want what it has alone", data)
	}
}

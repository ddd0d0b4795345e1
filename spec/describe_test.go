package spec_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/google/go-cmp/cmp"
)

func TestDescribe(t *testing.T) {
	all := spec.Describe()
	if got, want := len(all), len(chaos.Kinds()); got != want {
		t.Fatalf("got %d descriptions, want %d", got, want)
	}
	i := slices.IndexFunc(all, func(d spec.Description) bool { return d.Name == "test_anything" })
	want := spec.Description{
		Name: "test_anything", Help: "Every type of parameter.", Networks: []string{"tcp", "udp", "unix"}, Selector: true,
		Params: []spec.ParamDescription{
			{Name: "wait", Type: "duration", Help: "How long.", Want: "a duration with its unit, such as 200ms"},
			{Name: "size", Type: "size", Unit: "B", Help: "How much.", Want: "a size with its unit, such as 64KiB"},
			{Name: "total", Type: "size", Unit: "B", Help: "How much in all.", Want: "a size with its unit, such as 64KiB"},
			{Name: "rate", Type: "rate", Unit: "B/s", Help: "How fast.", Want: "a rate with its unit, such as 64KiB/s or 10Mbit/s"},
			{Name: "chance", Type: "chance", Help: "How often.", Want: "a chance such as 10% or 0.1"},
			{Name: "count", Type: "count", Help: "How many.", Want: "a whole number such as 3"},
			{Name: "test_flag", Type: "flag", Help: "Whether.", Want: "true or false"},
			{Name: "some_text", Type: "text", Help: "What.", Want: "a text"},
			{Name: "mood", Type: "choice", Help: "Which.", Want: "good or bad", Default: "good", Choices: []string{"good", "bad"}},
			{Name: "inner_fault", Type: "fault", Help: "The fault.", Want: "the fault that it carries, such as delay by=200ms", Required: true},
		},
	}
	got, err := json.Marshal(all[i])
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(wanted), string(got)); diff != "" {
		t.Errorf("description (-want +got):\n%s", diff)
	}
}

func TestDescribeTellsTheNetworks(t *testing.T) {
	tests := []struct {
		kind string
		want []string
	}{
		{"delay", []string{"tcp", "udp", "unix"}},
		{"slice", []string{"tcp", "unix"}},
		{"test_datagrams", []string{"udp"}},
	}
	all := spec.Describe()
	for _, tt := range tests {
		i := slices.IndexFunc(all, func(d spec.Description) bool { return d.Name == tt.kind })
		if diff := cmp.Diff(tt.want, all[i].Networks); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.kind, diff)
		}
	}
}

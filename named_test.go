package chaos_test

import (
	"encoding"
	"testing"

	"github.com/chaosgate/chaos"
)

// TestNames reads back what values are called.
func TestNames(t *testing.T) {
	tests := []struct {
		value, zero any
		name, wrong string
	}{
		{chaos.ToClient, new(chaos.Direction), "to_client", `got "x", want to_server or to_client`},
		{chaos.RST, new(chaos.End), "RST", `got "x", want more, FIN, close, RST or abort`},
		{chaos.HalfClosed, new(chaos.State), "half-closed", `got "x", want dialing, established, half-closed, closing or closed`},
		{chaos.Hold, new(chaos.Door), "hold", `got "x", want open, hold, refuse or blackhole`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, err := test.value.(encoding.TextMarshaler).MarshalText()
			if err != nil || string(text) != test.name {
				t.Errorf("written: got %s and %v, want %s", text, err, test.name)
			}
			read := test.zero.(encoding.TextUnmarshaler)
			if err := read.UnmarshalText([]byte(test.name)); err != nil {
				t.Error(err)
			}
			if text, _ := read.(encoding.TextMarshaler).MarshalText(); string(text) != test.name {
				t.Errorf("read: got %s, want %s", text, test.name)
			}
			if err := read.UnmarshalText([]byte("x")); err == nil || err.Error() != test.wrong {
				t.Errorf("got %v, want %s", err, test.wrong)
			}
		})
	}
}

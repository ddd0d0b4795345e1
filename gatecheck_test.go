package chaos_test

import (
	"strings"
	"testing"

	"github.com/chaosgate/chaos"
)

// TestGatesThatCannotWork looks at what Start refuses, and says of it.
func TestGatesThatCannotWork(t *testing.T) {
	for _, tt := range []struct {
		name string
		gate *chaos.Gate
		want string
	}{
		{"no server", &chaos.Gate{}, "server: got an empty address"},
		{"no port", &chaos.Gate{Server: "nonsense"}, `server: got "nonsense", want HOST:PORT`},
		{"another network", &chaos.Gate{Network: "tpc", Server: "127.0.0.1:1"}, `network: got "tpc"`},
		{"a negative window", &chaos.Gate{Server: "127.0.0.1:1", Window: -1}, "window: got -1"},
		{"a negative memory", &chaos.Gate{Server: "127.0.0.1:1", Memory: -1}, "memory: got -1"},
		{"itself", &chaos.Gate{Listen: "127.0.0.1:25871", Server: "127.0.0.1:25871"}, "want another address than the gate's own"},
		{"itself by name", &chaos.Gate{Listen: "127.0.0.1:25871", Server: "localhost:25871"}, "want another address than the gate's own"},
		{"itself behind a wildcard", &chaos.Gate{Listen: ":25871", Server: "127.0.0.1:25871"}, "want another address than the gate's own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.gate.Start()
			if err == nil {
				tt.gate.Close()
				t.Fatal("the gate has started")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %s", err, tt.want)
			}
		})
	}
}

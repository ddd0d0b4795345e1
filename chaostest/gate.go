package chaostest

import (
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/chaosgate/chaos"
)

// seedVariable is the environment variable that gives every gate of NewGate its seed, to repeat a failed test.
const seedVariable = "CHAOSGATE_SEED"

// lastEvents is how many events are logged when a test fails.
const lastEvents = 40

// NewGate starts a gate before a server and closes it at the end of the test. Each function given may set the gate's
// fields before it starts. When the test has failed, the gate's seed and its last events are logged; with the environment
// variable CHAOSGATE_SEED set to that seed the test meets the same faults again.
func NewGate(t testing.TB, server string, configure ...func(*chaos.Gate)) *chaos.Gate {
	t.Helper()
	g := &chaos.Gate{Server: server}
	for _, f := range configure {
		f(g)
	}
	if text := os.Getenv(seedVariable); text != "" && g.Seed == 0 {
		seed, err := strconv.ParseUint(text, 0, 64)
		if err != nil {
			t.Fatalf("%s: got %q, want a number", seedVariable, text)
		}
		g.Seed = seed
	}
	rec := &recorder{also: g.Observe}
	g.Observe = rec.observe
	if err := g.Start(); err != nil {
		t.Fatalf("the gate before %s does not start: %v", server, err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("the gate before %s does not end: %v", server, err)
		}
		if t.Failed() {
			rec.log(t, g)
		}
	})
	return g
}

// A recorder keeps the last events of a gate.
type recorder struct {
	also func(chaos.Event)

	mu     sync.Mutex // guards what follows
	events []chaos.Event
	seen   int
}

func (r *recorder) observe(e chaos.Event) {
	r.mu.Lock()
	if r.seen++; len(r.events) == lastEvents {
		r.events = r.events[1:]
	}
	r.events = append(r.events, e)
	r.mu.Unlock()
	if r.also != nil {
		r.also(e)
	}
}

func (r *recorder) log(t testing.TB, g *chaos.Gate) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Logf("gate %s before %s: to repeat, set %s=%#x", g.Addr(), g.Server, seedVariable, g.Seed)
	if n := r.seen - len(r.events); n > 0 {
		t.Logf("gate %s: %d earlier events", g.Addr(), n)
	}
	for _, e := range r.events {
		t.Logf("gate %s: %8.3fs %v", g.Addr(), e.Time.Sub(r.events[0].Time).Seconds(), e)
	}
}

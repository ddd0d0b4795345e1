package chaostest

import (
	"crypto/rand"
	"encoding/binary"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/chaosgate/chaos"
)

// seedVariable is the environment variable that gives every test its seed, to repeat one that failed.
const seedVariable = "CHAOSGATE_SEED"

// lastEvents is how many events are logged when a test fails.
const lastEvents = 40

// NewGate starts a gate before a server and closes it at the end of the test. Each function given may set the gate's
// fields before it starts. A test has one seed, from which those of its gates follow unless the test sets them. When it has
// failed, the seed and the last events of each gate are logged; with the environment variable CHAOSGATE_SEED set to
// that seed the test meets the same faults again.
func NewGate(t testing.TB, server string, configure ...func(*chaos.Gate)) *chaos.Gate {
	t.Helper()
	g := &chaos.Gate{Server: server}
	for _, f := range configure {
		f(g)
	}
	if g.Seed == 0 {
		g.Seed = nextSeed(t)
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

// seeds are those of the tests that run: a test's, and how many gates it has.
var seeds = struct {
	mu sync.Mutex
	of map[testing.TB]*testSeed
}{of: make(map[testing.TB]*testSeed)}

type testSeed struct {
	seed  uint64
	gates uint64
}

// nextSeed returns the seed of a test's next gate: the first has the test's own.
func nextSeed(t testing.TB) uint64 {
	t.Helper()
	seeds.mu.Lock()
	defer seeds.mu.Unlock()
	s := seeds.of[t]
	if s == nil {
		s = &testSeed{seed: drawSeed(t)}
		seeds.of[t] = s
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("to repeat, set %s=%#x", seedVariable, s.seed)
			}
			seeds.mu.Lock()
			defer seeds.mu.Unlock()
			delete(seeds.of, t)
		})
	}
	s.gates++
	return s.seed + (s.gates-1)*0x9e3779b97f4a7c15 // an odd step passes zero once in 2^64 gates
}

// drawSeed returns what the environment says, or a new seed.
func drawSeed(t testing.TB) uint64 {
	t.Helper()
	text := os.Getenv(seedVariable)
	if text == "" {
		var b [4]byte // short enough to be typed again
		rand.Read(b[:])
		return uint64(binary.LittleEndian.Uint32(b[:])) | 1
	}
	seed, err := strconv.ParseUint(text, 0, 64)
	if err != nil || seed == 0 {
		t.Fatalf("%s: got %q, want a number other than 0", seedVariable, text)
	}
	return seed
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
	t.Logf("gate %s before %s: seed %#x", g.Addr(), g.Server, g.Seed)
	if n := r.seen - len(r.events); n > 0 {
		t.Logf("gate %s: %d earlier events", g.Addr(), n)
	}
	for _, e := range r.events {
		t.Logf("gate %s: %8.3fs %v", g.Addr(), e.Time.Sub(r.events[0].Time).Seconds(), e)
	}
}

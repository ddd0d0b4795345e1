package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A step is one change of a daemon's gates, with what they are to be when it is through: by name, and as text.
type step struct {
	method, path string
	body         any
	want         map[string]string
}

// A history is a row of changes that one client makes, each when the one before it was acknowledged. It knows gates that no other does.
type history struct {
	next  func(n int) step
	owns  string // how the names of its gates begin
	acked step   // the last that was acknowledged
	tried step   // the last that was sent
}

// run makes changes until the context ends or the daemon does. It returns what was answered if that is no success.
func (h *history) run(ctx context.Context, d *daemonProcess) error {
	for n := 1; ; n++ {
		h.tried = h.next(n)
		code, data, err := d.ask(ctx, h.tried.method, h.tried.path, h.tried.body)
		switch {
		case err != nil: // it was killed
			return nil
		case code/100 != 2:
			return fmt.Errorf("%s %s: got status %d: %s", h.tried.method, h.tried.path, code, data)
		}
		h.acked = h.tried
	}
}

// TestStateSurvivesKill kills a daemon at a random moment, again and again, while its gates are being changed. What is there after each
// restart is what was acknowledged last, or what was under way behind that: nothing older, and no mixture.
func TestStateSurvivesKill(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 10
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	file := filepath.Join(t.TempDir(), "state")
	var found struct{ acked, tried, unready int }
	d := startDaemon(t, "--state", file)
	for round := range rounds {
		d.must("PUT", "/v1/gates", firstGates())
		histories := []*history{{next: patches, owns: "p"}, {next: comesAndGoes, owns: "c"}, {next: hangsOnLease, owns: "h"}}
		if round%2 == 0 {
			histories = []*history{{next: wholeStates}}
		}
		for _, h := range histories {
			h.acked = h.next(0)
			h.tried = h.acked
		}
		old := d.boot
		changeAndKill(t, d, histories, time.Duration(random.IntN(40_000))*time.Microsecond)
		if random.IntN(10) == 0 { // once more, while it starts
			d = launchDaemon(t, "--state", file)
			time.Sleep(time.Duration(random.IntN(30_000)) * time.Microsecond) // there is nothing to wait for
			d.kill()
			found.unready++
		}
		d = startDaemon(t, "--state", file)
		is := asText(d.gates())
		for _, h := range histories {
			got := maps.Clone(is)
			maps.DeleteFunc(got, func(name, _ string) bool { return !strings.HasPrefix(name, h.owns) })
			switch {
			case maps.Equal(got, h.acked.want):
				found.acked++
			case maps.Equal(got, h.tried.want):
				found.tried++
			default:
				t.Fatalf("round %d: got %v\nwant %v, which was acknowledged, or %v, which was under way", round, got, h.acked.want, h.tried.want)
			}
		}
		code, _, err := d.ask(t.Context(), "PUT", "/v1/gates", firstGates(), "If-Match", old)
		if code != http.StatusPreconditionFailed || err != nil {
			t.Fatalf("round %d: If-Match with the boot id before: got status %d and %v, want %d", round, code, err, http.StatusPreconditionFailed)
		}
		d.must("GET", "/v1/gates", nil, "If-Match", d.boot)
	}
	t.Logf("%d rounds: found what was acknowledged %d times, what was under way %d times; killed while it started %d times",
		rounds, found.acked, found.tried, found.unready)
}

// changeAndKill lets clients change a daemon's gates for some time, and kills it then.
func changeAndKill(t *testing.T, d *daemonProcess, histories []*history, after time.Duration) {
	t.Helper()
	var all sync.WaitGroup
	failed := make(chan error, len(histories))
	for _, h := range histories {
		all.Go(func() { failed <- h.run(t.Context(), d) })
	}
	time.Sleep(after) // the moment is to be any
	d.kill()
	all.Wait()
	for range histories {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

// marked returns a gate on all of whose parts stands a number.
func marked(name string, n int) spec.Gate {
	mark := time.Duration(n+1) * time.Millisecond
	return spec.Gate{
		Name: name, Network: "tcp", Server: "127.0.0.1:9", Seed: spec.Seed(n + 1), Door: chaos.Door(n % 3),
		ToServer: spec.Entries{{Fault: chaos.Delay{By: mark}, ID: fmt.Sprintf("mark-%d", n)}},
		ToClient: spec.Entries{{Fault: chaos.Bandwidth{Rate: int64(n + 1)}}, {Fault: chaos.Delay{By: mark}}},
	}
}

// textOf returns what stands on a gate that is marked.
func textOf(g spec.Gate) string {
	ids := []string{g.ToServer[0].ID, "bandwidth", "delay"}
	for _, e := range g.ToClient[2:] {
		ids = append(ids, e.ID)
	}
	return fmt.Sprintf("%v %v %v | %v %v", g.Seed, g.Door, g.ToServer, g.ToClient, ids)
}

// asText returns the same of gates that there are.
func asText(gates []status.Gate) map[string]string {
	all := map[string]string{}
	for _, g := range gates {
		var texts [2][]string
		var ids []string
		for dir, faults := range [2][]status.Fault{g.ToServer, g.ToClient} {
			for _, f := range faults {
				texts[dir] = append(texts[dir], f.Text)
				ids = append(ids, f.ID)
			}
		}
		all[g.Name] = fmt.Sprintf("%v %v %s | %s %v", g.Seed, g.Door, strings.Join(texts[0], " "), strings.Join(texts[1], " "), ids)
	}
	return all
}

// firstGates is where all histories begin.
func firstGates() []spec.Gate { return []spec.Gate{marked("p", 0), marked("h", 0)} }

// wholeStates is a history of desired states of all gates, some of which are there and some not.
func wholeStates(n int) step {
	gates := firstGates()
	if n > 0 {
		gates = nil
		for _, name := range []string{"p", "h", "r", "s"}[:1+n%4] {
			gates = append(gates, marked(name, n))
		}
	}
	s := step{"PUT", "/v1/gates", gates, map[string]string{}}
	for _, g := range gates {
		s.want[g.Name] = textOf(g)
	}
	return s
}

// patches is a history of one gate, all of which is changed at once.
func patches(n int) step {
	g := marked("p", n)
	body := map[string]any{"seed": g.Seed, "door": g.Door, "to_server": g.ToServer, "to_client": g.ToClient}
	return step{"PATCH", "/v1/gates/p", body, map[string]string{"p": textOf(g)}}
}

// comesAndGoes is a history of gates that are created and removed.
func comesAndGoes(n int) step {
	if n%2 == 0 {
		return step{"DELETE", fmt.Sprintf("/v1/gates/c-%d", n-1), nil, map[string]string{}}
	}
	g := marked(fmt.Sprintf("c-%d", n), n)
	return step{"POST", "/v1/gates", g, map[string]string{g.Name: textOf(g)}}
}

// hangsOnLease is a history of a fault that hangs on a lease.
func hangsOnLease(n int) step {
	g := marked("h", 0)
	without := map[string]string{"h": textOf(g)}
	switch n % 3 {
	case 1:
		return step{"PUT", "/v1/leases/x", map[string]string{"ttl": "1m"}, without}
	case 2:
		g.ToClient = append(g.ToClient, spec.Entry{Fault: chaos.Stall{}, ID: "hung", Lease: "x"})
		return step{"POST", "/v1/gates/h/to_client", g.ToClient[2], map[string]string{"h": textOf(g)}}
	default:
		return step{"DELETE", "/v1/leases/x", nil, without}
	}
}

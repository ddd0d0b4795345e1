//go:build linux

package realservers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/google/go-cmp/cmp"
)

// worksWithin is how long all the work of one test may take: long enough for two cores that do other things as well.
const worksWithin = 100 * time.Second

// harmless are the conditions under which nothing is lost, so that a client must find everything as it is without a gate.
var harmless = []struct {
	name   string
	faults []chaos.Fault // imposed both ways
	unix   bool          // the gate and the server listen on unix sockets
	bulk   int           // bytes of bulk data
}{
	{name: "nothing imposed", bulk: 4 << 20},
	{name: "nothing imposed on a unix socket", unix: true, bulk: 4 << 20},
	// Each byte is a write, so that bulk data is expensive.
	{name: "slices of one byte", faults: []chaos.Fault{chaos.Slice{Size: 1}}, bulk: 192 << 10},
	{name: "delay with jitter", faults: []chaos.Fault{chaos.Delay{By: 5 * time.Millisecond, Jitter: 3 * time.Millisecond}}, bulk: 4 << 20},
}

// A step is one thing that a client does. It returns what the client has seen of it, which is always the same.
type step[C any] struct {
	name string
	do   func(ctx context.Context, client C, bulk int) (string, error)
}

// transcript does all steps and returns what the client has seen.
func transcript[C any](t *testing.T, steps []step[C], client C, bulk int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), worksWithin)
	defer cancel()
	var lines []string
	for _, s := range steps {
		begin := time.Now()
		seen, err := s.do(ctx, client, bulk)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		t.Logf("%s: %v", s.name, time.Since(begin).Round(time.Millisecond))
		lines = append(lines, s.name+": "+seen)
	}
	return lines
}

// sameAsDirect fails the test if a transcript is not that of the direct run.
func sameAsDirect(t *testing.T, direct, through []string) {
	t.Helper()
	if diff := cmp.Diff(direct, through); diff != "" {
		t.Errorf("what the client saw (-directly +through the gate):\n%s", diff)
	}
}

// impose imposes faults both ways.
func impose(g *chaos.Gate, faults ...chaos.Fault) []*chaos.Imposed {
	return append(g.ToServer.Set(faults...), g.ToClient.Set(faults...)...)
}

// gateBefore starts a gate before a TCP address, or before a unix socket on one with the same name in a folder of its own.
func gateBefore(t *testing.T, addr, socket string, unix bool) *chaos.Gate {
	t.Helper()
	if !unix {
		return chaostest.NewGate(t, addr)
	}
	front := filepath.Join(folder(t), filepath.Base(socket))
	return chaostest.NewGate(t, socket, func(g *chaos.Gate) { g.Network, g.Listen = "unix", front })
}

// digest returns the beginning of a hash of everything that fmt prints of the values.
func digest(values ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintln(values...)))
	return hex.EncodeToString(sum[:8])
}

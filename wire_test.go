//go:build linux

package chaos_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// TestWire holds the rows of the wire contract that need nothing but an address: what a client and a server observe through a
// gate that imposes nothing is what they observe directly. That each of these checks can fail is held by wiretest's own tests.
func TestWire(t *testing.T) {
	for _, c := range wiretest.Checks() {
		t.Run(c.String(), func(t *testing.T) {
			leavesNothing(t)
			if err := c.Run(wireEnv(t, "tcp")); err != nil {
				t.Error(err)
			}
		})
		if !c.Unix || testing.Short() {
			continue
		}
		t.Run(c.String()+"_unix", func(t *testing.T) {
			leavesNothing(t)
			if err := c.Run(wireEnv(t, "unix")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWireSegmentation is row 2 with sizes of writes and reads that rapid draws, and shrinks when it finds something.
func TestWireSegmentation(t *testing.T) {
	leavesNothing(t)
	sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 16), rapid.IntRange(1, 5000), rapid.IntRange(60_000, 140_000)), 1, 6)
	var gates []*chaos.Gate
	rapid.Check(t, func(rt *rapid.T) {
		there, back := sizes.Draw(rt, "there"), sizes.Draw(rt, "back")
		size := rapid.IntRange(0, min(1<<19, 300*slices.Min(slices.Concat(there, back)))).Draw(rt, "size")
		e := wireEnv(t, "tcp")
		e.Via = func(server string) string {
			g := &chaos.Gate{Server: server}
			if err := g.Start(); err != nil {
				rt.Fatal(err)
			}
			gates = append(gates, g)
			return g.Addr()
		}
		err := wiretest.Compare(e, wiretest.Segmentation(size, there, back))
		for _, g := range gates {
			if cerr := g.Close(); cerr != nil {
				rt.Error(cerr)
			}
		}
		gates = nil
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// TestWireFamilies is row 22: what holds for 127.0.0.1 holds for IPv6, for both at once, and for a mix of the two.
func TestWireFamilies(t *testing.T) {
	families := []struct{ name, network, listen, host string }{
		{"v4", "tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"v6", "tcp6", "[::1]:0", "::1"},
		{"dual_by_v4", "tcp", ":0", "127.0.0.1"},
		{"dual_by_v6", "tcp", ":0", "::1"},
	}
	for _, f := range families {
		t.Run("row22_"+f.name, func(t *testing.T) {
			leavesNothing(t)
			e := wireEnv(t, "tcp")
			if f.network == "tcp6" {
				e.Network = "tcp6" // the server, too
			}
			e.Via = func(server string) string {
				g := startWireGate(t, &chaos.Gate{Network: f.network, Listen: f.listen, Server: server})
				_, port, err := net.SplitHostPort(g.Addr())
				if err != nil {
					t.Fatal(err)
				}
				return net.JoinHostPort(f.host, port)
			}
			for _, c := range wiretest.Checks() {
				switch c.Name {
				case "plain_TCP", "byte_identity", "FIN_right_behind_a_word", "RST_on_an_idle_pair", "urgent_byte", "a_word_then_RST":
					if err := c.Run(e); err != nil {
						t.Errorf("%v: %v", c, err)
					}
				}
			}
		})
	}
}

// soak asks for the full sizes of the contract; a test run has smaller ones.
var soak = os.Getenv("CHAOSGATE_SOAK") == "1"

// sized returns small, or full in a soak run.
func sized(small, full int) int {
	if soak {
		return full
	}
	return small
}

// wireEnv returns an Env whose Via starts a gate that imposes nothing.
func wireEnv(t *testing.T, network string) *wiretest.Env {
	e := &wiretest.Env{Network: network, Soak: soak, Dir: t.TempDir(), Logf: t.Logf}
	count := 0
	e.Via = func(server string) string {
		count++
		g := &chaos.Gate{Network: network, Server: server}
		if network == "unix" {
			g.Listen = filepath.Join(e.Dir, fmt.Sprintf("gate%d.sock", count))
		}
		return startWireGate(t, g).Addr()
	}
	return e
}

// startWireGate starts a gate and closes it when the test ends. If the test has failed by then it shows the gate's last events.
func startWireGate(t *testing.T, g *chaos.Gate) *chaos.Gate {
	t.Helper()
	var mu sync.Mutex // guards last
	var last []chaos.Event
	g.Observe = func(e chaos.Event) {
		mu.Lock()
		defer mu.Unlock()
		last = append(last[max(0, len(last)-11):len(last):len(last)], e)
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("closing the gate: %v", err)
		}
		if !t.Failed() {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range last {
			t.Log(e)
		}
	})
	return g
}

// leavesNothing checks at the end of a test, when its gates are closed, that no goroutine and no descriptor is left of it.
func leavesNothing(t *testing.T) {
	t.Helper()
	warmUp()
	before, err := wiretest.Descriptors()
	if err != nil {
		t.Fatal(err)
	}
	goroutines := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if err := goleak.Find(goroutines); err != nil {
			t.Error(err)
		}
		for end := time.Now().Add(5 * time.Second); ; {
			n, err := wiretest.Descriptors()
			if err != nil {
				t.Fatal(err)
			}
			if n <= before {
				return
			}
			if time.Now().After(end) {
				t.Errorf("%d descriptors are open, before the test it were %d", n, before)
				return
			}
			time.Sleep(5 * time.Millisecond) // nothing tells when a descriptor is closed
		}
	})
}

// warmUp opens what the runtime opens once: its poller's descriptors.
var warmUp = sync.OnceFunc(func() {
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		ln.Close()
	}
})

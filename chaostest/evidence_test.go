package chaostest

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// newNotebook returns a test that takes down what fails, and what is logged.
func newNotebook(t *testing.T) notebook {
	return notebook{TB: t, mu: new(sync.Mutex), notes: new([]string)}
}

func (n notebook) Error(args ...any)               { n.Errorf("%s", fmt.Sprint(args...)) }
func (n notebook) Logf(format string, args ...any) { n.Errorf(format, args...) }

func TestFired(t *testing.T) {
	var flow chaos.Flow
	notes := newNotebook(t)
	Fired(notes) // a table may have a row in which nothing is imposed
	Fired(notes, flow.Set(chaos.Delay{By: time.Second}, chaos.CloseOnData{})...)
	if got, want := strings.Join(*notes.notes, "; "), "delay never fired; close_on_data never fired"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRecoversInVain(t *testing.T) {
	tests := []struct {
		name string
		f    func() error
		want string
		took time.Duration
	}{
		{"at once", func() error { return nil }, "recovered after 0s, at attempt 1", 0},
		{"never", func() error { return errors.New("still down") }, "not recovered after 1s and 101 attempts: still down", time.Second},
		{"too late", func() error {
			time.Sleep(2 * time.Second) // virtual
			return nil
		}, "recovered after 2s, at attempt 1: later than the 1s allowed", 2 * time.Second},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			notes := newNotebook(t)
			took := Recovers(notes, time.Second, test.f)
			if took != test.took {
				t.Errorf("%s: got %v, want %v", test.name, took, test.took)
			}
			if got := strings.Join(*notes.notes, "; "); got != test.want {
				t.Errorf("%s: got %q, want %q", test.name, got, test.want)
			}
		})
	}
}

// failed is a notebook of a test that has failed.
type failed struct {
	notebook
	cleanups *[]func()
}

func (failed) Failed() bool       { return true }
func (f failed) Cleanup(c func()) { *f.cleanups = append(*f.cleanups, c) }

func TestNewGateTellsHowToRepeat(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	t.Setenv(seedVariable, "0xabc")
	test := failed{newNotebook(t), new([]func())}
	gate := NewGate(test, ln.Addr().String())
	if gate.Seed != 0xabc {
		t.Errorf("the first gate's seed: got %#x, want the test's, 0xabc", gate.Seed)
	}
	for range lastEvents {
		gate.ToServer.Add(chaos.Stall{}).Lift()
	}
	for _, f := range slices.Backward(*test.cleanups) {
		f()
	}
	got := strings.Join(*test.notes, "\n") + "\n"
	for _, want := range []string{
		"to repeat, set CHAOSGATE_SEED=0xabc\n",
		"gate " + gate.Addr() + ": 41 earlier events\n",
		"lifted stall on to_server hits=0\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got:\n%s\nwant %q in it", got, want)
		}
	}
	if got := strings.Count(got, "stall on to_server"); got != lastEvents {
		t.Errorf("got %d events, want %d", got, lastEvents)
	}
}

func TestSeedsOfGates(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	t.Setenv(seedVariable, "77")
	seeds := func(name string) (seeds []uint64) {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				seeds = append(seeds, NewGate(t, ln.Addr().String()).Seed)
			}
		})
		return seeds
	}
	first, second := seeds("once"), seeds("again")
	if !slices.Equal(first, second) || first[0] != 77 || first[1] == 77 || first[1] == first[2] {
		t.Errorf("got %v, then %v, want three different ones, the same again", first, second)
	}
}

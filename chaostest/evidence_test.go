package chaostest

import (
	"errors"
	"net"
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

func (n notebook) Logf(format string, args ...any) { n.Errorf(format, args...) }

func TestFired(t *testing.T) {
	var flow chaos.Flow
	notes := newNotebook(t)
	Fired(notes)
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
	test := failed{newNotebook(t), new([]func())}
	gate := NewGate(test, ln.Addr().String(), func(g *chaos.Gate) { g.Seed = 0xabc })
	for range lastEvents {
		gate.ToServer.Add(chaos.Stall{}).Lift()
	}
	for _, f := range *test.cleanups {
		f()
	}
	got := *test.notes
	if len(got) != 2+lastEvents || !strings.HasSuffix(got[0], "to repeat, set CHAOSGATE_SEED=0xabc") || !strings.Contains(got[1], "41 earlier events") {
		t.Fatalf("got %d lines:\n%s", len(got), strings.Join(got, "\n"))
	}
	if last := got[len(got)-1]; !strings.HasSuffix(last, "lifted stall on to_server hits=0") {
		t.Errorf("the last event: got %q", last)
	}
}

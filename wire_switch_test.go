//go:build linux

package chaos_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
)

// TestWireSwitchToNothing is row 34: setting a flow that imposes nothing to impose nothing, 10,000 times a second, costs the
// stream no byte and little of its speed.
func TestWireSwitchToNothing(t *testing.T) {
	t.Run("row34_pass_to_pass", func(t *testing.T) {
		leavesNothing(t)
		p := newWirePair(t)
		size := sized(256<<20, 1<<30)
		// How fast a stream is, quiet and switched, is measured in turns: what the machine does besides meets both.
		var best float64
		var switched int
		for range 5 {
			quiet := p.stream(t, size/4, nil)
			stop := make(chan struct{}) // closed when the stream has passed
			noisy := p.stream(t, size/4, func(done *sync.WaitGroup) func() {
				done.Go(func() { switched += setNothing(p.gate, stop) })
				return func() { close(stop) }
			})
			best = max(best, float64(quiet)/float64(noisy))
		}
		t.Logf("switched %d times; at best %.0f%% of the speed without", switched, 100*best)
		if switched < 500 {
			t.Errorf("only %d switches: that is no test", switched)
		}
		// On two cores that also run the switching itself, the race detector alone can take a tenth.
		least := 0.6
		if soak {
			least = 0.9
		}
		if best < least {
			t.Errorf("the stream kept %.0f%% of its speed, want %.0f%%", 100*best, 100*least)
		}
	})
}

// setNothing sets both flows to nothing, 10,000 times a second, and returns how often it did.
func setNothing(g *chaos.Gate, stop <-chan struct{}) (n int) {
	for start := time.Now(); ; {
		select {
		case <-stop:
			return n
		default:
		}
		g.ToServer.Set()
		g.ToClient.Set()
		n++
		for time.Since(start) < time.Duration(n)*100*time.Microsecond {
			time.Sleep(20 * time.Microsecond) // the pace that the row asks for
		}
	}
}

// stream sends size bytes from client to server, checks them, and returns how long it took. Beside it runs what beside starts.
func (p *wirePair) stream(t *testing.T, size int, beside func(*sync.WaitGroup) (stop func())) time.Duration {
	t.Helper()
	end := time.Now().Add(2 * time.Minute)
	_ = p.client.SetDeadline(end)
	_ = p.server.SetDeadline(end)
	// One block that repeats itself, but of a length that no buffer's size divides, so that nothing lost goes unnoticed.
	block := make([]byte, 1<<20-7)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(block)
	var running sync.WaitGroup
	stop := func() {}
	if beside != nil {
		stop = beside(&running)
	}
	start := time.Now()
	running.Go(func() {
		for sent := 0; sent < size; {
			n, err := p.client.Write(block[sent%len(block) : min(len(block), sent%len(block)+size-sent)])
			sent += n
			if err != nil {
				t.Errorf("after %d bytes: %v", sent, err)
				return
			}
		}
	})
	buf := make([]byte, 256<<10)
	for got := 0; got < size; {
		at := got % len(block)
		n, err := io.ReadFull(p.server, buf[:min(len(buf), len(block)-at, size-got)])
		if !bytes.Equal(buf[:n], block[at:at+n]) {
			t.Errorf("the bytes around %d differ", got)
			break
		}
		got += n
		if err != nil {
			t.Errorf("after %d bytes: %v", got, err)
			break
		}
	}
	took := time.Since(start)
	stop()
	running.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return took
}

// lossless are the faults that change when bytes arrive and never which.
var lossless = []struct {
	name  string
	fault chaos.Fault
}{
	{"delay", chaos.Delay{By: 3 * time.Millisecond}},
	{"jitter", chaos.Delay{By: 2 * time.Millisecond, Jitter: 2 * time.Millisecond}},
	{"bandwidth", chaos.Bandwidth{Rate: 50e6}},
	{"slice", chaos.Slice{Size: 1000, Vary: 500}},
	{"slice_with_a_gap", chaos.Slice{Size: 20_000, Gap: 200 * time.Microsecond}},
	{"concat", chaos.Concat{Size: 50_000, Within: 2 * time.Millisecond}},
	{"stall", chaos.Stall{}},
	{"slow_close", chaos.SlowClose{By: 5 * time.Millisecond}},
	{"edit_of_nothing", chaos.Edit(func(b []byte) []byte { return b })},
	{"substitute_of_nothing", chaos.Substitute{Pattern: "this is (never|not once) in the stream", With: "x"}},
	{"detour_by_code", chaos.Through(func(dst io.Writer, src io.Reader) error { _, err := io.Copy(dst, src); return err })},
}

// TestWireLossless is row 35: each of them, on and off at any moment and in both directions, leaves every byte as it was.
func TestWireLossless(t *testing.T) {
	for i, l := range lossless {
		t.Run("row35_"+l.name, func(t *testing.T) {
			leavesNothing(t)
			switchLossless(t, uint64(i), []chaos.Fault{l.fault})
		})
	}
	t.Run("row35_all_of_them", func(t *testing.T) {
		leavesNothing(t)
		var all []chaos.Fault
		for _, l := range lossless {
			all = append(all, l.fault)
		}
		switchLossless(t, 100, all)
	})
}

// switchLossless streams both ways while faults come and go.
func switchLossless(t *testing.T, seed uint64, faults []chaos.Fault) {
	e := wireEnv(t, "tcp")
	e.Patience = 60 * time.Second
	stop := make(chan struct{}) // closed when the streams have passed
	var toggling sync.WaitGroup
	var hits, toggles [2]int64
	e.Via = func(server string) string {
		g := startWireGate(t, &chaos.Gate{Server: server, Seed: 1 + seed})
		for i, flow := range []*chaos.Flow{&g.ToServer, &g.ToClient} {
			toggling.Go(func() { hits[i], toggles[i] = toggle(flow, rand.New(rand.NewPCG(seed, uint64(i))), faults, stop) })
		}
		return g.Addr()
	}
	size := sized(8<<20, 256<<20)
	err := wiretest.Compare(e, fmt.Sprintf(`
		open
		server read %[1]d &
		client read %[1]d &
		server send %[1]d by 1,100000,17,4096,65536,999 gap 100us &
		client send %[1]d by 65536,3,1460,100,300000 gap 100us
		client wait
		server wait
		client shut
		server read all
		server shut
		client read all`, size))
	close(stop)
	toggling.Wait()
	if err != nil {
		t.Error(err)
	}
	t.Logf("switched %v times, %v hits", toggles, hits)
	if toggles[0] < 5 || toggles[1] < 5 {
		t.Errorf("switched %v times: that is no test", toggles)
	}
}

// toggle imposes and lifts faults at random moments until it is told to stop. At the end nothing is imposed.
func toggle(flow *chaos.Flow, r *rand.Rand, faults []chaos.Fault, stop <-chan struct{}) (hits, toggles int64) {
	defer flow.Set()
	for {
		var imposed []*chaos.Imposed
		for _, i := range r.Perm(len(faults))[:1+r.IntN(len(faults))] {
			imposed = append(imposed, flow.Add(faults[i]))
		}
		if !randomPause(r, stop) {
			return hits, toggles
		}
		for len(imposed) > 0 {
			i := r.IntN(len(imposed))
			imposed[i].Lift()
			hits += imposed[i].Hits()
			imposed = slices.Delete(imposed, i, i+1)
		}
		toggles++
		if !randomPause(r, stop) {
			return hits, toggles
		}
	}
}

// randomPause waits up to 5 ms, mostly less, and reports false if it is time to stop. The offsets at which a fault comes and goes
// are as random as the moments.
func randomPause(r *rand.Rand, stop <-chan struct{}) bool {
	select {
	case <-stop:
		return false
	case <-time.After(time.Duration(r.Int64N(int64(5 * time.Millisecond)))):
		return true
	}
}

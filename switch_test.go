//go:build linux

package chaos_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// switchRounds is how often a byte is written right behind a Set: without the wait in Set most of so many escaped.
func switchRounds() int {
	if testing.Short() || raceDetector {
		return 2000
	}
	return 20_000
}

// TestNothingIsTreatedTheOldWay writes a byte as soon as Set has returned: not one may be treated as before.
func TestNothingIsTreatedTheOldWay(t *testing.T) {
	leavesNothing(t)
	upper := chaos.Edit(bytes.ToUpper)
	ways := []struct {
		name   string
		faults []chaos.Fault
		want   byte // what becomes of an a
	}{
		{"edited", []chaos.Fault{upper}, 'A'},
		{"substituted", []chaos.Fault{chaos.Substitute{Pattern: "a", With: "s"}}, 's'},
		{"nothing imposed", nil, 'a'},
		{"edited behind others", []chaos.Fault{chaos.Slice{Size: 1}, chaos.After{Time: time.Hour, Fault: chaos.Stall{}}, upper}, 'A'},
		{"other faults", []chaos.Fault{chaos.Slice{Size: 1}}, 'a'},
	}
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		t.Run(dir.String(), func(t *testing.T) {
			r := newReal(t, "tcp", dir)
			for range 3 { // others are there, too
				r.connect(t)
			}
			conns := r.gate.Conns()
			flows := []*chaos.Flow{r.flow, &conns[len(conns)-1].ToServer}
			if dir == chaos.ToClient {
				flows[1] = &conns[len(conns)-1].ToClient
			}
			rng := rand.New(rand.NewPCG(1, uint64(dir)))
			var b [1]byte
			for round := range switchRounds() / 2 {
				way := ways[rng.IntN(len(ways))]
				at := rng.IntN(len(flows))
				flows[at].Set(way.faults...)
				flows[1-at].Set()
				if _, err := r.from.Write([]byte("a")); err != nil {
					t.Fatal(err)
				}
				if _, err := r.to.Read(b[:]); err != nil || b[0] != way.want {
					t.Fatalf("round %d, %s at level %d: got %q, %v, want %q", round, way.name, at, b, err, way.want)
				}
				if round%1000 == 0 {
					r.prolong(t)
				}
			}
		})
	}
}

// prolong gives the peers time for more.
func (r *real) prolong(t *testing.T) {
	for _, c := range []net.Conn{r.from, r.to} {
		if err := c.SetDeadline(time.Now().Add(realPatience)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestManySwitchAtOnce has many goroutines impose, change and lift faults of their own while bytes pass both ways.
func TestManySwitchAtOnce(t *testing.T) {
	leavesNothing(t)
	r := newReal(t, "tcp", chaos.ToServer)
	conn := r.gate.Conns()[0]
	flows := []*chaos.Flow{&r.gate.ToServer, &r.gate.ToClient, &conn.ToServer, &conn.ToClient}
	stop := make(chan struct{}) // closed when enough has passed
	var switching sync.WaitGroup
	for i := range 12 {
		switching.Go(func() {
			for n := 1; ; n++ {
				select {
				case <-stop:
					return
				default:
					switchOnce(t, flows[i%len(flows)], time.Duration(i*1000+n%1000)*time.Nanosecond)
				}
			}
		})
	}
	// Someone else sets what stands, which must change nothing, and heals single connections.
	switching.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				r.gate.Stats()
				_ = conn.Info()
				_ = r.gate.Conns()
			}
		}
	})
	streamBothWays(t, r.from, r.to, 8<<20)
	close(stop)
	switching.Wait()
	for _, flow := range flows {
		if left := flow.Imposed(); len(left) > 0 {
			t.Errorf("%d faults are left", len(left))
		}
	}
}

// switchOnce imposes a fault, changes and lifts it, and looks at it on the way.
func switchOnce(t *testing.T, flow *chaos.Flow, by time.Duration) {
	first, second := chaos.Delay{By: by}, chaos.Delay{By: by + time.Nanosecond}
	mine := flow.Add(first)
	if got := mine.Fault(); got != first {
		t.Errorf("added: got %v, want %v", got, first)
	}
	mine.Change(second)
	if got := mine.Fault(); got != second {
		t.Errorf("changed: got %v, want %v", got, second)
	}
	numbers, found := map[int]bool{}, false
	for _, i := range flow.Imposed() {
		found = found || i == mine
		if numbers[i.Ordinal()] {
			t.Errorf("two faults of a flow have the number %d", i.Ordinal())
		}
		numbers[i.Ordinal()] = true
	}
	if !found {
		t.Error("what was imposed and not lifted is not there")
	}
	mine.Lift()
	mine.Lift()
	for _, i := range flow.Imposed() {
		if i == mine {
			t.Error("what was lifted is still there")
		}
	}
}

// streamBothWays sends so many bytes each way at once and checks them.
func streamBothWays(t *testing.T, a, b net.Conn, size int) {
	t.Helper()
	var streams sync.WaitGroup
	for _, way := range []struct {
		from, to net.Conn
		seed     uint64
	}{{a, b, 1}, {b, a, 2}} {
		sent := make([]byte, size)
		rng := rand.NewPCG(way.seed, 0)
		for i := range sent {
			if i%8 == 0 {
				sent[i] = byte(rng.Uint64())
			} else {
				sent[i] = sent[i-1]*5 + 3
			}
		}
		streams.Go(func() {
			if _, err := way.from.Write(sent); err != nil {
				t.Error(err)
			}
		})
		streams.Go(func() {
			got := make([]byte, size)
			if n, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("got %d bytes of %d, %v, and they are the same: %v", n, size, err, bytes.Equal(got, sent))
			}
		})
	}
	streams.Wait()
}

// TestCallsDoNotWaitForPeers stalls all peers, and then calls everything.
func TestCallsDoNotWaitForPeers(t *testing.T) {
	limit := 50 * time.Millisecond
	if raceDetector {
		limit *= 5 // it makes everything slow, and no call may wait for a peer, which is slower still
	}
	for _, faults := range [][]chaos.Fault{nil, {chaos.Stall{}}, {chaos.Delay{By: time.Millisecond}, chaos.Slice{Size: 7000}}, {chaos.Discard{}, chaos.Vanish{}}} {
		t.Run(fmt.Sprint(faults), func(t *testing.T) {
			leavesNothing(t)
			// A busy machine can make any call late, but hardly the same one three times.
			best := map[string]time.Duration{}
			for try := range 3 {
				late := 0
				for name, took := range callAll(t, faults) {
					if try == 0 || took < best[name] {
						best[name] = took
					}
					if best[name] > limit {
						late++
					}
				}
				if late == 0 {
					return
				}
			}
			for name, took := range best {
				if took > limit {
					t.Errorf("%s took %v at best, want %v at most", name, took, limit)
				}
			}
		})
	}
}

// copyThrough changes nothing.
func copyThrough(dst io.Writer, src io.Reader) error {
	_, err := io.Copy(dst, src)
	return err
}

// callAll measures every call on a gate whose peers do not read.
func callAll(t *testing.T, faults []chaos.Fault) map[string]time.Duration {
	r := newReal(t, "tcp", chaos.ToServer, faults...)
	g := r.gate
	g.ToClient.Set(faults...)
	junk := make([]byte, 16<<20)
	var writing sync.WaitGroup
	defer writing.Wait()
	var peers []net.Conn
	for range 4 {
		r.connect(t)
		peers = append(peers, r.from, r.to)
		for _, c := range []net.Conn{r.from, r.to} {
			writing.Go(func() { c.Write(junk) }) // until the connection ends
		}
	}
	time.Sleep(50 * time.Millisecond) // the buffers are full by then, mostly: nothing tells
	conn := g.Conns()[1]
	var imposed *chaos.Imposed
	took := map[string]time.Duration{}
	for _, call := range []struct {
		name string
		f    func()
	}{
		{"Conns", func() { g.Conns() }},
		{"Stats", func() { g.Stats() }},
		{"Info", func() { conn.Info() }},
		{"Add", func() { imposed = g.ToServer.Add(chaos.Corrupt{}) }},
		{"Change", func() { imposed.Change(chaos.Corrupt{Rate: 0.5}) }},
		{"Offsets", func() { imposed.Offsets() }},
		{"Lift", func() { imposed.Lift() }},
		{"Set on a connection", func() { conn.ToClient.Set(chaos.Stall{}) }},
		{"Set", func() { g.ToServer.Set(chaos.Limit{Bytes: 1 << 40}, chaos.Concat{Size: 1 << 20}) }},
		{"Set of a handoff", func() { g.ToClient.Set(chaos.Through(copyThrough)) }},
		{"SetDoor(Hold)", func() { g.SetDoor(chaos.Hold) }},
		{"SetDoor(Blackhole)", func() { g.SetDoor(chaos.Blackhole) }},
		{"SetDoor(Refuse)", func() { g.SetDoor(chaos.Refuse) }},
		{"Reseed", func() { g.Reseed(7) }},
		{"Heal", func() { g.Heal() }},
		{"Close of a connection", conn.Close},
		{"CloseConns", func() { g.CloseConns(2) }},
		{"ResetConns", func() { g.ResetConns(1) }},
		{"Stop", func() { g.Stop() }},
		{"Start", func() { g.Start() }},
	} {
		start := time.Now()
		call.f()
		took[call.name] = time.Since(start)
	}
	if n := len(g.Conns()); n > 0 {
		t.Errorf("stopped: %d connections are left", n)
	}
	for _, c := range peers { // or else Close would wait for them, a while
		c.Close()
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	return took
}

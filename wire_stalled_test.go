//go:build linux

package chaos_test

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// TestWireDirections is row 36: a fault on one flow leaves the other's bytes, end and latency alone.
func TestWireDirections(t *testing.T) {
	faults := []struct {
		name  string
		fault chaos.Fault
	}{
		{"delay", chaos.Delay{By: 200 * time.Millisecond}},
		{"bandwidth", chaos.Bandwidth{Rate: 1000}},
		{"slice", chaos.Slice{Size: 1, Gap: 5 * time.Millisecond}},
		{"concat", chaos.Concat{Size: 1 << 20, Within: 200 * time.Millisecond}},
		{"corrupt", chaos.Corrupt{}},
		{"substitute", chaos.Substitute{Pattern: "x+", With: "yy"}},
		{"stall", chaos.Stall{}},
		{"discard", chaos.Discard{}},
		{"vanish", chaos.Vanish{}},
		{"slow_close", chaos.SlowClose{By: 200 * time.Millisecond}},
		{"edit", chaos.Edit(mark)},
		{"all", nil},
	}
	for _, f := range faults {
		for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
			t.Run(fmt.Sprintf("row36_%s_%v", f.name, dir), func(t *testing.T) {
				leavesNothing(t)
				imposed := []chaos.Fault{f.fault}
				if f.fault == nil {
					imposed = nil
					for _, other := range faults[:len(faults)-1] {
						imposed = append(imposed, other.fault)
					}
				}
				otherDirection(t, imposed, dir)
			})
		}
	}
}

// otherDirection imposes faults on one direction and looks at the other.
func otherDirection(t *testing.T, faults []chaos.Fault, dir chaos.Direction) {
	p := newWirePair(t)
	faulty, quiet, flow := p.client, p.server, &p.gate.ToServer // who sends into the faults, and who sends against them
	if dir == chaos.ToClient {
		faulty, quiet, flow = p.server, p.client, &p.gate.ToClient
	}
	// What the direction needs alone, and next to the faults. The least of three medians is not a busy machine's.
	alone := oneWay(t, quiet, faulty)
	for range 2 {
		alone = min(alone, oneWay(t, quiet, faulty))
	}
	flow.Set(faults...)
	beside := oneWay(t, quiet, faulty)
	for range 2 {
		beside = min(beside, oneWay(t, quiet, faulty))
	}
	if beside > 3*alone+2*time.Millisecond {
		t.Errorf("next to the faults one byte took %v at the median, without %v", beside, alone)
	}
	// Bulk, and then the end of stream.
	sent := make([]byte, 4<<20)
	for i := range sent {
		sent[i] = byte(i>>8) * 7
	}
	wrote := make(chan error, 1) // what came of the writing
	go func() {
		_, err := quiet.Write(sent)
		wrote <- err
	}()
	got := make([]byte, len(sent))
	n, err := io.ReadFull(faulty, got)
	if werr := <-wrote; err != nil || werr != nil || string(got[:n]) != string(sent) {
		t.Errorf("%d bytes arrived of %d, with %v and %v, and are the same: %v", n, len(sent), werr, err, string(got) == string(sent))
	}
	if err := quiet.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := faulty.Read(got[:1]); err != io.EOF {
		t.Errorf("got %v, want EOF", err)
	}
	if took := time.Since(start); took > 100*time.Millisecond {
		t.Errorf("the end of stream took %v", took)
	}
	p.gate.CloseConns(chaos.All)
}

// oneWay measures, at the median, how long one byte takes in the direction in which nothing is imposed, while now and then one is
// sent in the other.
func oneWay(t *testing.T, from, to net.Conn) time.Duration {
	t.Helper()
	var took []time.Duration
	for i := range 100 {
		if i%5 == 0 {
			write(t, to, []byte("x"))
		}
		start := time.Now()
		write(t, from, []byte{byte(i)})
		wantByte(t, to, byte(i))
		took = append(took, time.Since(start))
	}
	return middle(took)
}

// TestWireControl is row 37: with every peer stalled, each call on the gate returns within 50 ms, whatever is imposed; only Close
// waits, and not for ever.
func TestWireControl(t *testing.T) {
	conditions := []struct {
		name   string
		faults []chaos.Fault
	}{
		{"nothing", nil},
		{"delay", []chaos.Fault{chaos.Delay{By: 10 * time.Millisecond}}},
		{"long_delay", []chaos.Fault{chaos.Delay{By: time.Hour}}},
		{"bandwidth", []chaos.Fault{chaos.Bandwidth{Rate: 1000}}},
		{"stall", []chaos.Fault{chaos.Stall{}}},
		{"slice_and_corrupt", []chaos.Fault{chaos.Slice{Size: 100}, chaos.Corrupt{Rate: 0.01}}},
		{"edit_and_concat", []chaos.Fault{chaos.Edit(mark), chaos.Concat{Size: 1 << 20, Within: time.Second}}},
		{"detour_by_code", []chaos.Fault{chaos.Through(func(dst io.Writer, src io.Reader) error { _, err := io.Copy(dst, src); return err })}},
	}
	for _, c := range conditions {
		t.Run("row37_"+c.name, func(t *testing.T) {
			leavesNothing(t)
			callsReturn(t, c.faults)
		})
	}
}

// callsReturn stalls every peer and then calls everything.
func callsReturn(t *testing.T, faults []chaos.Fault) {
	p := newWirePair(t)
	g := p.gate
	g.ToServer.Set(faults...)
	g.ToClient.Set(faults...)
	const conns = 15
	for i := range conns {
		client, server := p.client, p.server
		if i > 0 {
			client, server = p.connect(t)
		}
		stallWriter(t, client)
		stallWriter(t, server)
	}
	conn := g.Conns()[0]
	other := chaos.Delay{By: time.Millisecond}
	var imposed *chaos.Imposed
	calls := []struct {
		name string
		call func()
	}{
		{"Conns", func() { g.Conns() }},
		{"Info", func() { conn.Info() }},
		{"Stats", func() { g.Stats() }},
		{"Imposed", func() { g.ToServer.Imposed() }},
		{"Add", func() { imposed = g.ToServer.Add(other) }},
		{"Offsets", func() { imposed.Offsets() }},
		{"Change", func() { imposed.Change(chaos.Delay{By: 2 * time.Millisecond}) }},
		{"Lift", func() { imposed.Lift() }},
		{"Set of a stall", func() { g.ToClient.Set(chaos.Stall{}) }},
		{"Set of nothing", func() { g.ToClient.Set() }},
		{"Set of what it was", func() { g.ToClient.Set(faults...) }},
		{"a connection's Set", func() { conn.ToServer.Set(chaos.Stall{}) }},
		{"Reseed", func() { g.Reseed(7) }},
		{"SetDoor to Hold", func() { setDoor(t, g, chaos.Hold) }},
		{"SetDoor to Blackhole", func() { setDoor(t, g, chaos.Blackhole) }},
		{"SetDoor to Refuse", func() { setDoor(t, g, chaos.Refuse) }},
		{"SetDoor to Open", func() { setDoor(t, g, chaos.Open) }},
		{"CloseConns", func() { g.CloseConns(1) }},
		{"ResetConns", func() { g.ResetConns(1) }},
		{"Stop", func() {
			if err := g.Stop(); err != nil {
				t.Error(err)
			}
		}},
		{"Start", func() {
			if err := g.Start(); err != nil {
				t.Error(err)
			}
		}},
		{"Heal", func() {
			if err := g.Heal(); err != nil {
				t.Error(err)
			}
		}},
	}
	// Stop, which comes last but two, ends the connections that the calls before it have left; so it has one try with them.
	const tries = 5
	took := make(map[string][]time.Duration)
	for try := range tries {
		for _, c := range calls {
			if c.name == "Stop" && try < tries-1 || c.name == "Start" && try < tries-1 || c.name == "Heal" && try < tries-1 {
				continue
			}
			start := time.Now()
			c.call()
			took[c.name] = append(took[c.name], time.Since(start))
		}
	}
	for _, c := range calls {
		limit := 50 * time.Millisecond
		if len(took[c.name]) == 1 {
			limit = 250 * time.Millisecond // one try alone may meet a busy machine
		}
		if got := fastest(took[c.name]); got > limit {
			t.Errorf("%s: returned after %v at best, want %v", c.name, got, limit)
		}
	}
	if n := len(g.Conns()); n != 0 {
		t.Errorf("after Stop %d connections are live", n)
	}
	start := time.Now()
	if err := g.Close(); err != nil {
		t.Logf("Close: %v", err)
	}
	if took := time.Since(start); took > 7*time.Second {
		t.Errorf("Close returned after %v, want 5s", took)
	}
}

func setDoor(t *testing.T, g *chaos.Gate, door chaos.Door) {
	t.Helper()
	if err := g.SetDoor(door); err != nil {
		t.Error(err)
	}
	if got := g.Door(); got != door {
		t.Errorf("the door is %v, want %v", got, door)
	}
}

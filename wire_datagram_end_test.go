//go:build linux

package chaos_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"golang.org/x/sys/unix"
)

// TestWireDatagramNothingLeft is row 26 for datagrams: when a gate is closed nothing is left of it, whatever its sessions were at.
func TestWireDatagramNothingLeft(t *testing.T) {
	for _, f := range []struct {
		name   string
		faults []chaos.Fault
		door   chaos.Door
	}{
		{name: "idle"},
		{name: "stalled", faults: []chaos.Fault{chaos.Stall{}}},
		{name: "delayed", faults: []chaos.Fault{chaos.Delay{By: time.Hour}}},
		{name: "vanished", faults: []chaos.Fault{chaos.Vanish{}}},
		{name: "held", door: chaos.Hold},
		{name: "refused", door: chaos.Refuse},
		{name: "blackholed", door: chaos.Blackhole},
	} {
		t.Run(f.name, func(t *testing.T) {
			leavesNothing(t)
			c, g := newCrowd(t, 200, nil)
			exchange(t, c, 1)
			g.ToServer.Set(f.faults...)
			g.ToClient.Set(f.faults...)
			setDoor(t, g.Gate, f.door)
			for i, client := range c.Clients {
				for range 3 {
					if _, err := client.Write([]byte("under way")); err != nil && !errors.Is(err, unix.ECONNREFUSED) {
						t.Fatal(err)
					}
					if _, err := c.Server.WriteToUDPAddrPort([]byte("under way"), c.Seen(i)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if g.Door() != chaos.Hold {
				g.takesAll(t)
			}
			start := time.Now()
			if err := g.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("Close took %v", took)
			}
			st := g.Stats()
			if st.Live != 0 || st.Closed["gate"] != 200 || st.Held != 0 {
				t.Errorf("got %+v, want 200 sessions closed", st)
			}
			if f.name == "delayed" && (st.Dropped < 9*3*200 || st.Dropped > 2*9*3*200) {
				t.Errorf("%d bytes were dropped with the sessions, want those that were under way", st.Dropped)
			}
			for err := error(nil); err == nil; { // its answers come first, and an error may have come before
				setPatience(t, c.Clients[0])
				if _, werr := c.Clients[0].Write([]byte("to nobody")); errors.Is(werr, unix.ECONNREFUSED) {
					continue // which that one has met
				}
				if _, err = c.Clients[0].Read(make([]byte, 2000)); err != nil && !errors.Is(err, unix.ECONNREFUSED) {
					t.Errorf("the port is not free: %v", err)
				}
			}
		})
	}
}

// TestWireDatagramEverythingAtOnce has every call on a gate made while datagrams pass, for the race detector to see.
func TestWireDatagramEverythingAtOnce(t *testing.T) {
	leavesNothing(t)
	c, g := newCrowd(t, 30, func(g *chaos.Gate) { g.Sessions, g.Expire = 28, 20*time.Millisecond })
	stop := make(chan struct{}) // closed when the calls have been made
	var running sync.WaitGroup
	for i, client := range c.Clients {
		running.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			buf := make([]byte, 2000)
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, _ = client.Write(buf[:r.IntN(1000)]) // a door may refuse it
				_ = client.SetReadDeadline(time.Now().Add(time.Duration(r.IntN(2000)) * time.Microsecond))
				_, _ = client.Read(buf)
			}
		})
	}
	running.Go(func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := c.Server.ReadFromUDPAddrPort(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_, _ = c.Server.WriteToUDPAddrPort(buf[:n], from)
			}
		}
	})
	faults := []chaos.Fault{
		chaos.Delay{By: 2 * time.Millisecond, Jitter: time.Millisecond},
		chaos.Stall{},
		chaos.Discard{},
		chaos.Corrupt{Rate: 0.5},
		chaos.Bandwidth{Rate: 1e6},
		chaos.Limit{Bytes: 5000},
		chaos.CloseOnData{},
		chaos.Sometimes{Chance: 0.5, Fault: chaos.Vanish{}},
		chaos.Close{After: 3 * time.Millisecond},
		chaos.Edit(mark),
	}
	var calling sync.WaitGroup
	for i := range 3 {
		calling.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(i)))
			flows := []*chaos.Flow{&g.ToServer, &g.ToClient}
			for range briefRounds(5000) {
				flow := flows[r.IntN(2)]
				switch r.IntN(12) {
				case 0, 1:
					flow.Set(faults[r.IntN(len(faults))], faults[r.IntN(len(faults))])
				case 2:
					flow.Set()
				case 3:
					flow.Add(faults[r.IntN(len(faults))]).Lift()
				case 4:
					if err := g.SetDoor(chaos.Door(r.IntN(4))); err != nil {
						t.Error(err)
					}
				case 5:
					g.CloseConns(r.IntN(3))
				case 6:
					for _, conn := range g.Conns() {
						conn.Info()
						conn.ToClient.Set(faults[r.IntN(len(faults))])
					}
				case 7:
					g.Stats()
				case 8:
					g.DoorHits()
				case 9:
					if err := g.Heal(); err != nil {
						t.Error(err)
					}
				case 10:
					g.Reseed(r.Uint64())
				case 11:
					if r.IntN(10) == 0 {
						if err := errors.Join(g.Stop(), g.Start()); err != nil {
							t.Error(err)
						}
					}
				}
				if n := len(g.Conns()); n > 28 {
					t.Errorf("%d sessions are live, want 28 at most", n)
				}
			}
		})
	}
	calling.Wait()
	if err := errors.Join(g.Start(), g.Heal()); err != nil {
		t.Error(err)
	}
	close(stop)
	c.Server.Close()
	running.Wait()
	var st chaos.Stats
	soon(t, "what has begun has ended or is live", func() bool { // what has left Conns is counted when nothing is left of it
		st = g.Stats()
		ended := int64(0)
		for _, n := range st.Closed {
			ended += n
		}
		return st.Accepted == ended+int64(st.Live)
	})
	t.Logf("%+v", st)
}

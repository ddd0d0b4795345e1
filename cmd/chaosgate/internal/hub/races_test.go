package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// TestEverybodyAtOnce has many do anything at the same time. Afterwards what is told of faults agrees with what is imposed, each id is there
// once, and the state file holds what there is.
func TestEverybodyAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	h := newHub(t, Options{State: file})
	server := echoServer(t)
	names := []string{"a", "b", "c"}
	workers, each := 8, 150
	if testing.Short() {
		each = 40
	}
	var imposed, lifted sync.Map // by gate, id and moment: what events tell
	var reading sync.WaitGroup
	r := h.Events(0)
	reading.Go(func() {
		for {
			events, err := r.Next(context.Background())
			if err != nil {
				return
			}
			for _, e := range events {
				switch {
				case e.Type == chaos.EventImposed && e.Fault == "":
					t.Errorf("imposed without an id: %+v", e)
				case e.Type == chaos.EventImposed:
					imposed.Store(fmt.Sprint(e.Gate, e.Fault, e.ID), true)
				case e.Type == chaos.EventLifted:
					lifted.Store(fmt.Sprint(e.Gate, e.Fault, e.ID), true)
				}
			}
		}
	})
	var working sync.WaitGroup
	for w := range workers {
		random := rand.New(rand.NewPCG(1, uint64(w)))
		working.Go(func() {
			for i := range each {
				if err := anything(h, random, names, server); err != nil {
					if _, ok := errors.AsType[*Error](err); !ok {
						t.Errorf("worker %d, step %d: got %T %v, want an error of the hub's", w, i, err, err)
					}
				}
			}
		})
	}
	working.Wait()
	for _, g := range h.Gates() {
		ids := map[string]bool{}
		for _, f := range append(g.ToServer, g.ToClient...) {
			if f.ID == "" || ids[f.ID] {
				t.Errorf("gate %s: the id %q is there twice", g.Name, f.ID)
			}
			ids[f.ID] = true
			if at, err := h.Find(g.Name, f.ID); err != nil || at.Direction != f.Direction {
				t.Errorf("gate %s: fault %s: got %v and %v", g.Name, f.ID, at, err)
			}
		}
	}
	if err := h.save(); err != nil {
		t.Error(err)
	}
	before := shape(h)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	is, _ := h.state().encode()
	if string(data) != string(is) {
		t.Errorf("the state file is not what there is:\n%s\n%s", data, is)
	}
	h.Close()
	reading.Wait()
	again := newHub(t, Options{State: file})
	if got := shape(again); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("got %v, want %v", got, before)
	}
	count := func(m *sync.Map) (n int) {
		m.Range(func(any, any) bool { n++; return true })
		return n
	}
	if count(&imposed) == 0 || count(&lifted) == 0 {
		t.Error("nothing was imposed, or nothing lifted")
	}
}

// anything does something.
func anything(h *Hub, random *rand.Rand, names []string, server string) (err error) {
	name := names[random.IntN(len(names))]
	at := Where{Gate: name, Direction: chaos.Direction(random.IntN(2))}
	entries := func() (es spec.Entries) {
		all := []chaos.Fault{chaos.Delay{By: time.Millisecond}, chaos.Stall{}, chaos.Bandwidth{Rate: 1e6}, chaos.Delay{By: 2 * time.Millisecond}}
		for range random.IntN(4) {
			es = append(es, spec.Entry{Fault: all[random.IntN(len(all))]})
		}
		return es
	}
	ids := []string{"delay", "stall", "bandwidth", "delay-2", "stall-2"}
	switch random.IntN(14) {
	case 0:
		_, err = h.Create("w", spec.Gate{Name: name, Server: server, ToClient: entries()})
	case 1:
		if random.IntN(3) == 0 {
			err = h.Remove("w", name)
		}
	case 2, 3:
		_, err = h.Add("w", at, entries())
	case 4, 5:
		_, err = h.Set("w", at, entries())
	case 6, 7:
		_, err = h.Lift("w", at, ids[random.IntN(len(ids))])
	case 8:
		_, err = h.Change("w", at, ids[random.IntN(len(ids))], to(Change{Fault: chaos.Stall{}}))
	case 9:
		_, err = h.SetDoor("w", name, DoorSetting{Door: chaos.Door(random.IntN(2)), For: time.Duration(random.IntN(3)) * time.Millisecond})
	case 10:
		_, err = h.Heal("w", name)
	case 11:
		stopped := random.IntN(2) == 0
		es := entries()
		_, err = h.Update("w", name, as(func(g *spec.Gate) { g.Stopped = stopped; g.ToServer = es }))
	case 12:
		other := "127.0.0.1:1"
		if random.IntN(2) == 0 {
			other = server
		}
		_, err = h.Update("w", name, as(func(g *spec.Gate) { g.Server = other }))
	case 13:
		g, e := h.Gate(name)
		if err = e; err != nil || g.Stopped {
			return err
		}
		if conn, err := net.DialTimeout("tcp", g.Listen, time.Second/10); err == nil {
			conn.Write([]byte("x"))
			conn.Close()
		}
	}
	return err
}

// TestStalledPeers checks that nothing waits for peers that neither read nor go away, but what is asked to wait.
func TestStalledPeers(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	h := newHub(t, Options{})
	g := create(t, h, spec.Gate{Name: "a", Server: deaf.Addr().String()})
	conns := 1000
	if testing.Short() {
		conns = 100
	}
	for range conns {
		conn := dial(t, g.Listen)
		conn.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
		for range 16 { // no more, lest all memory that the kernel has for TCP is used up
			if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
				break
			}
		}
	}
	if err := waitConns(t, h, "a", conns); err != nil {
		t.Fatal(err)
	}
	other := "127.0.0.1:1"
	steps := []struct {
		name string
		do   func() error
	}{
		{"add", func() error {
			_, err := h.Add("", Where{Gate: "a"}, spec.EntriesOf(chaos.Delay{By: time.Hour}, chaos.Stall{}))
			return err
		}},
		{"set", func() error { _, err := h.Set("", Where{Gate: "a"}, nil); return err }},
		{"list", func() error { _, err := h.Conns("a"); return err }},
		{"door", func() error { _, err := h.SetDoor("", "a", DoorSetting{Door: chaos.Hold}); return err }},
		{"heal", func() error { _, err := h.Heal("", ""); return err }},
		{"close some", func() error { _, err := h.CloseConns("", "a", conns/4, chaos.FIN); return err }},
		{"reset some", func() error { _, err := h.CloseConns("", "a", conns/4, chaos.RST); return err }},
		{"replace", func() error { _, err := h.Update("", "a", as(func(g *spec.Gate) { g.Server = other })); return err }},
		{"remove", func() error { return h.Remove("", "a") }},
	}
	for _, step := range steps {
		begin := time.Now()
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		took := time.Since(begin)
		t.Logf("%s with %d connections whose server does not read: %v", step.name, conns, took)
		if took > 5*time.Second { // what waits for these peers waits as long
			t.Errorf("%s took %v: it has waited for a peer", step.name, took)
		}
	}
	if gates := h.Gates(); len(gates) != 0 {
		t.Errorf("got %v, want none", gates)
	}
}

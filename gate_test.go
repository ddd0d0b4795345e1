package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestConnInfo is what is said of a connection, for each way in which one can end.
func TestConnInfo(t *testing.T) {
	const closed = chaos.Closed
	tests := []struct {
		name string
		end  func(t *testing.T, v *virtual, client, server net.Conn)
		want chaos.ConnInfo
	}{
		{"it lives", func(*testing.T, *virtual, net.Conn, net.Conn) {}, chaos.ConnInfo{State: chaos.Established}},
		{"the client has sent FIN", func(t *testing.T, _ *virtual, client, _ net.Conn) {
			closeWrite(t, client)
		}, chaos.ConnInfo{State: chaos.HalfClosed, By: "client"}},
		{"the client, then the server", func(t *testing.T, _ *virtual, client, server net.Conn) {
			closeWrite(t, client)
			synctest.Wait()
			closeWrite(t, server)
		}, chaos.ConnInfo{State: closed, By: "client", How: chaos.FIN}},
		{"the server, then the client", func(t *testing.T, _ *virtual, client, server net.Conn) {
			server.Close()
			synctest.Wait()
			client.Close()
		}, chaos.ConnInfo{State: closed, By: "server", How: chaos.FIN}},
		{"the client's reset", func(t *testing.T, _ *virtual, client, _ net.Conn) {
			resetPeer(t, client)
		}, chaos.ConnInfo{State: closed, By: "client", How: chaos.RST}},
		{"the server's reset", func(t *testing.T, _ *virtual, _, server net.Conn) {
			resetPeer(t, server)
		}, chaos.ConnInfo{State: closed, By: "server", How: chaos.RST}},
		{"a fault", func(_ *testing.T, v *virtual, _, _ net.Conn) {
			v.ToClient.Add(chaos.Close{Reset: true})
		}, chaos.ConnInfo{State: closed, By: "close", How: chaos.RST}},
		{"a fault that was carried", func(_ *testing.T, v *virtual, _, _ net.Conn) {
			v.ToClient.Add(chaos.Sometimes{Chance: 1, Fault: chaos.Close{}})
		}, chaos.ConnInfo{State: closed, By: "close", How: chaos.FullClose}},
		{"a fault at a position", func(t *testing.T, v *virtual, client, _ net.Conn) {
			v.ToServer.Add(chaos.Limit{Bytes: 2})
			says(t, client, "abc")
		}, chaos.ConnInfo{State: closed, By: "limit", How: chaos.FullClose, ToServer: 2 + 3}},
		{"a fault, at once", func(_ *testing.T, v *virtual, _, _ net.Conn) {
			v.ToServer.Add(chaos.Close{Reset: true, Abrupt: true})
		}, chaos.ConnInfo{State: closed, By: "close", How: chaos.Abort}},
		{"a fault of one's own", func(_ *testing.T, v *virtual, _, _ net.Conn) {
			v.ToServer.Add(chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
				st.End(chaos.FullClose)
				return next
			}))
		}, chaos.ConnInfo{State: closed, By: "chaos.FaultFunc", How: chaos.FullClose}},
		{"code that fails", func(t *testing.T, v *virtual, client, _ net.Conn) {
			v.ToServer.Add(chaos.Edit(func([]byte) []byte { panic("no") }))
			says(t, client, "abc")
		}, chaos.ConnInfo{State: closed, By: "chaos.Edit", How: chaos.RST}},
		{"CloseConns", func(_ *testing.T, v *virtual, _, _ net.Conn) {
			v.CloseConns(1)
		}, chaos.ConnInfo{State: closed, By: "gate", How: chaos.FullClose}},
		{"ResetConns", func(_ *testing.T, v *virtual, _, _ net.Conn) {
			v.ResetConns(chaos.All)
		}, chaos.ConnInfo{State: closed, By: "gate", How: chaos.RST}},
		{"Conn.Close", func(_ *testing.T, v *virtual, _, _ net.Conn) {
			v.conn().Close()
		}, chaos.ConnInfo{State: closed, By: "gate", How: chaos.FullClose}},
		{"Conn.Reset", func(_ *testing.T, v *virtual, _, _ net.Conn) {
			v.conn().Reset()
		}, chaos.ConnInfo{State: closed, By: "gate", How: chaos.RST}},
		{"Stop, with bytes under way", func(t *testing.T, v *virtual, client, _ net.Conn) {
			v.ToServer.Set(chaos.Delay{By: time.Hour})
			says(t, client, "lost")
			synctest.Wait()
			if err := v.Stop(); err != nil {
				t.Error(err)
			}
		}, chaos.ConnInfo{State: closed, By: "gate", How: chaos.FullClose, Dropped: 4}},
		{"Close", func(t *testing.T, v *virtual, _, _ net.Conn) {
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		}, chaos.ConnInfo{State: closed, By: "gate", How: chaos.FullClose}},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			client, server := v.connect(t)
			conn := v.conn()
			says(t, client, "hey")
			hears(t, server, "hey")
			says(t, server, "hello")
			hears(t, client, "hello")
			time.Sleep(time.Minute)
			test.end(t, v, client, server)
			time.Sleep(time.Minute)
			got, want := conn.Info(), test.want
			want.Ordinal, want.Opened = 1, v.start
			want.Client, want.Front = client.LocalAddr().String(), v.Addr()
			want.Back, want.Server = server.RemoteAddr().String(), v.servers.Addr().String()
			want.ToServer, want.ToClient = max(want.ToServer, 3), 5
			want.Age = time.Minute
			if live := want.State != closed; live {
				want.Age += time.Minute
			}
			// An ending may look at the kernel's buffers more than once.
			slack := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() < 10*time.Millisecond })
			if diff := cmp.Diff(want, got, slack, cmpopts.IgnoreFields(chaos.ConnInfo{}, "Err")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
			}
			if failed := got.Err != ""; failed != (test.name == "code that fails") {
				t.Errorf("%s: got the error %q", test.name, got.Err)
			}
			if live := want.State != closed; live != (len(v.Conns()) == 1) {
				t.Errorf("%s: %d connections are left", test.name, len(v.Conns()))
			}
			by := v.Stats().Closed[want.By]
			if live := want.State != closed; (by == 1) == live {
				t.Errorf("%s: got %v in Stats", test.name, v.Stats().Closed)
			}
		})
	}
}

// TestDialError is a connection whose server cannot be reached.
func TestDialError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		v.servers.Close()
		client := v.dial(t)
		if _, err := io.ReadAll(client); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the client: got %v, want ECONNRESET", err)
		}
		synctest.Wait()
		if n := len(v.Conns()); n > 0 {
			t.Errorf("%d connections are left", n)
		}
		stats := v.Stats()
		if stats.DialErrors != 1 || stats.Closed["dial"] != 1 || stats.Opened != 0 || stats.Accepted != 1 {
			t.Errorf("got %+v", stats)
		}
	})
}

// TestLateDial looks at a connection whose server takes its time.
func TestLateDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialling context.Context
		v := newVirtual(t)
		slow := &chaos.Gate{Server: v.servers.Addr().String(), ListenFunc: v.net.Listen, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialling = ctx
			select {
			case <-time.After(time.Hour):
				return v.net.Dial(ctx, network, address)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}}
		if err := slow.Start(); err != nil {
			t.Fatal(err)
		}
		defer slow.Close()
		dial := func() (net.Conn, *chaos.Conn) {
			client, err := v.net.Dial(t.Context(), "tcp", slow.Addr())
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			conns := slow.Conns()
			return client, conns[len(conns)-1]
		}
		patient, conn := dial()
		defer patient.Close()
		if got := conn.Info(); got.State != chaos.Dialing || got.Server != "" {
			t.Errorf("dialling: got %+v", got)
		}
		says(t, patient, "early")
		server, err := v.servers.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		hears(t, server, "early")
		if got := v.elapsed(); got != time.Hour {
			t.Errorf("got it after %v, want 1h", got)
		}

		// A reset gives the dialling up; CloseConns does as well.
		impatient, conn := dial()
		resetPeer(t, impatient)
		synctest.Wait()
		if got := conn.Info(); dialling.Err() == nil || got.State != chaos.Closed || got.By != "client" || got.How != chaos.RST {
			t.Errorf("reset while dialling: got %+v, and %v", got, dialling.Err())
		}
		_, conn = dial()
		slow.CloseConns(chaos.All)
		time.Sleep(time.Second)
		if got := conn.Info(); dialling.Err() == nil || got.State != chaos.Closed || got.By != "gate" {
			t.Errorf("closed while dialling: got %+v, and %v", got, dialling.Err())
		}
	})
}

// TestOldestFirst closes connections one after the other.
func TestOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		for range 5 {
			v.connect(t)
		}
		live := func() (ordinals []uint64) {
			for _, c := range v.Conns() {
				ordinals = append(ordinals, c.Ordinal())
			}
			return ordinals
		}
		for _, step := range []struct {
			call func(int) int
			n    int
			want []uint64
		}{
			{v.CloseConns, 0, []uint64{1, 2, 3, 4, 5}},
			{v.CloseConns, 2, []uint64{3, 4, 5}},
			{v.ResetConns, 1, []uint64{4, 5}},
			{v.CloseConns, 7, nil},
			{v.ResetConns, chaos.All, nil},
		} {
			before := len(v.Conns())
			if got := step.call(step.n); got != before-len(step.want) {
				t.Errorf("%d connections: got %d ended, want %d", step.n, got, before-len(step.want))
			}
			if diff := cmp.Diff(step.want, live()); diff != "" {
				t.Errorf("after %d (-want +got):\n%s", step.n, diff)
			}
		}
	})
}

// TestStartStopClose walks through a gate's life.
func TestStartStopClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		addr := v.Addr()
		v.ToServer.Set(chaos.Delay{By: time.Second})
		for range 3 {
			client, server := v.connect(t)
			if err := v.Start(); err != nil {
				t.Errorf("started twice: %v", err)
			}
			if err := errors.Join(v.Stop(), v.Stop()); err != nil {
				t.Errorf("stopped twice: %v", err)
			}
			if len(v.Conns()) > 0 || v.Addr() != addr {
				t.Errorf("stopped: %d connections, and the address is %s, want %s", len(v.Conns()), v.Addr(), addr)
			}
			for _, c := range []net.Conn{client, server} {
				if _, err := io.ReadAll(c); err != nil {
					t.Errorf("stopped: a peer got %v, want EOF", err)
				}
			}
			if _, err := v.net.Dial(t.Context(), "tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("stopped: got %v, want ECONNREFUSED", err)
			}
			if err := v.Start(); err != nil {
				t.Fatal(err)
			}
		}
		client, server := v.connect(t)
		before := time.Now()
		says(t, client, "x")
		hears(t, server, "x")
		if got := time.Since(before); got != time.Second {
			t.Errorf("what was imposed before: a delay of %v, want 1s", got)
		}
		if err := errors.Join(v.Close(), v.Close(), v.Stop()); err != nil {
			t.Errorf("closed twice: %v", err)
		}
		if err := v.Start(); !errors.Is(err, chaos.ErrClosed) {
			t.Errorf("started after Close: got %v, want %v", err, chaos.ErrClosed)
		}
		if err := v.SetDoor(chaos.Hold); err == nil {
			t.Error("the door of a closed gate can be set")
		}
		if got := v.Stats(); got.Accepted != 4 || got.Opened != 4 || got.Live != 0 || got.Closed["gate"] != 4 || got.ToServer != 1 || got.Held != 0 {
			t.Errorf("got %+v", got)
		}
	})
}

// TestUnstarted uses a gate that was never started.
func TestUnstarted(t *testing.T) {
	var g chaos.Gate
	if got := g.Addr(); got != "" {
		t.Errorf("Addr: got %q, want nothing", got)
	}
	if n := len(g.Conns()) + g.CloseConns(chaos.All) + g.ResetConns(1); n > 0 {
		t.Errorf("got %d connections", n)
	}
	if err := errors.Join(g.Stop(), g.Close(), g.Heal()); err != nil {
		t.Error(err)
	}
	if got := g.Stats(); got.Accepted != 0 || got.Live != 0 {
		t.Errorf("got %+v", got)
	}
	g.ToServer.Add(chaos.Delay{By: time.Second}).Lift()
}

// TestGateRefuses starts gates that cannot work.
func TestGateRefuses(t *testing.T) {
	onUnix := &chaos.Gate{Network: "unix", Server: "x"}
	onUnix.ToServer.Set(chaos.Close{Reset: true})
	tests := []struct {
		gate *chaos.Gate
		want string
	}{
		{&chaos.Gate{}, "server"},
		{&chaos.Gate{Server: "x"}, "HOST:PORT"},
		{&chaos.Gate{Server: "x:1", Network: "sctp"}, "sctp"},
		{&chaos.Gate{Server: "x:1", Window: -1}, "window"},
		{&chaos.Gate{Server: "x:1", Memory: -1}, "memory"},
		{&chaos.Gate{Server: "x:1", Listen: "127.0.0.1:nowhere"}, "nowhere"},
		{onUnix, "unix"},
	}
	for _, test := range tests {
		err := test.gate.Start()
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", test.want, err)
			test.gate.Close()
		}
	}
}

// TestBadFaultsChangeNothing imposes what is refused: the faults that were there stay.
func TestBadFaultsChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		good := v.ToServer.Set(chaos.Delay{By: time.Second}, chaos.Corrupt{})
		bad := chaos.Delay{By: -time.Second}
		synctest.Wait()
		before := len(v.events)
		for name, call := range map[string]func(){
			"Set":            func() { v.ToServer.Set(chaos.Stall{}, bad) },
			"Set of a child": func() { v.ToServer.Set(chaos.Sometimes{Chance: 1, Fault: bad}) },
			"Set of nil":     func() { v.ToServer.Set(nil) },
			"Add":            func() { v.ToServer.Add(bad) },
			"Change":         func() { good[0].Change(bad) },
		} {
			func() {
				defer func() {
					refused, ok := recover().(*chaos.FaultError)
					if !ok {
						t.Errorf("%s: got no *FaultError", name)
					} else if name == "Add" && (refused.Kind != "delay" || refused.Param != "by" || refused.Given != "-1s") {
						t.Errorf("%s: got %+v", name, refused)
					}
				}()
				call()
			}()
		}
		synctest.Wait()
		if got := v.ToServer.Imposed(); len(got) != 2 || got[0] != good[0] || got[1] != good[1] || got[0].Fault() != (chaos.Delay{By: time.Second}) {
			t.Errorf("got %v, want what was there", got)
		}
		if got := v.events[before:]; len(got) > 0 {
			t.Errorf("events tell of a change: %v", got)
		}
	})
}

// TestSetKeepsWhatStays looks at which Imposed stand after a Set.
func TestSetKeepsWhatStays(t *testing.T) {
	var flow chaos.Flow
	a, b, c := chaos.Delay{By: 1}, chaos.Corrupt{}, chaos.Slice{Size: 1}
	first := flow.Set(a, b, a)
	if first[0] == first[2] {
		t.Fatal("two equal faults are one Imposed")
	}
	if got := flow.Set(a, b, a); got[0] != first[0] || got[1] != first[1] || got[2] != first[2] {
		t.Error("the same list again: not the same Imposed")
	}
	next := flow.Set(c, b, a)
	if next[1] != first[1] || next[2] != first[2] {
		t.Error("what stays in its order has another Imposed")
	}
	if got := next[0].Ordinal(); got != 0 {
		t.Errorf("in place of the fault that goes: got the number %d, want 0", got)
	}
	if got := flow.Add(c).Ordinal(); got != 3 {
		t.Errorf("then one more: got the number %d, want 3", got)
	}
	// Stages that hold bytes back cannot change places: what is set in another order is imposed anew.
	if got := flow.Set(b, c); got[0] != next[1] || got[1] == next[0] {
		t.Error("in another order: the later fault stays, and the earlier does not")
	}
	flow.Set()
	if got := flow.Add(c).Ordinal(); got != 0 {
		t.Errorf("after all were lifted: got the number %d, want 0", got)
	}
	first[0].Change(c) // it was lifted
	if got := first[0].Fault(); got != a {
		t.Errorf("changed after it was lifted: got %v", got)
	}
}

// TestOffsets tells from where a fault holds.
func TestOffsets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		one, first := v.connect(t)
		says(t, one, "12345")
		hears(t, first, "12345")
		imposed := v.ToServer.Add(chaos.Delay{By: time.Second})
		v.connect(t)
		want := []chaos.Position{{Conn: 1, Offset: 5}, {Conn: 2, Offset: 0}}
		if diff := cmp.Diff(want, imposed.Offsets()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		imposed.Lift()
		if got := imposed.Offsets(); len(got) > 0 {
			t.Errorf("lifted: got %v, want none", got)
		}
	})
}

// TestFlowsOfAConnection imposes faults on one connection, beside its gate's.
func TestFlowsOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		one, first := v.connect(t)
		two, second := v.connect(t)
		v.ToServer.Set(chaos.Edit(bytes.ToUpper))
		v.Conns()[0].ToServer.Set(chaos.Substitute{Pattern: "A", With: "gate first"})
		says(t, one, "a")
		hears(t, first, "gate first")
		says(t, two, "a")
		hears(t, second, "A")
		v.ToServer.Set()
		says(t, one, "aA")
		hears(t, first, "agate first")
		if err := v.Heal(); err != nil {
			t.Fatal(err)
		}
		says(t, one, "aA")
		hears(t, first, "aA")
	})
}

// TestWindowBoundsWhatIsHeld fills a delay up to the gate's window.
func TestWindowBoundsWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t, func(g *chaos.Gate) { g.Window = 100_000 })
		client, server := v.connect(t)
		v.ToServer.Set(chaos.Delay{By: time.Minute})
		data := bytes.Repeat([]byte("0123456789"), 30_000)
		go client.Write(data)
		time.Sleep(time.Second)
		stats := v.Stats()
		if stats.Held < 100_000 || stats.Held > 100_000+64<<10+1000 {
			t.Errorf("got %d bytes held, want the window, and one read more at most", stats.Held)
		}
		if stats.WindowFull == 0 {
			t.Error("Stats does not say that the window was full")
		}
		got := make([]byte, len(data))
		if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, data) {
			t.Errorf("got %v, and the bytes are the same: %v", err, bytes.Equal(got, data))
		}
		if got := v.Stats().Held; got != 0 {
			t.Errorf("in the end: got %d bytes held, want none", got)
		}
	})
}

// TestLiftedCodeEndsWithItsConnection lifts code that goes on writing, and ends the connection before it has returned. It does so
// on real sockets, because a bubble does not outlive what it finds left.
func TestLiftedCodeEndsWithItsConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	g := chaostest.NewGate(t, ln.Addr().String(), func(g *chaos.Gate) { g.Window = 1000 })
	returned := make(chan error, 1) // what the code has met
	writing := g.ToServer.Add(chaos.Through(func(dst io.Writer, src io.Reader) error {
		_, err := src.Read(make([]byte, 1))
		for err == nil {
			_, err = dst.Write(make([]byte, 64<<10))
		}
		returned <- err // on a busy machine even the byte may have come too late
		return err
	}))
	client, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	says(t, client, "x")
	if err := writing.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	writing.Lift()
	g.CloseConns(chaos.All)
	select {
	case err := <-returned:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want %v", err, net.ErrClosed)
		}
	case <-time.After(10 * time.Second):
		t.Error("the code still writes to a connection that has ended")
	}
}

// TestEventsOfConnections checks that what opens and closes is told with the client's address, and the end with the age.
func TestEventsOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		const conns, age = 100, 3 * time.Second // more at once than the queue of events keeps room for
		want := map[uint64]string{}
		for range conns {
			client, _ := v.connect(t)
			want[v.conn().Ordinal()] = client.LocalAddr().String()
		}
		time.Sleep(age)
		if n := v.CloseConns(chaos.All); n != conns {
			t.Fatalf("ended %d connections, want %d", n, conns)
		}
		time.Sleep(age)
		synctest.Wait()
		v.mu.Lock()
		defer v.mu.Unlock()
		seen := map[chaos.EventType]int{}
		for k, e := range v.events {
			if e.Seq != uint64(k+1) {
				t.Fatalf("event %d has the number %d: %+v", k+1, e.Seq, e)
			}
			if e.Conn == 0 {
				continue
			}
			seen[e.Type]++
			if e.Addr != want[e.Conn] {
				t.Errorf("%s of connection %d: got the address %q, want %q", e.Type, e.Conn, e.Addr, want[e.Conn])
			}
			if closed := e.Type == chaos.EventClosed; closed && (e.Age < age || e.Age > 2*age) || !closed && e.Age != 0 {
				t.Errorf("%s of connection %d: got the age %v", e.Type, e.Conn, e.Age)
			}
		}
		if seen[chaos.EventOpened] != conns || seen[chaos.EventClosed] != conns || len(seen) != 2 {
			t.Errorf("got %v, want %d of opened and closed", seen, conns)
		}
	})
}

// TestSlowObserver lets an observer sleep: the gate does not wait, and what is lost is counted.
func TestSlowObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seqs []uint64
		v := newVirtual(t, func(g *chaos.Gate) {
			g.Observe = func(e chaos.Event) {
				seqs = append(seqs, e.Seq)
				if len(seqs) == 1 {
					time.Sleep(time.Hour)
				}
			}
		})
		synctest.Wait()
		const changes = 10_000
		for range changes / 2 {
			v.ToServer.Add(chaos.Stall{}).Lift()
		}
		if v.elapsed() > 0 {
			t.Errorf("the changes have waited for %v", v.elapsed())
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		lost := v.Stats().EventsLost
		if lost == 0 || int64(len(seqs))+lost != changes+1 || seqs[len(seqs)-1] != changes+1 {
			t.Errorf("got %d events, the last is %d, and %d are lost, of %d", len(seqs), seqs[len(seqs)-1], lost, changes+1)
		}
	})
}

// TestNewGate is the one-line way to a gate.
func TestNewGate(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var observed []chaos.EventType
	t.Run("a test", func(t *testing.T) {
		g := chaostest.NewGate(t, ln.Addr().String(), func(g *chaos.Gate) {
			g.Seed = 42
			g.Observe = func(e chaos.Event) { observed = append(observed, e.Type) }
		})
		c, err := net.Dial("tcp", g.Addr())
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if g.Seed != 42 {
			t.Errorf("got the seed %d, want 42", g.Seed)
		}
	})
	if len(observed) == 0 || observed[0] != chaos.EventStarted {
		t.Errorf("the test's own observer got %v", observed)
	}
	t.Run("a seed to repeat", func(t *testing.T) {
		t.Setenv("CHAOSGATE_SEED", "0xbeef")
		if g := chaostest.NewGate(t, ln.Addr().String()); g.Seed != 0xbeef {
			t.Errorf("got the seed %#x, want 0xbeef", g.Seed)
		}
	})
}

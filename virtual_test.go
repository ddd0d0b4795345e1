package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/google/go-cmp/cmp"
)

// A virtual is a gate on a network in memory, in the virtual time of a testing/synctest bubble.
type virtual struct {
	*chaos.Gate
	net     *chaostest.Network
	servers net.Listener
	start   time.Time

	mu     sync.Mutex // guards events
	events []chaos.Event
}

// newVirtual starts a gate. It is called in a bubble, and everything ends with it.
func newVirtual(t *testing.T, configure ...func(*chaos.Gate)) *virtual {
	t.Helper()
	v := &virtual{net: &chaostest.Network{Buffer: 1 << 20}, start: time.Now()}
	var err error
	if v.servers, err = v.net.Listen(t.Context(), "tcp", ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.servers.Close() })
	v.Gate = &chaos.Gate{Server: v.servers.Addr().String(), Seed: 1, ListenFunc: v.net.Listen, DialContext: v.net.Dial, Observe: v.observe}
	for _, f := range configure {
		f(v.Gate)
	}
	if err := v.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func (v *virtual) observe(e chaos.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events = append(v.events, e)
}

// dial connects a client, and no server.
func (v *virtual) dial(t *testing.T) net.Conn {
	t.Helper()
	client, err := v.net.Dial(t.Context(), "tcp", v.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// connect connects a client through to the server.
func (v *virtual) connect(t *testing.T) (client, server net.Conn) {
	t.Helper()
	client = v.dial(t)
	server, err := v.servers.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	synctest.Wait()
	return client, server
}

// conn returns the connection that was opened last.
func (v *virtual) conn() *chaos.Conn {
	conns := v.Conns()
	return conns[len(conns)-1]
}

// elapsed returns how much virtual time has gone by.
func (v *virtual) elapsed() time.Duration { return time.Since(v.start) }

// closeWrite sends FIN.
func closeWrite(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// resetPeer ends a connection with RST.
func resetPeer(t *testing.T, c net.Conn) {
	t.Helper()
	if err := errors.Join(c.(interface{ SetLinger(int) error }).SetLinger(0), c.Close()); err != nil {
		t.Fatal(err)
	}
}

// says writes a text.
func says(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// hears reads a text.
func hears(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got[:n], err, want)
	}
}

func TestAnHourOfDelayIsExact(t *testing.T) {
	const total = time.Hour
	tests := []struct {
		name   string
		faults []chaos.Fault
	}{
		{"three delays", []chaos.Fault{chaos.Delay{By: total / 2}, chaos.Delay{By: total / 3}, chaos.Delay{By: total / 6}}},
		// The line has saved up its burst of one byte by the time at which the first comes.
		{"a delay, then a slow line", []chaos.Fault{chaos.Delay{By: total - 4*time.Second}, chaos.Bandwidth{Rate: 1, Burst: 1}}},
		{"a slow line, then a delay", []chaos.Fault{chaos.Bandwidth{Rate: 1, Burst: 1}, chaos.Delay{By: total - 5*time.Second}}},
		{"a delay in selectors", []chaos.Fault{
			chaos.Sometimes{Chance: 1, Fault: chaos.Only{First: 1, Fault: chaos.Delay{By: total - time.Minute}}},
			chaos.During{For: total, Fault: chaos.Delay{By: time.Minute}},
		}},
		{"a stall that ends", []chaos.Fault{chaos.During{For: total, Fault: chaos.Stall{}}}},
		{"a stall that ends, behind a delay", []chaos.Fault{chaos.Delay{By: total - time.Minute}, chaos.During{For: time.Minute, Fault: chaos.Stall{}}}},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			client, server := v.connect(t)
			v.ToServer.Set(test.faults...)
			v.ToClient.Set(test.faults...)
			for _, dir := range []struct{ from, to net.Conn }{{client, server}, {server, client}} {
				says(t, dir.from, "exact")
				closeWrite(t, dir.from)
			}
			hears(t, server, "exact")
			if got := v.elapsed(); got != total {
				t.Errorf("%s: the server got it after %v, want %v", test.name, got, total)
			}
			hears(t, client, "exact")
			if rest, err := io.ReadAll(client); len(rest) > 0 || err != nil {
				t.Errorf("%s: then the client got %q, %v, want EOF", test.name, rest, err)
			}
			if got := v.elapsed(); got != total {
				t.Errorf("%s: the client got it after %v, want %v", test.name, got, total)
			}
		})
	}
}

func TestDelayKeepsThroughput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		client, server := v.connect(t)
		v.ToServer.Set(chaos.Delay{By: time.Minute})
		for range 100 {
			says(t, client, "one a second")
			time.Sleep(time.Second)
		}
		for i := range 100 {
			hears(t, server, "one a second")
			if got, want := v.elapsed(), max(100*time.Second, time.Minute+time.Duration(i)*time.Second); got != want {
				t.Fatalf("message %d: got it after %v, want %v", i, got, want)
			}
		}
	})
}

func TestLiftTakesTimeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		client, server := v.connect(t)
		long, short := v.ToServer.Add(chaos.Delay{By: time.Hour}), v.ToServer.Add(chaos.Delay{By: time.Minute})
		says(t, client, "x")
		time.Sleep(10 * time.Second)
		long.Lift()
		hears(t, server, "x")
		if got := v.elapsed(); got != time.Minute {
			t.Errorf("without the long delay: got it after %v, want %v", got, time.Minute)
		}
		says(t, client, "y")
		synctest.Wait()
		short.Change(chaos.Delay{By: time.Second}) // what is under way is not touched
		hears(t, server, "y")
		if got := v.elapsed(); got != 2*time.Minute {
			t.Errorf("changed: got it after %v, want %v", got, 2*time.Minute)
		}
		if long.Hits() != 1 || short.Hits() != 2 {
			t.Errorf("got %d and %d hits, want 1 and 2", long.Hits(), short.Hits())
		}
	})
}

func TestEndingsAreOnTime(t *testing.T) {
	tests := []struct {
		name  string
		fault chaos.Fault
		by    string
		want  time.Duration
	}{
		{"close", chaos.Close{After: time.Hour}, "close", time.Hour},
		{"close at once", chaos.Close{}, "close", 0},
		{"lifetime", chaos.Lifetime{For: time.Hour}, "lifetime", time.Hour},
		{"lifetime from data", chaos.Lifetime{For: time.Hour, From: chaos.FromData}, "lifetime", time.Hour + time.Minute},
		{"idle", chaos.Idle{For: time.Hour}, "idle", time.Hour + time.Minute},
		{"idle, at once", chaos.Idle{For: time.Second}, "idle", time.Second},
		{"close_on_data", chaos.CloseOnData{}, "close_on_data", time.Minute},
		{"limit", chaos.Limit{Bytes: 1}, "limit", time.Minute},
		{"limit behind a delay", chaos.After{Bytes: 1, Fault: chaos.CloseOnData{}}, "close_on_data", time.Minute},
		{"later", chaos.After{Time: time.Hour, Fault: chaos.Close{}}, "close", time.Hour},
		{"in a while", chaos.During{Start: 59 * time.Second, For: 2 * time.Second, Fault: chaos.CloseOnData{}}, "close_on_data", time.Minute},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			client, server := v.connect(t)
			conn := v.conn()
			imposed := v.ToServer.Add(test.fault)
			go func() {
				time.Sleep(time.Minute)
				io.WriteString(client, "data") // the connection may have ended by then
			}()
			io.ReadAll(server)
			if got := v.elapsed(); got != test.want {
				t.Errorf("%s: the server saw the end after %v, want %v", test.name, got, test.want)
			}
			if _, err := io.ReadAll(client); err != nil {
				t.Errorf("%s: the client: got %v, want EOF", test.name, err)
			}
			synctest.Wait()
			if got := conn.Info(); got.By != test.by || got.How != chaos.FullClose {
				t.Errorf("%s: got ended by %s with %v, want by %s with close", test.name, got.By, got.How, test.by)
			}
			if got := imposed.Hits(); got != 1 {
				t.Errorf("%s: got %d hits, want 1", test.name, got)
			}
			time.Sleep(2 * time.Minute) // for the writer
		})
	}
}

func TestDuringComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		client, server := v.connect(t)
		v.ToServer.Set(chaos.During{Start: 10 * time.Second, For: 5 * time.Second, Every: 20 * time.Second, Fault: chaos.Stall{}})
		want := map[int]int{12: 15, 14: 15, 32: 35, 34: 35, 52: 55, 54: 55} // by the second of the sending; the others are not held
		var wrong []string
		for second := range 60 {
			says(t, client, "x")
			if second%2 == 0 {
				hears(t, server, "x")
				if second > 0 {
					hears(t, server, "x")
				}
				at := int(v.elapsed() / time.Second)
				if expected, held := want[second]; held && at != expected || !held && at != second && !slices.Contains([]int{10, 30, 50}, second) {
					wrong = append(wrong, fmt.Sprintf("sent %d, got %d", second, at))
				}
			}
			time.Sleep(time.Until(v.start.Add(time.Duration(second+1) * time.Second)))
		}
		if len(wrong) > 0 {
			t.Errorf("%s", strings.Join(wrong, "; "))
		}
	})
}

func TestDoors(t *testing.T) {
	dial := func(v *virtual, within time.Duration) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		return v.net.Dial(ctx, "tcp", v.Addr())
	}
	set := func(t *testing.T, v *virtual, d chaos.Door) {
		t.Helper()
		if err := v.SetDoor(d); err != nil || v.Door() != d {
			t.Fatalf("SetDoor(%v): %v, and the door is %v", d, err, v.Door())
		}
	}
	t.Run("hold", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			set(t, v, chaos.Hold)
			client := v.dial(t)
			says(t, client, "early")
			if err := v.WaitDoor(t.Context(), 1); err != nil || v.DoorHits() != 1 {
				t.Errorf("WaitDoor: %v, and %d hits, want 1", err, v.DoorHits())
			}
			time.Sleep(time.Hour)
			if n := len(v.Conns()); n > 0 {
				t.Errorf("held for an hour: got %d connections, want none", n)
			}
			set(t, v, chaos.Open)
			server, err := v.servers.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			hears(t, server, "early")
			if got := v.elapsed().Round(time.Second); got != time.Hour {
				t.Errorf("got it after %v, want an hour", got)
			}
		})
	})
	t.Run("refuse", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			live, server := v.connect(t)
			set(t, v, chaos.Refuse)
			if _, err := dial(v, time.Minute); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("got %v, want ECONNREFUSED", err)
			}
			says(t, live, "still here")
			hears(t, server, "still here")
			set(t, v, chaos.Open)
			v.connect(t)
		})
	})
	t.Run("blackhole", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			set(t, v, chaos.Blackhole)
			start := time.Now()
			if _, err := dial(v, 3*time.Second); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the client's own timeout", err)
			}
			if took := time.Since(start); took != 3*time.Second {
				t.Errorf("it took %v, want 3s", took)
			}
			if err := v.WaitDoor(t.Context(), 1); err != nil {
				t.Error(err)
			}
			time.AfterFunc(2500*time.Millisecond, func() { v.Heal() })
			start = time.Now()
			client, err := dial(v, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			client.Close()
			if took := time.Since(start); took != 3*time.Second {
				t.Errorf("opened after 2.5s: got in after %v, want at its next SYN, after 3s", took)
			}
		})
	})
	t.Run("a wait that ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			set(t, v, chaos.Hold)
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("enough"))
			defer cancel()
			if err := v.WaitDoor(ctx, 1); err == nil || err.Error() != "enough" {
				t.Errorf("got %v, want the context's cause", err)
			}
		})
	})
}

func TestWaitConns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		for i := range 3 {
			time.AfterFunc(time.Duration(i+1)*time.Minute, func() { v.connect(t) })
		}
		if err := v.WaitConns(t.Context(), 3); err != nil {
			t.Error(err)
		}
		if got := v.elapsed(); got != 3*time.Minute {
			t.Errorf("three connections: waited %v, want 3m", got)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("enough"))
		defer cancel()
		if err := v.WaitConns(ctx, 4); err == nil || err.Error() != "enough" {
			t.Errorf("a fourth: got %v, want the context's cause", err)
		}
		if got := v.elapsed(); got != 4*time.Minute {
			t.Errorf("a fourth: waited until %v, want 4m", got)
		}
		synctest.Wait()
	})
}

func TestWaitForHits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		client, _ := v.connect(t)
		imposed := v.ToServer.Add(chaos.Corrupt{})
		time.AfterFunc(time.Minute, func() { says(t, client, "abc") })
		time.AfterFunc(time.Hour, func() { says(t, client, "d") })
		for n, want := range map[int64]time.Duration{0: 0, 3: time.Minute, 4: time.Hour} {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
			go func() {
				defer cancel()
				if err := imposed.Wait(ctx, n); err != nil || v.elapsed() != want {
					t.Errorf("%d hits: got %v after %v, want them after %v", n, err, v.elapsed(), want)
				}
			}()
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 90*time.Minute, errors.New("enough"))
		defer cancel()
		if err := imposed.Wait(ctx, 5); err == nil || err.Error() != "enough" {
			t.Errorf("5 hits: got %v, want the context's cause", err)
		}
		chaostest.Fired(t, imposed)
		if hit, ok := imposed.LastHit(); !ok || hit.Offset != 3 || hit.Bytes != 1 || hit.Conn != 1 || !hit.Time.Equal(v.start.Add(time.Hour)) {
			t.Errorf("the last hit: got %+v, %v", hit, ok)
		}
	})
}

func TestRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		if err := v.SetDoor(chaos.Refuse); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second-time.Millisecond, func() { v.Heal() })
		took := chaostest.Recovers(t, 10*time.Second, func() error {
			client, err := v.net.Dial(t.Context(), "tcp", v.Addr())
			if err == nil {
				client.Close()
			}
			return err
		})
		if took != 5*time.Second {
			t.Errorf("got %v, want 5s", took)
		}
	})
}

// TestEventsInOrder is the golden list of what an observer is told.
func TestEventsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t, func(g *chaos.Gate) { g.ToServer.Set(chaos.Delay{By: 10 * time.Second}) })
		client, server := v.connect(t)
		pause := func() { time.Sleep(time.Second) }
		says(t, client, "hello")
		pause()
		imposed := v.ToServer.Imposed()[0]
		imposed.Change(chaos.Delay{By: time.Second})
		pause()
		imposed.Lift()
		pause()
		v.Conns()[0].ToClient.Add(chaos.Corrupt{})
		pause()
		says(t, server, "bye")
		pause()
		if err := v.Heal(); err != nil {
			t.Fatal(err)
		}
		if err := v.SetDoor(chaos.Hold); err != nil {
			t.Fatal(err)
		}
		pause()
		closeWrite(t, client)
		pause()
		closeWrite(t, server)
		pause()
		if err := v.SetDoor(chaos.Open); err != nil {
			t.Fatal(err)
		}
		v.servers.Close()
		v.dial(t)
		pause()
		if err := errors.Join(v.Stop(), v.Start(), v.Close()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, e := range v.events {
			if e.Seq != uint64(i+1) {
				t.Errorf("event %d has the number %d", i+1, e.Seq)
			}
			got = append(got, fmt.Sprintf("%v %v", e.Time.Sub(v.start).Truncate(time.Second), e))
		}
		want := []string{
			"0s started addr=127.0.0.1:40002",
			"0s imposed delay on to_server",
			"0s opened conn=1 addr=127.0.0.1:49152",
			"0s fired conn=1 delay on to_server hits=1 offset=0 bytes=5",
			"1s changed delay on to_server",
			"2s lifted delay on to_server hits=1",
			"3s imposed conn=1 corrupt on to_client",
			"4s fired conn=1 corrupt on to_client hits=3 offset=0 bytes=3",
			"5s lifted conn=1 corrupt on to_client hits=3",
			"5s door hold",
			"7s closed conn=1 by client with FIN to_server=5 to_client=3",
			"8s door open",
			"8s dial_error conn=2 error=\"dial tcp 127.0.0.1:40001: connect: connection refused\"",
			"8s closed conn=2 by dial with RST to_server=0 to_client=0 error=\"dial tcp 127.0.0.1:40001: connect: connection refused\"",
			"9s stopped",
			"9s started addr=127.0.0.1:40002",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestSometimesOfOneGroupHitsTheSameConnectionsBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		for _, flow := range []*chaos.Flow{&v.ToServer, &v.ToClient} {
			flow.Set(chaos.Sometimes{Chance: 0.5, Group: "slow", Fault: chaos.Delay{By: time.Second}})
		}
		took := map[time.Duration]int{}
		for range 40 {
			client, server := v.connect(t)
			start := time.Now()
			for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
				if _, err := way[0].Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(way[1], make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			took[time.Since(start)]++
		}
		if took[0]+took[2*time.Second] != 40 || took[0] < 10 || took[0] > 30 {
			t.Errorf("there and back again took %v, want 0s or 2s, each for about half of 40", took)
		}
	})
}

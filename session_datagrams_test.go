package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/google/go-cmp/cmp"
)

// till sleeps until so much time has gone by since the test began.
func (v *virtualUDP) till(d time.Duration) {
	time.Sleep(d - v.elapsed())
	synctest.Wait()
}

// sessionsOf returns the clients' addresses of the sessions, in the order in which these began.
func (v *virtualUDP) sessionsOf() []string {
	var of []string
	for _, c := range v.Conns() {
		of = append(of, c.Info().Client)
	}
	return of
}

func (p *udpPeer) name() string { return p.LocalAddr().String() }

// wants compares what has arrived with what should have.
func wants(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestSessionExpires(t *testing.T) {
	for expire, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, 10 * time.Second: 10 * time.Second, 1: 1} {
		inBubble(t, fmt.Sprint(expire), func(t *testing.T) {
			v := newVirtualUDP(t, func(g *chaos.Gate) { g.Expire = expire })
			c := v.client(t)
			c.says(t, "x")
			conn := v.conn(t)
			v.till(want - 1)
			if got := len(v.Conns()); got != 1 {
				t.Errorf("just before: got %d sessions, want 1", got)
			}
			v.till(want)
			if got := conn.Info(); len(v.Conns()) != 0 || got.By != "expired" || got.How != chaos.FullClose || got.Age != want || got.State != chaos.Closed {
				t.Errorf("then: got %d sessions, and %+v, want it ended by expired after %v", len(v.Conns()), got, want)
			}
			if got := v.Stats(); got.Closed["expired"] != 1 || got.Accepted != 1 || got.Live != 0 || got.Lost != 0 {
				t.Errorf("got %+v", got)
			}
			v.server.took()
			c.says(t, "y") // nothing is lost with a session that has expired
			wants(t, "the next datagram", v.server.texts(), "y")
			if got := v.conn(t); got.Ordinal() != 2 {
				t.Errorf("got session %d, want a second", got.Ordinal())
			}
		})
	}
}

func TestSessionIsKeptBy(t *testing.T) {
	const minute = time.Minute
	tests := []struct {
		name string
		keep func(t *testing.T, v *virtualUDP, c *udpPeer) // called each minute
		want time.Duration
	}{
		{"nothing", func(*testing.T, *virtualUDP, *udpPeer) {}, 5 * minute},
		{"the client", func(t *testing.T, v *virtualUDP, c *udpPeer) { c.says(t, "x") }, 25 * minute},
		{"the server", func(t *testing.T, v *virtualUDP, c *udpPeer) { v.server.answers(t, v.conn(t).Info().Back, "x") }, 25 * minute},
		{"what a fault loses", func(t *testing.T, v *virtualUDP, c *udpPeer) {
			v.ToServer.Set(chaos.Discard{})
			c.says(t, "x")
		}, 25 * minute},
		{"an empty datagram", func(t *testing.T, v *virtualUDP, c *udpPeer) { c.says(t, "") }, 25 * minute},
		{"not what a door loses", func(t *testing.T, v *virtualUDP, c *udpPeer) {
			if err := v.SetDoor(chaos.Blackhole); err != nil {
				t.Fatal(err)
			}
			c.says(t, "x")
		}, 5 * minute},
	}
	for _, test := range tests {
		inBubble(t, test.name, func(t *testing.T) {
			v := newVirtualUDP(t)
			c := v.client(t)
			c.says(t, "first")
			conn := v.conn(t)
			for range 20 {
				time.Sleep(minute)
				if len(v.Conns()) > 0 {
					test.keep(t, v, c)
				}
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if got := conn.Info(); got.Age != test.want || got.By != "expired" {
				t.Errorf("got it ended by %s after %v, want by expired after %v", got.By, got.Age, test.want)
			}
		})
	}
}

// TestSessionWithSomethingUnderWayIsKept: what is to arrive in an hour arrives, though nothing is heard meanwhile.
func TestSessionWithSomethingUnderWayIsKept(t *testing.T) {
	for name, fault := range map[string]chaos.Fault{
		"delay":            chaos.Delay{By: time.Hour},
		"stall":            chaos.During{For: time.Hour, Fault: chaos.Stall{}},
		"a slow line":      chaos.Bandwidth{Rate: 1, Burst: 1},
		"reorder":          chaos.Reorder{Chance: 1, Within: time.Hour},
		"delay, then line": chaos.Sometimes{Chance: 1, Fault: chaos.Delay{By: time.Hour}},
	} {
		for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
			inBubble(t, fmt.Sprint(name, " ", dir), func(t *testing.T) {
				v := newVirtualUDP(t)
				c := v.client(t)
				text := strings.Repeat("x", 3600)
				var got []heardDatagram
				if dir == chaos.ToServer {
					v.ToServer.Set(fault)
					c.says(t, text)
					v.till(time.Hour)
					got = v.server.took()
				} else {
					v.ToClient.Set(fault)
					c.says(t, "hello")
					v.server.answers(t, v.conn(t).Info().Back, text)
					v.till(time.Hour)
					got = c.took()
				}
				if len(got) != 1 || got[0].data != text || got[0].at != time.Hour || len(v.Conns()) != 1 {
					t.Errorf("got %d datagrams and %d sessions, want one after an hour, and one", len(got), len(v.Conns()))
				}
				v.till(2 * time.Hour)
				if n := len(v.Conns()); n != 0 {
					t.Errorf("an hour later: got %d sessions, want none", n)
				}
			})
		}
	}
}

func TestTheMostSilentSessionMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.Sessions = 3 })
		cs := v.clients(t, 6)
		for _, c := range cs[:3] {
			c.says(t, "x")
			time.Sleep(time.Second)
		}
		first := v.Conns()[0]
		v.server.answers(t, first.Info().Back, "x") // so now the second is the most silent
		time.Sleep(time.Second)
		step := func(c *udpPeer, want ...*udpPeer) {
			t.Helper()
			c.says(t, "y")
			time.Sleep(time.Second)
			var names []string
			for _, w := range want {
				names = append(names, w.name())
			}
			wants(t, "sessions", v.sessionsOf(), names...)
		}
		second, third := v.Conns()[1], v.Conns()[2]
		step(cs[3], cs[0], cs[2], cs[3])
		step(cs[0], cs[0], cs[2], cs[3]) // it has its session already
		step(cs[4], cs[0], cs[3], cs[4])
		step(cs[1], cs[0], cs[4], cs[1]) // the one that had to go comes back at once, and another goes
		step(cs[5], cs[4], cs[1], cs[5])
		for _, c := range []*chaos.Conn{second, third} {
			if i := c.Info(); i.By != "evicted" || i.State != chaos.Closed {
				t.Errorf("session %d: got ended by %q, %v, want by evicted", i.Ordinal, i.By, i.State)
			}
		}
		if got := v.Stats(); got.Closed["evicted"] != 4 || got.Accepted != 7 || got.Live != 3 || got.Lost != 0 || got.DatagramsToServer != 8 {
			t.Errorf("got %+v", got)
		}
	})
}

// TestNoRoomForASession: what an evicted session holds back is dropped, and counted.
func TestEvictionDropsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.Sessions = 1 })
		v.ToServer.Set(chaos.Delay{By: time.Minute})
		cs := v.clients(t, 2)
		cs[0].says(t, "one", "two")
		cs[1].says(t, "three")
		time.Sleep(time.Hour)
		wants(t, "the server", v.server.texts(), "three")
		if got := v.Stats(); got.Dropped != int64(len("onetwo")) || got.Held != 0 {
			t.Errorf("got %d bytes dropped and %d held, want 6 and none", got.Dropped, got.Held)
		}
	})
}

func TestTombstone(t *testing.T) {
	const mourning = 5 * time.Second
	ends := map[string]func(t *testing.T, v *virtualUDP, c *udpPeer){
		"close_on_data": func(t *testing.T, v *virtualUDP, c *udpPeer) {
			i := v.ToServer.Add(chaos.CloseOnData{})
			c.says(t, "last")
			i.Lift()
		},
		"limit": func(t *testing.T, v *virtualUDP, c *udpPeer) {
			i := v.ToServer.Add(chaos.Limit{Bytes: 3})
			c.says(t, "last")
			i.Lift()
		},
		"close": func(t *testing.T, v *virtualUDP, c *udpPeer) {
			i := v.ToClient.Add(chaos.Close{})
			synctest.Wait()
			i.Lift()
		},
		"a session's own": func(t *testing.T, v *virtualUDP, c *udpPeer) {
			v.conn(t).ToServer.Add(chaos.CloseOnData{})
			c.says(t, "last")
		},
	}
	for name, end := range ends {
		for _, test := range []struct {
			after time.Duration
			lost  bool
		}{{0, true}, {mourning - 1, true}, {mourning, false}, {time.Hour, false}} {
			inBubble(t, fmt.Sprintf("%s, %v later", name, test.after), func(t *testing.T) {
				v := newVirtualUDP(t)
				c, other := v.client(t), v.client(t)
				c.says(t, "first")
				end(t, v, c)
				if n := len(v.Conns()); n != 0 {
					t.Fatalf("got %d sessions, want it ended", n)
				}
				lost := v.Stats().Lost
				v.server.took()
				time.Sleep(test.after)
				other.says(t, "another client's")
				c.says(t, "next", "and the next")
				want := []string{"another client's", "next", "and the next"}
				if test.lost {
					want = []string{"another client's", "and the next"}
					lost++
				}
				wants(t, "the server", v.server.texts(), want...)
				if got := v.Stats().Lost; got != lost {
					t.Errorf("Stats.Lost: got %d, want %d", got, lost)
				}
			})
		}
	}
	inBubble(t, "none after CloseConns", func(t *testing.T) {
		v := newVirtualUDP(t)
		c := v.client(t)
		c.says(t, "first")
		v.conn(t).Close()
		c.says(t, "second")
		if got := v.CloseConns(chaos.All); got != 1 {
			t.Errorf("closed %d, want 1", got)
		}
		c.says(t, "third")
		wants(t, "the server", v.server.texts(), "first", "second", "third")
		if got := v.Stats(); got.Closed["gate"] != 2 || got.Accepted != 3 {
			t.Errorf("got %+v", got)
		}
	})
}

func (v *virtualUDP) door(t *testing.T, d chaos.Door) {
	t.Helper()
	if err := v.SetDoor(d); err != nil || v.Door() != d {
		t.Fatalf("SetDoor(%v): %v, and the door is %v", d, err, v.Door())
	}
	synctest.Wait()
}

func TestDoorsOfDatagrams(t *testing.T) {
	inBubble(t, "hold", func(t *testing.T) {
		v := newVirtualUDP(t)
		live, early := v.client(t), v.client(t)
		live.says(t, "hello")
		back := v.conn(t).Info().Back
		v.server.took()
		v.door(t, chaos.Hold)
		live.says(t, "1")
		early.says(t, "2", "3")
		live.says(t, "4")
		if err := v.WaitDoor(t.Context(), 4); err != nil || v.DoorHits() != 4 {
			t.Errorf("WaitDoor: %v, and %d hits, want 4", err, v.DoorHits())
		}
		v.server.answers(t, back, "an answer")
		wants(t, "held, the client", live.texts(), "an answer")
		v.till(4 * time.Minute)
		wants(t, "held, the server", v.server.texts())
		if n := len(v.Conns()); n != 1 {
			t.Errorf("held: got %d sessions, want 1", n)
		}
		v.door(t, chaos.Open)
		got := v.server.texts() // in order by client: the server may have yet to be reached for the second
		wants(t, "open, the first client's", slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s == "2" || s == "3" }), "1", "4")
		wants(t, "open, the second client's", slices.DeleteFunc(got, func(s string) bool { return s == "1" || s == "4" }), "2", "3")
		if got := v.Stats(); got.Lost != 0 || v.DoorHits() != 0 || got.Accepted != 2 {
			t.Errorf("got %+v and %d hits", got, v.DoorHits())
		}
	})
	inBubble(t, "refuse", func(t *testing.T) {
		v := newVirtualUDP(t)
		live, fresh := v.client(t), v.client(t)
		live.says(t, "hello")
		conn := v.conn(t)
		v.server.took()
		v.door(t, chaos.Hold)
		live.says(t, "lost with the queue")
		v.door(t, chaos.Refuse)
		for _, c := range []*udpPeer{live, fresh} {
			c.says(t, "x")
			if got := c.errs; len(got) != 1 || !errors.Is(got[0], syscall.ECONNREFUSED) {
				t.Errorf("got %v, want ECONNREFUSED once", got)
			}
		}
		v.server.answers(t, conn.Info().Back, "an answer")
		wants(t, "refused, the client", live.texts(), "an answer")
		wants(t, "refused, the server", v.server.texts())
		if got := v.DoorHits(); got != 0 {
			t.Errorf("got %d hits, want none: it does not see them", got)
		}
		v.door(t, chaos.Open)
		live.says(t, "again")
		fresh.says(t, "and here")
		wants(t, "open", v.server.texts(), "again", "and here")
		if conn.Info().State != chaos.Established || len(v.Conns()) != 2 {
			t.Errorf("got %v and %d sessions, want the one that was there and another", conn.Info().State, len(v.Conns()))
		}
	})
	inBubble(t, "blackhole", func(t *testing.T) {
		v := newVirtualUDP(t)
		live, fresh := v.client(t), v.client(t)
		live.says(t, "hello")
		conn := v.conn(t)
		v.server.took()
		v.door(t, chaos.Blackhole)
		go func() {
			time.Sleep(time.Second)
			live.says(t, "1")
			fresh.says(t, "2", "3")
		}()
		if err := v.WaitDoor(t.Context(), 3); err != nil || v.elapsed().Truncate(time.Second) != time.Second {
			t.Errorf("WaitDoor: got %v after %v, want 3 hits after a second", err, v.elapsed())
		}
		synctest.Wait()
		v.server.answers(t, conn.Info().Back, "an answer")
		wants(t, "the client", live.texts(), "an answer")
		wants(t, "the server", v.server.texts())
		if got := v.Stats(); got.Lost != 3 || v.DoorHits() != 3 || len(v.Conns()) != 1 || len(live.errs)+len(fresh.errs) > 0 {
			t.Errorf("got %d lost, %d hits, %d sessions and errors %v %v, want 3, 3, 1 and none", got.Lost, v.DoorHits(), len(v.Conns()), live.errs, fresh.errs)
		}
		v.door(t, chaos.Open)
		live.says(t, "4")
		wants(t, "open", v.server.texts(), "4")
		if v.conn(t) != conn || v.DoorHits() != 0 {
			t.Errorf("got another session, or %d hits, want the one that was there, and none", v.DoorHits())
		}
		v.door(t, chaos.Hold)
		live.says(t, "5", "6")
		v.door(t, chaos.Blackhole) // what has waited goes the same way
		if got := v.Stats().Lost; got != 5 || v.DoorHits() != 2 {
			t.Errorf("got %d lost and %d hits, want 5 and 2 since it was set", got, v.DoorHits())
		}
		v.door(t, chaos.Open)
		wants(t, "open again", v.server.texts())
	})
	inBubble(t, "set before Start", func(t *testing.T) {
		for _, d := range []chaos.Door{chaos.Hold, chaos.Refuse, chaos.Blackhole} {
			v := newVirtualUDP(t, func(g *chaos.Gate) {
				if err := g.SetDoor(d); err != nil {
					t.Fatal(err)
				}
			})
			v.client(t).says(t, "x")
			wants(t, d.String(), v.server.texts())
			if v.Door() != d || len(v.Conns()) > 0 {
				t.Errorf("%v: got the door %v and %d sessions, want none", d, v.Door(), len(v.Conns()))
			}
		}
	})
}

func TestDialKeepsDatagrams(t *testing.T) {
	inBubble(t, "in order", func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.DialContext = slowly(g.DialContext, time.Minute) })
		c, other := v.client(t), v.client(t)
		c.says(t, "1", "2")
		conn := v.conn(t)
		if got := conn.Info(); got.State != chaos.Dialing || got.Back != "" {
			t.Errorf("got %+v, want it dialing", got)
		}
		time.Sleep(30 * time.Second)
		other.says(t, "other")
		c.says(t, "3")
		wants(t, "before", v.server.texts())
		if err := v.WaitConns(t.Context(), 1); err != nil || v.elapsed() != time.Minute {
			t.Errorf("WaitConns: got %v after %v, want it after a minute", err, v.elapsed())
		}
		wants(t, "after a minute", v.server.texts(), "1", "2", "3")
		if got := conn.Info(); got.State != chaos.Established || got.DatagramsToServer != 3 {
			t.Errorf("got %+v, want it established", got)
		}
		time.Sleep(30 * time.Second)
		wants(t, "the other", v.server.texts(), "other")
		if got := v.Stats(); got.Opened != 2 || got.Lost+got.Overflowed != 0 || got.Held != 0 {
			t.Errorf("got %+v", got)
		}
	})
	inBubble(t, "faults see them when the server is reached", func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.DialContext = slowly(g.DialContext, time.Minute) })
		v.ToServer.Set(chaos.Delay{By: time.Second})
		v.client(t).says(t, "x")
		v.till(time.Hour)
		if got := v.server.took(); len(got) != 1 || got[0].at != time.Minute+time.Second {
			t.Errorf("got %v, want it after a minute and a second", got)
		}
	})
	inBubble(t, "an error", func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) {
			g.DialContext = func(context.Context, string, string) (net.Conn, error) {
				time.Sleep(time.Second)
				return nil, errors.New("no way")
			}
		})
		c := v.client(t)
		c.says(t, "one", "two")
		conn := v.conn(t)
		v.till(time.Second)
		if got := conn.Info(); got.By != "dial" || got.Err != "no way" || got.State != chaos.Closed || got.Dropped != 6 {
			t.Errorf("got %+v, want it ended by dial, with both dropped", got)
		}
		c.says(t, "three") // it is tried anew
		v.till(2 * time.Second)
		if got := v.Stats(); got.DialErrors != 2 || got.Closed["dial"] != 2 || got.Accepted != 2 || got.Opened != 0 {
			t.Errorf("got %+v", got)
		}
		var told int
		for _, e := range v.events {
			if e.Type == chaos.EventDialError && e.Err == "no way" {
				told++
			}
		}
		if told != 2 {
			t.Errorf("got %d dial errors told, want 2", told)
		}
	})
	inBubble(t, "ended meanwhile", func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.DialContext = slowly(g.DialContext, time.Minute) })
		c := v.client(t)
		c.says(t, "one")
		if v.CloseConns(chaos.All) != 1 {
			t.Error("got nothing to close")
		}
		c.says(t, "two")
		v.till(time.Hour / 60)
		wants(t, "the server", v.server.texts(), "two")
	})
}

// TestOverflowIsCounted: each datagram of 8 bytes costs 200, with what it takes to keep it.
func TestOverflowIsCounted(t *testing.T) {
	tests := []struct {
		name           string
		window, memory int
		sessions, each int
		kept           int
	}{
		{"window", 1000, 0, 1, 10, 5},
		{"window of each session", 1000, 0, 3, 10, 15},
		{"a window takes one at least", 1, 0, 2, 10, 2},
		{"memory", 0, 1000, 1, 10, 5},
		{"memory of all sessions", 0, 1000, 3, 10, 5},
		{"both", 600, 1000, 3, 10, 5},
		{"enough", 2000, 6000, 3, 10, 30},
	}
	for _, test := range tests {
		for _, how := range []string{"stall", "delay", "dial"} {
			inBubble(t, test.name+", "+how, func(t *testing.T) {
				v := newVirtualUDP(t, func(g *chaos.Gate) {
					g.Window, g.Memory = test.window, test.memory
					switch how {
					case "stall":
						g.ToServer.Set(chaos.Stall{})
					case "delay":
						g.ToServer.Set(chaos.Delay{By: time.Hour})
					case "dial":
						g.DialContext = slowly(g.DialContext, time.Hour)
					}
				})
				for _, c := range v.clients(t, test.sessions) {
					c.sendsNumbered(t, test.each, nil)
				}
				lost := test.sessions*test.each - test.kept
				if got := v.Stats(); got.Overflowed != int64(lost) || got.Held != int64(200*test.kept) || got.Lost != 0 {
					t.Errorf("got %d thrown away and %d held, want %d and %d", got.Overflowed, got.Held, lost, 200*test.kept)
				}
				v.ToServer.Set()
				v.till(time.Hour)
				if got := len(v.server.took()); got != test.kept {
					t.Errorf("got %d delivered, want %d", got, test.kept)
				}
				if got := v.Stats(); got.Held != 0 || got.Overflowed != int64(lost) {
					t.Errorf("then: got %+v", got)
				}
			})
		}
	}
}

func TestFlowsOfSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t)
		cs := v.clients(t, 3)
		for i, c := range cs {
			c.says(t, fmt.Sprint("hello ", i))
		}
		v.server.took()
		sent := 0
		arrivals := func() string { // when what each client sends now arrives
			t.Helper()
			start := v.elapsed()
			for i, c := range cs {
				sent++
				c.says(t, fmt.Sprintf("%d", i))
			}
			time.Sleep(time.Minute)
			var texts []string
			for _, h := range v.server.took() {
				texts = append(texts, fmt.Sprintf("%s@%v", h.data, h.at-start))
			}
			return strings.Join(texts, " ")
		}
		is := func(what, want string) {
			t.Helper()
			if got := arrivals(); got != want {
				t.Errorf("%s: got %s, want %s", what, got, want)
			}
		}
		second := v.Conns()[1]
		own := second.ToServer.Add(chaos.Delay{By: 3 * time.Second})
		is("one of a session's own", "0@0s 2@0s 1@3s")
		all := v.ToServer.Add(chaos.Delay{By: time.Second})
		is("and one of all", "0@1s 2@1s 1@4s")
		if got, want := all.Offsets(), []chaos.Position{{Conn: 1, Offset: 2}, {Conn: 2, Offset: 2}, {Conn: 3, Offset: 2}}; !slices.Equal(got, want) {
			t.Errorf("Offsets: got %v, want %v", got, want)
		}
		own.Change(chaos.Delay{By: 2 * time.Second})
		is("changed", "0@1s 2@1s 1@3s")
		all.Lift()
		is("one lifted", "0@0s 2@0s 1@2s")
		v.ToServer.Set(chaos.Discard{})
		is("one that loses", "")
		if err := v.Heal(); err != nil {
			t.Fatal(err)
		}
		is("healed", "0@0s 1@0s 2@0s")
		if own.Hits() != 4 || all.Hits() != 6 {
			t.Errorf("got %d and %d hits, want 4 and 6", own.Hits(), all.Hits())
		}
		v.Reseed(7)
		late := v.client(t)
		late.says(t, "late")
		if got := v.conn(t).Ordinal(); got != 1 || v.Seed != 7 {
			t.Errorf("seeded anew: got session %d and seed %d, want 1 and 7", got, v.Seed)
		}
	})
}

func TestStallOfDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t)
		c, other := v.client(t), v.client(t)
		c.says(t, "hello")
		conn := v.conn(t)
		back := conn.Info().Back
		stall := conn.ToServer.Add(chaos.Stall{})
		conn.ToClient.Add(chaos.Stall{})
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprint(i))
			c.says(t, want[i])
			v.server.answers(t, back, want[i])
			other.says(t, "free")
			time.Sleep(time.Second)
		}
		got := v.server.took()
		for i, h := range got[1:] {
			if h.data != "free" || h.at != time.Duration(i)*time.Second {
				t.Fatalf("while one is stalled: got %q from another after %v, want it after %ds", h.data, h.at, i)
			}
		}
		wants(t, "stalled, the client", c.texts())
		if stall.Hits() == 0 {
			t.Error("it has not fired")
		}
		stall.Lift()
		wants(t, "released", v.server.texts(), want...)
		wants(t, "the other direction still", c.texts())
		if err := v.Heal(); err != nil {
			t.Fatal(err)
		}
		wants(t, "released to the client", c.texts(), want...)
	})
}

func TestResetsAreRefusedForDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t)
		v.client(t).says(t, "x")
		conn := v.conn(t)
		for name, f := range map[string]func(){
			"ResetConns": func() { v.ResetConns(chaos.All) },
			"Conn.Reset": conn.Reset,
			"Set":        func() { v.ToServer.Set(chaos.Delay{By: 1}, chaos.Close{Reset: true}) },
			"Add":        func() { conn.ToClient.Add(chaos.Slice{Size: 1}) },
		} {
			func() {
				defer func() {
					var refused *chaos.FaultError
					if err, ok := recover().(error); !ok || !errors.As(err, &refused) || !strings.Contains(err.Error(), "udp") {
						t.Errorf("%s: got %v, want a FaultError that names the network", name, err)
					}
				}()
				f()
			}()
		}
		if conn.Info().State != chaos.Established || len(v.ToServer.Imposed())+len(conn.ToClient.Imposed()) > 0 {
			t.Error("something has changed")
		}
	})
}

func TestWhatDoesNotFitDatagrams(t *testing.T) {
	tests := []struct {
		network string
		fault   chaos.Fault
		want    string
	}{
		{"udp", chaos.Slice{Size: 1}, "slice: got udp, want a network of streams, because "},
		{"udp4", chaos.Concat{Size: 1}, "concat: got udp4, want a network of streams, because "},
		{"udp", chaos.SlowClose{By: 1}, "slow_close: got udp, want a network of streams, because "},
		{"udp", chaos.Close{Reset: true}, "udp"},
		{"udp6", chaos.Limit{Bytes: 1, Reset: true}, "limit: reset: got true, want false, because udp has no RST"},
		{"udp", chaos.CloseOnData{Reset: true}, "udp"},
		{"udp", chaos.Lifetime{For: 1, Reset: true}, "udp"},
		{"udp", chaos.Idle{For: 1, Reset: true}, "udp"},
		{"udp", chaos.After{Bytes: 1, Fault: chaos.Slice{Size: 1}}, "after: fault: slice: got udp, want "},
		{"tcp", chaos.Lose{Chance: 1}, "lose: got tcp, want a network of datagrams, because "},
		{"unix", chaos.Duplicate{Chance: 1}, "duplicate: got unix, want a network of datagrams, because "},
		{"tcp", chaos.Reorder{Chance: 1}, "reorder: got tcp, want a network of datagrams, because "},
		{"tcp6", chaos.Truncate{Size: 1}, "truncate: got tcp6, want a network of datagrams, because "},
		{"tcp", chaos.MTU{Size: 1}, "mtu: got tcp, want a network of datagrams, because "},
		{"tcp", chaos.Rebind{}, "rebind: got tcp, want a network of datagrams, because "},
		{"tcp", chaos.Bandwidth{Rate: 1, Queue: 1}, "bandwidth: queue: got 1B, want none"},
	}
	for _, test := range tests {
		err := chaos.Check(test.network, test.fault)
		var refused *chaos.FaultError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s on %s: got %v, want %q in it", chaos.KindOf(test.fault), test.network, err, test.want)
			continue
		}
		g := chaos.Gate{Network: test.network, Server: "127.0.0.1:9"}
		g.ToClient.Set(test.fault)
		if started := g.Start(); started == nil || started.Error() != err.Error() {
			t.Errorf("%s on %s: Start says %v, want %v", chaos.KindOf(test.fault), test.network, started, err)
			g.Close()
		}
	}
}

// TestEventsOfDatagramsInOrder is the golden list of what an observer is told.
func TestEventsOfDatagramsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) {
			g.Expire = time.Minute
			g.ToServer.Set(chaos.Lose{List: "2"})
		})
		pause := func() { time.Sleep(time.Second) }
		c, other := v.client(t), v.client(t)
		c.says(t, "one", "two", "three")
		pause()
		other.says(t, "x")
		v.Conns()[0].ToClient.Add(chaos.Delay{By: time.Hour})
		v.server.answers(t, v.Conns()[0].Info().Back, "never")
		pause()
		v.ToServer.Set(chaos.CloseOnData{})
		other.says(t, "y")
		pause()
		v.Conns()[0].Close()
		pause()
		if err := errors.Join(v.SetDoor(chaos.Blackhole), v.Heal()); err != nil {
			t.Fatal(err)
		}
		other.says(t, "lost with its session", "z")
		pause()
		v.server.Close()
		other.says(t, "to nobody", "to nobody either")
		pause()
		time.Sleep(time.Minute)
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		const endFired = "2s fired conn=2 close_on_data on to_server hits=1 offset=1 bytes=1"
		var got []string
		fired := false
		for i, e := range v.events {
			if e.Seq != uint64(i+1) {
				t.Errorf("event %d has the number %d", i+1, e.Seq)
			}
			text := fmt.Sprintf("%v %v", e.Time.Sub(v.start).Truncate(time.Second), e)
			if text == endFired { // hits are told when there is time, so it may come before the end that it has made or behind it
				fired = true
				continue
			}
			got = append(got, text)
		}
		want := []string{
			"0s started addr=127.0.0.1:40002",
			"0s imposed lose on to_server",
			"0s opened conn=1 addr=127.0.0.1:49152",
			"0s fired conn=1 lose on to_server hits=1 offset=1 bytes=3",
			"1s opened conn=2 addr=127.0.0.1:49153",
			"1s imposed conn=1 delay on to_client",
			"1s fired conn=1 delay on to_client hits=1 offset=0 bytes=5",
			"2s lifted lose on to_server hits=1",
			"2s imposed close_on_data on to_server",
			"2s closed conn=2 by close_on_data with close to_server=1 to_client=0 datagrams=1,0",
			"3s closed conn=1 by gate with close to_server=8 to_client=0 datagrams=2,0 dropped=5",
			"4s door blackhole",
			"4s lifted close_on_data on to_server hits=1",
			"4s door open",
			"4s opened conn=3 addr=127.0.0.1:49153",
			"5s dial_error conn=3 error=\"server 127.0.0.1:40001: connection refused: nobody listens there\"",
			"1m5s closed conn=3 by expired with close to_server=26 to_client=0 datagrams=3,0", // what is refused was sent
		}
		if diff := cmp.Diff(want, got); diff != "" || !fired {
			t.Errorf("fired: %v; events (-want +got):\n%s", fired, diff)
		}
	})
}

package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

// slowIn returns a function for Through that takes its time for each datagram of the first session, and none for those of others.
func slowIn(takes time.Duration) chaos.Through {
	var sessions atomic.Int64
	return func(dst io.Writer, src io.Reader) error {
		slow := sessions.Add(1) == 1
		buf := make([]byte, 64<<10)
		for {
			n, err := src.Read(buf)
			if err == io.EOF {
				return nil
			}
			if err == nil {
				if slow {
					time.Sleep(takes)
				}
				_, err = dst.Write([]byte(strings.ToUpper(string(buf[:n]))))
			}
			if err != nil {
				return err
			}
		}
	}
}

func TestSlowCodeDelaysItsSessionOnly(t *testing.T) {
	inBubble(t, "through", func(t *testing.T) {
		v := newVirtualUDP(t)
		v.ToServer.Set(slowIn(time.Minute))
		cs := v.clients(t, 2)
		cs[0].says(t, "a", "b", "")
		for i := range 10 {
			cs[1].says(t, fmt.Sprint("x", i))
			if got := v.server.took(); len(got) != 1 || got[0].data != fmt.Sprint("X", i) || got[0].at != v.elapsed() {
				t.Errorf("the other session: got %v after %v", got, v.elapsed())
			}
			time.Sleep(time.Second)
		}
		v.till(time.Hour)
		var got []string
		for _, h := range v.server.took() {
			got = append(got, fmt.Sprintf("%s@%v", h.data, h.at))
		}
		wants(t, "the slow session", got, "A@1m0s", "B@2m0s", "@3m0s")
	})
	inBubble(t, "detour", func(t *testing.T) {
		v := newVirtualUDP(t)
		startEchoService(t, v.net)
		v.ToServer.Set(chaos.Detour{Address: "127.0.0.1:7"}, slowIn(time.Minute))
		v.ToClient.Set(chaos.Detour{Address: "127.0.0.1:7"})
		cs := v.clients(t, 2)
		cs[0].says(t, "a")
		cs[1].says(t, "b", "", strings.Repeat("c", 60_000))
		wants(t, "the server", v.server.texts(), "B", "", strings.Repeat("C", 60_000))
		v.server.answers(t, v.Conns()[1].Info().Back, "", "answer", strings.Repeat("d", 60_000))
		wants(t, "the client", cs[1].texts(), "", "answer", strings.Repeat("d", 60_000))
		v.till(time.Minute)
		wants(t, "the slow session", v.server.texts(), "A")
	})
}

// TestCodeThatEnds looks at what a function's end means for a session.
func TestCodeThatEnds(t *testing.T) {
	tests := []struct {
		name string
		err  error
		by   string
	}{
		{"nil", nil, "chaos.Through"},
		{"an error", errors.New("enough"), "chaos.Through"},
	}
	for _, test := range tests {
		inBubble(t, test.name, func(t *testing.T) {
			v := newVirtualUDP(t)
			v.ToServer.Set(chaos.Through(func(dst io.Writer, src io.Reader) error {
				buf := make([]byte, 100)
				n, err := src.Read(buf)
				if err == nil {
					dst.Write(buf[:n])
				}
				return test.err
			}))
			c := v.client(t)
			c.says(t, "one")
			conns := v.Conns()
			synctest.Wait()
			wants(t, "the server", v.server.texts(), "one")
			if got := v.Stats(); len(conns) != 0 || got.Closed[test.by] != 1 {
				t.Errorf("got %d sessions and %+v, want it ended by %s", len(conns), got.Closed, test.by)
			}
			c.says(t, "lost with its session")
			v.ToServer.Set()
			c.says(t, "two")
			wants(t, "a new session", v.server.texts(), "two")
		})
	}
}

func TestSharedLimitEndsAllSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t)
		cs := v.clients(t, 3)
		for _, c := range cs {
			c.says(t, "hello")
		}
		v.server.took()
		limit := v.ToServer.Add(chaos.Limit{Bytes: 100, Shared: true})
		conns := v.Conns()
		ten := strings.Repeat("x", 10)
		for i := range 9 {
			cs[i%3].says(t, ten)
		}
		if n := len(v.Conns()); n != 3 {
			t.Errorf("after 90 bytes: got %d sessions, want 3", n)
		}
		cs[2].says(t, ten)
		if got := v.server.texts(); len(got) != 10 {
			t.Errorf("got %d datagrams of 10 bytes, want 10", len(got))
		}
		for _, c := range conns {
			if i := c.Info(); i.By != "limit" || i.State != chaos.Closed {
				t.Errorf("session %d: got %v, by %s, want it ended by limit", i.Ordinal, i.State, i.By)
			}
		}
		for _, c := range cs {
			c.says(t, "lost with its session", ten)
		}
		if got := v.server.texts(); len(got) != 3 {
			t.Errorf("the count begins again: got %d datagrams, want 3", len(got))
		}
		if got := v.Stats(); got.Lost != 3 || got.Closed["limit"] != 3 || limit.Hits() == 0 {
			t.Errorf("got %+v", got)
		}
		limit.Change(chaos.Limit{Bytes: 35, Shared: true}) // 30 are counted
		cs[0].says(t, "crosses the limit")
		wants(t, "what crosses", v.server.texts())
		if got := v.Stats(); len(v.Conns()) != 0 || got.Closed["limit"] != 6 || got.Lost != 4 {
			t.Errorf("got %d sessions and %+v", len(v.Conns()), got)
		}
	})
}

func TestRebindShowsTheServerAnotherPort(t *testing.T) {
	inBubble(t, "once", func(t *testing.T) {
		v := newVirtualUDP(t)
		c, other := v.client(t), v.client(t)
		c.says(t, "one")
		other.says(t, "other")
		conns := v.Conns()
		back := conns[0].Info().Back
		rebind := conns[0].ToServer.Add(chaos.Rebind{})
		synctest.Wait()
		now := conns[0].Info().Back
		c.says(t, "two")
		heard := v.server.took()
		if len(heard) != 3 || heard[0].from != back || heard[2].from != now || now == back {
			t.Errorf("got %v, want them from %s and then from another port", heard, back)
		}
		v.server.answers(t, back, "lost")
		v.server.answers(t, now, "answer")
		wants(t, "the client", c.texts(), "answer")
		if got := v.Conns(); len(got) != 2 || got[0] != conns[0] || got[0].Info().State != chaos.Established || rebind.Hits() != 1 {
			t.Errorf("got %v and %d hits, want the sessions that were there, and one", got, rebind.Hits())
		}
		if got := conns[1].Info().Back; got != heard[1].from {
			t.Errorf("the other session: got %s, want %s as before", got, heard[1].from)
		}
		rebind.Lift()
		c.says(t, "three")
		if got := v.server.took(); len(got) != 1 || got[0].from != now {
			t.Errorf("lifted: got %v, want it from %s still", got, now)
		}
		time.Sleep(time.Hour)
		if got := v.Stats(); got.Opened != 2 || got.Accepted != 2 || got.Closed["expired"] != 2 {
			t.Errorf("got %+v", got)
		}
	})
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		inBubble(t, fmt.Sprint("every minute, ", dir), func(t *testing.T) {
			v := newVirtualUDP(t)
			c := v.client(t)
			flow := &v.ToServer
			if dir == chaos.ToClient {
				flow = &v.ToClient
			}
			rebind := flow.Add(chaos.Rebind{Every: time.Minute})
			var ports, minutes []string
			for v.elapsed() < 10*time.Minute {
				if v.elapsed() < 3*time.Minute || v.elapsed() > 7*time.Minute { // it is quiet for four minutes
					c.says(t, "x")
				}
				for _, h := range v.server.took() {
					if !slices.Contains(ports, h.from) {
						ports, minutes = append(ports, h.from), append(minutes, fmt.Sprint(h.at))
					}
				}
				time.Sleep(7 * time.Second) // which a minute is no multiple of
			}
			// It changes after each minute with a datagram, the last one included: after the third, which is seen in the seventh.
			wants(t, "when the ports are first seen", minutes, "0s", "1m3s", "2m6s", "7m7s", "8m3s", "9m6s")
			if got := rebind.Hits(); got != 6 {
				t.Errorf("got %d hits, want 6", got)
			}
		})
	}
	inBubble(t, "that cannot reach the server", func(t *testing.T) {
		fails := false
		v := newVirtualUDP(t, func(g *chaos.Gate) {
			dial := g.DialContext
			g.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if fails {
					return nil, errors.New("no way")
				}
				return dial(ctx, network, address)
			}
		})
		c := v.client(t)
		c.says(t, "one")
		back := v.conn(t).Info().Back
		fails = true
		v.ToServer.Add(chaos.Rebind{})
		c.says(t, "two")
		if got := v.server.took(); len(got) != 2 || got[1].from != back || v.Stats().DialErrors != 1 {
			t.Errorf("got %v and %d dial errors, want the port of before, and one", got, v.Stats().DialErrors)
		}
	})
	inBubble(t, "slowly", func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.DialContext = slowly(g.DialContext, time.Second) })
		c := v.client(t)
		c.says(t, "one")
		time.Sleep(time.Second)
		v.server.took()
		conn := v.conn(t)
		back := conn.Info().Back
		v.ToServer.Add(chaos.Rebind{})
		c.says(t, "two")
		time.Sleep(2 * time.Second)
		c.says(t, "three")
		if got := v.server.took(); len(got) != 2 || got[0].from != back || got[1].from == back || v.conn(t) != conn {
			t.Errorf("got %v, want one from %s, and one from another port, in the same session", got, back)
		}
	})
}

// TestServerThatRefuses: the session goes on, and so does what the client sends as soon as somebody listens.
func TestServerThatRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t)
		c := v.client(t)
		c.says(t, "one")
		conn := v.conn(t)
		address := v.server.name()
		v.server.Close()
		for range 5 {
			c.says(t, "to nobody")
			time.Sleep(time.Second)
		}
		if got := v.Stats(); got.Refused == 0 || got.SendErrors != 0 || conn.Info().State != chaos.Established {
			t.Errorf("got %+v and %v, want refusals, and the session there", got, conn.Info().State)
		}
		if len(c.errs) > 0 {
			t.Errorf("the client got %v, want nothing: it is the gate's business", c.errs)
		}
		v.server = v.listen(t, address)
		c.says(t, "two")
		heard := v.server.took()
		if len(heard) != 1 || heard[0].data != "two" || heard[0].from != conn.Info().Back {
			t.Errorf("got %v, want two, from the same port", heard)
		}
		v.server.answers(t, heard[0].from, "answer")
		wants(t, "the client", c.texts(), "answer")
		v.server.Close()
		c.says(t, "to nobody again")
		var told []string
		for _, e := range v.events {
			if e.Type == chaos.EventDialError {
				told = append(told, e.String())
			}
		}
		want := fmt.Sprintf("dial_error conn=1 error=%q", "server "+address+": connection refused: nobody listens there")
		wants(t, "told once, and once more after it was there", told, want, want)
	})
}

func TestStopAndStartOfDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t)
		v.ToServer.Set(chaos.Delay{By: time.Second})
		c := v.client(t)
		c.says(t, "under way")
		address := v.Addr()
		if err := v.Stop(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := v.Stats(); len(v.Conns()) != 0 || got.Dropped != 9 || got.Closed["gate"] != 1 {
			t.Errorf("stopped: got %d sessions and %+v", len(v.Conns()), got)
		}
		c.says(t, "refused")
		if len(c.errs) != 1 || !errors.Is(c.errs[0], syscall.ECONNREFUSED) {
			t.Errorf("stopped: the client got %v, want ECONNREFUSED", c.errs)
		}
		if _, err := v.net.ListenPacket(t.Context(), "udp", address); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("stopped: listening on its port: got %v, want EADDRINUSE", err)
		}
		if err := v.Start(); err != nil || v.Addr() != address {
			t.Fatalf("Start: got %v and %s, want %s", err, v.Addr(), address)
		}
		c.says(t, "again")
		time.Sleep(time.Second)
		wants(t, "started again, what is imposed is still there", v.server.texts(), "again")
		chaostest.Fired(t, v.ToServer.Imposed()...)
	})
}

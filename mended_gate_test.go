package chaos_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// TestReseedKeepsTheOldestFirst counts connections anew while old ones live.
func TestReseedKeepsTheOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		v.connect(t)
		v.connect(t)
		oldest := v.Conns()[1]
		if got := v.CloseConns(1); got != 1 {
			t.Fatalf("got %d ended, want 1", got)
		}
		synctest.Wait()
		v.Reseed(7)
		v.connect(t)
		if got := v.Conns(); len(got) != 2 || got[0] != oldest || got[1].Ordinal() != 1 {
			t.Errorf("got %v, want %v and then a new conn 1", got, oldest)
		}
	})
}

// TestWindowFullCountsStops changes what is imposed while reading has stopped: that is still one stop.
func TestWindowFullCountsStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t, func(g *chaos.Gate) { g.Window = 1 })
		client, server := v.connect(t)
		delay := chaos.Delay{By: time.Hour}
		for stop := int64(1); stop <= 2; stop++ {
			v.ToServer.Set(delay)
			says(t, client, "x")
			synctest.Wait()
			for range 10 {
				v.ToServer.Set(delay, chaos.Delay{By: time.Minute})
				v.ToServer.Set(delay)
			}
			synctest.Wait()
			if got := v.Stats().WindowFull; got != stop {
				t.Errorf("got %d, want %d", got, stop)
			}
			v.ToServer.Set()
			hears(t, server, "x")
		}
	})
}

// TestLimitsOfBothDirections fall due at the same moment: each direction gets its bytes.
func TestLimitsOfBothDirections(t *testing.T) {
	for range 50 { // which of the two ends the connection is the scheduler's choice
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			client, server := v.connect(t)
			faults := []chaos.Fault{chaos.Delay{By: time.Second}, chaos.Limit{Bytes: 3}}
			v.ToServer.Set(faults...)
			v.ToClient.Set(faults...)
			says(t, client, "abcd")
			says(t, server, "abcd")
			for _, c := range []net.Conn{client, server} {
				if got, err := io.ReadAll(c); string(got) != "abc" || err != nil {
					t.Fatalf("got %q, %v, want abc and EOF", got, err)
				}
			}
		})
	}
}

// TestLimitLeavesTheAnswer ends a connection at the moment at which the other direction's bytes are due.
func TestLimitLeavesTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		client, server := v.connect(t)
		v.ToServer.Add(chaos.Delay{By: time.Second})
		v.ToServer.Add(chaos.Limit{Bytes: 1})
		v.ToClient.Add(chaos.Delay{By: time.Second})
		says(t, server, "answer")
		says(t, client, "x")
		for _, peer := range []struct {
			conn net.Conn
			want string
		}{{client, "answer"}, {server, "x"}} {
			if got, err := io.ReadAll(peer.conn); string(got) != peer.want || err != nil {
				t.Errorf("got %q, %v, want %q and EOF", got, err, peer.want)
			}
		}
	})
}

// TestSubKnowsItsOffsetInAnAlarm passes to a Sub what was kept until an alarm rang.
func TestSubKnowsItsOffsetInAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		client, server := v.connect(t)
		var got []int64
		inner := chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
			return func(s chaos.Segment) { got = append(got, st.Offset()); next(s) }
		})
		v.ToServer.Set(chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
			in, lift := st.Sub(inner, next)
			st.Cleanup(lift)
			return func(s chaos.Segment) {
				kept := slices.Clone(s.Data)
				st.At(st.Now().Add(time.Second), func() { in(chaos.Segment{Data: kept, Due: st.Now()}) })
			}
		}))
		for _, text := range []string{"abc", "de"} {
			says(t, client, text)
			hears(t, server, text)
		}
		synctest.Wait()
		if want := []int64{3, 5}; !slices.Equal(got, want) { // outside of a Sink it is how far the gate has read
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestCloseWhileTheObserverCalls has the observer call what Close excludes while Close waits for the observer. It runs in real
// time: a goroutine that waits for a mutex keeps virtual time from passing.
func TestCloseWhileTheObserverCalls(t *testing.T) {
	var g *chaos.Gate
	begun, called := make(chan struct{}), make(chan struct{})
	g = &chaos.Gate{Server: "127.0.0.1:1", Observe: func(e chaos.Event) {
		if e.Type == chaos.EventStarted {
			close(begun)
			time.Sleep(100 * time.Millisecond) // real, because nothing tells that Close has begun to wait
			g.SetDoor(chaos.Hold)
			close(called)
		}
	}}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	done := make(chan error, 1) // what Close returned
	go func() { done <- g.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
		<-called
	case <-time.After(30 * time.Second):
		t.Fatal("Close and the observer wait for each other")
	}
}

// TestCloseDoesNotWaitForObserversForEver has an observer that does not return.
func TestCloseDoesNotWaitForObserversForEver(t *testing.T) {
	const want = "the observer had not returned after 5s"
	tests := []struct {
		name  string
		stuck func(g *chaos.Gate, release <-chan struct{}) // what the observer does
		close func(g *chaos.Gate) error
	}{
		{"it blocks", func(_ *chaos.Gate, release <-chan struct{}) { <-release }, (*chaos.Gate).Close},
		{"it closes the gate itself", func(g *chaos.Gate, _ <-chan struct{}) { g.Close() }, nil},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{}) // closed when the observer may return
			defer close(release)
			start := time.Now()
			returned := make(chan time.Duration, 1) // when the observer's own call did
			var g *chaos.Gate
			g = &chaos.Gate{Server: "127.0.0.1:1", Observe: func(e chaos.Event) {
				if e.Type == chaos.EventStarted {
					test.stuck(g, release)
					returned <- time.Since(start)
				}
			}, ListenFunc: newVirtual(t).net.Listen}
			if err := g.Start(); err != nil {
				t.Fatal(err)
			}
			var took time.Duration
			if test.close != nil {
				err := test.close(g)
				if took = time.Since(start); err == nil || err.Error() != want {
					t.Errorf("%s: got %v, want %s", test.name, err, want)
				}
			} else {
				took = <-returned
			}
			if took != 5*time.Second {
				t.Errorf("%s: Close has returned after %v, want %v", test.name, took, 5*time.Second)
			}
		})
	}
}

// TestCloseWhileADialHangs has a DialContext that does not end with its context. What it reaches at last is closed.
func TestCloseWhileADialHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{}) // closed when the dial may go on
		v := newVirtual(t)
		slow := &chaos.Gate{Server: v.servers.Addr().String(), ListenFunc: v.net.Listen, DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			<-release
			return v.net.Dial(context.Background(), network, address)
		}}
		if err := slow.Start(); err != nil {
			t.Fatal(err)
		}
		client, err := v.net.Dial(t.Context(), "tcp", slow.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		synctest.Wait()
		const want = "had not ended after 5s"
		if err := slow.Close(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %s", err, want)
		}
		if got := v.elapsed(); got < 5*time.Second || got > 6*time.Second {
			t.Errorf("Close has returned after %v, want 5s and hardly more", got)
		}
		if n, err := client.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the client: got %d bytes and %v, want the end", n, err)
		}
		close(release)
		server, err := v.servers.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		if n, err := server.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("the server: got %d bytes and %v, want the end", n, err)
		}
	})
}

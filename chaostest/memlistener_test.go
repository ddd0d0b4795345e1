package chaostest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

func TestListenerAcceptIsInterruptible(t *testing.T) {
	tests := []struct {
		name      string
		interrupt func(l *memListener)
		want      error
		after     time.Duration
	}{
		{"a deadline that comes", func(l *memListener) { l.SetDeadline(time.Now().Add(time.Minute)) }, os.ErrDeadlineExceeded, time.Minute},
		{"a deadline that was moved closer", func(l *memListener) {
			l.SetDeadline(time.Now().Add(time.Hour))
			l.SetDeadline(time.Now().Add(time.Minute))
		}, os.ErrDeadlineExceeded, time.Minute},
		{"a deadline that was moved away", func(l *memListener) {
			l.SetDeadline(time.Now().Add(time.Minute))
			l.SetDeadline(time.Now().Add(time.Hour))
		}, os.ErrDeadlineExceeded, time.Hour},
		{"a deadline that has passed", func(l *memListener) { l.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded, 0},
		{"close", func(l *memListener) { l.Close() }, net.ErrClosed, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := memListen(t, NewNetwork(), "tcp", "").(*memListener)
				began := time.Now()
				go func() {
					synctest.Wait()
					tt.interrupt(l)
				}()
				if c, err := l.Accept(); !errors.Is(err, tt.want) {
					t.Errorf("accept: got %v, %v, want %v", c, err, tt.want)
				}
				if got := time.Since(began); got != tt.after {
					t.Errorf("accept returned after %v, want %v", got, tt.after)
				}
			})
		})
	}
}

func TestListenerDoors(t *testing.T) {
	tests := []struct {
		door     chaos.Door
		accepted bool  // what has queued before is accepted through the door
		reset    bool  // or reset
		dialled  error // what a dial of one minute gets
		hits     int64
	}{
		{chaos.Open, true, false, nil, 0},
		{chaos.Hold, false, false, nil, 2},
		{chaos.Refuse, false, true, syscall.ECONNREFUSED, 0},
		{chaos.Blackhole, true, false, context.DeadlineExceeded, 1},
	}
	for _, tt := range tests {
		t.Run(tt.door.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNetwork()
				l := memListen(t, n, "tcp", "").(*memListener)
				queued := memDial(t, n, l)
				for range 2 { // the second time changes nothing
					if err := l.SetDoor(tt.door); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if _, err := n.Dial(ctx, "tcp", l.Addr().String()); !errors.Is(err, tt.dialled) {
					t.Errorf("dial: got %v, want %v", err, tt.dialled)
				}
				if got := l.DoorHits(); got != tt.hits {
					t.Errorf("hits: got %d, want %d", got, tt.hits)
				}
				if got := queued.WasReset(); got != tt.reset {
					t.Errorf("the queued connection was reset: got %v, want %v", got, tt.reset)
				}
				l.SetDeadline(time.Now().Add(time.Second))
				if _, err := l.Accept(); (err == nil) != tt.accepted {
					t.Errorf("accept: got %v, want accepted %v", err, tt.accepted)
				}
			})
		})
	}
}

func TestListenerHoldIsServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		l := memListen(t, n, "unix", "/run/s").(*memListener)
		accepted := make(chan net.Conn)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					close(accepted)
					return
				}
				accepted <- c
			}
		}()
		synctest.Wait() // parked in Accept before the door moves
		l.SetDoor(chaos.Hold)
		for _, hello := range []string{"first", "second"} {
			io.WriteString(memDial(t, n, l), hello)
		}
		select {
		case <-accepted:
			t.Error("accepted while on hold")
		case <-time.After(time.Hour):
		}
		l.SetDoor(chaos.Open)
		for _, want := range []string{"first", "second"} {
			p := make([]byte, 10)
			n, err := (<-accepted).Read(p)
			if got := string(p[:n]); got != want || err != nil {
				t.Errorf("accepted: got %q, %v, want %q", got, err, want)
			}
		}
		l.Close()
		<-accepted
	})
}

func TestListenerBlackhole(t *testing.T) {
	opened := func(door chaos.Door) func(*Network, *memListener) {
		return func(_ *Network, l *memListener) { l.SetDoor(door) }
	}
	tests := []struct {
		name  string
		at    time.Duration // when something happens
		what  func(n *Network, l *memListener)
		after time.Duration // when the dial returns
		want  error
	}{
		{"opened at once", 0, opened(chaos.Open), time.Second, nil},
		{"opened late", 5300 * time.Millisecond, opened(chaos.Open), 6 * time.Second, nil},
		{"opened on the second", 2 * time.Second, opened(chaos.Open), 3 * time.Second, nil},
		{"on hold instead", 1500 * time.Millisecond, opened(chaos.Hold), 2 * time.Second, nil},
		{"refused instead", 1500 * time.Millisecond, opened(chaos.Refuse), 2 * time.Second, syscall.ECONNREFUSED},
		{"closed", 1500 * time.Millisecond, func(_ *Network, l *memListener) { l.Close() }, 2 * time.Second, syscall.ECONNREFUSED},
		{"replaced", 1500 * time.Millisecond, func(n *Network, l *memListener) {
			l.Close()
			n.Listen(context.Background(), "tcp", l.Addr().String())
		}, 2 * time.Second, nil},
		{"open for too short a time", 1200 * time.Millisecond, func(_ *Network, l *memListener) {
			l.SetDoor(chaos.Open)
			time.Sleep(700 * time.Millisecond)
			l.SetDoor(chaos.Blackhole)
		}, 10 * time.Second, context.DeadlineExceeded},
		{"never opened", 0, func(*Network, *memListener) {}, 10 * time.Second, context.DeadlineExceeded},
		{"opened after the last second", 9900 * time.Millisecond, opened(chaos.Open), 10 * time.Second, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNetwork()
				l := memListen(t, n, "tcp", "").(*memListener)
				l.SetDoor(chaos.Blackhole)
				began := time.Now()
				patience := 10 * time.Second
				if tt.want == nil {
					patience += time.Millisecond // a SYN in the very last moment is another's matter
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				go func() {
					time.Sleep(tt.at)
					synctest.Wait()
					if got := l.DoorHits(); got != 1 {
						t.Errorf("hits: got %d, want 1", got)
					}
					tt.what(n, l)
				}()
				_, err := n.Dial(ctx, "tcp", l.Addr().String())
				if !errors.Is(err, tt.want) {
					t.Errorf("dial: got %v, want %v", err, tt.want)
				}
				var timeout net.Error
				if tt.want == context.DeadlineExceeded && (!errors.As(err, &timeout) || !timeout.Timeout()) {
					t.Errorf("%v is not a timeout", err)
				}
				if got := time.Since(began); got != tt.after {
					t.Errorf("dial returned after %v, want %v", got, tt.after)
				}
			})
		})
	}
}

func TestListenerCountsEachBlackholeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		l := memListen(t, n, "tcp", "").(*memListener)
		ctx, cancel := context.WithCancel(t.Context())
		l.SetDoor(chaos.Blackhole)
		for range 3 {
			go n.Dial(ctx, "tcp", l.Addr().String())
		}
		synctest.Wait()
		steps := []struct {
			do   func()
			want int64
		}{
			{func() {}, 3},
			{func() { time.Sleep(time.Hour) }, 3}, // a SYN sent again is the same dial
			{func() { l.SetDoor(chaos.Open); l.SetDoor(chaos.Blackhole) }, 0},
			{func() { time.Sleep(2 * time.Second) }, 3},
			{func() { l.SetDoor(chaos.Open) }, 0},
		}
		for i, step := range steps {
			step.do()
			synctest.Wait()
			if got := l.DoorHits(); got != step.want {
				t.Errorf("step %d: got %d hits, want %d", i, got, step.want)
			}
		}
		cancel()
	})
}

func TestListenerRefusesDoorsThatCannotBe(t *testing.T) {
	n := NewNetwork()
	tcp, unix := memListen(t, n, "tcp", "").(*memListener), memListen(t, n, "unix", "").(*memListener)
	closed := memListen(t, n, "tcp", "").(*memListener)
	closed.Close()
	tests := []struct {
		name string
		l    *memListener
		door chaos.Door
		want string
	}{
		{"an unknown door", tcp, chaos.Blackhole + 1, "set tcp 127.0.0.1:40001: door 4 is not one of open, hold, refuse and blackhole"},
		{"unix and a black hole", unix, chaos.Blackhole, "set unix @40002: a unix socket has no black hole: its connect does not wait for an answer"},
		{"a closed listener", closed, chaos.Hold, "set tcp 127.0.0.1:40003: use of closed network connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.l.SetDoor(tt.door); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	memDial(t, n, tcp) // what was refused has changed nothing
	memDial(t, n, unix)
}

func TestListenerClose(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			n := NewNetwork()
			l := memListen(t, n, network, "")
			queued := memDial(t, n, l)
			io.WriteString(queued, "never read")
			l.Close()
			if _, err := queued.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a queued connection reads: got %v, want %v", err, syscall.ECONNRESET)
			}
			if _, err := n.Dial(t.Context(), network, l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial: got %v, want %v", err, syscall.ECONNREFUSED)
			}
			again := memListen(t, n, network, l.Addr().String())
			memDial(t, n, again)
		})
	}
}

package chaostest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestConnEndsAtOnceWhatIsParked(t *testing.T) {
	// A Write parked at the end of the stream puts nothing more behind it, even if the peer reads before the Write wakes.
	for _, tt := range []struct {
		name string
		end  func(c *memConn) error
		want error
	}{
		{"CloseWrite", (*memConn).CloseWrite, syscall.EPIPE},
		{"Close", (*memConn).Close, net.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := memPair(t, &Network{Buffer: 4})
				outcome := make(chan string, 1)
				go func() {
					n, err := c.Write([]byte("abcdefg"))
					outcome <- fmt.Sprint(n, errors.Is(err, tt.want))
				}()
				synctest.Wait()
				tt.end(c)
				if got, err := io.ReadAll(s); string(got) != "abcd" || err != nil {
					t.Errorf("read: got %q, %v, want %q", got, err, "abcd")
				}
				if got := <-outcome; got != "4 true" {
					t.Errorf("write: got %v, want 4 and %v", got, tt.want)
				}
			})
		})
	}
}

func TestConnHearsResets(t *testing.T) {
	tests := []struct {
		name, network string
		do            func(c, s *memConn)
		want          bool // c, the client's end, was reset
		server        bool // the server's was
	}{
		{"nothing", "tcp", func(c, s *memConn) {}, false, false},
		{"FIN", "tcp", func(c, s *memConn) { s.CloseWrite() }, false, false},
		{"close", "tcp", func(c, s *memConn) { s.Close() }, false, false},
		{"linger that is not zero", "tcp", func(c, s *memConn) { s.SetLinger(0); s.SetLinger(-1); s.Close() }, false, false},
		{"linger 0", "tcp", func(c, s *memConn) { s.SetLinger(0); s.Close() }, true, false},
		{"linger 0 after FIN", "tcp", func(c, s *memConn) { s.CloseWrite(); s.SetLinger(0); s.Close() }, true, false},
		{"linger 0 after both FINs", "tcp", func(c, s *memConn) { s.CloseWrite(); c.CloseWrite(); s.SetLinger(0); s.Close() }, false, false},
		{"linger 0 of one's own", "tcp", func(c, s *memConn) { c.SetLinger(0); c.Close() }, false, true},
		{"close with unread data", "tcp", func(c, s *memConn) { c.Write([]byte("x")); s.Close() }, true, false},
		{"close with unread data", "unix", func(c, s *memConn) { c.Write([]byte("x")); s.Close() }, true, false},
		{"a write after close", "tcp", func(c, s *memConn) { s.Close(); c.Write([]byte("x")) }, true, false},
		{"a write after close", "unix", func(c, s *memConn) { s.Close(); c.Write([]byte("x")) }, false, false},
		{"linger", "unix", func(c, s *memConn) {
			if err := s.SetLinger(0); !errors.Is(err, syscall.EOPNOTSUPP) {
				panic(err)
			}
			s.Close()
		}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.network+"/"+tt.name, func(t *testing.T) {
			n := NewNetwork()
			l := memListen(t, n, tt.network, "")
			c := memDial(t, n, l)
			s := netAccept(t, l).(*memConn)
			heard := 0
			for range 2 { // everybody who asks is told, and may call the connection
				c.OnReset(func() { heard++; c.SetDeadline(time.Unix(1, 0)); c.WasReset() })
			}
			tt.do(c, s)
			if got := c.WasReset(); got != tt.want {
				t.Errorf("was reset: got %v, want %v", got, tt.want)
			}
			if want := map[bool]int{true: 2}[tt.want]; heard != want {
				t.Errorf("told: got %d times, want %d", heard, want)
			}
			late := false
			c.OnReset(func() { late = true })
			if late != tt.want {
				t.Errorf("told at once when it asks late: got %v, want %v", late, tt.want)
			}
			if got := s.WasReset(); got != tt.server {
				t.Errorf("the server's end was reset: got %v, want %v", got, tt.server)
			}
		})
	}
}

func TestConnResetOfAQueuedConnectionIsHeard(t *testing.T) {
	n := NewNetwork()
	l := memListen(t, n, "tcp", "")
	c := memDial(t, n, l)
	heard := false
	c.OnReset(func() {
		heard = true
		c.Close()
		memDial(t, n, memListen(t, n, "tcp", "")) // no lock of the network is held
	})
	l.Close()
	if !heard {
		t.Error("told: got false, want true")
	}
}

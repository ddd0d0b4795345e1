package chaostest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestConnDeadlines(t *testing.T) {
	calls := []struct {
		name string
		set  func(c *memConn, at time.Time) error
		call func(c *memConn) error
	}{
		{"Read", (*memConn).SetReadDeadline, func(c *memConn) error { _, err := c.Read(make([]byte, 1)); return err }},
		{"Read of both", (*memConn).SetDeadline, func(c *memConn) error { _, err := c.Read(make([]byte, 1)); return err }},
		{"WaitRead", (*memConn).SetReadDeadline, (*memConn).WaitRead},
		{"Write", (*memConn).SetWriteDeadline, func(c *memConn) error { _, err := c.Write(make([]byte, 1)); return err }},
		{"Write of both", (*memConn).SetDeadline, func(c *memConn) error { _, err := c.Write(make([]byte, 1)); return err }},
	}
	const no = 1000 * time.Hour
	tests := []struct {
		name         string
		before, then time.Duration // where the deadline is when the call begins, and where it is moved to at once
		want         time.Duration // when the call returns
	}{
		{"it comes", time.Minute, time.Minute, time.Minute},
		{"it was moved closer", time.Hour, time.Minute, time.Minute},
		{"it was moved away", time.Minute, time.Hour, time.Hour},
		{"it is set while the call is parked", no, time.Minute, time.Minute},
		{"it is set to the past", no, -time.Hour, 0},
		{"it had passed", -time.Hour, -time.Hour, 0},
	}
	for _, call := range calls {
		for _, tt := range tests {
			t.Run(call.name+"/"+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, _ := memPair(t, &Network{Buffer: 1})
					c.Write(make([]byte, 1)) // full
					began := time.Now()
					at := func(d time.Duration) time.Time {
						if d == no {
							return time.Time{}
						}
						return began.Add(d)
					}
					call.set(c, at(tt.before))
					go func() {
						synctest.Wait()
						call.set(c, at(tt.then))
					}()
					err := call.call(c)
					var timeout net.Error
					if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
						t.Errorf("got %v, want a timeout", err)
					}
					if got := time.Since(began); got != tt.want {
						t.Errorf("returned after %v, want %v", got, tt.want)
					}
				})
			})
		}
	}
}

func TestConnGoesOnAfterADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memPair(t, &Network{Buffer: 4})
		c.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := c.Write([]byte("abcdefg"))
		if n != 4 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a Write that is interrupted: got %d, %v, want 4 and the deadline", n, err)
		}
		c.SetWriteDeadline(time.Time{})
		go func() {
			c.Write([]byte("efg"))
			c.Close()
		}()
		if got, err := io.ReadAll(s); string(got) != "abcdefg" || err != nil {
			t.Errorf("read: got %q, %v, want %q", got, err, "abcdefg")
		}
	})
}

func TestConnWaitRead(t *testing.T) {
	tests := []struct {
		name string
		do   func(c, s *memConn)
		want error
		then string // what a Read gets after it
	}{
		{"data", func(c, s *memConn) { s.Write([]byte("x")) }, nil, "1 <nil>"},
		{"EOF", func(c, s *memConn) { s.CloseWrite() }, nil, "0 EOF"},
		{"a reset", func(c, s *memConn) { s.SetLinger(0); s.Close() }, nil, "0 connection reset by peer"},
		{"own close", func(c, s *memConn) { c.Close() }, net.ErrClosed, "0 use of closed network connection"},
		{"the deadline", func(c, s *memConn) { c.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded, "0 i/o timeout"},
	}
	for _, tt := range tests {
		for _, parked := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, parked %v", tt.name, parked), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, s := memPair(t, NewNetwork())
					if !parked {
						tt.do(c, s)
					} else {
						go func() {
							time.Sleep(time.Hour) // virtual
							tt.do(c, s)
						}()
					}
					for range 2 { // it takes nothing
						if err := c.WaitRead(); err != tt.want {
							t.Errorf("got %v, want %v", err, tt.want)
						}
					}
					n, err := c.Read(make([]byte, 9))
					var op *net.OpError
					if errors.As(err, &op) {
						err = op.Err
						if call, ok := err.(*os.SyscallError); ok {
							err = call.Err
						}
					}
					if got := fmt.Sprint(n, err); got != tt.then {
						t.Errorf("a Read after it: got %v, want %v", got, tt.then)
					}
				})
			})
		}
	}
}

func TestDeadlineLeavesNoTimer(t *testing.T) {
	tests := []struct {
		name string
		end  func(c *memConn, l *memListener)
	}{
		{"no deadline any more", func(c *memConn, l *memListener) { c.SetDeadline(time.Time{}); l.SetDeadline(time.Time{}) }},
		{"close", func(c *memConn, l *memListener) { c.Close(); l.Close() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &Network{Buffer: 1}
				c, s := memPair(t, n)
				l := memListen(t, n, "tcp", "").(*memListener)
				c.SetDeadline(time.Now().Add(time.Hour))
				l.SetDeadline(time.Now().Add(time.Hour))
				go c.Read(make([]byte, 1))
				go c.Write(make([]byte, 2))
				go l.Accept()
				synctest.Wait()
				deadlines := []*memDeadline{&c.reading, &c.writing, &l.accepting}
				for i, d := range deadlines {
					if !d.timer.Stop() {
						t.Errorf("timer %d while a call is parked: got stopped, want running", i)
					}
					d.timer.Reset(time.Hour)
				}
				tt.end(c, l)
				synctest.Wait()
				for i, d := range deadlines {
					if d.timer.Stop() {
						t.Errorf("timer %d: got running, want stopped", i)
					}
				}
				s.Close() // ends what is still parked
				c.Close()
				l.Close()
			})
		})
	}
}

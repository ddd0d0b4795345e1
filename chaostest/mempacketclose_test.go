package chaostest

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
)

func TestPacketCloseRead(t *testing.T) {
	n := NewNetwork()
	s := packetListen(t, n, "udp", "127.0.0.1:53")
	c, d := packetDial(t, n, s), packetDial(t, n, s)
	s.WriteTo([]byte("before"), c.LocalAddr())
	if err := c.CloseRead(); err != nil {
		t.Fatal(err)
	}
	s.WriteTo([]byte("after"), c.LocalAddr())
	if err := c.WaitRead(); err != nil {
		t.Errorf("wait: got %v, want what is there", err)
	}
	p := make([]byte, 9)
	if n, err := c.Read(p); string(p[:n]) != "before" || err != nil {
		t.Errorf("read: got %q, %v, want %q", p[:n], err, "before")
	}
	for range 2 {
		if err := c.WaitRead(); err != nil {
			t.Errorf("wait for the end: got %v, want it at once", err)
		}
		if n, err := c.Read(p); n != 0 || err != io.EOF {
			t.Errorf("read past the end: got %d, %v, want EOF", n, err)
		}
	}
	if n, err := c.Write([]byte("still")); n != 5 || err != nil {
		t.Errorf("write: got %d, %v, want 5", n, err)
	}
	if got := s.waiting(); got != 1 {
		t.Errorf("arrived: got %d, want 1", got)
	}
	if err := c.CloseRead(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("once more: got %v, want %v", err, net.ErrClosed)
	}
	heir := packetListen(t, n, "udp", c.LocalAddr().String())
	if err := c.Close(); err != nil {
		t.Errorf("close: got %v", err)
	}
	d.Close()
	s.WriteTo([]byte("x"), heir.LocalAddr()) // the port is the heir's, whatever its former owner does
	if got := heir.waiting(); got != 1 {
		t.Errorf("at the heir's: got %d, want 1", got)
	}
	if err := d.CloseRead(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("of a closed socket: got %v, want %v", err, net.ErrClosed)
	}
}

func TestPacketCloseReadIsFeltAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		s := packetListen(t, n, "udp", "")
		c := packetDial(t, n, s)
		outcome := make(chan error, 1)
		go func() {
			_, err := s.Read(make([]byte, 9))
			outcome <- err
		}()
		synctest.Wait()
		s.CloseRead()
		if err := <-outcome; err != io.EOF {
			t.Errorf("a parked Read: got %v, want EOF", err)
		}
		c.Write(nil)
		if _, err := c.Write(nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a sender: got %v, want %v", err, syscall.ECONNREFUSED)
		}
	})
}

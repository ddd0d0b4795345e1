package chaostest

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

var anyAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// TestNetworkSpeaksLikePackageNet holds that errors have the text that they have on real sockets.
func TestNetworkSpeaksLikePackageNet(t *testing.T) {
	say := func(listen func(ctx context.Context, network, address string) (net.Listener, error),
		dial func(ctx context.Context, network, address string) (net.Conn, error),
	) string {
		var said []string
		note := func(what string, err error) {
			said = append(said, what+": "+anyAddress.ReplaceAllString(fmt.Sprintf("%T %[1]v", err), "A"))
		}
		l, err := listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		connect := func() net.Conn {
			c, err := dial(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		_, err = listen(t.Context(), "tcp", address)
		note("listen twice", err)
		l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Unix(1, 0))
		_, err = l.Accept()
		note("accept past the deadline", err)
		l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Time{})

		c := connect()
		s := netAccept(t, l)
		c.SetDeadline(time.Unix(1, 0))
		_, err = c.Read(make([]byte, 1))
		note("read past the deadline", err)
		_, err = c.Write(make([]byte, 1))
		note("write past the deadline", err)
		s.(interface{ SetLinger(int) error }).SetLinger(0)
		s.Close()
		_, err = s.Read(make([]byte, 1))
		note("read after close", err)
		_, err = s.Write(make([]byte, 1))
		note("write after close", err)
		note("close twice", s.Close())
		note("deadline after close", s.SetDeadline(time.Time{}))
		note("linger after close", s.(interface{ SetLinger(int) error }).SetLinger(0))
		note("FIN after close", s.(interface{ CloseWrite() error }).CloseWrite())
		c.SetDeadline(time.Time{})
		_, err = c.Read(make([]byte, 1))
		note("read after reset", err)
		_, err = c.Write(make([]byte, 1))
		note("write after reset", err)
		note("FIN after reset", c.(interface{ CloseWrite() error }).CloseWrite())

		queued := connect()
		l.Close()
		_, err = queued.Read(make([]byte, 1))
		note("read after the listener closed", err)
		_, err = l.Accept()
		note("accept after close", err)
		note("close the listener twice", l.Close())
		_, err = dial(t.Context(), "tcp", address)
		note("dial nobody", err)
		return strings.Join(said, "\n")
	}
	n := NewNetwork()
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	got, want := say(n.Listen, n.Dial), say(lc.Listen, new(net.Dialer).DialContext)
	if got != want {
		t.Errorf("the memory network: got\n%s\nwant, as package net has it,\n%s", got, want)
	}
}

//go:build linux

package chaos

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// socketPair returns the two ends of a connection over the loopback interface.
func socketPair(t testing.TB, network string) (a, b net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err = net.Dial(network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// socketReset ends c with a RST.
func socketReset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// eventually waits until a condition of the kernel holds, which nothing reports.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("%s: got no after 5s, want yes", what)
		}
		time.Sleep(time.Millisecond) // real, because the kernel's own progress is awaited
	}
}

// openDescriptors counts the sockets, pipes, timers and pollers of this process. Other
// files are the runtime's and the test's own.
func openDescriptors(t testing.TB) int {
	t.Helper()
	warmPoller()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range fds {
		name, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err == nil && !strings.HasPrefix(name, "/") {
			n++
		}
	}
	return n
}

// warmPoller has the runtime open the descriptors of its own poller, for good.
var warmPoller = sync.OnceFunc(func() {
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		ln.Close()
	}
})

func TestUnsentCountsWhatThePeerHasNotTaken(t *testing.T) {
	a, b := socketPair(t, "tcp")
	if got := unsent(a); got != 0 {
		t.Errorf("before writing: got %d, want 0", got)
	}
	n, buf := 0, make([]byte, 1<<20)
	eventually(t, "both buffers full", func() bool {
		a.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		m, err := a.Write(buf)
		n += m
		return n > 0 && m == 0 && errors.Is(err, os.ErrDeadlineExceeded)
	})
	if got := unsent(a); got <= 0 || got > n {
		t.Errorf("with a peer that does not read: got %d, want more than 0 and at most %d", got, n)
	}
	go io.CopyN(io.Discard, b, int64(n))
	eventually(t, "all sent", func() bool { return unsent(a) == 0 })
}

func TestUnsentOfWhatIsNoSocket(t *testing.T) {
	a, _ := net.Pipe()
	u, _ := socketPair(t, "unix")
	u.Write([]byte("waiting"))
	closed, _ := socketPair(t, "tcp")
	closed.Close()
	tests := []struct {
		name string
		conn net.Conn
		want int
	}{
		{"pipe", a, 0},
		{"unix", u, 0},
		{"closed", closed, 0},
		{"own answer", sockAnswers{a}, 42},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := unsent(tt.conn); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
	if !wasReset(sockAnswers{a}) {
		t.Error("wasReset by its own answer: got false, want true")
	}
	if wasReset(a) || closedState(a) || oobInline(a) || readable(nil) {
		t.Error("a connection without a descriptor: got true, want false")
	}
}

// sockAnswers speaks for itself, as the memory network's connections do.
type sockAnswers struct{ net.Conn }

func (sockAnswers) Unsent() int    { return 42 }
func (sockAnswers) WasReset() bool { return true }

func TestUrgentByteStaysInTheStream(t *testing.T) {
	a, b := socketPair(t, "tcp")
	if !oobInline(b) {
		t.Fatal("got false, want true")
	}
	a.Write([]byte("ab"))
	control(a, func(fd int) { syscall.Sendto(fd, []byte("!"), syscall.MSG_OOB, nil) })
	a.Write([]byte("cd"))
	a.Close()
	got, err := io.ReadAll(b)
	if string(got) != "ab!cd" || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, "ab!cd")
	}
}

func TestReadableConsumesNothing(t *testing.T) {
	a, b := socketPair(t, "tcp")
	rc := rawConn(b)
	if readable(rc) {
		t.Error("idle: got true, want false")
	}
	a.Write([]byte("x"))
	eventually(t, "readable with data", func() bool { return readable(rc) })
	buf := make([]byte, 2)
	if n, err := b.Read(buf); n != 1 || err != nil {
		t.Errorf("read: got %d, %v, want 1", n, err)
	}
	if readable(rc) {
		t.Error("read out: got true, want false")
	}
	a.Close()
	eventually(t, "readable at the end", func() bool { return readable(rc) })
	b.Close()
	if readable(rc) {
		t.Error("closed: got true, want false")
	}
}

func TestWasResetConsumesNothing(t *testing.T) {
	a, b := socketPair(t, "tcp")
	want := bytes.Repeat([]byte("data "), 100)
	a.Write(want)
	eventually(t, "arrived", func() bool { return unsent(a) == 0 })
	if wasReset(b) {
		t.Error("before: got true, want false")
	}
	socketReset(a)
	for range 3 {
		eventually(t, "reset", func() bool { return wasReset(b) })
	}
	got, err := io.ReadAll(b)
	if !bytes.Equal(got, want) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read after it: got %d bytes, %v, want %d and a reset", len(got), err, len(want))
	}
	if wasReset(b) {
		t.Error("after the read has taken it: got true, want false")
	}
}

func TestTwoCleanEndsAreNoReset(t *testing.T) {
	a, b := socketPair(t, "tcp")
	for _, c := range []net.Conn{a, b} {
		if closedState(c) {
			t.Error("open: got closed, want not")
		}
	}
	a.(*net.TCPConn).CloseWrite()
	b.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, a)
	io.Copy(io.Discard, b)
	eventually(t, "closed", func() bool { return closedState(b) })
	if wasReset(a) || wasReset(b) {
		t.Error("reset: got true, want false")
	}
}

func TestLastState(t *testing.T) {
	tests := []struct {
		name          string
		network       string
		act           func(own, peer net.Conn)
		reset, closed bool
	}{
		{name: "a FIN", act: func(_, peer net.Conn) { peer.(*net.TCPConn).CloseWrite() }},
		{name: "a close", act: func(_, peer net.Conn) { peer.Close() }},
		{name: "both FINs", closed: true, act: func(own, peer net.Conn) {
			own.(*net.TCPConn).CloseWrite()
			peer.(*net.TCPConn).CloseWrite()
		}},
		{name: "a reset", reset: true, closed: true, act: func(_, peer net.Conn) { socketReset(peer) }},
		{name: "a reset that was consumed", closed: true, act: func(own, peer net.Conn) {
			socketReset(peer)
			own.Read(make([]byte, 1))
		}},
		{name: "a unix socket's close", network: "unix", act: func(_, peer net.Conn) { peer.Close() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			own, peer := socketPair(t, cmp.Or(tt.network, "tcp"))
			tt.act(own, peer)
			eventually(t, "the end", func() bool {
				if tt.reset {
					return true // a read would consume it
				}
				n, err := own.Read(make([]byte, 1))
				return n == 0 && err == io.EOF
			})
			eventually(t, fmt.Sprintf("reset %v, closed %v", tt.reset, tt.closed), func() bool {
				reset, closed := lastState(own)
				return reset == tt.reset && closed == tt.closed
			})
		})
	}
}

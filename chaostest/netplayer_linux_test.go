package chaostest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// plenty is more than any buffer takes. It is only read.
var plenty = make([]byte, 8<<20)

// A scriptPlayer is one end of a connection in a script.
type scriptPlayer struct {
	net.Conn
	patience time.Duration // how long a call is waited for
	past     bool          // the script has set the deadline, and it is not to be touched
	parked   chan string   // carries the outcome of a parked call
}

// playScript runs the script and returns its trace. settle returns when a step has had all its effects.
func playScript(t *testing.T, script string, c, s net.Conn, settle func(), patience time.Duration) string {
	t.Helper()
	players := map[string]*scriptPlayer{"c": {Conn: c, patience: patience}, "s": {Conn: s, patience: patience}}
	defer c.Close()
	defer s.Close()
	var trace strings.Builder
	for line := range strings.SplitSeq(script, "; ") {
		who, deed, _ := strings.Cut(line, " ")
		fmt.Fprintf(&trace, "%s: %s\n", line, players[who].do(t, deed))
		settle()
	}
	return trace.String()
}

// do does one thing and returns what is seen of it.
func (p *scriptPlayer) do(t *testing.T, deed string) string {
	t.Helper()
	verb, count, _ := strings.Cut(deed, " ")
	n, _ := strconv.Atoi(count)
	switch verb {
	case "write": // one Write of n bytes
		p.hurry()
		n, err := p.Write(make([]byte, n))
		return seen(n, err)
	case "read": // Reads until there are n bytes or an error
		p.hurry()
		if n == 0 {
			n, err := p.Read(nil)
			return seen(n, err)
		}
		return seen(readFull(p, n))
	case "drain": // Reads until nothing more comes; how much that is depends on the buffers
		p.hurry()
		_, err := readFull(p, len(plenty))
		return seen(-1, err)
	case "fill": // Writes until nothing more is taken
		p.hurry()
		_, err := p.Write(plenty)
		return seen(-1, err)
	case "park": // a Read that goes on while the script does
		return p.park(func() string { return seen(readFull(p, 1)) })
	case "push": // the same with a Write of more than there is room for
		return p.park(func() string {
			n, err := p.Write(plenty)
			if n == 0 {
				return "nothing written"
			}
			return seen(-1, err)
		})
	case "join": // waits for the parked call
		return <-p.parked
	case "past": // the deadline is over, until "future"
		p.past = true
		return seen(-1, p.SetDeadline(time.Unix(1, 0)))
	case "future":
		p.past = false
		return seen(-1, p.SetDeadline(time.Time{}))
	case "fin":
		return seen(-1, p.Conn.(interface{ CloseWrite() error }).CloseWrite())
	case "rst":
		return seen(-1, errors.Join(p.Conn.(interface{ SetLinger(int) error }).SetLinger(0), p.Close()))
	case "close":
		return seen(-1, p.Close())
	}
	t.Fatalf("a script does %q", deed)
	return ""
}

// hurry bounds the next call, unless the script says how long it may take.
func (p *scriptPlayer) hurry() {
	if !p.past {
		p.SetDeadline(time.Now().Add(p.patience))
	}
}

func (p *scriptPlayer) park(call func() string) string {
	p.SetDeadline(time.Now().Add(10 * time.Second)) // so that a call which is never woken is seen in the trace
	p.parked = make(chan string, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		p.parked <- call()
	}()
	<-begun
	return "parked"
}

func readFull(r io.Reader, n int) (got int, err error) {
	p := make([]byte, min(n, 64<<10))
	for got < n && err == nil {
		var k int
		k, err = r.Read(p[:min(n-got, len(p))])
		got += k
	}
	return got, err
}

// seen is what a call has returned; a negative count is not told.
func seen(n int, err error) string {
	said := "nil"
	switch {
	case err == nil:
	case err == io.EOF:
		said = "EOF"
	case errors.Is(err, net.ErrClosed):
		said = "closed"
	case errors.Is(err, os.ErrDeadlineExceeded):
		said = "deadline"
	default:
		var op *net.OpError
		var call *os.SyscallError
		var errno syscall.Errno
		said = err.Error()
		if errors.As(err, &op) {
			said = op.Err.Error() // no addresses
		}
		if errors.As(err, &call) && errors.As(err, &errno) {
			said = call.Syscall + " " + errno.Error()
		}
	}
	if n < 0 {
		return said
	}
	return fmt.Sprintf("%d %s", n, said)
}

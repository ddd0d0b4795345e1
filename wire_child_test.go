//go:build linux

package chaos_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
	"golang.org/x/sys/unix"
)

// These variables make the test binary run a gate instead of its tests, so that a test can stop, measure and starve a gate alone.
const (
	childServer  = "CHAOSGATE_WIRE_CHILD_SERVER"
	childNetwork = "CHAOSGATE_WIRE_CHILD_NETWORK"
	childFiles   = "CHAOSGATE_WIRE_CHILD_FILES"
)

func init() {
	if server := os.Getenv(childServer); server != "" {
		if err := gateProcess(os.Getenv(childNetwork), server, os.Getenv(childFiles)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// gateProcess runs a gate until its standard input ends. For each line that comes there it gives back what memory it can, and says so
// by a line.
func gateProcess(network, server, files string) error {
	if files != "" {
		n, err := strconv.ParseUint(files, 10, 64)
		if err != nil {
			return err
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	g := &chaos.Gate{Network: network, Server: server}
	if err := g.Start(); err != nil {
		return err
	}
	fmt.Println(g.Addr())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		debug.FreeOSMemory()
		fmt.Println("done")
	}
	if err := lines.Err(); err != nil {
		return err
	}
	g.CloseConns(chaos.All)
	return g.Close()
}

// A gateChild is a gate in a process of its own.
type gateChild struct {
	cmd  *exec.Cmd
	addr string
	in   io.Writer
	out  *bufio.Reader
}

// startChild starts a gate in a process of its own, which may open so many files (as many as we may, if 0). It ends with the test.
func startChild(t testing.TB, network, server string, files int) *gateChild {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childNetwork+"="+network, childServer+"="+server)
	if files > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", childFiles, files))
	}
	cmd.Stderr = os.Stderr
	in, ierr := cmd.StdinPipe()
	out, oerr := cmd.StdoutPipe()
	if err := errors.Join(ierr, oerr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	addr, err := lines.ReadString('\n')
	t.Cleanup(func() {
		in.Close()
		giveUp := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil {
			t.Errorf("the gate's process: %v", err)
		}
		giveUp.Stop()
	})
	if err != nil {
		t.Fatal(err)
	}
	return &gateChild{cmd, strings.TrimSpace(addr), in, lines}
}

// tidy has the child give back the memory that it does not use.
func (g *gateChild) tidy(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(g.in, "\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
}

// descriptors returns how many descriptors the child has open.
func (g *gateChild) descriptors(t testing.TB) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// cpu returns the processor time that the child has used.
func (g *gateChild) cpu(t testing.TB) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	user, uerr := strconv.ParseInt(f[11], 10, 64)
	system, serr := strconv.ParseInt(f[12], 10, 64)
	if err := errors.Join(uerr, serr); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond // in ticks of USER_HZ, which is 100
}

// resident returns the bytes of memory that the child has in use.
func (g *gateChild) resident(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", g.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestWireStopped is row 28: a gate whose process is stopped for a while loses nothing.
func TestWireStopped(t *testing.T) {
	t.Run("row28_SIGSTOP_loses_nothing", func(t *testing.T) {
		leavesNothing(t)
		e := wireEnv(t, "tcp")
		e.Patience = 40 * time.Second
		e.Via = func(server string) string {
			g := startChild(t, "tcp", server, 0)
			pause := time.Duration(sized(1, 10)) * time.Second
			time.AfterFunc(50*time.Millisecond, func() { _ = g.cmd.Process.Signal(syscall.SIGSTOP) })
			time.AfterFunc(50*time.Millisecond+pause, func() { _ = g.cmd.Process.Signal(syscall.SIGCONT) })
			return g.addr
		}
		// The signal falls into the middle of this: 256 writes of each side, a millisecond apart.
		err := wiretest.Compare(e, `
			open
			server read 1MiB &
			client read 1MiB &
			server send 1MiB by 4096 gap 1ms &
			client send 1MiB by 4096 gap 1ms
			client wait
			server wait
			client send 16MiB &
			server read 16MiB
			client shut
			server read all
			server shut
			client read all`)
		if err != nil {
			t.Error(err)
		}
	})
}

// stalledBound is what one stalled connection may take of a gate's own memory; what the kernel holds for its two sockets is
// bounded by the kernel's settings and is not the process's.
const stalledBound = 64 << 10

// TestWireMemory is row 25: stalled connections cost a bounded amount of memory each, and no processor time.
func TestWireMemory(t *testing.T) {
	t.Run("row25_stalled_connections_are_bounded", func(t *testing.T) {
		leavesNothing(t)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		g := startChild(t, "tcp", ln.Addr().String(), 0)
		// The first connection starts what is started once.
		client, server := throughChild(t, ln, g)
		base := g.resident(t)
		n := sized(100, 1000)
		for range n {
			c, s := throughChild(t, ln, g)
			_ = s.SetReadBuffer(16 << 10)
			stallWriter(t, c)
		}
		time.Sleep(300 * time.Millisecond) // until everything that can move has moved
		grown := g.resident(t) - base
		t.Logf("%d stalled connections: %d KiB each in the gate's process", n, grown/int64(n)>>10)
		if limit := int64(n)*stalledBound + 8<<20; grown > limit && !raceDetector { // whose shadow is several times the memory
			t.Errorf("%d stalled connections took %d bytes, want at most %d", n, grown, limit)
		}
		before := g.cpu(t)
		time.Sleep(time.Second) // idleness itself is what is measured
		if busy := g.cpu(t) - before; busy > 200*time.Millisecond {
			t.Errorf("%d stalled connections took %v of processor time in a second", n, busy)
		}
		write(t, client, []byte("x"))
		wantByte(t, server, 'x')
	})
}

// stallWriter writes without waiting until the kernel takes no more.
func stallWriter(t *testing.T, c *net.TCPConn) {
	t.Helper()
	if err := c.SetWriteBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	for {
		if err := c.SetWriteDeadline(time.Now().Add(2 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(buf); err != nil {
			return
		}
	}
}

// throughChild connects one client through a child's gate; both ends are closed when the test ends.
func throughChild(t *testing.T, ln net.Listener, g *gateChild) (client, server *net.TCPConn) {
	t.Helper()
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := ln.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	end := time.Now().Add(60 * time.Second)
	if err := errors.Join(c.SetDeadline(end), s.SetDeadline(end)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// TestWireDescriptors is the rest of row 25: at the limit on descriptors live connections are intact, nothing spins, and when
// some are free again those who wait are let in.
func TestWireDescriptors(t *testing.T) {
	t.Run("row25_the_limit_on_descriptors_is_survived", func(t *testing.T) {
		leavesNothing(t)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		g := startChild(t, "tcp", ln.Addr().String(), 100)
		var live [][2]*net.TCPConn
		for range 30 {
			c, s := throughChild(t, ln, g)
			live = append(live, [2]*net.TCPConn{c, s})
		}
		// These do not fit any more. Some may be reset, when no descriptor is left to dial with; none may harm the others.
		var crowd []net.Conn
		for range 60 {
			c, err := net.Dial("tcp", g.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			crowd = append(crowd, c)
		}
		time.Sleep(200 * time.Millisecond) // the gate has run into its limit by then
		before := g.cpu(t)
		time.Sleep(time.Second) // a gate that tries again without a pause burns most of this second
		if busy := g.cpu(t) - before; busy > 300*time.Millisecond {
			t.Errorf("at the limit on descriptors the gate took %v of processor time in a second", busy)
		}
		for i, p := range live {
			write(t, p[0], []byte("x"))
			wantByte(t, p[1], 'x')
			write(t, p[1], []byte("y"))
			wantByte(t, p[0], 'y')
			if i >= 10 {
				continue
			}
			p[0].Close()
			p[1].Close()
		}
		for _, c := range crowd {
			c.Close()
		}
		// Accepting resumes by itself: new clients are served, once the crowd that was let in and is gone again has passed.
		var serr error
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			if serr = servedThrough(ln, g.addr); serr == nil {
				return
			}
		}
		t.Errorf("when descriptors were free again: %v", serr)
	})
}

// servedThrough connects, and looks for a connection at the server that brings the client's bytes.
func servedThrough(ln net.Listener, addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	const word = "let me in"
	if _, err := io.WriteString(c, word); err != nil {
		return err
	}
	for {
		if err := ln.(*net.TCPListener).SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
			return err
		}
		s, err := ln.Accept()
		if err != nil {
			return err
		}
		buf := make([]byte, len(word))
		_ = s.SetReadDeadline(time.Now().Add(2 * time.Second))
		_, err = io.ReadFull(s, buf)
		s.Close()
		if err == nil && string(buf) == word {
			return nil
		}
	}
}

package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// patience is how long anything may take that takes no time, on a machine that is busy with other things.
const patience = 30 * time.Second

// program is where the program was built, for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chaosgate-browser-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "chaosgate")
	return m.Run()
}

// build builds the program, once.
var build = sync.OnceValues(func() (string, error) {
	said, err := exec.Command("go", "build", "-o", program, "../../..").CombinedOutput()
	return string(said), err
})

// A daemon is a running one, and a client of it.
type daemon struct {
	*client.Client
	url   string
	boot  string
	cmd   *exec.Cmd
	stdin io.Closer
}

// serve starts a daemon on an address, and ends it with the test.
func serve(t *testing.T, listen string, args ...string) *daemon {
	t.Helper()
	if said, err := build(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, said)
	}
	cmd := exec.Command(program, append([]string{"serve", "--listen", listen, "--until-stdin-closes", "--log-format", "json"}, args...)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &daemon{cmd: cmd, stdin: stdin}
	t.Cleanup(d.end)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, URL, Boot string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			d.url, d.boot = line.URL, line.Boot
			break
		}
	}
	if d.url == "" {
		t.Fatalf("the daemon has not said where it listens: %v", lines.Err())
	}
	go io.Copy(io.Discard, log) // ends with the daemon
	if d.Client, err = client.New(d.url, client.Options{By: t.Name()}); err != nil {
		t.Fatal(err)
	}
	return d
}

// end ends the daemon.
func (d *daemon) end() {
	d.stdin.Close()
	d.cmd.Wait()
}

// gate creates a gate.
func (d *daemon) gate(t *testing.T, g spec.Gate) status.Gate {
	t.Helper()
	made, err := d.Create(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// echo starts a server that sends back what it gets, and returns its address.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come to be within %v that %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond) // neither a browser nor a process tells when it has changed
	}
}

// redis starts a Redis, and returns its address.
func redis(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is missing (Debian package redis-server): no real Redis can be slowed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		cmd.Wait()
	})
	eventually(t, "Redis answers", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return addr
}

// ping asks a Redis through an open connection whether it is there, and returns how long that took.
func ping(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	begun := time.Now()
	c.SetDeadline(begun.Add(patience))
	answer := make([]byte, 7)
	if _, err := io.WriteString(c, "PING\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, answer); err != nil || strings.TrimSpace(string(answer)) != "+PONG" {
		t.Fatalf("got %q, %v, want +PONG", answer, err)
	}
	return time.Since(begun)
}

// dial connects to a gate, until the test ends.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// exchange sends something through an open connection to a server that sends it back, and returns how long that took.
func exchange(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	begun := time.Now()
	c.SetDeadline(begun.Add(patience))
	answer := make([]byte, 5)
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "hello" {
		t.Fatalf("got %q, %v, want what was sent", answer, err)
	}
	return time.Since(begun)
}

// isReset reports whether a connection was reset.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || err != nil && strings.Contains(err.Error(), "forcibly closed")
}

// plain writes a number.
func plain(n uint64) string { return strconv.FormatUint(n, 10) }

// quoted writes a text in JSON, which is JavaScript as well.
func quoted(text string) string {
	data, _ := json.Marshal(text) // a text can be written
	return string(data)
}

// escaped writes a text as it stands in an address.
func escaped(text string) string { return url.QueryEscape(text) }

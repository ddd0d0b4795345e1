package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos/matrix"
)

func TestSplit(t *testing.T) {
	t.Setenv("FROM_OUTSIDE", "outside")
	value := func(name string) string {
		return map[string]string{"CHAOSGATE_HOST": "::1", "CHAOSGATE_PORT": "42", "EMPTY": ""}[name]
	}
	tests := []struct {
		line string
		want []string // nil if it is refused
	}{
		{`a b  c`, []string{"a", "b", "c"}},
		{`psql -h $CHAOSGATE_HOST -p ${CHAOSGATE_PORT} -c "select 1"`, []string{"psql", "-h", "::1", "-p", "42", "-c", "select 1"}},
		{`sh -c 'echo $CHAOSGATE_HOST | cat'`, []string{"sh", "-c", "echo $CHAOSGATE_HOST | cat"}},
		{`a "\$CHAOSGATE_HOST \n" \$x`, []string{"a", `$CHAOSGATE_HOST \n`, "$x"}},
		{`a "" '' x"y"z`, []string{"a", "", "", "xyz"}},
		{`a $EMPTY.b $ ${x`, []string{"a", ".b", "$", "${x"}},
		{`a ü`, []string{"a", "ü"}},
		{`a | b`, nil},
		{`a > b`, nil},
		{`a 'b`, nil},
		{`a \`, nil},
		{"  ", nil},
	}
	for _, test := range tests {
		words, err := split(test.line)
		if (err == nil) != (test.want != nil) {
			t.Errorf("%s: got error %v", test.line, err)
			continue
		}
		var got []string
		for _, word := range words {
			got = append(got, expand(word, value))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.line, diff)
		}
	}
}

// call makes a probe of a command line and calls it.
func call(ctx context.Context, t *testing.T, line string) (matrix.Answer, error) {
	t.Helper()
	probe, err := Command(line)
	if err != nil {
		t.Fatal(err)
	}
	return probe(ctx, "127.0.0.1:4242")
}

func needShell(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil || runtime.GOOS == "windows" {
		t.Skip("there is no shell")
	}
}

func TestCommand(t *testing.T) {
	needShell(t)
	tests := []struct {
		name, line string
		output     string
		is         error
		says       string
	}{
		{"it works", `sh -c 'echo to $CHAOSGATE_HOST:$CHAOSGATE_PORT; echo log >&2'`, "to 127.0.0.1:4242\n", nil, ""},
		{"it fails", `sh -c 'echo first >&2; echo refused >&2; echo last >&2; exit 3'`, "", nil, "exit code 3: refused"},
		{"it says so on stdout", `sh -c 'echo oh no; exit 1'`, "oh no\n", nil, "exit code 1: oh no"},
		{"its own timeout", `sh -c 'echo read timed out >&2; exit 1'`, "", matrix.ErrTimeout, "read timed out"},
		{"timeout's", `sh -c 'exit 124'`, "", matrix.ErrTimeout, "exit code 124"},
		{"it dies", `sh -c 'kill -SEGV $$'`, "", matrix.ErrCrash, "killed by segmentation fault"},
		{"a panic of Go", `sh -c 'printf "panic: oops\n\ngoroutine 1 [running]:\n" >&2; exit 2'`, "", matrix.ErrCrash, "panic: oops"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, err := call(t.Context(), t, test.line)
			if answer.Output != test.output {
				t.Errorf("output: got %q, want %q", answer.Output, test.output)
			}
			if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want an error that says %q", err, test.says)
			}
			for _, kind := range []error{matrix.ErrTimeout, matrix.ErrCrash} {
				if got, want := errors.Is(err, kind), test.is == kind; got != want {
					t.Errorf("%v is %q: %v, want %v", err, kind, got, want)
				}
			}
		})
	}
	if _, err := Command("no-such-program"); err == nil {
		t.Error("a program that is not there: got no error")
	}
}

func TestMainLine(t *testing.T) {
	tests := []struct{ said, want string }{
		{"psql: error: connection to server failed: Connection refused\n\tIs the server running on that host?", "psql: error: connection to server failed: Connection refused"},
		{"Traceback (most recent call last):\n  raise Failed\nredis.exceptions.ConnectionError: Error 111", "redis.exceptions.ConnectionError: Error 111"},
		{"  % Total    % Received\ncurl: (7) Failed to connect", "curl: (7) Failed to connect"},
		{"one\ntwo\n", "two"},
		{"", ""},
		{strings.Repeat("ü", 200), strings.Repeat("ü", 150) + "…"},
	}
	for _, test := range tests {
		if got := mainLine(test.said); got != test.want {
			t.Errorf("%q: got %q, want %q", test.said, got, test.want)
		}
	}
}

func TestCommandIsKilledWithAllThatItHasStarted(t *testing.T) {
	needShell(t)
	pids := filepath.Join(t.TempDir(), "pids")
	t.Setenv("PIDS", pids)
	for _, test := range []struct{ name, line string }{
		{"when the time is over", `sh -c 'sleep 600 & echo $! >$PIDS; sleep 600'`},
		{"when it ends and leaves one", `sh -c 'sleep 600 >/dev/null 2>&1 & echo $! >$PIDS'`},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for ctx.Err() == nil {
					if text, err := os.ReadFile(pids); err == nil && strings.HasSuffix(string(text), "\n") {
						time.Sleep(50 * time.Millisecond) // time for the shell to go on to its own sleep
						cancel()
					}
					time.Sleep(time.Millisecond)
				}
			}()
			call(ctx, t, test.line)
			text, err := os.ReadFile(pids)
			if err != nil {
				t.Fatal(err)
			}
			os.Remove(pids)
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			until := time.Now().Add(10 * time.Second)
			for alive(pid) {
				if time.Now().After(until) {
					t.Fatalf("process %d is left running", pid)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
}

// alive reports whether a process is there and is not waiting to be buried.
func alive(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil || process.Signal(syscall.Signal(0)) != nil {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(status), ") Z ")
}

func TestURL(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/late":
			w.WriteHeader(http.StatusGatewayTimeout)
		case "/bad":
			http.Error(w, "the database is gone", http.StatusServiceUnavailable)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
		default:
			io.WriteString(w, "hello")
		}
	}))
	defer server.Close()
	addr := server.Listener.Addr().String()
	tests := []struct{ path, output, says string }{
		{"/", "200 OK\nhello", ""},
		{"/bad", "503 Service Unavailable\nthe database is gone\n", "503 Service Unavailable: the database is gone"},
		{"/late", "504 Gateway Timeout\n", matrix.ErrTimeout.Error()},
		{"/cut", "200 OK\nhalf", "unexpected EOF"},
	}
	for _, test := range tests {
		probe, err := URL("http://$CHAOSGATE_ADDR" + test.path)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := probe(t.Context(), addr)
		if answer.Output != test.output || (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %q, %v; want %q and an error that says %q", test.path, answer.Output, err, test.output, test.says)
		}
	}
	for _, bad := range []string{"", "localhost:8080/x", "ftp://x/y", "http://%zz"} {
		if _, err := URL(bad); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

func TestScript(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				line := make([]byte, 6)
				for {
					if _, err := io.ReadFull(conn, line); err != nil || string(line) == "bye..\n" {
						return
					}
					io.WriteString(conn, "+PONG\r\n")
				}
			}()
		}
	}()
	tests := []struct {
		script, output string
		is             error
		says           string
	}{
		{`send "PING.\n" expect "+PONG\r\n"`, "+PONG\r\n", nil, ""},
		{`timeout 5s send "PING.\nPING.\n" match "^\\+P.*\n" expect "+PONG\r\n" send "bye..\n" end`, "+PONG\r\n+PONG\r\n", nil, ""},
		{`send "PING.\n" expect "+PANG\r\n"`, "+PONG\r\n", matrix.ErrWrong, `got "+PONG\r\n", want "+PANG\r\n"`},
		{`send "bye..\n" expect "+PONG\r\n"`, "", io.ErrUnexpectedEOF, "the server has closed after 0 of 7 bytes"},
		{`send "bye..\n" match "x"`, "", io.EOF, "after 0 bytes that do not match"},
		{`timeout 20ms expect "x"`, "", os.ErrDeadlineExceeded, "i/o timeout"},
	}
	for _, test := range tests {
		probe, err := Script("tcp", test.script)
		if err != nil {
			t.Fatalf("%s: %v", test.script, err)
		}
		answer, err := probe(t.Context(), listener.Addr().String())
		if answer.Output != test.output || !errors.Is(err, test.is) || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %q, %v; want %q, %v that says %q", test.script, answer.Output, err, test.output, test.is, test.says)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	probe, _ := Script("tcp", `expect "x"`)
	if _, err := probe(ctx, listener.Addr().String()); err == nil {
		t.Error("the time is over: got no error")
	}
	for _, bad := range []string{"", "sent \"x\"", "send x", `send ""`, `match "("`, "timeout 5", "timeout -1s", `expect`} {
		if _, err := Script("tcp", bad); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chaosgate/chaos/status"
)

// A daemonProcess is a daemon in a process of its own, as one that is installed would be.
type daemonProcess struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	boot  string
	ready map[string]any // the line that says where it listens
	stdin io.Closer      // which ends its standard input
	log   *logText
	ended chan error // gets what Wait returns, once
}

// startDaemon starts a daemon on any free port and waits until it says where that is.
func startDaemon(t *testing.T, args ...string) *daemonProcess {
	t.Helper()
	d := launchDaemon(t, args...)
	d.awaitReady()
	return d
}

// launchDaemon starts a daemon.
func launchDaemon(t *testing.T, args ...string) *daemonProcess {
	t.Helper()
	d := daemonCommand(t, args...)
	d.cmd.Stderr = d.log
	d.start()
	return d
}

// daemonCommand returns a daemon that is not started.
func daemonCommand(t *testing.T, args ...string) *daemonProcess {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Args = append([]string{"chaosgate", "serve", "--listen", "127.0.0.1:0", "--log-level", "debug"}, args...) // see TestMain
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CHAOSGATE_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	return &daemonProcess{t: t, cmd: cmd, log: newLogText(), ended: make(chan error, 1)}
}

// start starts the daemon, which ends with the test.
func (d *daemonProcess) start() {
	d.t.Helper()
	stdin, err := d.cmd.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	d.stdin = stdin
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() { d.ended <- d.cmd.Wait() }()
	d.t.Cleanup(func() {
		if d.ended != nil {
			d.cmd.Process.Kill()
			<-d.ended
		}
		if d.t.Failed() {
			d.t.Logf("log of the daemon:\n%s", d.log)
		}
	})
}

// awaitReady waits until the daemon says where it listens.
func (d *daemonProcess) awaitReady() {
	d.t.Helper()
	d.ready = d.awaitLine("listening")
	d.url, d.boot = attr(d.ready, "url"), attr(d.ready, "boot")
}

// awaitLine waits for the first line of the log with that message, and takes it out, so that the next such line can be waited for.
func (d *daemonProcess) awaitLine(message string) map[string]any {
	d.t.Helper()
	line := d.log.await(func(line map[string]any) bool { return line["msg"] == message })
	if line == nil {
		d.t.Fatalf("the daemon has not logged %q:\n%s", message, d.log)
	}
	return line
}

// kill ends the daemon as kill -9 does.
func (d *daemonProcess) kill() {
	d.cmd.Process.Kill()
	<-d.ended
	d.ended = nil
}

// signal sends signals to the daemon.
func (d *daemonProcess) signal(signals ...os.Signal) {
	d.t.Helper()
	for _, s := range signals {
		if err := d.cmd.Process.Signal(s); err != nil {
			d.t.Fatal(err)
		}
	}
}

// awaitExit waits until the daemon has ended and looks at its exit code.
func (d *daemonProcess) awaitExit(want int) {
	d.t.Helper()
	var err error
	select {
	case err = <-d.ended:
		d.ended = nil
	case <-time.After(patience):
		d.cmd.Process.Signal(syscall.SIGQUIT) // so that the log tells where it hangs
		d.t.Fatalf("the daemon has not ended after %v", patience)
	}
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		d.t.Fatal(err)
	}
	if got != want {
		d.t.Fatalf("exit code: got %d, want %d", got, want)
	}
}

// ask sends a request and returns the status and the body of the answer. The body is JSON, or nothing if it is nil.
func (d *daemonProcess) ask(ctx context.Context, method, path string, body any, header ...string) (int, []byte, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, d.url+path, bytes.NewReader(data))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := plainHTTP.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	data, err = io.ReadAll(answer.Body)
	return answer.StatusCode, data, err
}

// plainHTTP speaks to daemons that come and go, so that it keeps no connection.
var plainHTTP = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// must sends a request that is to be answered with a status of 2xx, and returns the body.
func (d *daemonProcess) must(method, path string, body any, header ...string) []byte {
	d.t.Helper()
	code, data, err := d.ask(d.t.Context(), method, path, body, header...)
	if err != nil || code/100 != 2 {
		d.t.Fatalf("%s %s: got status %d, %s and %v", method, path, code, data, err)
	}
	return data
}

// gates returns the daemon's gates.
func (d *daemonProcess) gates() []status.Gate {
	d.t.Helper()
	var gates []status.Gate
	if err := json.Unmarshal(d.must("GET", "/v1/gates", nil), &gates); err != nil {
		d.t.Fatal(err)
	}
	return gates
}

// A logText is what a daemon has logged.
type logText struct {
	mu    sync.Mutex // guards what follows
	text  bytes.Buffer
	rest  []byte           // of a line that has not ended
	lines []map[string]any // that were not waited for yet
	more  chan struct{}    // closed when there is more, and made anew
}

func newLogText() *logText { return &logText{more: make(chan struct{})} }

// Write takes a part of the log.
func (l *logText) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(data)
	l.rest = append(l.rest, data...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			break
		}
		l.rest = rest
		fields := map[string]any{}
		if json.Unmarshal(line, &fields) != nil {
			fields["msg"] = string(line)
		}
		l.lines = append(l.lines, fields)
	}
	close(l.more)
	l.more = make(chan struct{})
	return len(data), nil
}

// await waits for a line and takes it out. It returns nil if none comes.
func (l *logText) await(is func(line map[string]any) bool) map[string]any {
	late := time.After(patience)
	for {
		l.mu.Lock()
		more := l.more
		for i, line := range l.lines {
			if is(line) {
				l.lines = append(l.lines[:i:i], l.lines[i+1:]...)
				l.mu.Unlock()
				return line
			}
		}
		l.mu.Unlock()
		select {
		case <-more:
		case <-late:
			return nil
		}
	}
}

// String returns all that was logged.
func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// attr returns an attribute of a line as text.
func attr(line map[string]any, key string) string {
	if line[key] == nil {
		return ""
	}
	return fmt.Sprint(line[key])
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/chaosgate/chaos/matrix"
)

// someReport has cells of several sorts.
func someReport() *matrix.Report {
	cell := func(condition string, d matrix.Direction, m matrix.Moment, v matrix.Verdict, says string) matrix.Cell {
		return matrix.Cell{
			ID: condition + "/" + string(d) + "/" + string(m), Condition: condition, Direction: d, Moment: m,
			Verdict: v, Says: says, Worse: v.Bad(), Repeat: "chaosgate matrix --cell " + condition,
		}
	}
	r := &matrix.Report{
		Seed: 42, Took: matrix.Span(5 * time.Second), Planned: 7, Interrupted: true, Counts: map[matrix.Verdict]int{},
		Subject:  matrix.Subject{Probe: "./check.sh", Server: "127.0.0.1:6379", Workers: 8},
		Baseline: matrix.Baseline{Took: matrix.Span(time.Millisecond), SlowAfter: matrix.Span(100 * time.Millisecond), Deadline: matrix.Span(10 * time.Second), Conns: 1},
		Notes:    []string{"40 cells are left out."},
		Cells: []matrix.Cell{
			cell("hold", matrix.Both, matrix.Connecting, matrix.Timeout, "gave up after 3.0 s"),
			cell("stall", matrix.ToServer, matrix.Connecting, matrix.Hang, "neither an answer nor an error within 10.0 s"),
			cell("stall", matrix.ToServer, matrix.Underway, matrix.OK, "the right answer after 1.0 ms"),
			cell("stall", matrix.ToClient, matrix.Connecting, matrix.NotExercised, "the condition never fired"),
			cell("corrupt", matrix.Both, matrix.Underway, matrix.Wrong, `answered "\x1b[2J"`),
		},
	}
	r.Cells[0].Expected, r.Cells[0].Worse = matrix.Error, true
	for _, c := range r.Cells {
		r.Counts[c.Verdict]++
	}
	r.Expected = &matrix.Comparison{Cells: 3, Changed: []matrix.Difference{{}}, New: []string{"a/both/idle"}, Missing: []string{}}
	return r
}

func TestMatrixGrid(t *testing.T) {
	var b bytes.Buffer
	if err := writeGrid(&b, someReport()); err != nil {
		t.Fatal(err)
	}
	golden(t, "matrix-grid.txt", b.String())
}

func TestMatrixProgress(t *testing.T) {
	report := someReport()
	show := func(terminal bool) string {
		var b bytes.Buffer
		bar := newMatrixProgress(&b)
		bar.terminal = terminal
		bar.tell(matrix.Progress{Planned: len(report.Cells), Report: report})
		for i := range report.Cells {
			bar.tell(matrix.Progress{Planned: len(report.Cells), Done: i, Begun: report.Cells[i].ID})
			bar.tell(matrix.Progress{Planned: len(report.Cells), Done: i + 1, Cell: &report.Cells[i]})
		}
		bar.clear()
		return b.String()
	}
	plain := show(false)
	if strings.ContainsAny(plain, "\r\x1b") {
		t.Errorf("a file gets control characters: %q", plain)
	}
	golden(t, "matrix-progress.txt", plain)
	terminal := show(true)
	for _, want := range []string{"\r\x1b[K1 of 5: hold/both/connecting", "3 of 5: stall/to_server/underway, 0 s left", "2/5  stall/to_server/connecting"} {
		if !strings.Contains(terminal, want) {
			t.Errorf("a terminal is not shown %q but %q", want, terminal)
		}
	}
	if strings.Contains(terminal, "never fired") {
		t.Errorf("a terminal is shown cells that are not bad: %q", terminal)
	}
}

func TestMatrixAnnotatesForGitHub(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary")
	variables := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary}
	var b bytes.Buffer
	if err := tellGitHub(someReport(), func(name string) string { return variables[name] }, &b); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`::error title=WRONG corrupt/both/underway::answered "\x1b[2J"%0Aagain: chaosgate matrix --cell corrupt`,
		`::error title=HANG stall/to_server/connecting::neither an answer nor an error within 10.0 s%0Aagain: chaosgate matrix --cell stall`,
		`::error title=timeout hold/both/connecting::gave up after 3.0 s%0Aagain: chaosgate matrix --cell hold`,
	}, "\n") + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if text, err := os.ReadFile(summary); err != nil || !strings.Contains(string(text), "stall") {
		t.Errorf("summary: got %q (%v), want it to tell of the cells", text, err)
	}
	b.Reset()
	if err := tellGitHub(someReport(), func(string) string { return "" }, &b); err != nil || b.Len() > 0 {
		t.Errorf("elsewhere: got %q (%v), want nothing", b.String(), err)
	}
	if got, want := annotation("50%: a,b\r\n", true), "50%25%3A a%2Cb%0D%0A"; got != want {
		t.Errorf("a title: got %q, want %q", got, want)
	}
}

func TestMatrixCommandThatRepeats(t *testing.T) {
	f := matrixFlags{server: "127.0.0.1:6379", command: `sh -c 'echo "$X"'`, deadline: 5 * time.Second, quick: true, only: []string{"*/idle"}}
	const common = `chaosgate matrix --server 127.0.0.1:6379 --probe 'sh -c '\''echo "$X"'\''' --deadline 5s `
	if got, want := f.repeat("chaosgate", "stall/both/idle", 42), common+"--cell stall/both/idle --seed 0x2a"; got != want {
		t.Errorf("a cell: got %s, want %s", got, want)
	}
	if got, want := f.repeat("chaosgate", "", 42), common+"--quick --only '*/idle' --seed 0x2a"; got != want {
		t.Errorf("the run: got %s, want %s", got, want)
	}
}

// A trigger calls a function when what is written to it has a text, once.
type trigger struct {
	text string
	call func()
	once sync.Once
	bytes.Buffer
}

func (w *trigger) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.text) {
		w.once.Do(w.call)
	}
	return n, err
}

func TestMatrixIsInterrupted(t *testing.T) {
	server, err := startDemoServer()
	if err != nil {
		t.Fatal(err)
	}
	defer server.close()
	goroutines, descriptors := goleak.IgnoreCurrent(), openDescriptors()
	ctx, cancel := context.WithCancelCause(t.Context())
	file := filepath.Join(t.TempDir(), "matrix.json")
	var stdout bytes.Buffer
	stderr := &trigger{text: "\n 3/78", call: func() { cancel(errInterrupted) }}
	code := execute(ctx, []string{
		"matrix", "--server", server.addr(), "--probe-script", `timeout 2s send "*1\r\n$4\r\nPING\r\n" expect "+PONG\r\n"`, "--workers", "2", "--report", file,
	}, strings.NewReader(""), &stdout, stderr)
	if code != exitInterrupted {
		t.Errorf("exit code: got %d, want %d: %s", code, exitInterrupted, stderr.String())
	}
	goleak.VerifyNone(t, goroutines)
	if left := openDescriptors(); left > descriptors {
		t.Errorf("descriptors: got %d, want %d as before", left, descriptors)
	}
	written, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	report, err := matrix.Read(written)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(report.Cells); !report.Interrupted || n < 3 || n >= report.Planned {
		t.Errorf("interrupted: %v, with %d cells of %d; want some, and it to say so", report.Interrupted, n, report.Planned)
	}
	if want := "cells"; !strings.Contains(stdout.String(), want) {
		t.Errorf("stdout has no %q:\n%s", want, stdout.String())
	}
}

// TestMatrixOfAService tries a service that uses the gate: an HTTP server that asks Redis, without a timeout of its own for the one, with one
// for the other.
func TestMatrixOfAService(t *testing.T) {
	server, err := startDemoServer()
	if err != nil {
		t.Fatal(err)
	}
	defer server.close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := free.Addr().String()
	free.Close()
	ask := func(timeout time.Duration) error {
		conn, err := net.DialTimeout("tcp", front, timeout)
		if err != nil {
			return err
		}
		defer conn.Close()
		if timeout > 0 {
			conn.SetDeadline(time.Now().Add(timeout))
		}
		fmt.Fprint(conn, "*1\r\n$4\r\nPING\r\n")
		_, err = io.ReadFull(conn, make([]byte, 7))
		return err
	}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timeout := time.Duration(0)
		if r.URL.Path == "/careful" {
			timeout = 200 * time.Millisecond
		}
		if err := ask(timeout); err != nil {
			http.Error(w, "no answer", http.StatusServiceUnavailable)
		}
	}))
	defer service.Close()
	for path, want := range map[string]string{"careful": `(?m)^stall +to client +error +error$`, "careless": `(?m)^stall +to client +HANG +HANG$`} {
		var stdout, stderr bytes.Buffer
		code := execute(t.Context(), []string{
			"matrix", "--gate", "redis=" + front + "," + server.addr(), "--probe-url", service.URL + "/" + path, "--only", "stall/to_client", "--deadline", "1s",
		}, strings.NewReader(""), &stdout, &stderr)
		if bad := path == "careless"; (code == exitFailed) != bad || !regexp.MustCompile(want).MatchString(stdout.String()) {
			t.Errorf("%s: exit code %d and\n%s%s\nwant a line that matches %s", path, code, stderr.String(), stdout.String(), want)
		}
	}
}

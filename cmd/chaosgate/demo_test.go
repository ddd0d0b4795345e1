package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/matrix"
)

// TestDemo is the whole demo. What a client meets under a condition has some play, but not every verdict is possible.
func TestDemo(t *testing.T) {
	expected := map[string][]matrix.Verdict{ // by condition
		"hold": {matrix.Timeout}, "refuse": {matrix.Error, matrix.Timeout}, "blackhole": {matrix.Timeout},
		"close": {matrix.OK, matrix.Slow, matrix.Error}, "reset": {matrix.OK, matrix.Slow, matrix.Error},
		"close_on_data": {matrix.Error}, "cut": {matrix.Error},
		"lifetime": {matrix.OK, matrix.Slow, matrix.Error}, "idle_limit": {matrix.OK, matrix.Slow, matrix.Error},
		"stall": {matrix.Timeout}, "discard": {matrix.Timeout}, "vanish": {matrix.Timeout},
		"delay_2x": {matrix.OK, matrix.Slow}, "delay_10x": {matrix.OK, matrix.Slow}, "delay_2s": {matrix.Timeout},
		"bandwidth": {matrix.OK, matrix.Slow, matrix.Timeout}, "slice": {matrix.Timeout, matrix.Slow, matrix.OK}, "concat": {matrix.OK, matrix.Slow},
		"corrupt": {matrix.OK, matrix.Slow, matrix.Error, matrix.Timeout, matrix.Wrong},
	}
	goroutines, descriptors := goleak.IgnoreCurrent(), openDescriptors()
	file := filepath.Join(t.TempDir(), "demo.json")
	var stdout, stderr bytes.Buffer
	run := &matrix.Run{Seed: 42, Quick: testing.Short(), Patience: time.Minute} // this is about whether it recovers, not about how busy a machine is
	if err := demo(t.Context(), "chaosgate", run, file, &stdout, &stderr); err != nil {
		t.Errorf("got %v, want no error", err)
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
	tried := map[string]bool{}
	for _, c := range report.Cells {
		tried[c.Condition] = true
		if !slices.Contains(expected[c.Condition], c.Verdict) {
			t.Errorf("%s: got %s, want one of %v: %s", c.ID, c.Verdict, expected[c.Condition], c.Says)
		}
	}
	if len(tried) != len(expected) {
		t.Errorf("%d conditions were tried, want %d", len(tried), len(expected))
	}
	for _, want := range []string{"blackhole", "seed 0x2a", "Now software of your own"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("stdout has no %q:\n%s", want, stdout.String())
		}
	}
	for _, want := range []string{"go-redis stores 4 KiB", "seed 0x2a", "wrote " + file} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr has no %q:\n%s", want, stderr.String())
		}
	}
}

// openDescriptors counts the descriptors that this process has open, where a system tells.
func openDescriptors() int {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // the first socket makes the runtime open some for good
		l.Close()
	}
	files, _ := os.ReadDir("/proc/self/fd")
	return len(files)
}

func TestDemoFailsIfAConditionDoesNotFire(t *testing.T) {
	run := &matrix.Run{Seed: 42, Conditions: []matrix.Condition{
		{Name: "late", Faults: []chaos.Fault{chaos.Delay{By: 60 * time.Millisecond}}},
		{Name: "never", Faults: []chaos.Fault{chaos.Limit{Bytes: 1 << 40}}, Directions: []matrix.Direction{matrix.ToClient}},
	}}
	err := demo(t.Context(), "chaosgate", run, filepath.Join(t.TempDir(), "demo.json"), io.Discard, io.Discard)
	if got, want := exitCode(err), exitFailed; got != want {
		t.Fatalf("exit code: got %d (%v), want %d", got, err, want)
	}
	if said := err.Error(); !strings.Contains(said, "never/to_client/idle") || strings.Contains(said, "late/") {
		t.Errorf("got %q, want it to name the cells of the condition that did not fire, and no others", said)
	}
}

func TestDemoIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	run := &matrix.Run{Conditions: []matrix.Condition{{Name: "first", Faults: []chaos.Fault{chaos.FaultFunc(
		func(_ *chaos.Stage, next chaos.Sink) chaos.Sink { cancel(errInterrupted); return next },
	)}}}}
	file := filepath.Join(t.TempDir(), "demo.json")
	err := demo(ctx, "chaosgate", run, file, io.Discard, io.Discard)
	if got, want := exitCode(err), exitInterrupted; got != want {
		t.Errorf("exit code: got %d (%v), want %d", got, err, want)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the report of what there is: %v", err)
	}
}

func TestServerSurvivesAnEmptyCommand(t *testing.T) {
	server, err := startDemoServer()
	if err != nil {
		t.Fatal(err)
	}
	defer server.close()
	for _, parts := range [][]string{{"*0\r\n"}, {"*2\r\n$3\r\nget\r\n$1\r\nk\r\n*", "0\r\n"}} {
		conn, err := net.Dial("tcp", server.addr())
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			fmt.Fprint(conn, part)
			time.Sleep(20 * time.Millisecond) // so that the kernel does not join the parts
		}
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%q: got %v, want the connection to end", parts, err)
		}
		conn.Close()
	}
	client := newDemoClient(server.addr())
	defer client.close()
	if _, err := client.probe(t.Context(), server.addr()); err != nil {
		t.Errorf("afterwards: got %v, want the server to live", err)
	}
}

func TestValueHasNoStar(t *testing.T) {
	seen := map[string]bool{}
	for n := range int64(1000) {
		value := demoValue(n)
		if len(value) != valueSize || strings.Contains(value, "*") || seen[value] {
			t.Fatalf("value %d: %.60q… of %d bytes, want one like no other, of %d bytes, with no star", n, value, len(value), valueSize)
		}
		seen[value] = true
	}
}

func TestComplaint(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{io.EOF, "EOF"},
		{redis.ErrPoolTimeout, "no free connection: "},
		{redis.ErrCrossSlot, "server: CROSSSLOT Keys in r"},
		{errors.New(`redis: can't parse "x"`), "not understood: "},
	}
	for _, test := range tests {
		if got := complaint(test.err).Error(); !strings.HasPrefix(got, test.want) {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// TestDemo is the whole demo. What a client meets under a condition has some play, but not every verdict is possible.
func TestDemo(t *testing.T) {
	// The worst that must, and the worst that may be met, and an error that must be among what is met.
	expected := map[string]struct {
		least, most meeting
		what        string
	}{
		"--door hold":                     {failed, failed, "timed out"},
		"--door refuse":                   {failed, failed, "refused"},
		"--door blackhole":                {failed, failed, "connect timed out"},
		"gate.CloseConns(chaos.All)":      {fine, failed, ""},
		"gate.ResetConns(chaos.All)":      {fine, failed, ""},
		"close":                           {failed, failed, ""},
		"close reset":                     {failed, failed, "reset"},
		"close_on_data":                   {failed, failed, ""},
		"limit bytes=1KiB":                {failed, failed, ""},
		"limit bytes=1KiB reset":          {failed, failed, "reset"},
		"lifetime for=150ms":              {fine, failed, ""},
		"idle for=60ms":                   {fine, failed, ""},
		"slow_close by=150ms":             {fine, failed, ""},
		"stall":                           {failed, failed, "timed out"},
		"discard":                         {failed, failed, "timed out"},
		"vanish":                          {failed, failed, "timed out"},
		"delay by=80ms jitter=20ms":       {slow, failed, ""},
		"bandwidth rate=32KiB/s":          {slow, failed, ""},
		"slice size=1B":                   {fine, failed, ""},
		"concat size=64KiB within=80ms":   {slow, failed, ""},
		"corrupt rate=0.1%":               {failed, wrong, ""},
		"substitute pattern=cat with=dog": {wrong, wrong, ""},
	}
	goroutines, descriptors := goleak.IgnoreCurrent(), openDescriptors()
	l, err := newLab(42)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.close(); err != nil {
			t.Errorf("close: %v", err)
		}
		goleak.VerifyNone(t, goroutines)
		if left := openDescriptors(); left > descriptors {
			t.Errorf("descriptors: got %d, want %d as before", left, descriptors)
		}
	}()
	l.patience = time.Minute // this is about whether it recovers, not about how busy a machine is
	if _, err := l.baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, c := range demoConditions() {
		t.Run(c.String(), func(t *testing.T) {
			want, ok := expected[c.text]
			if !ok {
				t.Fatal("nothing is expected of this condition")
			}
			if testing.Short() && tried[c.text] {
				t.Skip("the other direction has been tried")
			}
			tried[c.text] = true
			found, err := l.try(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(found.line(false))
			if !found.sound() {
				t.Errorf("healthy before: %v, fired: %d, recovered: %v", found.healthy, found.fired, found.recovered)
			}
			if worst := found.met.worst(); worst < want.least || worst > want.most {
				t.Errorf("the worst is %d, want from %d to %d", worst, want.least, want.most)
			}
			if want.what != "" && found.met.errors[want.what] == 0 {
				t.Errorf("errors: got %v, want %q among them", found.met.errors, want.what)
			}
		})
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

func TestDemoReports(t *testing.T) {
	idle := condition{
		name: "nothing", text: "nothing", way: "both",
		impose: func(*lab) (func() int64, error) { return func() int64 { return 0 }, nil },
	}
	var stdout, stderr bytes.Buffer
	conditions := []condition{condition{name: "everything comes late", text: "delay by=60ms"}.on(0), idle}
	err := demo(t.Context(), "chaosgate", 42, conditions, &stdout, &stderr)
	if got, want := exitCode(err), exitFailed; got != want {
		t.Errorf("exit code: got %d (%v), want %d, for a condition that never fires", got, err, want)
	}
	for _, want := range []string{"everything comes late", "delay by=60ms", "seed 0x2a", "1 of 2 fired, and it recovered from all."} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("stdout has no %q:\n%s", want, stdout.String())
		}
	}
	for _, want := range []string{"seed 0x2a", "1/2  delay by=60ms (to_server)", "2/2  nothing (both)", "NOT EXERCISED"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr has no %q:\n%s", want, stderr.String())
		}
	}
}

func TestDemoSaysWhatDoesNotRecover(t *testing.T) {
	l, err := newLab(42)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	l.patience = 500 * time.Millisecond
	dies := condition{name: "the server dies", text: "-", impose: func(l *lab) (func() int64, error) {
		l.server.close()
		return func() int64 { return 1 }, nil
	}}
	found, err := l.try(t.Context(), dies)
	if err != nil {
		t.Fatal(err)
	}
	if !found.healthy || found.recovered || found.met.worst() != failed {
		t.Errorf("healthy before: %v, recovered: %v, met: %v; want true, false and errors", found.healthy, found.recovered, &found.met)
	}
	found, err = l.try(t.Context(), dies)
	if err != nil {
		t.Fatal(err)
	}
	if found.healthy || found.sound() {
		t.Errorf("with a dead server: healthy before: %v, sound: %v; want neither", found.healthy, found.sound())
	}
}

func TestDemoIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var begun atomic.Int64
	first := condition{
		name: "the first", text: "first", way: "both",
		impose: func(*lab) (func() int64, error) {
			begun.Add(1)
			cancel(errInterrupted)
			return func() int64 { return 1 }, nil
		},
	}
	err := demo(ctx, "chaosgate", 1, []condition{first, first}, io.Discard, io.Discard)
	if got, want := exitCode(err), exitInterrupted; got != want {
		t.Errorf("exit code: got %d (%v), want %d", got, err, want)
	}
	if got, want := begun.Load(), int64(1); got != want {
		t.Errorf("conditions begun: got %d, want %d", got, want)
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
	if o := client.exchange(t.Context()); o.kind > slow {
		t.Errorf("afterwards: got %+v, want the server to live", o)
	}
}

func TestValueHasNoStar(t *testing.T) {
	seen := map[string]bool{}
	for n := range int64(1000) {
		value := demoValue(n)
		if len(value) != valueSize || strings.Contains(value, "*") || !strings.Contains(value, "cat") || seen[value] {
			t.Fatalf("value %d: %.60q… of %d bytes, want one like no other, of %d bytes, with a cat and no star", n, value, len(value), valueSize)
		}
		seen[value] = true
	}
}

func TestComplaint(t *testing.T) {
	dialled := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	read := func(err error) error { return fmt.Errorf("get: %w", &net.OpError{Op: "read", Net: "tcp", Err: err}) }
	tests := []struct {
		err  error
		want string
	}{
		{dialled(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "refused"},
		{dialled(os.ErrDeadlineExceeded), "connect timed out"},
		{read(os.ErrDeadlineExceeded), "timed out"},
		{context.DeadlineExceeded, "timed out"},
		{read(os.NewSyscallError("read", syscall.ECONNRESET)), "reset"},
		{read(os.NewSyscallError("write", syscall.EPIPE)), "broken pipe"},
		{io.EOF, "closed"},
		{io.ErrUnexpectedEOF, "closed"},
		{redis.ErrPoolTimeout, "no free connection"},
		{redis.ErrCrossSlot, "server: CROSSSLOT Keys in r…"},
		{errors.New(`redis: can't parse "x"`), "not understood"},
		{&strconv.NumError{Func: "Atoi", Num: "x", Err: strconv.ErrSyntax}, "not understood"},
		{errors.New("odd\x1b[2J"), `"odd\x1b[2J"`},
	}
	for _, test := range tests {
		if got := complaint(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}

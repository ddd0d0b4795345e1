package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// logOf returns what a log of some form holds when something was logged, without the times.
func logOf(t *testing.T, flags logFlags, write func(log, always *slog.Logger)) string {
	t.Helper()
	var b bytes.Buffer
	log, always, end := flags.loggers(&b)
	write(log, always)
	end()
	var lines strings.Builder
	for line := range strings.Lines(b.String()) {
		if flags.format == "text" {
			_, rest, _ := strings.Cut(line, " ")
			lines.WriteString(rest)
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		delete(fields, "time")
		data, _ := json.Marshal(fields)
		lines.Write(append(data, '\n'))
	}
	return lines.String()
}

func TestLogForms(t *testing.T) {
	write := func(log, always *slog.Logger) {
		log.Debug("d")
		log.With("a", 1).WithGroup("g").Info("i", "b", 2)
		log.Warn("w", "gates", []string{"x", "y z"})
		log.Error("e", "error", errors.New("broken"))
		always.Info("listening", "url", "http://127.0.0.1:1")
	}
	const listening = `{"level":"INFO","msg":"listening","url":"http://127.0.0.1:1"}` + "\n"
	const wrong = `{"error":"broken","level":"ERROR","msg":"e"}` + "\n"
	const warning = `{"gates":["x","y z"],"level":"WARN","msg":"w"}` + "\n"
	tests := []struct {
		name  string
		flags logFlags
		want  string
	}{
		{"what is no terminal gets JSON", logFlags{}, `{"a":1,"g":{"b":2},"level":"INFO","msg":"i"}` + "\n" + warning + wrong + listening},
		{"debug", logFlags{"json", logLevel(slog.LevelDebug)}, `{"level":"DEBUG","msg":"d"}` + "\n" + `{"a":1,"g":{"b":2},"level":"INFO","msg":"i"}` + "\n" + warning + wrong + listening},
		{"warn", logFlags{"json", logLevel(slog.LevelWarn)}, warning + wrong + listening},
		{"error", logFlags{"json", logLevel(slog.LevelError)}, wrong + listening},
		{"text", logFlags{"text", logLevel(slog.LevelWarn)}, "WRN w gates=\"[x y z]\"\nERR e error=broken\nINF listening url=http://127.0.0.1:1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, logOf(t, tt.flags, write)); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLogIsHarmless looks that nothing that commands a terminal gets into a log.
func TestLogIsHarmless(t *testing.T) {
	for _, evil := range []string{"\x1b[2J", "a\nb", "\u009b31m", "a\u202eb", "\xff", "\u2028", "\x7f"} {
		for _, format := range []logFormat{"text", "json"} {
			t.Run(fmt.Sprintf("%q as %s", evil, format), func(t *testing.T) {
				var b bytes.Buffer
				log, _, end := (&logFlags{format: format}).loggers(&b)
				log.Info("x", "string", evil, "error", errors.New(evil), "list", []string{evil})
				(&eventLog{log: log, quiet: map[quietKey]*quiet{}}).write(status.Event{Type: status.EventCreated, Time: noon, Gate: "g", By: evil, Addr: evil, Err: evil})
				end()
				if got := b.String(); strings.Count(got, "\n") != 2 || safe(strings.ReplaceAll(got, "\n", "")) != strings.ReplaceAll(got, "\n", "") {
					t.Errorf("got %q, want two lines of what can be read", got)
				}
			})
		}
	}
}

func TestLogFlagsRefuse(t *testing.T) {
	tests := []struct {
		name string
		set  func() error
		want string
	}{
		{"format", func() error { return new(logFormat).UnmarshalText([]byte("jsn")) }, `got "jsn", want auto, text or json, did you mean json?`},
		{"level", func() error { return new(logLevel).UnmarshalText([]byte("trace")) }, `got "trace", want debug, info, warn or error`},
		{"level in capitals", func() error { return new(logLevel).UnmarshalText([]byte("INFO")) }, `got "INFO", want debug, info, warn or error, did you mean info?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.set(); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestEventLog shows each sort of event as a line of the log.
func TestEventLog(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	toClient, hold, reset := chaos.ToClient, chaos.Hold, chaos.RST
	events := []status.Event{
		{Type: status.EventCreated, Gate: "redis", Addr: "127.0.0.1:26379", Server: "127.0.0.1:6379", By: "test", Lease: "ci"},
		{Type: chaos.EventStarted, Gate: "redis", Addr: "127.0.0.1:26379"},
		{Type: chaos.EventImposed, Gate: "redis", Direction: &toClient, Fault: "slow", Kind: "delay", Text: "delay by=1s", By: "test"},
		{Type: chaos.EventChanged, Gate: "redis", Direction: &toClient, Fault: "slow", Kind: "delay", Text: "delay by=2s", By: "test"},
		{Type: chaos.EventOpened, Gate: "redis", Conn: 1, Addr: "127.0.0.1:40000", Took: .00012},
		{Type: chaos.EventFired, Gate: "redis", Conn: 1, Direction: &toClient, Fault: "slow", Kind: "delay", Hits: number(3), Offset: number(12), Bytes: number(0)},
		{Type: chaos.EventLifted, Gate: "redis", Direction: &toClient, Fault: "slow", Kind: "delay", Hits: number(3), Because: "its time was over"},
		{
			Type: chaos.EventClosed, Gate: "redis", Conn: 1, ToServer: number(10), ToClient: number(20), Dropped: number(0), Ended: "client", How: &reset,
			Age: 1.5, Addr: "127.0.0.1:40000", DatagramsToServer: 1, DatagramsToClient: 2,
		},
		{Type: chaos.EventDoor, Gate: "redis", Door: &hold, By: "test"},
		{Type: chaos.EventDialError, Gate: "redis", Conn: 2, Err: "connection refused", Took: .0001},
		{Type: chaos.EventAcceptError, Gate: "redis", Err: "too many open files"},
		{Type: chaos.EventFailed, Gate: "redis", Err: "panic"},
		{Type: chaos.EventStopped, Gate: "redis"},
		{Type: status.EventRemoved, Gate: "redis", By: "test"},
		{Type: status.EventLeased, Lease: "ci", By: "test"},
		{Type: status.EventExpired, Lease: "ci", By: "test", Because: "it was not renewed for 10s"},
		{Type: status.EventEnded, Lease: "ci", By: "test"},
		{Type: status.EventLost, Gate: "redis", Lost: 7},
		{Type: "unheard-of", Gate: "redis"},
	}
	got := logOf(t, logFlags{"text", logLevel(slog.LevelDebug)}, func(log, _ *slog.Logger) {
		l := &eventLog{log: log, quiet: map[quietKey]*quiet{}}
		for _, e := range events {
			e.Time = noon
			l.write(e)
		}
	})
	golden(t, "events.log", got)
	for what := range logged {
		is := false
		for _, e := range events {
			is = is || e.Type == what
		}
		if !is {
			t.Errorf("the event %s is not tried", what)
		}
	}
}

func TestEventLogIsQuietAboutTheSame(t *testing.T) {
	got := logOf(t, logFlags{"text", 0}, func(log, _ *slog.Logger) {
		l := &eventLog{log: log, quiet: map[quietKey]*quiet{}}
		at := func(after time.Duration, gate string, what chaos.EventType) {
			l.write(status.Event{Time: noon.Add(after), Type: what, Gate: gate, Err: after.String()})
		}
		for ms := range 3 {
			at(time.Duration(ms)*time.Millisecond, "a", chaos.EventDialError)
		}
		at(5*time.Millisecond, "b", chaos.EventDialError)
		at(6*time.Millisecond, "a", chaos.EventAcceptError)
		at(quietFor, "a", chaos.EventDialError)
		at(3*quietFor, "a", chaos.EventDialError)
		l.write(status.Event{Time: noon, Type: status.EventRemoved, Gate: "a"})
		at(3*quietFor, "a", chaos.EventDialError)
		for key := range l.quiet {
			if key.gate != "b" && key != (quietKey{"a", chaos.EventDialError}) {
				t.Errorf("%v is remembered, though its gate is removed", key)
			}
		}
	})
	want := `WRN server unreachable gate=a error=0s
WRN server unreachable gate=b error=5ms
WRN cannot accept gate=a error=6ms
WRN server unreachable unsaid=2 gate=a error=1s
WRN server unreachable gate=a error=3s
INF gate removed gate=a
WRN server unreachable gate=a error=3s
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// A stuckWriter takes nothing until it is let go.
type stuckWriter struct {
	letGo chan struct{}
	bytes.Buffer
}

func (w *stuckWriter) Write(data []byte) (int, error) {
	<-w.letGo
	return w.Buffer.Write(data)
}

func TestLogNeverWaitsForItsReader(t *testing.T) {
	stuck := &stuckWriter{letGo: make(chan struct{})}
	w := newLogWriter(stuck, func(lost int) []byte { return fmt.Appendf(nil, "lost %d\n", lost) })
	const lines = 3 * waitingLines
	for n := range lines {
		if written, err := fmt.Fprintln(w, n); written == 0 || err != nil {
			t.Fatalf("got %d and %v, want that a line is taken", written, err)
		}
	}
	w.close(0) // as it must where nobody ever reads
	close(stuck.letGo)
	<-w.done
	next, got := 0, 0 // the next line, and how many there were
	for line := range strings.Lines(stuck.String()) {
		lost := 0
		if _, err := fmt.Sscanf(line, "lost %d", &lost); err == nil {
			next += lost
			continue
		}
		if want := fmt.Sprintln(next); line != want {
			t.Fatalf("got the line %q, want %q", line, want)
		}
		next++
		got++
	}
	if next != lines || got < waitingLines {
		t.Errorf("got %d lines, and all to %d or the word that they were lost; want at least %d, and all to %d", got, next, waitingLines, lines)
	}
}

func TestAtLevelKeepsItsLevel(t *testing.T) {
	h := atLevel{slog.DiscardHandler, slog.LevelWarn}
	for _, h := range []slog.Handler{h, h.WithAttrs(nil), h.WithGroup("g")} {
		if h.Enabled(context.Background(), slog.LevelInfo) || !h.Enabled(context.Background(), slog.LevelWarn) {
			t.Errorf("%#v: got another level than warn", h)
		}
	}
}

package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

func TestDidYouMean(t *testing.T) {
	words := []string{"demo", "run", "version"}
	tests := []struct{ given, want string }{
		{"dmo", ", did you mean demo?"},
		{"rnu", ", did you mean run?"},
		{"xyz", ""},
		{"verison", ", did you mean version?"},
		{"run", ", did you mean run?"},
		{"matrix", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got := didYouMean(test.given, words); got != test.want {
			t.Errorf("%q: got %q, want %q", test.given, got, test.want)
		}
	}
}

func TestSafe(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "connection refused", "connection refused"},
		{"other letters", "für später", "für später"},
		{"an escape sequence", "\x1b[2Jgone", `"\x1b[2Jgone"`},
		{"lines", "a\nb", `"a\nb"`},
		{"no UTF-8", "a\xff", `"a\xff"`},
		{"a writing direction", "a\u202eb", `"a\u202eb"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := safe(test.text); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestClip(t *testing.T) {
	tests := []struct {
		text  string
		width int
		want  string
	}{{"short", 5, "short"}, {"longer", 5, "long…"}, {"später", 3, "sp…"}, {"x", 0, "…"}}
	for _, test := range tests {
		if got := clip(test.text, test.width); got != test.want {
			t.Errorf("%q at %d: got %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		n    int64
		want string
	}{{0, "0 B"}, {1023, "1023 B"}, {1024, "1.0 KiB"}, {1 << 20, "1.0 MiB"}, {5 << 29, "2.5 GiB"}, {1<<63 - 1, "8.0 EiB"}}
	for _, test := range tests {
		if got := size(test.n); got != test.want {
			t.Errorf("%d: got %s, want %s", test.n, got, test.want)
		}
	}
}

func TestFiring(t *testing.T) {
	l := gateLog{gate: spec.Gate{ToClient: spec.EntriesOf(
		chaos.Delay{By: time.Second}, chaos.Close{}, chaos.After{Bytes: 12, Fault: chaos.Stall{}},
	)}}
	tests := []struct {
		name  string
		event chaos.Event
		want  string
	}{
		{"bytes", chaos.Event{Ordinal: 0, Hits: 1, Offset: 12, Bytes: 2048}, "to_client delay by=1s fired at byte 12, for 2.0 KiB"},
		{"often", chaos.Event{Ordinal: 0, Hits: 3, Offset: 12, Bytes: 4}, "to_client delay by=1s fired 3 times, last at byte 12, for 4 B"},
		{"the end that it has met", chaos.Event{Ordinal: 0, Hits: 1, Offset: 12}, "to_client delay by=1s fired at the end, byte 12"},
		{"the end that it has made", chaos.Event{Ordinal: 1, Hits: 1, Offset: 0}, "to_client close fired at the end, byte 0"},
		{"bytes that are not read", chaos.Event{Ordinal: 2, Hits: 1, Offset: 12}, "to_client after bytes=12B stall fired at byte 12"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.event.Direction, test.event.Type, test.event.Fault = chaos.ToClient, chaos.EventFired, "x"
			if got := l.narrator().what(l.status(test.event)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestShort(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0.1 ms"},
		{420 * time.Microsecond, "0.4 ms"},
		{12 * time.Millisecond, "12 ms"},
		{1300 * time.Millisecond, "1.3 s"},
	}
	for _, test := range tests {
		if got := short(test.d); got != test.want {
			t.Errorf("%v: got %s, want %s", test.d, got, test.want)
		}
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[int64]string{0: "0 times it failed", 1: "1 time it failed", 2: "2 times it failed"} {
		if got := plural(n, "time it failed"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPaint(t *testing.T) {
	if got, want := paint(true).red("no"), "\x1b[31mno\x1b[0m"; got != want {
		t.Errorf("painted: got %q, want %q", got, want)
	}
	if got, want := paint(false).red("no"), "no"; got != want {
		t.Errorf("not painted: got %q, want %q", got, want)
	}
	if paintFor(&bytes.Buffer{}) {
		t.Error("a buffer is painted, want only terminals")
	}
}

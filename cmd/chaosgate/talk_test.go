package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

func TestFaultTexts(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"none", nil, nil},
		{"one in quotes", []string{"delay by=1s"}, []string{"delay by=1s"}},
		{"two in quotes", []string{"delay by=1s", "limit bytes=1B"}, []string{"delay by=1s", "limit bytes=1B"}},
		{"without quotes", []string{"delay", "by=1s", "close", "reset"}, []string{"delay by=1s close reset"}},
		{"quotes that end too soon", []string{"delay by=1s", "jitter=1s"}, []string{"delay by=1s jitter=1s"}},
		{"a selector without quotes", []string{"sometimes", "chance=10%", "delay", "by=1s"}, []string{"sometimes chance=10% delay by=1s"}},
		{"a selector and another", []string{"sometimes chance=10% stall", "discard"}, []string{"sometimes chance=10% stall", "discard"}},
		{"a text with blanks", []string{`substitute match="a b" with=c`, "stall"}, []string{`substitute match="a b" with=c`, "stall"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, faultTexts(test.args)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAgeText(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0.1 ms"},
		{1500 * time.Millisecond, "1.5 s"},
		{time.Minute, "1m"},
		{5*time.Minute + 10*time.Second + 300*time.Millisecond, "5m10s"},
		{10 * time.Minute, "10m"},
		{time.Hour, "1h"},
		{26*time.Hour + 30*time.Minute + time.Second, "26h30m"},
	}
	for _, test := range tests {
		if got := ageText(test.d); got != test.want {
			t.Errorf("%v: got %s, want %s", test.d, got, test.want)
		}
	}
}

func TestTalkCode(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"unknown", &client.Error{Code: "unknown"}, exitUsage},
		{"taken", &client.Error{Code: "taken"}, exitUsage},
		{"invalid", &client.Error{Code: "invalid"}, exitUsage},
		{"malformed", &client.Error{Code: "malformed"}, exitUsage},
		{"forbidden", &client.Error{Code: "forbidden"}, exitUsage},
		{"no token", &client.Error{Status: 401, Code: "unauthorized"}, exitUsage},
		{"timed out", &client.Error{Code: "timed_out"}, exitTimedOut},
		{"unable", &client.Error{Code: "unable"}, exitCannotRun},
		{"gone", &client.Error{Code: "gone"}, exitCannotRun},
		{"failed", &client.Error{Code: "failed"}, exitCannotRun},
		{"restarted", &client.Error{Status: 412}, exitCannotRun},
		{"nobody", client.ErrUnreachable, exitCannotRun},
		{"anything", io.ErrUnexpectedEOF, exitCannotRun},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := talkCode(fmt.Errorf("wrapped: %w", test.err)); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestInterruptedTalk(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	err := (&talk{}).explained(ctx, fmt.Errorf("asking: %w", context.Cause(ctx)))
	if code := exitCode(err); code != exitInterrupted {
		t.Errorf("exit code: got %d for %v, want %d", code, err, exitInterrupted)
	}
}

// TestEventTypesAreAll compares the types that can be asked for with those that there are.
func TestEventTypesAreAll(t *testing.T) {
	var want []string
	for _, file := range []string{"../../event.go", "../../status/event.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^\tEvent\w+\s+(?:chaos\.)?EventType\s+= "(\w+)"`).FindAllSubmatch(text, -1) {
			want = append(want, string(found[1]))
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(eventTypes)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEventsInWords looks at what each type of event becomes, with all that it can have and with nothing.
func TestEventsInWords(t *testing.T) {
	n := int64(3)
	dir, door, how := chaos.ToClient, chaos.Hold, chaos.RST
	full := status.Event{
		Gate: "redis", Conn: 2, Direction: &dir, Fault: "slow", Kind: "delay", Text: "delay by=1s", Hits: &n, Offset: &n, Bytes: &n, ToServer: &n,
		ToClient: &n, Dropped: &n, Ended: "gate", How: &how, Age: 1.5, Door: &door, Addr: "1.2.3.4:5", Server: "6.7.8.9:10", Lost: 3, Err: "broken",
		By: "ada", Because: "all was healed",
	}
	const because = "; all was healed, asked by ada"
	tests := map[string][2]string{ // with all, with nothing
		"created":      {"created for 6.7.8.9:10", "created for "},
		"started":      {"listening on 1.2.3.4:5", "listening on "},
		"stopped":      {"stopped", "stopped"},
		"removed":      {"removed", "removed"},
		"door":         {"door hold", "door"},
		"imposed":      {"to_client slow (delay by=1s) imposed", "?  imposed"},
		"changed":      {"to_client slow (delay by=1s) changed", "?  changed"},
		"fired":        {"to_client slow (delay by=1s) fired 3 times, last at byte 3, for 3 B", "?  fired at the end, byte 0"},
		"lifted":       {"to_client slow (delay by=1s) lifted, fired 3 times", "?  lifted, never fired"},
		"opened":       {"opened from 1.2.3.4:5", "opened from "},
		"closed":       {"closed by gate (RST) after 1.5 s, 3 B to server, 3 B to client, 3 B dropped: broken", "closed by , 0 B to server, 0 B to client"},
		"dial_error":   {"server unreachable: broken", "server unreachable: "},
		"accept_error": {"cannot accept: broken", "cannot accept: "},
		"failed":       {"slow (delay by=1s) failed: broken", " failed: "},
		"leased":       {"made", "made"},
		"expired":      {"ended", "ended"},
		"ended":        {"ended", "ended"},
		"lost":         {"3 events lost", "events lost: "},
		"sung":         {"sung: broken", "sung"},
	}
	for _, name := range append(slices.Clone(eventTypes), "sung") {
		t.Run(name, func(t *testing.T) {
			teller := &narrator{texts: map[[2]string]string{}, udp: func(string) bool { return false }}
			e := full
			e.Type = chaos.EventType(name)
			if got, want := teller.what(e)+why(e), tests[name][0]+because; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			bare := status.Event{Type: e.Type}
			teller = &narrator{udp: func(string) bool { return false }}
			if got, want := teller.what(bare), tests[name][1]; got != want {
				t.Errorf("with nothing: got %q, want %q", got, want)
			}
		})
	}
}

// TestNothingFromTheWireCommandsATerminal has a daemon answer with what would, were it written as it comes.
func TestNothingFromTheWireCommandsATerminal(t *testing.T) {
	const bad = "x\x1b[2J\x07\u202e\r\ny"
	hit, n := &status.Hit{Conn: 1}, int64(1)
	fault := status.Fault{ID: bad, Kind: bad, Fault: spec.Fault{Fault: chaos.Stall{}}, Text: bad, By: bad, Lease: bad, LastHit: hit}
	gate := status.Gate{
		Name: bad, Network: bad, Listen: bad, Server: bad, By: bad, Lease: bad, ToClient: []status.Fault{fault},
		Stats: status.Stats{Closed: map[string]int64{bad: 1}, Live: 1},
	}
	conn := status.Conn{N: 1, Client: bad, ToClient: []status.Fault{fault}}
	lease := status.Lease{Name: bad, By: bad, Gates: []string{bad}, Faults: []string{bad}, Doors: []string{bad}}
	diff := status.Diff{Created: []string{bad}, Removed: []string{bad}}
	healed := status.Healed{Faults: []status.GateFault{{Gate: bad, Fault: fault}}, Doors: []status.GateDoor{{Gate: bad}}}
	answers := map[string]any{
		"GET /v1/gates": []status.Gate{gate}, "GET /v1/gates/{gate}": gate, "POST /v1/gates": gate, "PUT /v1/gates": diff, "PATCH /v1/gates/{gate}": gate,
		"DELETE /v1/gates/{gate}": nil, "PUT /v1/gates/{gate}/door": gate, "POST /v1/gates/{gate}/reseed": gate, "POST /v1/heal": healed,
		"POST /v1/gates/{gate}/to_client": []status.Fault{fault}, "PUT /v1/gates/{gate}/to_client": []status.Fault{},
		"GET /v1/gates/{gate}/to_server/{id}": fault, "PATCH /v1/gates/{gate}/to_server/{id}": fault, "DELETE /v1/gates/{gate}/to_server/{id}": fault,
		"GET /v1/gates/{gate}/conns": []status.Conn{conn}, "GET /v1/leases": []status.Lease{lease}, "PUT /v1/leases/{lease}": lease, "DELETE /v1/leases/{lease}": lease,
	}
	mux := http.NewServeMux()
	for pattern, answer := range answers {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(answer) })
	}
	mux.HandleFunc("GET /v1/events", func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range append(slices.Clone(eventTypes), bad) {
			data, _ := json.Marshal(status.Event{
				Type: chaos.EventType(name), Gate: bad, Fault: bad, Kind: bad, Text: bad, Ended: bad, Addr: bad, Server: bad, Lease: bad, By: bad,
				Because: bad, Err: bad, Hits: &n,
			})
			fmt.Fprintf(w, "data: %s\n\n", data)
		}
	})
	mux.HandleFunc("GET /v1/gates/refused", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		json.NewEncoder(w).Encode(client.Error{Code: "unknown", Detail: bad})
	})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Chaosgate-Boot", "b1")
		mux.ServeHTTP(w, q)
	}))
	defer web.Close()
	t.Setenv("CHAOSGATE_DAEMON", web.URL)
	count := fmt.Sprint(len(eventTypes) + 1)
	tests := []struct {
		args []string
		code int
	}{
		{[]string{"gate", "list"}, exitFine},
		{[]string{"gate", "show", "a"}, exitFine},
		{[]string{"gate", "add", "a", "", "127.0.0.1:1"}, exitFine},
		{[]string{"gate", "change", "a", "--stopped"}, exitFine},
		{[]string{"gate", "reseed", "a", "1"}, exitFine},
		{[]string{"gate", "remove", bad}, exitFine},
		{[]string{"gate", "show", "refused"}, exitUsage},
		{[]string{"gate", "show", "a", "-o", "json"}, exitFine},
		{[]string{"fault", "list"}, exitFine},
		{[]string{"fault", "add", bad, "to-client", "stall"}, exitFine},
		{[]string{"fault", "set", bad, "to-client"}, exitFine},
		{[]string{"fault", "show", "a", bad}, exitFine},
		{[]string{"fault", "change", "a", bad, "stall"}, exitFine},
		{[]string{"fault", "lift", bad}, exitFine},
		{[]string{"fault", "lift", bad, "none\x1b"}, exitUsage},
		{[]string{"door", "a", "hold"}, exitFine},
		{[]string{"conns", "a"}, exitFine},
		{[]string{"heal"}, exitFine},
		{[]string{"events", "--count", count}, exitFine},
		{[]string{"events", "--count", count, "--json"}, exitFine},
		{[]string{"lease", "list"}, exitFine},
		{[]string{"lease", "renew", "a", "1s"}, exitFine},
		{[]string{"lease", "end", "a"}, exitFine},
		{[]string{"apply", "-"}, exitFine},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args[:min(2, len(test.args))], " "), func(t *testing.T) {
			var out, errs bytes.Buffer
			code := execute(t.Context(), test.args, strings.NewReader("gates: []"), &out, &errs)
			if code != test.code {
				t.Errorf("exit code: got %d, want %d; %s", code, test.code, &errs)
			}
			text := out.String() + errs.String()
			if text == "" {
				t.Error("nothing was written")
			}
			isJSON := strings.HasSuffix(test.args[len(test.args)-1], "json") // which is for programs, and escapes control characters only
			for _, r := range text {
				if r != '\n' && (unicode.IsControl(r) || !isJSON && !unicode.IsPrint(r)) {
					t.Fatalf("%q was written", r)
				}
			}
		})
	}
}

// TestNobodyIsToldToStartADaemonElsewhere looks at what is advised.
func TestNobodyIsToldToStartADaemonElsewhere(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:1":     "start one by 'chaosgate serve'",
		"http://localhost:1":     "start one by 'chaosgate serve'",
		"http://192.0.2.1:1":     "--daemon says where it is",
		"http://example.invalid": "--daemon says where it is",
	} {
		c, err := client.New(url, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		said := (&talk{Client: c, program: "chaosgate"}).explained(t.Context(), fmt.Errorf("%w", client.ErrUnreachable))
		if !strings.Contains(said.Error(), want) || !errors.Is(said, client.ErrUnreachable) {
			t.Errorf("%s: got %v, want it to say %q", url, said, want)
		}
	}
}

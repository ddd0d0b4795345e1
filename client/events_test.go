package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/status"
)

// A teller is a daemon that tells events by a script: for each connection what it writes before it breaks it.
type teller struct {
	mu     sync.Mutex // guards what follows
	script []telling
	asked  []string // for each connection the query, and the run that was meant
}

// A telling is what is told on one connection.
type telling struct {
	boot   string
	status int // 200 if zero
	text   string
	stays  bool // it is not broken
}

func (d *teller) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	d.mu.Lock()
	d.asked = append(d.asked, strings.TrimSpace(q.URL.RawQuery+" "+q.Header.Get("If-Match")))
	next := telling{status: http.StatusServiceUnavailable, boot: "b1"}
	if len(d.script) > 0 {
		next, d.script = d.script[0], d.script[1:]
	}
	d.mu.Unlock()
	w.Header().Set("Chaosgate-Boot", next.boot)
	if next.status != 0 {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(next.status)
		fmt.Fprintf(w, `{"detail":%q}`, http.StatusText(next.status))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, next.text)
	w.(http.Flusher).Flush()
	if next.stays {
		<-q.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

// tell returns events as they are written.
func tell(ids ...int) string {
	var b strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&b, "id: %d\nevent: fired\ndata: {\"id\":%d,\"type\":\"fired\"}\n\n", id, id)
	}
	return b.String()
}

// TestEventsGoOn listens to daemons whose connections break.
func TestEventsGoOn(t *testing.T) {
	const restarted = "lost: the daemon was started anew: what happened in between is not known"
	tests := []struct {
		name   string
		query  client.EventsQuery
		script []telling
		want   []string // what is told
		asked  []string
		err    string // what is told last, when as much was told as is wanted; "" if nothing
	}{
		{
			"nothing breaks",
			client.EventsQuery{Gate: "a b", Types: []chaos.EventType{chaos.EventFired, status.EventLost}},
			[]telling{{boot: "b1", text: ": hello\n\n" + tell(1, 2), stays: true}},
			[]string{"1", "2"},
			[]string{"gate=a+b&type=fired&type=lost"},
			"",
		},
		{
			"it goes on behind the last",
			client.EventsQuery{Since: 6},
			[]telling{{boot: "b1", text: tell(7, 8) + "id: 9\ndata: {\"id\":9"}, {boot: "b1", text: tell(9), stays: true}},
			[]string{"7", "8", "9"},
			[]string{"since=6", `since=8 "b1"`},
			"",
		},
		{
			"the daemon does not answer for a while",
			client.EventsQuery{Kept: true},
			[]telling{{boot: "b1", text: tell(1)}, {boot: "b1", status: 503}, {boot: "b1", status: 502}, {boot: "b1", text: tell(2), stays: true}},
			[]string{"1", "2"},
			[]string{"since=0", `since=1 "b1"`, `since=1 "b1"`, `since=1 "b1"`},
			"",
		},
		{
			"an ID without an event is where it goes on",
			client.EventsQuery{},
			[]telling{{boot: "b1", text: "id: 41\n\n"}, {boot: "b1", text: tell(42), stays: true}},
			[]string{"42"},
			[]string{"", `since=41 "b1"`},
			"",
		},
		{
			"it breaks before the first",
			client.EventsQuery{},
			[]telling{{boot: "b1"}, {boot: "b1", text: tell(3), stays: true}},
			[]string{"lost: the connection has broken before the first event: what happened in between is not known", "3"},
			[]string{"", `"b1"`},
			"",
		},
		{
			"the daemon is started anew, and says so",
			client.EventsQuery{},
			[]telling{{boot: "b1", text: tell(7)}, {boot: "b2", status: 412}, {boot: "b2", text: tell(1, 2), stays: true}},
			[]string{"7", restarted, "1", "2"},
			[]string{"", `since=7 "b1"`, "since=0"},
			"",
		},
		{
			"the daemon is started anew, and has not looked at what was meant",
			client.EventsQuery{},
			[]telling{{boot: "b1", text: tell(7)}, {boot: "b2", text: tell(8)}, {boot: "b2", text: tell(1, 2), stays: true}},
			[]string{"7", restarted, "1", "2"},
			[]string{"", `since=7 "b1"`, "since=0"},
			"",
		},
		{
			"the first connection is refused",
			client.EventsQuery{},
			[]telling{{boot: "b1", status: 503}},
			nil,
			[]string{""},
			"Service Unavailable",
		},
		{
			"it is not allowed any more",
			client.EventsQuery{},
			[]telling{{boot: "b1", text: tell(1)}, {boot: "b1", status: 401}},
			[]string{"1"},
			[]string{"", `since=1 "b1"`},
			"Unauthorized",
		},
		{
			"it does not come back",
			client.EventsQuery{Patience: time.Millisecond},
			[]telling{{boot: "b1", text: tell(1)}},
			[]string{"1"},
			nil, "Service Unavailable",
		},
		{
			"what is no event",
			client.EventsQuery{},
			[]telling{{boot: "b1", text: "data: fired\n\n"}},
			nil,
			[]string{""},
			"reading an event: invalid character 'i' in literal false (expecting 'a')",
		},
		{
			"an event that is too long",
			client.EventsQuery{},
			[]telling{{boot: "b1", text: "data: " + strings.Repeat("x", 2<<20), stays: true}},
			nil,
			[]string{""},
			"reading an event: bufio.Scanner: token too long",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			daemon := &teller{script: test.script}
			c := start(t, daemon, client.Options{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var got []string
			last := ""
			for event, err := range c.Events(ctx, test.query) {
				switch {
				case err != nil:
					last = err.Error()
				case event.Type == status.EventLost:
					got = append(got, "lost: "+event.Err)
				default:
					got = append(got, fmt.Sprint(event.ID))
				}
				if test.err == "" && len(got) == len(test.want) {
					break
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" || last != test.err {
				t.Errorf("at last %q, want %q; events (-want +got):\n%s", last, test.err, diff)
			}
			daemon.mu.Lock()
			defer daemon.mu.Unlock()
			if diff := cmp.Diff(test.asked, daemon.asked); diff != "" && test.asked != nil {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEventsOfAPinnedDaemon end with the run of the daemon.
func TestEventsOfAPinnedDaemon(t *testing.T) {
	c := start(t, &teller{script: []telling{{boot: "b1", text: tell(1)}, {boot: "b2", status: 412}}}, client.Options{Pin: true})
	var last error
	for _, last = range c.Events(t.Context(), client.EventsQuery{}) {
	}
	if !errors.Is(last, client.ErrRestarted) {
		t.Errorf("got %v, want ErrRestarted", last)
	}
}

func TestEventsEndWithTheirContext(t *testing.T) {
	c := start(t, &teller{script: []telling{{boot: "b1", text: tell(1), stays: true}}}, client.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	enough := errors.New("enough")
	var last error
	for _, last = range c.Events(ctx, client.EventsQuery{}) {
		cancel(enough)
	}
	if !errors.Is(last, enough) {
		t.Errorf("got %v, want %v", last, enough)
	}
}

func TestBrokenIsTold(t *testing.T) {
	c := start(t, &teller{script: []telling{{boot: "b1", text: tell(1)}, {boot: "b1", status: 503}, {boot: "b1", text: tell(2), stays: true}}}, client.Options{})
	var broken []error
	q := client.EventsQuery{Broken: func(err error) { broken = append(broken, err) }}
	events, err := c.WaitEvents(t.Context(), q, 2)
	if err != nil || len(events) != 2 || len(broken) != 1 || !errors.Is(broken[0], client.ErrUnreachable) {
		t.Errorf("got %d events, %v, broken %v; want 2, broken once by ErrUnreachable", len(events), err, broken)
	}
}

func TestWaitEventsInVain(t *testing.T) {
	c := start(t, &teller{script: []telling{{boot: "b1", text: tell(1), stays: true}}}, client.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	events, err := c.WaitEvents(ctx, client.EventsQuery{}, 2)
	if !errors.Is(err, client.ErrTimedOut) || err.Error() != fmt.Sprintf("%d such events have come, not 2", len(events)) {
		t.Errorf("got %v after %d events, want that they have not come in time", err, len(events))
	}
}

// A lessor is a daemon that gives leases, and tells events by a script.
type lessor struct {
	teller
	leased chan string
}

func (d *lessor) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method == http.MethodGet {
		d.teller.ServeHTTP(w, q)
		return
	}
	d.leased <- q.Method + " " + q.URL.Path
	w.Header().Set("Chaosgate-Boot", "b1")
	fmt.Fprint(w, `{"name":"ci"}`)
}

func TestHoldLease(t *testing.T) {
	tests := []struct {
		name   string
		script []telling
		begins bool
		want   error
	}{
		{"it is held", []telling{{boot: "b1", text: "id: 1\n\n", stays: true}}, true, nil},
		{"the connection breaks", []telling{{boot: "b1", text: "id: 1\n\n"}, {boot: "b1", stays: true}}, true, nil},
		{"the daemon is started anew", []telling{{boot: "b1", text: "id: 1\n\n"}, {boot: "b2", status: 412}, {boot: "b2", stays: true}}, true, client.ErrRestarted},
		{"it cannot be held", []telling{{boot: "b1", status: 401}}, false, client.ErrUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			daemon := &lessor{leased: make(chan string, 1)}
			daemon.script = test.script
			c := start(t, daemon, client.Options{})
			hold, err := c.HoldLease(t.Context(), "ci", 10*time.Second)
			if got := <-daemon.leased; got != "PUT /v1/leases/ci" {
				t.Errorf("first it has asked %s, want PUT of the lease", got)
			}
			if !test.begins {
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for asked := []string(nil); len(asked) < len(test.script); { // until the script has come to its end
				daemon.mu.Lock()
				asked = slices.Clone(daemon.asked)
				daemon.mu.Unlock()
				time.Sleep(time.Millisecond) // nothing tells that a daemon was asked
			}
			for range 2 { // releasing twice is as good as once
				if err := hold.Release(); !errors.Is(err, test.want) {
					t.Errorf("released: got %v, want %v", err, test.want)
				}
			}
			if want := "lease=ci&ttl=10s&type=expired"; daemon.asked[0] != want {
				t.Errorf("asked for %s, want %s", daemon.asked[0], want)
			}
		})
	}
}

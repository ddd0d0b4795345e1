package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A told is what a daemon was asked.
type told struct{ line, body, kind, by, token, match string }

// A recorder is a daemon that notes what it is asked, and answers what it is told to.
type recorder struct {
	mu     sync.Mutex // guards what follows
	asked  []told
	status int
	answer string
	boot   string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	h := q.Header
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, told{
		q.Method + " " + q.URL.RequestURI(), string(body), h.Get("Content-Type"), h.Get("Chaosgate-By"), h.Get("Authorization"), h.Get("If-Match"),
	})
	if r.boot != "" {
		w.Header().Set("Chaosgate-Boot", r.boot)
	}
	w.Header().Set("Content-Type", "application/json")
	if r.status >= 300 {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(r.status)
	fmt.Fprint(w, r.answer)
}

// last returns what the daemon was asked last.
func (r *recorder) last(t *testing.T) told {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.asked) == 0 {
		t.Fatal("the daemon was asked nothing")
	}
	return r.asked[len(r.asked)-1]
}

// start starts a daemon and returns a client of it.
func start(t *testing.T, daemon http.Handler, o client.Options) *client.Client {
	t.Helper()
	server := httptest.NewServer(daemon)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func pointer[T any](value T) *T { return &value }

// TestRequests looks at what is sent for each method, and at what its answer becomes.
func TestRequests(t *testing.T) {
	delay := chaos.Delay{By: time.Second}
	answers := client.Where{Gate: "redis", Direction: chaos.ToClient}
	one := client.Where{Gate: "a b?", Conn: 7, Direction: chaos.ToServer}
	entry := spec.Entry{Fault: delay, ID: "slow", For: 10 * time.Second, Lease: "ci"}
	const fault = `{"id":"slow","direction":"to_client","kind":"delay","fault":{"delay":{"by":"1s"}},"text":"delay by=1s","hits":3,"since":"2026-01-02T03:04:05Z"}`
	isSlow := status.Fault{
		ID: "slow", Direction: chaos.ToClient, Kind: "delay", Fault: spec.Fault{Fault: delay}, Text: "delay by=1s", Hits: 3,
		Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	tests := []struct {
		name   string
		call   func(context.Context, *client.Client) (any, error)
		line   string
		body   string
		answer string
		want   any
	}{
		{
			"Gates", func(ctx context.Context, c *client.Client) (any, error) { return c.Gates(ctx) },
			"GET /v1/gates", "", `[{"name":"redis","door":"hold"}]`,
			[]status.Gate{{Name: "redis", Door: chaos.Hold}},
		},
		{
			"Gate", func(ctx context.Context, c *client.Client) (any, error) { return c.Gate(ctx, "a/b ü%") },
			"GET /v1/gates/a%2Fb%20%C3%BC%25", "", `{"name":"a/b ü%","seed":"0xfeedfacecafebeef"}`,
			status.Gate{Name: "a/b ü%", Seed: 0xfeedfacecafebeef},
		},
		{
			"Create", func(ctx context.Context, c *client.Client) (any, error) {
				return c.Create(ctx, spec.Gate{Name: "redis", Server: "a:1", ToClient: spec.Entries{entry}})
			},
			"POST /v1/gates", `{"name":"redis","server":"a:1","to_client":[{"id":"slow","fault":{"delay":{"by":"1s"}},"for":"10s","lease":"ci"}]}`,
			`{"name":"redis"}`,
			status.Gate{Name: "redis"},
		},
		{
			"Apply", func(ctx context.Context, c *client.Client) (any, error) {
				return c.Apply(ctx, []spec.Gate{{Name: "redis", Server: "a:1"}})
			},
			"PUT /v1/gates", `[{"name":"redis","server":"a:1"}]`, `{"created":["redis"]}`,
			status.Diff{Created: []string{"redis"}},
		},
		{
			"Apply nothing", func(ctx context.Context, c *client.Client) (any, error) { return c.Apply(ctx, nil) },
			"PUT /v1/gates", `[]`, `{"removed":["redis"]}`,
			status.Diff{Removed: []string{"redis"}},
		},
		{
			"Update", func(ctx context.Context, c *client.Client) (any, error) {
				return c.Update(ctx, "redis", client.Patch{Server: pointer("b:2"), Lease: pointer(""), Stopped: pointer(false), ToClient: &spec.Entries{}})
			},
			"PATCH /v1/gates/redis", `{"server":"b:2","stopped":false,"lease":"","to_client":[]}`, `{"name":"redis"}`,
			status.Gate{Name: "redis"},
		},
		{
			"Remove", func(ctx context.Context, c *client.Client) (any, error) { return nil, c.Remove(ctx, "redis") },
			"DELETE /v1/gates/redis", "", "", nil,
		},
		{
			"SetDoor", func(ctx context.Context, c *client.Client) (any, error) {
				return c.SetDoor(ctx, "redis", client.DoorSetting{Door: chaos.Hold, For: 10 * time.Second, Lease: "ci"})
			},
			"PUT /v1/gates/redis/door", `{"door":"hold","for":"10s","lease":"ci"}`, `{"door":"hold"}`,
			status.Gate{Door: chaos.Hold},
		},
		{
			"SetDoor for good", func(ctx context.Context, c *client.Client) (any, error) {
				return c.SetDoor(ctx, "redis", client.DoorSetting{})
			},
			"PUT /v1/gates/redis/door", `{"door":"open"}`, `{}`,
			status.Gate{},
		},
		{
			"Reseed", func(ctx context.Context, c *client.Client) (any, error) { return c.Reseed(ctx, "redis", 42) },
			"POST /v1/gates/redis/reseed", `{"seed":"0x2a"}`, `{"seed":42}`,
			status.Gate{Seed: 42},
		},
		{
			"Heal", func(ctx context.Context, c *client.Client) (any, error) { return c.Heal(ctx, "redis") },
			"POST /v1/gates/redis/heal", "", `{"faults":[{"gate":"redis",` + fault[1:] + `],"doors":[{"gate":"redis","door":"hold"}]}`,
			status.Healed{Faults: []status.GateFault{{Gate: "redis", Fault: isSlow}}, Doors: []status.GateDoor{{Gate: "redis", Door: chaos.Hold}}},
		},
		{
			"Heal all", func(ctx context.Context, c *client.Client) (any, error) { return c.Heal(ctx, "") },
			"POST /v1/heal", "", `{}`,
			status.Healed{},
		},
		{
			"Kinds", func(ctx context.Context, c *client.Client) (any, error) { return c.Kinds(ctx) },
			"GET /v1/faults", "", `[{"name":"delay"}]`,
			[]spec.Description{{Name: "delay"}},
		},
		{
			"Version", func(ctx context.Context, c *client.Client) (any, error) { return c.Version(ctx) },
			"GET /v1/version", "", `{"version":"v1"}`,
			status.Version{Version: "v1"},
		},
		{
			"Console", func(ctx context.Context, c *client.Client) (any, error) {
				url, _, err := c.Console(ctx)
				return strings.TrimPrefix(url, c.URL()), err
			},
			"POST /v1/console", "", `{"path":"/?code=x"}`,
			"/?code=x",
		},
		{
			"Ready", func(ctx context.Context, c *client.Client) (any, error) { return nil, c.Ready(ctx) },
			"GET /readyz", "", "ok", nil,
		},
		{
			"Faults", func(ctx context.Context, c *client.Client) (any, error) { return c.Faults(ctx, answers) },
			"GET /v1/gates/redis/to_client", "", "[" + fault + "]",
			[]status.Fault{isSlow},
		},
		{
			"Set", func(ctx context.Context, c *client.Client) (any, error) {
				return c.Set(ctx, answers, spec.EntriesOf(delay))
			},
			"PUT /v1/gates/redis/to_client", `[{"delay":{"by":"1s"}}]`, "[" + fault + "]",
			[]status.Fault{isSlow},
		},
		{
			"Set nothing", func(ctx context.Context, c *client.Client) (any, error) { return c.Set(ctx, answers, nil) },
			"PUT /v1/gates/redis/to_client", `[]`, "[]",
			[]status.Fault{},
		},
		{
			"Add", func(ctx context.Context, c *client.Client) (any, error) { return c.Add(ctx, one, spec.Entries{entry}) },
			"POST /v1/gates/a%20b%3F/conns/7/to_server", `[{"id":"slow","fault":{"delay":{"by":"1s"}},"for":"10s","lease":"ci"}]`,
			"[" + fault + "]",
			[]status.Fault{isSlow},
		},
		{
			"Fault", func(ctx context.Context, c *client.Client) (any, error) { return c.Fault(ctx, answers, "slow") },
			"GET /v1/gates/redis/to_client/slow", "", fault, isSlow,
		},
		{
			"Change", func(ctx context.Context, c *client.Client) (any, error) {
				return c.Change(ctx, answers, "slow", client.Change{Fault: delay, For: pointer(time.Minute), Lease: pointer("")})
			},
			"PATCH /v1/gates/redis/to_client/slow", `{"fault":"delay by=1s","for":"1m","lease":""}`, fault, isSlow,
		},
		{
			"Change nothing but for how long", func(ctx context.Context, c *client.Client) (any, error) {
				return c.Change(ctx, answers, "slow", client.Change{For: pointer(time.Duration(0))})
			},
			"PATCH /v1/gates/redis/to_client/slow", `{"for":"0s"}`, fault, isSlow,
		},
		{
			"Lift", func(ctx context.Context, c *client.Client) (any, error) { return c.Lift(ctx, one, "slow") },
			"DELETE /v1/gates/a%20b%3F/conns/7/to_server/slow", "", fault, isSlow,
		},
		{
			"Conns", func(ctx context.Context, c *client.Client) (any, error) { return c.Conns(ctx, "redis") },
			"GET /v1/gates/redis/conns", "", `[{"n":3,"state":"half-closed"}]`,
			[]status.Conn{{N: 3, State: chaos.HalfClosed}},
		},
		{
			"Conn", func(ctx context.Context, c *client.Client) (any, error) { return c.Conn(ctx, "redis", 3) },
			"GET /v1/gates/redis/conns/3", "", `{"n":3}`,
			status.Conn{N: 3},
		},
		{
			"CloseConns", func(ctx context.Context, c *client.Client) (any, error) {
				return c.CloseConns(ctx, "redis", chaos.All, chaos.FIN)
			},
			"DELETE /v1/gates/redis/conns?how=fin", "", `{"ended":2}`, 2,
		},
		{
			"CloseConns by reset", func(ctx context.Context, c *client.Client) (any, error) {
				return c.CloseConns(ctx, "redis", 5, chaos.RST)
			},
			"DELETE /v1/gates/redis/conns?count=5&how=rst", "", `{"ended":2}`, 2,
		},
		{
			"CloseConn", func(ctx context.Context, c *client.Client) (any, error) {
				return nil, c.CloseConn(ctx, "redis", 3, chaos.RST)
			},
			"DELETE /v1/gates/redis/conns/3?how=rst", "", "", nil,
		},
		{
			"Lease", func(ctx context.Context, c *client.Client) (any, error) { return c.Lease(ctx, "ci", 90*time.Second) },
			"PUT /v1/leases/ci", `{"ttl":"1m30s"}`, `{"name":"ci","ttl":"1m30s"}`,
			status.Lease{Name: "ci", TTL: spec.Duration(90 * time.Second)},
		},
		{
			"Leases", func(ctx context.Context, c *client.Client) (any, error) { return c.Leases(ctx) },
			"GET /v1/leases", "", `[{"name":"ci"}]`,
			[]status.Lease{{Name: "ci"}},
		},
		{
			"ReadLease", func(ctx context.Context, c *client.Client) (any, error) { return c.ReadLease(ctx, "ci") },
			"GET /v1/leases/ci", "", `{"name":"ci"}`,
			status.Lease{Name: "ci"},
		},
		{
			"EndLease", func(ctx context.Context, c *client.Client) (any, error) { return c.EndLease(ctx, "ci") },
			"DELETE /v1/leases/ci", "", `{"name":"ci","faults":["redis/slow"]}`,
			status.Lease{Name: "ci", Faults: []string{"redis/slow"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			daemon := &recorder{status: 200, answer: test.answer, boot: "b1"}
			c := start(t, daemon, client.Options{Token: "secret", By: "TestRequests/größer"})
			got, err := test.call(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the answer (-want +got):\n%s", diff)
			}
			want := told{line: test.line, body: test.body, by: "TestRequests/größer", token: "Bearer secret"}
			if test.body != "" {
				want.kind = "application/json"
			}
			if diff := cmp.Diff(want, daemon.last(t), cmp.AllowUnexported(told{})); diff != "" {
				t.Errorf("the request (-want +got):\n%s", diff)
			}
			if c.Boot() != "b1" {
				t.Errorf("boot: got %q, want b1", c.Boot())
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name   string
		status int
		code   string
		is     []error
	}{
		{"unknown", 404, "unknown", []error{client.ErrUnknown}},
		{"taken", 409, "taken", []error{client.ErrTaken}},
		{"invalid", 422, "invalid", []error{client.ErrInvalid}},
		{"malformed", 400, "malformed", []error{client.ErrInvalid}},
		{"unable", 409, "unable", []error{client.ErrUnable}},
		{"forbidden", 403, "forbidden", []error{client.ErrForbidden}},
		{"unauthorized", 401, "unauthorized", []error{client.ErrUnauthorized}},
		{"timed out", 408, "timed_out", []error{client.ErrTimedOut, context.DeadlineExceeded}},
		{"gone", 410, "gone", []error{client.ErrGone}},
		{"restarted", 412, "restarted", []error{client.ErrRestarted}},
		{"failed", 500, "failed", nil},
	}
	all := []error{
		client.ErrUnknown, client.ErrTaken, client.ErrInvalid, client.ErrUnable, client.ErrForbidden, client.ErrUnauthorized, client.ErrTimedOut,
		context.DeadlineExceeded, client.ErrGone, client.ErrRestarted, client.ErrUnreachable,
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := fmt.Sprintf(`{"type":"about:blank","title":"x","status":%d,"detail":"by: got 1","code":%q,"path":"delay.by","boot":"b1"}`, test.status, test.code)
			c := start(t, &recorder{status: test.status, answer: answer, boot: "b1"}, client.Options{})
			_, err := c.Gate(t.Context(), "redis")
			got, ok := errors.AsType[*client.Error](err)
			if !ok {
				t.Fatalf("got %v, want a *client.Error", err)
			}
			if diff := cmp.Diff(&client.Error{Status: test.status, Code: test.code, Path: "delay.by", Detail: "by: got 1", Boot: "b1"}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err.Error() != "by: got 1" {
				t.Errorf("it says %q, want the detail", err)
			}
			for _, sort := range all {
				want := false
				for _, is := range test.is {
					want = want || is == sort
				}
				if errors.Is(err, sort) != want {
					t.Errorf("is %v: got %v, want %v", sort, !want, want)
				}
			}
		})
	}
}

// TestNoDaemon is what one is told when nothing answers, or something else does.
func TestNoDaemon(t *testing.T) {
	other := func(status int, kind, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		})
	}
	tests := []struct {
		name   string
		daemon http.Handler // nil: nobody
		want   string
	}{
		{"nobody", nil, "connection refused"},
		{"a web server", other(200, "text/html", "<html>"), "what does is something else, and says 200 OK"},
		{"a web server that has no such page", other(404, "text/html", "<html>"), "what does is something else, and says 404 Not Found"},
		{"one that says elsewhere", http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound), "what does is something else, and says 302 Found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.daemon)
			defer server.Close()
			if test.daemon == nil {
				server.Close()
			}
			c, err := client.New(server.URL, client.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Gates(t.Context())
			if !errors.Is(err, client.ErrUnreachable) {
				t.Fatalf("got %v, want ErrUnreachable", err)
			}
			for _, want := range []string{"no daemon answers at " + server.URL, test.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to say %q", err, want)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name, url string
		options   client.Options
		want      string
	}{
		{"another scheme", "ftp://127.0.0.1", client.Options{}, `daemon: got "ftp://127.0.0.1", want a URL such as http://127.0.0.1:8474`},
		{"no host", "http://:8474", client.Options{}, `daemon: got "http://:8474", want a URL`},
		{"a query", "http://a?b=c", client.Options{}, `daemon: got "http://a?b=c", want a URL`},
		{"a password", "http://me:secret@a", client.Options{}, `want a URL`},
		{"no URL", "http://a b", client.Options{}, `daemon: got "http://a b", want a URL`},
		{"lines", "", client.Options{By: "a\nb"}, "by: got control characters, want a name on one line"},
		{"lines in a token", "", client.Options{Token: "a\r\nb"}, "token: got control characters"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := client.New(test.url, test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	for given, want := range map[string]string{"": client.DefaultURL, "127.0.0.1:1": "http://127.0.0.1:1", "https://a/chaos/": "https://a/chaos"} {
		c, err := client.New(given, client.Options{})
		if err != nil || c.URL() != want {
			t.Errorf("%q: got %v and %v, want %s", given, c.URL(), err, want)
		}
	}
}

// TestNamesThatAreNoPath are names that would make a path another one: the daemon is not asked.
func TestNamesThatAreNoPath(t *testing.T) {
	daemon := &recorder{status: 200, answer: `{}`, boot: "b1"}
	c := start(t, daemon, client.Options{})
	for _, name := range []string{"", ".", ".."} {
		if _, err := c.Gate(t.Context(), name); !errors.Is(err, client.ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := c.CloseConns(t.Context(), "redis", 1, chaos.Abort); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("an end that there is not: got %v, want ErrInvalid", err)
	}
	if len(daemon.asked) != 0 {
		t.Errorf("the daemon was asked %v", daemon.asked)
	}
}

// TestPin asks two runs of a daemon: with Pin, what is asked of the second names the first.
func TestPin(t *testing.T) {
	daemon := &recorder{status: 200, answer: `[]`, boot: "b1"}
	tests := []struct {
		name    string
		options client.Options
		want    []string
	}{
		{"pinned", client.Options{Pin: true}, []string{"", `"b1"`, `"b1"`}},
		{"not pinned", client.Options{}, []string{"", "", ""}},
		{"told which", client.Options{Boot: "b0"}, []string{`"b0"`, `"b0"`, `"b0"`}},
		{"told which, and pinned", client.Options{Boot: "b0", Pin: true}, []string{`"b0"`, `"b0"`, `"b0"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := start(t, daemon, test.options)
			for i, want := range test.want {
				daemon.boot = fmt.Sprintf("b%d", i+1)
				if _, err := c.Gates(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := daemon.last(t).match; got != want {
					t.Errorf("request %d: got If-Match %s, want %s", i+1, got, want)
				}
			}
		})
	}
}

func TestFind(t *testing.T) {
	mux := http.NewServeMux()
	answer := func(pattern string, value any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Chaosgate-Boot", "b1")
			json.NewEncoder(w).Encode(value)
		})
	}
	fault := func(id string, dir chaos.Direction, conn uint64) []status.Fault {
		return []status.Fault{{ID: id, Direction: dir, Conn: conn, Fault: spec.Fault{Fault: chaos.Stall{}}}}
	}
	answer("GET /v1/gates/redis", status.Gate{
		Name: "redis", ToServer: fault("stall", chaos.ToServer, 0), ToClient: fault("slow", chaos.ToClient, 0), Stats: status.Stats{Live: 1},
	})
	answer("GET /v1/gates/redis/conns", []status.Conn{{N: 3, ToClient: fault("only-3", chaos.ToClient, 3)}})
	c := start(t, mux, client.Options{})
	for id, want := range map[string]client.Where{
		"stall": {"redis", 0, chaos.ToServer}, "slow": {"redis", 0, chaos.ToClient}, "only-3": {"redis", 3, chaos.ToClient},
	} {
		if got, err := c.Find(t.Context(), "redis", id); err != nil || got != want {
			t.Errorf("%s: got %v and %v, want %v", id, got, err, want)
		}
	}
	_, err := c.Find(t.Context(), "redis", "sloww")
	if want := `unknown fault "sloww" at gate redis, did you mean slow?`; !errors.Is(err, client.ErrUnknown) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

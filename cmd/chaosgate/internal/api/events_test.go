package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

func dialUntilTheEnd(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// A follower reads a stream of events.
type follower struct {
	t     testing.TB
	body  io.ReadCloser
	lines *bufio.Reader
}

// follow opens a stream that ends with the test.
func (d *daemon) follow(t testing.TB, query string, header ...string) *follower {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	r, err := http.NewRequestWithContext(ctx, "GET", d.URL+"/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := d.client.Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != 200 {
		t.Fatalf("got %s", answer.Status)
	}
	t.Cleanup(func() { cancel(); answer.Body.Close() })
	return &follower{t, answer.Body, bufio.NewReader(answer.Body)}
}

// next returns the next event of a stream of server-sent events, with its id.
func (f *follower) next() (e status.Event, id string) {
	f.t.Helper()
	kind := ""
	for {
		line, err := f.lines.ReadString('\n')
		if err != nil {
			f.t.Fatal(err)
		}
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				f.t.Fatal(err)
			}
			if string(e.Type) != kind {
				f.t.Errorf("event %s has the data of %s", kind, e.Type)
			}
			return e, id
		}
	}
}

// till returns the next event of a type, with its id.
func (f *follower) till(want chaos.EventType) (e status.Event, id string) {
	f.t.Helper()
	for e.Type != want {
		e, id = f.next()
	}
	return e, id
}

// TestStream follows what happens, breaks off, and goes on where it was.
func TestStream(t *testing.T) {
	d := newDaemon(t, Options{})
	server := echoServer(t)
	f := d.follow(t, "")
	d.must(t, 201, "POST", "/v1/gates", `{"name":"a","server":"`+server+`"}`, headerBy, "me")
	e, id := f.next()
	if e.Type != status.EventCreated || e.By != "me" || id != fmt.Sprintf("%s-%d", d.hub.Boot(), e.ID) {
		t.Errorf("got %+v with id %s", e, id)
	}
	_, id = f.till(chaos.EventStarted)
	f.body.Close()
	d.must(t, 201, "POST", "/v1/gates/a/to_server", `"stall"`)
	d.must(t, 200, "DELETE", "/v1/gates/a/to_server/stall", "", headerBy, "you")
	again := d.follow(t, "", "Last-Event-ID", id)
	if e, _ := again.next(); e.Type != chaos.EventImposed || e.Fault != "stall" {
		t.Errorf("got %+v, want what came behind", e)
	}
	if e, _ := again.next(); e.Type != chaos.EventLifted || e.By != "you" {
		t.Errorf("got %+v, want lifted by you", e)
	}
	for _, since := range []string{"another-7", "99999"} { // an id of a daemon that is not there any more
		other := d.follow(t, "?since="+since)
		if e, id := other.next(); e.Type != status.EventLost || id != d.hub.Boot()+"-0" {
			t.Errorf("since %s: got %+v with id %q, want that some may be lost", since, e, id)
		}
		if e, _ := other.next(); e.ID != 1 {
			t.Errorf("since %s: got %+v, want the first that there is", since, e)
		}
	}
}

// TestStreamOfSome wants events of one gate, or of one type.
func TestStreamOfSome(t *testing.T) {
	d := newDaemon(t, Options{})
	f := d.follow(t, "?gate=b&type=removed&type=created")
	for _, name := range []string{"a", "b"} {
		d.must(t, 201, "POST", "/v1/gates", `{"name":"`+name+`","server":"127.0.0.1:1"}`)
		d.must(t, 204, "DELETE", "/v1/gates/"+name, "")
	}
	for _, want := range []chaos.EventType{status.EventCreated, status.EventRemoved} {
		if e, _ := f.next(); e.Gate != "b" || e.Type != want {
			t.Errorf("got %+v, want b %s", e, want)
		}
	}
}

// TestLines reads events as lines of JSON.
func TestLines(t *testing.T) {
	d := newDaemon(t, Options{})
	f := d.follow(t, "?since=0", "Accept", "application/x-ndjson")
	d.must(t, 201, "POST", "/v1/gates", `{"name":"a","server":"127.0.0.1:1"}`)
	decoder := json.NewDecoder(f.lines)
	for want := uint64(1); want <= 2; want++ {
		var e status.Event
		if err := decoder.Decode(&e); err != nil || e.ID != want {
			t.Errorf("got %+v and %v, want event %d", e, err, want)
		}
	}
}

// TestWaitForEvents waits for events: for some that have been, for some that come, and in vain.
func TestWaitForEvents(t *testing.T) {
	d := newDaemon(t, Options{})
	d.must(t, 201, "POST", "/v1/gates", `{"name":"a","server":"127.0.0.1:1"}`)
	got := d.must(t, 200, "GET", "/v1/events?since=0&type=created&count=1", "")
	var events []status.Event
	if err := json.Unmarshal([]byte(got.body), &events); err != nil || len(events) != 1 || events[0].Type != status.EventCreated {
		t.Errorf("got %s and %v", got.body, err)
	}
	waited := make(chan exchanged)
	go func() { waited <- d.do(t, "GET", "/v1/events?since=0&type=removed&count=1&wait=30s", "") }()
	d.must(t, 204, "DELETE", "/v1/gates/a", "")
	if got := <-waited; got.status != 200 || !strings.Contains(got.body, `"removed"`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := d.do(t, "GET", "/v1/events?type=fired&count=2&wait=10ms", ""); got.status != 408 || !strings.Contains(got.body, "there were 0 such events, not 2") {
		t.Errorf("got %d %s, want 408", got.status, got.body)
	}
}

// TestLeaseOfAStream has a lease last as long as a stream.
func TestLeaseOfAStream(t *testing.T) {
	d := newDaemon(t, Options{})
	f := d.follow(t, "?lease=mine&ttl=100ms", headerBy, "me")
	d.must(t, 201, "POST", "/v1/gates", `{"name":"a","server":"127.0.0.1:1","to_server":[{"fault":"stall","lease":"mine"}]}`)
	time.Sleep(300 * time.Millisecond) // for longer than it lasts without the stream
	if got := d.must(t, 200, "GET", "/v1/leases/mine", ""); !strings.Contains(got.body, `"held":1`) {
		t.Fatalf("got %s, want it held", got.body)
	}
	r := d.hub.Events(hub.Now)
	f.body.Close()
	for lifted := false; !lifted; {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		events, err := r.Next(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Type == chaos.EventLifted {
				lifted = true
				if e.Because != "lease mine has ended" {
					t.Errorf("got %+v", e)
				}
			}
		}
	}
}

// TestSlowReader has a client that reads nothing while more happens than is kept for it. It is told how much it has lost.
func TestSlowReader(t *testing.T) {
	d := newDaemon(t, Options{})
	d.must(t, 201, "POST", "/v1/gates", `{"name":"a","server":"127.0.0.1:1"}`)
	f := d.follow(t, "?since=0")
	last := uint64(0)
	for i := range 30_000 { // more than is kept, and more than the sockets hold
		at := hub.Where{Gate: "a"}
		if _, err := d.hub.Set("", at, spec.EntriesOf(chaos.Delay{By: time.Duration(i + 1)})); err != nil {
			t.Fatal(err)
		}
	}
	d.must(t, 204, "DELETE", "/v1/gates/a", "")
	lost := int64(0)
	for {
		e, id := f.next()
		if e.Type == status.EventLost && e.ID == 0 {
			if e.Lost == 0 {
				t.Errorf("got %+v with id %q", e, id)
			}
			lost += e.Lost
			last += uint64(e.Lost)
			continue
		}
		if e.ID != last+1 {
			t.Fatalf("got event %d behind %d", e.ID, last)
		}
		last = e.ID
		if e.Type == status.EventRemoved {
			break
		}
	}
	if lost == 0 {
		t.Error("nothing was lost: the test proves nothing")
	}
}

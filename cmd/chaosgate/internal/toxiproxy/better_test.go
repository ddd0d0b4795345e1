package toxiproxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
)

// patience is how long a test waits for what has to come, on a machine that is busy with other things.
const patience = 20 * time.Second

// A rig is a server and one proxy before an upstream.
type rig struct {
	t        *testing.T
	url      string
	hub      *hub.Hub
	upstream net.Listener
	listen   string
}

// newRig starts a server with the proxy "p".
func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	upstream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { upstream.Close() })
	r := &rig{t: t, upstream: upstream}
	r.url, r.hub = start(t, o)
	var p struct{ Listen string }
	r.ask("POST", "/proxies", http.StatusCreated, &p, `{"name":"p","listen":"127.0.0.1:0","upstream":%q}`, upstream.Addr())
	r.listen = p.Listen
	return r
}

// ask sends a request, and reads the answer, which has to have that status.
func (r *rig) ask(method, path string, status int, into any, format string, args ...any) {
	r.t.Helper()
	client := http.Client{Timeout: patience}
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(fmt.Sprintf(format, args...)))
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if answer.StatusCode != status {
		r.t.Fatalf("%s %s: got %d %s, want %d", method, path, answer.StatusCode, body, status)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			r.t.Fatalf("%s: %v", body, err)
		}
	}
}

// toxic adds a toxic.
func (r *rig) toxic(body string) {
	r.t.Helper()
	r.ask("POST", "/proxies/p/toxics", http.StatusOK, nil, "%s", body)
}

// dial connects a client.
func (r *rig) dial() net.Conn {
	r.t.Helper()
	client, err := net.Dial("tcp", r.listen)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { client.Close() })
	client.SetDeadline(time.Now().Add(patience))
	return client
}

// connect connects a client through to the upstream.
func (r *rig) connect() (client, server net.Conn) {
	r.t.Helper()
	client = r.dial()
	server, err := r.upstream.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { server.Close() })
	server.SetDeadline(time.Now().Add(patience))
	return client, server
}

// passes has bytes go from one end to the other, and returns how long that took.
func (r *rig) passes(from, to net.Conn, text string) time.Duration {
	r.t.Helper()
	began := time.Now()
	if _, err := io.WriteString(from, text); err != nil {
		r.t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to, got); err != nil || string(got) != text {
		r.t.Fatalf("got %q and %v, want %q", got, err, text)
	}
	return time.Since(began)
}

func TestPeerThatDoesNotReadFreezesNothing(t *testing.T) {
	r := newRig(t, Options{})
	client, server := r.connect()
	client.SetDeadline(time.Time{})
	stuffed := make(chan error, 1)
	go func() { // ends when the connection does
		_, err := io.CopyN(client, zeros{}, 1<<30)
		stuffed <- err
	}()
	conns := func() int64 {
		all, err := r.hub.Conns("p")
		if err != nil || len(all) != 1 {
			t.Fatalf("got %v and %v, want one connection", all, err)
		}
		return all[0].BytesToServer
	}
	for was := int64(-1); was != conns(); time.Sleep(50 * time.Millisecond) { // until it is full
		was = conns()
	}
	for _, kind := range []string{"latency", "bandwidth", "slow_close", "slicer", "limit_data"} {
		for _, stream := range []string{"upstream", "downstream"} {
			r.toxic(fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":{"latency":1,"rate":1,"delay":1,"average_size":1,"bytes":1000000000}}`, kind, stream))
			r.ask("POST", "/proxies/p/toxics/"+kind+"_"+stream, http.StatusOK, nil, `{"toxicity":0.5}`)
		}
	}
	var list []any
	r.ask("GET", "/proxies/p/toxics", http.StatusOK, &list, "")
	if len(list) != 10 {
		t.Errorf("got %d toxics, want 10", len(list))
	}
	r.ask("DELETE", "/proxies/p/toxics/latency_upstream", http.StatusNoContent, nil, "")
	r.ask("POST", "/reset", http.StatusNoContent, nil, "")
	r.ask("DELETE", "/proxies/p", http.StatusNoContent, nil, "")
	server.Close()
	<-stuffed
}

// zeros are as many as are read.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestUpstreamThatDoesNotAnswerFreezesNothing(t *testing.T) {
	r := newRig(t, Options{})
	hole, err := spec.Gate{Server: "127.0.0.1:9", Door: chaos.Blackhole}.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := hole.Start(); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	r.ask("POST", "/proxies/p", http.StatusOK, nil, `{"upstream":%q}`, hole.Addr())
	for range 3 {
		r.dial() // which waits for a connection that nobody answers
	}
	r.ask("GET", "/proxies", http.StatusOK, nil, "")
	r.toxic(`{"type":"latency"}`)
	r.ask("POST", "/proxies/p", http.StatusOK, nil, `{"upstream":%q}`, r.upstream.Addr())
	client, server := r.connect()
	r.passes(client, server, "now")
	r.ask("POST", "/proxies/p", http.StatusOK, nil, `{"upstream":%q}`, hole.Addr())
	r.dial()
	r.ask("DELETE", "/proxies/p", http.StatusNoContent, nil, "")
}

func TestHalfCloseKeepsTheReply(t *testing.T) {
	r := newRig(t, Options{})
	r.toxic(`{"type":"latency","attributes":{"latency":10}}`)
	client, server := r.connect()
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("got %v, want the end of the stream", err)
	}
	r.passes(server, client, "the reply")
}

func TestResetsStayResets(t *testing.T) {
	for _, way := range []string{"to the client", "to the server"} {
		t.Run(way, func(t *testing.T) {
			r := newRig(t, Options{})
			from, to := r.connect()
			if way == "to the client" {
				from, to = to, from
			}
			from.(*net.TCPConn).SetLinger(0)
			from.Close()
			if _, err := to.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want a reset", err)
			}
		})
	}
}

func TestResetPeerResets(t *testing.T) {
	for _, tt := range []struct {
		name, attributes string
		live             bool
	}{
		{"a live connection, which is idle", `{"timeout":0}`, true},
		{"a live connection, later", `{"timeout":100}`, true},
		{"a new connection", `{"timeout":100}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Options{})
			body := `{"type":"reset_peer","attributes":` + tt.attributes + `}`
			if !tt.live {
				r.toxic(body)
			}
			client, server := r.connect()
			if tt.live {
				r.toxic(body)
			}
			if tt.attributes != `{"timeout":0}` { // else it would meet the reset, and the read behind it an end
				if _, err := io.WriteString(server, "which is not delivered"); err != nil {
					t.Fatal(err)
				}
			}
			got, err := io.ReadAll(client)
			if !errors.Is(err, syscall.ECONNRESET) || len(got) > 0 {
				t.Errorf("the client got %q and %v, want a reset and nothing before it", got, err)
			}
			if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the server got %v, want a reset", err)
			}
		})
	}
	t.Run("and not what it spares", func(t *testing.T) {
		r := newRig(t, Options{})
		r.toxic(`{"type":"reset_peer","toxicity":0}`)
		client, server := r.connect()
		r.passes(server, client, "as it is")
		server.Close()
		if _, err := client.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v, want the end of the stream", err)
		}
	})
}

func TestBandwidthBeforeLatencyAddsUp(t *testing.T) {
	r := newRig(t, Options{})
	r.toxic(`{"type":"bandwidth","attributes":{"rate":10}}`)
	r.toxic(`{"type":"latency","attributes":{"latency":300}}`)
	client, server := r.connect()
	const size = 3000 // 300 ms at that rate, but for the burst of 10 ms
	if took := r.passes(server, client, strings.Repeat("x", size)); took < 590*time.Millisecond {
		t.Errorf("%d bytes took %v, want 600ms", size, took)
	}
}

// TestToxicityIsRolledOnce looks at which of 20 connections a toxic hits while its neighbours come, change and go.
func TestToxicityIsRolledOnce(t *testing.T) {
	r := newRig(t, Options{Seed: 7})
	r.toxic(`{"type":"latency","name":"slow","toxicity":0.5,"attributes":{"latency":30}}`)
	var clients, servers []net.Conn
	for range 20 {
		client, server := r.connect()
		clients, servers = append(clients, client), append(servers, server)
	}
	hit := func() (slow []bool) {
		for i := range clients {
			slow = append(slow, r.passes(servers[i], clients[i], "x") >= 30*time.Millisecond)
		}
		return slow
	}
	first := hit()
	if !slices.Contains(first, true) || !slices.Contains(first, false) {
		t.Fatalf("got %v, want some hit and some not", first)
	}
	r.toxic(`{"type":"noop"}`)
	r.toxic(`{"type":"limit_data","name":"far","attributes":{"bytes":1000000}}`)
	if again := hit(); !slowOf(first, again) {
		t.Errorf("with neighbours got %v, want those hit that were: %v", again, first)
	}
	r.ask("POST", "/proxies/p/toxics/slow", http.StatusOK, nil, `{"attributes":{"latency":40}}`)
	r.ask("DELETE", "/proxies/p/toxics/noop_downstream", http.StatusNoContent, nil, "")
	if again := hit(); !slowOf(first, again) {
		t.Errorf("after an update got %v, want those hit that were: %v", again, first)
	}
}

// slowOf reports whether all that were slow are again. On a busy machine others may have been slow by themselves.
func slowOf(first, again []bool) bool {
	others := 0
	for i := range first {
		if first[i] && !again[i] {
			return false
		}
		if !first[i] && again[i] {
			others++
		}
	}
	return others <= 3
}

func TestSeedWorks(t *testing.T) {
	hits := func(seed uint64) (which string) {
		r := newRig(t, Options{Seed: seed})
		r.toxic(`{"type":"limit_data","toxicity":0.5,"attributes":{"bytes":1}}`)
		for range 30 {
			client, server := r.connect()
			io.WriteString(server, "ab")
			server.Close()
			got, err := io.ReadAll(client)
			if err != nil {
				t.Fatal(err)
			}
			which += fmt.Sprint(len(got))
		}
		return which
	}
	one, again, other := hits(11), hits(11), hits(12)
	if one != again {
		t.Errorf("with the same seed got %s and then %s", one, again)
	}
	if one == other {
		t.Errorf("with another seed got %s again", one)
	}
	if strings.Trim(one, "12") != "" || strings.Count(one, "1") < 5 || strings.Count(one, "2") < 5 {
		t.Errorf("got %s bytes, want 1 or 2, each for about half of 30 connections", one)
	}
}

func TestTimeoutClosesWhenItIsRemoved(t *testing.T) {
	for _, how := range []struct{ name, method, path string }{
		{"removed", "DELETE", "/proxies/p/toxics/timeout_downstream"}, {"reset", "POST", "/reset"},
	} {
		t.Run(how.name, func(t *testing.T) {
			r := newRig(t, Options{})
			r.toxic(`{"type":"timeout"}`)
			client, server := r.connect()
			if _, err := io.WriteString(server, "lost"); err != nil {
				t.Fatal(err)
			}
			r.ask("POST", "/proxies/p/toxics/timeout_downstream", http.StatusOK, nil, `{"attributes":{"timeout":100000}}`)
			r.ask("POST", "/proxies/p/toxics/timeout_downstream", http.StatusOK, nil, `{"attributes":{"timeout":0}}`)
			r.passes(client, server, "still open")
			r.ask(how.method, how.path, http.StatusNoContent, nil, "")
			if got, err := io.ReadAll(client); err != nil || len(got) > 0 {
				t.Errorf("the client got %q and %v, want the end of the stream", got, err)
			}
			if got, err := io.ReadAll(server); err != nil || len(got) > 0 {
				t.Errorf("the server got %q and %v, want the end of the stream", got, err)
			}
			client, server = r.connect()
			r.passes(server, client, "a new one works")
		})
	}
}

func TestTimeoutClosesAfterSilence(t *testing.T) {
	r := newRig(t, Options{})
	r.toxic(`{"type":"timeout","attributes":{"timeout":400}}`)
	client, server := r.connect()
	began := time.Now()
	for range 4 { // which keeps it open
		time.Sleep(200 * time.Millisecond) // below the toxic's timeout
		if _, err := io.WriteString(server, "lost"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(client)
	if err != nil || len(got) > 0 {
		t.Errorf("got %q and %v, want the end of the stream", got, err)
	}
	if took := time.Since(began); took < 1200*time.Millisecond {
		t.Errorf("closed after %v, want 400ms behind the last byte, which came after 800ms", took)
	}
}

func TestLimitKeepsItsCountOverAnUpdate(t *testing.T) {
	r := newRig(t, Options{})
	r.toxic(`{"type":"limit_data","attributes":{"bytes":10}}`)
	client, server := r.connect()
	r.passes(server, client, "12345678")
	r.ask("POST", "/proxies/p/toxics/limit_data_downstream", http.StatusOK, nil, `{"attributes":{"bytes":12}}`)
	io.WriteString(server, "90abcd")
	if got, err := io.ReadAll(client); string(got) != "90ab" || err != nil {
		t.Errorf("behind 8 bytes got %q and %v, want 4 and the end of the stream", got, err)
	}
}

func TestCutAndRestoredWithoutLoss(t *testing.T) {
	r := newRig(t, Options{})
	client, server := r.connect()
	for _, stream := range []string{"DOWNSTREAM", "UPSTREAM"} {
		r.toxic(fmt.Sprintf(`{"name":"CUT_CONNECTION_%s","type":"bandwidth","stream":%q,"attributes":{"rate":0}}`, stream, strings.ToLower(stream)))
	}
	want := bytes.Repeat([]byte("there and back "), 1000)
	for _, c := range []net.Conn{client, server} {
		if _, err := c.Write(want); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	}
	for _, c := range []net.Conn{client, server} {
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("got %d bytes and %v through a cut connection", n, err)
		}
		c.SetReadDeadline(time.Now().Add(patience))
	}
	for _, stream := range []string{"DOWNSTREAM", "UPSTREAM"} {
		r.ask("DELETE", "/proxies/p/toxics/CUT_CONNECTION_"+stream, http.StatusNoContent, nil, "")
	}
	for _, c := range []net.Conn{client, server} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes and %v, want all as they were", len(got), err)
		}
	}
}

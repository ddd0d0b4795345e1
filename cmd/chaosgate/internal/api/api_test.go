package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A daemon is an API over a hub, served on loopback.
type daemon struct {
	*httptest.Server
	api    *api
	hub    *hub.Hub
	client *http.Client
}

func newDaemon(t testing.TB, o Options) *daemon {
	t.Helper()
	h, err := hub.New(hub.Options{Version: "v0"})
	if err != nil {
		t.Fatal(err)
	}
	a := newAPI(h, o)
	d := &daemon{api: a, hub: h, client: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}}
	d.Server = httptest.NewUnstartedServer(a)
	d.Server.Config = Server(a)
	d.Server.Start()
	t.Cleanup(func() {
		d.client.CloseIdleConnections()
		h.Close() // ends streams
		d.Server.Close()
	})
	return d
}

// An exchanged is what came of a request.
type exchanged struct {
	status int
	header http.Header
	body   string
}

// do sends a request; header are pairs.
func (d *daemon) do(t testing.TB, method, path, body string, header ...string) exchanged {
	t.Helper()
	r, err := http.NewRequest(method, d.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	answer, err := d.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return exchanged{answer.StatusCode, answer.Header, string(data)}
}

// must sends a request that is to be answered so.
func (d *daemon) must(t testing.TB, status int, method, path, body string, header ...string) exchanged {
	t.Helper()
	got := d.do(t, method, path, body, header...)
	if got.status != status {
		t.Fatalf("%s %s: got %d %s, want %d", method, path, got.status, got.body, status)
	}
	return got
}

// echoServer starts a server that sends back what it gets.
func echoServer(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// TestOpenAPI checks that the document that is committed is the one that the types make.
func TestOpenAPI(t *testing.T) {
	d := newDaemon(t, Options{})
	const file = "openapi.json"
	made := append(bytes.Clone(d.api.openapi), '\n')
	if *update {
		if err := os.WriteFile(file, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, made) {
		t.Errorf("%s has drifted: go test -run OpenAPI -update .", file)
	}
	var document struct{ OpenAPI string }
	if err := json.Unmarshal([]byte(d.must(t, 200, "GET", "/openapi.json", "").body), &document); err != nil || !strings.HasPrefix(document.OpenAPI, "3.1") {
		t.Errorf("got %+v and %v, want OpenAPI 3.1", document, err)
	}
}

// TestSmoke goes the way of a first user.
func TestSmoke(t *testing.T) {
	d := newDaemon(t, Options{})
	server := echoServer(t)
	made := d.must(t, 201, "POST", "/v1/gates", `{"name":"echo","server":"`+server+`","to_client":["delay by=20ms"]}`, headerBy, "me")
	t.Log(made.body)
	if made.header.Get("Location") != "/v1/gates/echo" || made.header.Get(headerBoot) != d.hub.Boot() {
		t.Errorf("got %v", made.header)
	}
	t.Log(d.must(t, 201, "POST", "/v1/gates/echo/to_server", `{"fault":"stall","id":"deaf","for":"1h"}`).body)
	t.Log(d.must(t, 200, "PATCH", "/v1/gates/echo/to_client/delay", `{"delay":{"jitter":"5ms"}}`).body)
	t.Log(d.must(t, 200, "PUT", "/v1/gates/echo/door", `{"door":"hold"}`).body)
	t.Log(d.must(t, 200, "PATCH", "/v1/gates/echo", `{"door":"open","to_server":null}`).body)
	t.Log(d.must(t, 200, "POST", "/v1/heal", "").body)
	t.Log(d.must(t, 200, "GET", "/v1/events?since=0&count=4", "").body)
	t.Log(d.must(t, 200, "PUT", "/v1/gates", `{"gates":[]}`).body)
	t.Log(d.must(t, 404, "GET", "/v1/gates/ech", "").body)
	t.Log(d.must(t, 422, "GET", "/v1/gates/ech/conns?count=-1&wait=x", "").body)
	t.Log(d.must(t, 422, "POST", "/v1/gates", `{"server":"a:1","to_server":[{"delay":{"by":5}}]}`).body)
	t.Log(d.must(t, 200, "GET", "/v1/version", "").body)
}

// TestManual checks that the manual has every route and every code of an error.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	d := newDaemon(t, Options{})
	for path, item := range d.api.huma.OpenAPI().Paths {
		if item != nil && !strings.Contains(string(page), path+"`") {
			t.Errorf("docs/http.md does not have %s", path)
		}
	}
	for code, status := range statuses {
		if !strings.Contains(string(page), "`"+string(code)+"`") || !strings.Contains(string(page), fmt.Sprint(status)) {
			t.Errorf("docs/http.md does not have %s, %d", code, status)
		}
	}
}

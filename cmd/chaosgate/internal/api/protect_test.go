package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A routeOf is a method and a path of the mux.
type routeOf struct{ method, path string }

// allRoutes returns every route, with what stands in the places of parameters: those of the OpenAPI document, and the few beside it.
func allRoutes(t *testing.T, a *api) []routeOf {
	t.Helper()
	var all []routeOf
	for path, item := range a.huma.OpenAPI().Paths {
		for method, op := range map[string]any{
			"GET": item.Get, "PUT": item.Put, "POST": item.Post, "PATCH": item.Patch, "DELETE": item.Delete,
		} {
			if fmt.Sprint(op) != "<nil>" {
				all = append(all, routeOf{method, path})
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json"} {
		all = append(all, routeOf{"GET", path})
	}
	if len(all) < 30 {
		t.Fatalf("got %d routes, want all", len(all))
	}
	return all
}

// concrete returns a path without its parameters.
func concrete(path string) string {
	return strings.NewReplacer("{gate}", "echo", "{conn}", "1", "{id}", "x", "{lease}", "l").Replace(path)
}

// TestProtection sends to every route what must be refused whatever it is for. A route that is new is in here, and fails if nothing protects it.
func TestProtection(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("metrics")) })
	open := newDaemon(t, Options{AllowHosts: []string{"Gates.example"}, Metrics: metrics})
	closed := newDaemon(t, Options{Token: "s3cret", Metrics: metrics})
	tests := []struct {
		name   string
		daemon *daemon
		header []string
		status int // 0: it is let in
		but    map[string]int
	}{
		{name: "an IP address", daemon: open},
		{name: "localhost", daemon: open, header: []string{"Host", "localhost:8474"}},
		{name: "localhost with a dot", daemon: open, header: []string{"Host", "LOCALHOST."}},
		{name: "below localhost", daemon: open, header: []string{"Host", "api.localhost"}},
		{name: "another IP address", daemon: open, header: []string{"Host", "[::1]:8474"}},
		{name: "a name that is allowed", daemon: open, header: []string{"Host", "gates.EXAMPLE:8474"}},
		{name: "a name that was rebound", daemon: open, header: []string{"Host", "evil.example"}, status: 403},
		{name: "a name with localhost in it", daemon: open, header: []string{"Host", "localhost.evil.example:8474"}, status: 403},
		{name: "a name like an IP address", daemon: open, header: []string{"Host", "127.0.0.1.evil.example"}, status: 403},
		{name: "Origin", daemon: open, header: []string{"Origin", "https://evil.example"}, status: 403},
		{name: "the daemon's own origin", daemon: open, header: []string{"Origin", "http://localhost:8474"}, status: 403},
		{name: "a null origin", daemon: open, header: []string{"Origin", "null"}, status: 403},
		{name: "Sec-Fetch-Site", daemon: open, header: []string{"Sec-Fetch-Site", "same-origin"}, status: 403},
		{name: "Sec-Fetch-Dest", daemon: open, header: []string{"Sec-Fetch-Dest", "empty"}, status: 403},
		{name: "Sec-Fetch-Mode alone", daemon: open, header: []string{"Sec-Fetch-Mode", "cors"}},
		{name: "a browser", daemon: open, header: []string{"User-Agent", "Mozilla/5.0 (X11)"}, status: 403},
		{name: "curl", daemon: open, header: []string{"User-Agent", "curl/8.0"}},
		{name: "no token", daemon: closed, status: 401, but: map[string]int{"/healthz": 0, "/readyz": 0}},
		{name: "a wrong token", daemon: closed, header: []string{"Authorization", "Bearer s3cre"}, status: 401, but: map[string]int{"/healthz": 0, "/readyz": 0}},
		{name: "a token of another sort", daemon: closed, header: []string{"Authorization", "Basic s3cret"}, status: 401, but: map[string]int{"/healthz": 0, "/readyz": 0}},
		{name: "the token", daemon: closed, header: []string{"Authorization", "bearer s3cret"}},
		{name: "the token in a browser", daemon: closed, header: []string{"Authorization", "Bearer s3cret", "Origin", "https://evil.example"}, status: 403},
		{name: "another boot", daemon: open, header: []string{"If-Match", `"old"`}, status: 412},
		{name: "any boot", daemon: open, header: []string{"If-Match", "*"}},
		{name: "this boot", daemon: open, header: []string{"If-Match", open.hub.Boot()}},
		{name: "this boot in quotes", daemon: open, header: []string{"If-Match", `"` + open.hub.Boot() + `"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, route := range allRoutes(t, test.daemon.api) {
				want := test.status
				if status, ok := test.but[route.path]; ok {
					want = status
				}
				path := concrete(route.path)
				if route.path == "/v1/events" {
					path += "?count=1&wait=1ms" // a stream would not end
				}
				got := test.daemon.do(t, route.method, path, "", test.header...)
				refused := got.status == 401 || got.status == 403 || got.status == 412
				switch {
				case want == 0 && refused, want != 0 && got.status != want:
					t.Errorf("%s %s: got %d %s, want %d (0 is none of 401, 403, 412)", route.method, path, got.status, got.body, want)
				case want != 0 && got.header.Get("Content-Type") != problemType:
					t.Errorf("%s %s: got %s, want %s", route.method, path, got.header.Get("Content-Type"), problemType)
				case want == 401 && got.header.Get("WWW-Authenticate") == "":
					t.Errorf("%s %s: got no WWW-Authenticate", route.method, path)
				}
				if strings.Contains(route.path, "/v1/") && got.header.Get(headerBoot) == "" {
					t.Errorf("%s %s: got no boot id", route.method, path)
				}
			}
		})
	}
}

// TestChangesNeedJSON sends to every route that changes something what a page could have a browser send without asking.
func TestChangesNeedJSON(t *testing.T) {
	d := newDaemon(t, Options{})
	for _, route := range allRoutes(t, d.api) {
		if route.method == "GET" {
			continue
		}
		for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", ""} {
			got := d.do(t, route.method, concrete(route.path), `{"x":1}`, "Content-Type", kind)
			if got.status != http.StatusUnsupportedMediaType {
				t.Errorf("%s %s as %q: got %d %s, want 415", route.method, route.path, kind, got.status, got.body)
			}
		}
		if got := d.do(t, route.method, concrete(route.path), `{"x":"`+strings.Repeat("x", maxBody)+`"}`); got.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s %s with too much: got %d %s, want 413", route.method, route.path, got.status, got.body)
		}
	}
}

// TestNothingChangesByGET checks that whatever a GET says, nothing is different afterwards.
func TestNothingChangesByGET(t *testing.T) {
	d := newDaemon(t, Options{})
	d.must(t, 201, "POST", "/v1/gates", `{"name":"echo","server":"127.0.0.1:1","to_server":"stall"}`)
	before := d.must(t, 200, "GET", "/v1/gates", "").body
	for _, route := range allRoutes(t, d.api) {
		path := concrete(route.path)
		if route.path == "/v1/events" {
			path += "?count=1&wait=1ms"
		}
		d.do(t, "GET", path, "")
		d.do(t, "HEAD", path, "")
	}
	if after := d.must(t, 200, "GET", "/v1/gates", "").body; after != before {
		t.Errorf("got %s, want %s", after, before)
	}
}

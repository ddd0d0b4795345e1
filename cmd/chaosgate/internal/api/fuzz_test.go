package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
)

// FuzzDecode reads anything as each of the bodies that there are. What is refused is refused with an error that has a status of the client's.
func FuzzDecode(f *testing.F) {
	for _, body := range wrongBodies {
		f.Add([]byte(body))
	}
	f.Add([]byte(`{"gates":[{"name":"a","server":"a:1","to_server":["delay by=1s",{"fault":"stall","id":"x","for":"1s","lease":"l"}]}]}`))
	f.Add([]byte(`{"fault":{"delay":{"by":null,"jitter":"1ms"}},"for":null,"lease":null}`))
	now := chaos.Delay{By: time.Second, Jitter: time.Millisecond}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, gatesErr := decodeBytes[gates](data)
		_, gateErr := decodeBytes[spec.Gate](data)
		_, entriesErr := decodeBytes[entries](data)
		_, listErr := decodeBytes[spec.Entries](data)
		_, doorErr := decodeBytes[doorSetting](data)
		_, leaseErr := decodeBytes[leasing](data)
		_, seedErr := decodeBytes[seeding](data)
		_, mergeErr := mergeGate(spec.Gate{Name: "a", Server: "a:1"}, data)
		var changeErr error
		if _, changeErr = decodeBytes[any](data); changeErr == nil {
			_, changeErr = changeOf(data, now)
		}
		for _, err := range []error{gatesErr, gateErr, entriesErr, listErr, doorErr, leaseErr, seedErr, mergeErr, changeErr} {
			if err == nil {
				continue
			}
			if p := problemOf(err); p.Status < 400 || p.Status >= 500 || p.Detail == "" {
				t.Fatalf("%q: got %d %s (%T)", data, p.Status, p.Detail, errors.Unwrap(err))
			}
		}
	})
}

// FuzzRequest sends any line and header to the handler. Nothing is created by what is not a request to create, and nothing fails.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/v1/gates/a/conns?count=1&wait=1ms", "127.0.0.1", "", "application/json", "")
	f.Add("PUT", "/v1/gates", "localhost", `"boot"`, "application/json; charset=utf-8", `[]`)
	f.Add("DELETE", "/v1/gates/%2e%2e/to_server/x", "[::1]:8474", "*", "", "")
	f.Add("POST", "//v1//gates", "evil.example", "", "text/plain", `{"server":"a:1"}`)
	f.Add("PATCH", "/v1/gates/a/to_server/stall", "127.0.0.1:8474", "", "application/merge-patch+json", `{"for":null}`)
	h, err := hub.New(hub.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { h.Close() })
	handler := New(h, Options{})
	f.Fuzz(func(t *testing.T, method, target, host, match, kind, body string) {
		if strings.Contains(target, "events") || strings.Contains(target, "wait") || method == http.MethodConnect || strings.Contains(body, "listen") || strings.Contains(body, "server") {
			return // which may take long, or bind what is not ours
		}
		r, err := http.NewRequest(method, "http://127.0.0.1"+target, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Host = host
		r.Header.Set("If-Match", match)
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s %q: got %d %s", method, target, w.Code, w.Body)
		}
	})
}

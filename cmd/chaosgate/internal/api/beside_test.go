package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A neighbour answers what begins with /other.
type neighbour struct{}

func (neighbour) Handles(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/other") }

func (neighbour) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("the other")) }

func TestBeside(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		path    string
		header  []string
		status  int
		own     bool // the answer is this API's
	}{
		{name: "another's route", path: "/other", status: 200},
		{name: "by any name", path: "/other", header: []string{"Host", "compose"}, status: 200},
		{name: "without the token", options: Options{Token: "s3cret"}, path: "/other", status: 401, own: true},
		{name: "with the token", options: Options{Token: "s3cret"}, path: "/other", header: []string{"Authorization", "Bearer s3cret"}, status: 200},
		{name: "open without the token", options: Options{Token: "s3cret", Open: true}, path: "/other", status: 200},
		{name: "its own route", path: "/v1/gates", status: 200, own: true},
		{name: "its own route by any name", path: "/v1/gates", header: []string{"Host", "compose"}, status: 403, own: true},
		{name: "its own route without the token", options: Options{Token: "s3cret", Open: true}, path: "/v1/gates", status: 401, own: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.Beside = neighbour{}
			got := newDaemon(t, test.options).do(t, "GET", test.path, "", test.header...)
			if got.status != test.status || (got.body == "the other") == test.own {
				t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
			}
		})
	}
}

func TestLocal(t *testing.T) {
	tests := []struct {
		name, from, path string
		options          Options
		status           int
	}{
		{"this machine", "127.0.0.1:40000", "/v1/gates", Options{Local: true}, 200},
		{"this machine by IPv6", "[::1]:40000", "/v1/gates", Options{Local: true}, 200},
		{"this machine by both", "[::ffff:127.0.0.1]:40000", "/v1/gates", Options{Local: true}, 200},
		{"another machine", "10.1.2.3:40000", "/v1/gates", Options{Local: true}, 403},
		{"another machine that asks for metrics", "10.1.2.3:40000", "/metrics", Options{Local: true}, 403},
		{"another machine that asks whether it is well", "10.1.2.3:40000", "/healthz", Options{Local: true}, 200},
		{"another machine and the neighbour", "10.1.2.3:40000", "/other", Options{Local: true}, 200},
		{"another machine that does not know the token", "10.1.2.3:40000", "/v1/gates", Options{Local: true, Token: "s3cret"}, 401},
		{"another machine where nothing is said", "10.1.2.3:40000", "/v1/gates", Options{}, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.Beside = neighbour{}
			r := httptest.NewRequest("GET", test.path, nil)
			r.RemoteAddr, r.Host = test.from, "127.0.0.1:8474"
			answer := httptest.NewRecorder()
			newDaemon(t, test.options).api.ServeHTTP(answer, r)
			if answer.Code != test.status {
				t.Errorf("got %d %s, want %d", answer.Code, answer.Body, test.status)
			}
		})
	}
}

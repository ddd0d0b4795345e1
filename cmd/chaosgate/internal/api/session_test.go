package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos/status"
)

// page is a console.
var page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("console " + r.URL.Path)) })

// letIn visits the console, and returns the cookie as a browser sends it.
func letIn(t *testing.T, d *daemon, path string) string {
	t.Helper()
	got := d.must(t, http.StatusOK, "GET", path, "", "User-Agent", "Mozilla/5.0", "Sec-Fetch-Site", "none", "Sec-Fetch-Dest", "document")
	if got.body != "console /" {
		t.Fatalf("got %q, want the console", got.body)
	}
	set := got.header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(set, want) {
			t.Errorf("got the cookie %q, want %s in it", set, want)
		}
	}
	cookie, _, _ := strings.Cut(set, ";")
	return cookie
}

// link has a daemon make a link to its console.
func link(t *testing.T, d *daemon, header ...string) status.Console {
	t.Helper()
	var c status.Console
	if err := json.Unmarshal([]byte(d.must(t, http.StatusOK, "POST", "/v1/console", "", header...).body), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestConsoleMayUseTheAPI sends what a browser would from the console's page, and from others.
func TestConsoleMayUseTheAPI(t *testing.T) {
	d := newDaemon(t, Options{Console: page})
	cookie := letIn(t, d, "/")
	own := d.URL
	tests := []struct {
		name, method string
		header       []string
		status       int
	}{
		{"the page reads", "GET", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Dest", "empty"}, 200},
		{"the page reads where browsers do not say what it is", "GET", []string{"Cookie", cookie}, 200},
		{"the page changes", "POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Origin", own}, 200},
		{"the page changes where browsers say less", "POST", []string{"Cookie", cookie, "Origin", own}, 200},
		{"a change that does not say where it comes from", "POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 403},
		{"another site", "GET", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 403},
		{"another port of this site", "GET", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site"}, 403},
		{"another port of this site changes", "POST", []string{"Cookie", cookie, "Origin", "http://127.0.0.1:1"}, 403},
		{"no page", "POST", []string{"Cookie", cookie, "Origin", "null"}, 403},
		{"no cookie", "GET", []string{"Sec-Fetch-Site", "same-origin"}, 403},
		{"a wrong cookie", "GET", []string{"Cookie", cookie[:len(cookie)-1], "Sec-Fetch-Site", "same-origin"}, 403},
		{"a name that was rebound", "GET", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Host", "evil.example"}, 403},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := "/v1/gates"
			if test.method == "POST" {
				path = "/v1/heal"
			}
			got := d.do(t, test.method, path, "", append([]string{"User-Agent", "Mozilla/5.0"}, test.header...)...)
			if got.status != test.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
			}
		})
	}
}

func TestConsoleWithAToken(t *testing.T) {
	d := newDaemon(t, Options{Console: page, Token: "s3cret"})
	if got := d.do(t, "GET", "/", ""); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "chaosgate console") || got.header.Get("Set-Cookie") != "" {
		t.Errorf("without a link: got %d %s, want to be told how to get one", got.status, got.body)
	}
	d.must(t, http.StatusOK, "GET", "/console/app.js", "")
	d.must(t, http.StatusUnauthorized, "POST", "/v1/console", "")
	d.must(t, http.StatusUnauthorized, "GET", "/?code=", "")
	c := link(t, d, "Authorization", "Bearer s3cret")
	if left := time.Until(c.Till); left <= 0 || left > codePatience {
		t.Errorf("the link ends in %v, want within %v", left, codePatience)
	}
	cookie := letIn(t, d, c.Path)
	d.must(t, http.StatusUnauthorized, "GET", c.Path, "") // it was followed
	d.must(t, http.StatusOK, "GET", c.Path, "", "Cookie", cookie)
	d.must(t, http.StatusOK, "GET", "/v1/gates", "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin", "User-Agent", "Mozilla/5.0")
	d.must(t, http.StatusUnauthorized, "GET", "/v1/gates", "")
}

func TestLinkEnds(t *testing.T) {
	s := newSessions()
	now := time.Now()
	code, till := s.newCode(now)
	if s.take(code, till.Add(time.Second)) {
		t.Error("a link was good behind its time")
	}
	if s.take(code, now) {
		t.Error("a link was good a second time")
	}
	code, _ = s.newCode(now)
	if !s.take(code, now) {
		t.Error("a link was no good")
	}
	s.newCode(now)
	s.newCode(till.Add(time.Second))
	if len(s.codes) != 1 {
		t.Errorf("got %d links, want those that have ended forgotten", len(s.codes))
	}
}

func TestConsoleWithoutAToken(t *testing.T) {
	d := newDaemon(t, Options{Console: page})
	if c := link(t, d); c != (status.Console{Path: "/"}) {
		t.Errorf("got %+v, want the path alone", c)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr, r.Host = "10.1.2.3:4", "10.0.0.1:8474"
	answer := httptest.NewRecorder()
	newDaemon(t, Options{Console: page, Local: true}).api.ServeHTTP(answer, r)
	if answer.Code != http.StatusForbidden {
		t.Errorf("another machine got %d %s, want 403", answer.Code, answer.Body)
	}
	none := newDaemon(t, Options{})
	none.must(t, http.StatusNotFound, "GET", "/", "")
	none.must(t, http.StatusNotFound, "POST", "/v1/console", "")
}

package console_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/console"
)

// most is how much the whole page may be on its way to a browser.
const most = 60_000

// ask asks the console's handler for a path. Headers are pairs.
func ask(method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	console.Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) []byte {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFiles(t *testing.T) {
	tests := []struct{ path, kind string }{
		{"/", "text/html; charset=utf-8"},
		{"/console/app.js", "text/javascript; charset=utf-8"},
		{"/console/app.css", "text/css; charset=utf-8"},
		{"/console/icon.svg", "image/svg+xml"},
		{"/console/licences.txt", "text/plain; charset=utf-8"},
	}
	var all int
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			plain := ask("GET", test.path)
			if plain.StatusCode != http.StatusOK || plain.Header.Get("Content-Type") != test.kind || plain.Header.Get("Content-Encoding") != "" {
				t.Fatalf("got %s %v, want 200 and %s", plain.Status, plain.Header, test.kind)
			}
			want := body(t, plain)
			zipped := ask("GET", test.path, "Accept-Encoding", "br, gzip;q=0.8")
			sent := body(t, zipped)
			all += len(sent)
			unzipped, err := gzip.NewReader(bytes.NewReader(sent))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(unzipped); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got %d bytes, %v by gzip, want the same %d", len(got), err, len(want))
			}
			if got := ask("GET", test.path, "Accept-Encoding", "gzip;q=0"); got.Header.Get("Content-Encoding") != "" {
				t.Error("got gzip where it was not wanted")
			}
			if plain.Header.Get("ETag") == zipped.Header.Get("ETag") {
				t.Error("got one ETag for two encodings, want two")
			}
			again := ask("GET", test.path, "Accept-Encoding", "gzip", "If-None-Match", zipped.Header.Get("ETag"))
			if got := body(t, again); again.StatusCode != http.StatusNotModified || len(got) > 0 {
				t.Errorf("got %s and %d bytes, want 304 and none", again.Status, len(got))
			}
			if head := ask("HEAD", test.path); head.StatusCode != http.StatusOK || len(body(t, head)) > 0 {
				t.Errorf("HEAD: got %s, want 200 and no body", head.Status)
			}
			if post := ask("POST", test.path); post.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("POST: got %s, want 405", post.Status)
			}
		})
	}
	t.Logf("the page is %d bytes by gzip", all)
	if all > most {
		t.Errorf("got %d bytes by gzip, want at most %d", all, most)
	}
	for _, path := range []string{"/console/", "/console/dist", "/console/index.html", "/console/../console.go", "/other"} {
		if got := ask("GET", path); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %s, want 404", path, got.Status)
		}
	}
}

// TestPolicy checks that the page can run no script but its own, and that nothing in it needs more.
func TestPolicy(t *testing.T) {
	r := ask("GET", "/")
	policy := r.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy+";", want+";") {
			t.Errorf("got %q, want %s in it", policy, want)
		}
	}
	if got := r.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options: got %q, want nosniff", got)
	}
	page := body(t, r)
	for _, inline := range []string{`<style`, `style=`, `<script>`, ` on[a-z]+=`, `javascript:`, `//[a-z]`} {
		if found := regexp.MustCompile(inline).Find(page); found != nil {
			t.Errorf("got %q in the page, want what the policy allows", found)
		}
	}
}

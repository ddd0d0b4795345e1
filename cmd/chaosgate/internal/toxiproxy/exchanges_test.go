package toxiproxy

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
)

var (
	update  = flag.Bool("update", false, "rewrite what the exchanges expect")
	against = flag.String("against", "", "the URL of a Toxiproxy server that has just been started: show where its answers differ")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a server with no proxies.
func start(t *testing.T, o Options) (url string, h *hub.Hub) {
	t.Helper()
	h, err := hub.New(hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	url, close := serve(New(h, o))
	t.Cleanup(func() {
		close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return url, h
}

// serve has an API answer until it is closed.
func serve(a *API) (url string, close func()) {
	server := httptest.NewServer(a)
	return server.URL, func() {
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	}
}

// An exchange is a request and its answer.
type exchange struct {
	comment, method, path, header, body string
	answer                              string
}

// readExchanges reads a file of exchanges, apart by blank lines: a comment, "METHOD PATH [Header: value] BODY", and the answer's
// status, the headers that matter, and its body.
func readExchanges(t *testing.T, name string) (all []exchange) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		var x exchange
		for strings.HasPrefix(block, "#") {
			line, rest, _ := strings.Cut(block, "\n")
			x.comment += line + "\n"
			block = rest
		}
		request, answer, _ := strings.Cut(block, "\n")
		x.answer = answer
		x.method, request, _ = strings.Cut(request, " ")
		x.path, request, _ = strings.Cut(request, " ")
		if m := aHeader.FindStringSubmatch(request); m != nil {
			x.header, request = m[1], m[2]
		}
		x.body = request
		all = append(all, x)
	}
	return all
}

// request returns the request as it is written in the file.
func (x exchange) request() string {
	request := x.method + " " + x.path
	if x.header != "" {
		request += " [" + x.header + "]"
	}
	if x.body != "" {
		request += " " + x.body
	}
	return request
}

// freeAddress returns an address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

var (
	aHeader    = regexp.MustCompile(`^\[([A-Z][A-Za-z-]*: [^\]]*)\] ?(.*)$`)
	anyAddress = regexp.MustCompile(`"(127\.0\.0\.1|\[::\]):\d{4,5}"`)
)

// play sends a request, in which BUSY and FREE stand for ports, and returns the answer with those words and with PORT for any other that was bound.
func (x exchange) play(t *testing.T, url, busy, free string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), x.method, url+x.path, strings.NewReader(strings.NewReplacer("BUSY", busy, "FREE", free).Replace(x.body)))
	if err != nil {
		t.Fatal(err)
	}
	if name, value, ok := strings.Cut(x.header, ": "); ok {
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprint(answer.StatusCode)
	for _, name := range []string{"Content-Type", "X-Content-Type-Options"} {
		if value := answer.Header.Get(name); value != "" {
			out += " " + value
		}
	}
	matched := answer.StatusCode != http.StatusMethodNotAllowed && (!strings.HasPrefix(string(body), "404 page") || x.path == "/metrics")
	if got := answer.Header.Get("X-Toxiproxy-Request-Id") != ""; got != matched {
		t.Errorf("%s %s: got a request id: %t, want %t", x.method, x.path, got, matched)
	}
	text := strings.NewReplacer(busy, "BUSY", free, "FREE", `"Logger":{},`, "").Replace(string(body))
	text = anyAddress.ReplaceAllString(text, `"$1:PORT"`)
	if text != "" {
		out += fmt.Sprintf("\n%s", strings.ReplaceAll(text, "\n", "\\n"))
	}
	return out
}

// playAll sends the requests of all exchanges to a server that has no proxies, and returns the answers.
func playAll(t *testing.T, all []exchange, url string) (answers []string) {
	t.Helper()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, busyPort, _ := net.SplitHostPort(busy.Addr().String())
	_, freePort, _ := net.SplitHostPort(freeAddress(t))
	for _, x := range all {
		answers = append(answers, x.play(t, url, busyPort, freePort))
	}
	return answers
}

// TestExchanges plays what was recorded. Where it differs from what Toxiproxy answers a comment says so.
func TestExchanges(t *testing.T) {
	const name = "testdata/exchanges.txt"
	url, _ := start(t, Options{Version: "2.12.0", Metrics: http.NotFoundHandler()})
	all := readExchanges(t, name)
	if len(all) < 100 {
		t.Errorf("got %d exchanges, want 100 at least", len(all))
	}
	got := playAll(t, all, url)
	for i, x := range all {
		if diff := cmp.Diff(x.answer, got[i]); diff != "" && !*update {
			t.Errorf("%s: (-want +got)\n%s", x.request(), diff)
		}
	}
	if *against != "" {
		for i, other := range playAll(t, all, *against) {
			if other != got[i] {
				t.Logf("%s%s\nToxiproxy: %s\nhere:      %s", all[i].comment, all[i].request(), other, got[i])
			}
		}
	}
	if *update {
		var file []string
		for i, x := range all {
			file = append(file, x.comment+x.request()+"\n"+got[i])
		}
		if err := os.WriteFile(name, []byte(strings.Join(file, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

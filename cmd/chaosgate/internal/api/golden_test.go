package api

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Parts of an exchange that are others each time.
var varying = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`"seed":\d{3,}`), `"seed":SEED`},
	{regexp.MustCompile(`"(age|took)":[\d.e-]+`), `"$1":SECONDS`},
	{regexp.MustCompile(`"go":"[^"]+","system":"[^"]+"`), `"go":"GO","system":"SYSTEM"`},
}

// TestExchanges holds what is said on the wire: each request with its status, the headers that matter, and its body.
func TestExchanges(t *testing.T) {
	d := newDaemon(t, Options{})
	server := echoServer(t)
	var b strings.Builder
	say := func(method, path, body string, header ...string) {
		t.Helper()
		fmt.Fprintf(&b, "%s %s\n", method, path)
		for i := 0; i < len(header); i += 2 {
			fmt.Fprintf(&b, "%s: %s\n", header[i], header[i+1])
		}
		if body != "" {
			fmt.Fprintf(&b, "\n%s\n", body)
		}
		got := d.do(t, method, path, strings.ReplaceAll(body, "SERVER", server), header...)
		fmt.Fprintf(&b, "\n=> %d %s\n", got.status, http.StatusText(got.status))
		for _, name := range []string{"Content-Type", "Location", "Allow", headerBoot} {
			if value := got.header.Get(name); value != "" {
				fmt.Fprintf(&b, "%s: %s\n", name, value)
			}
		}
		fmt.Fprintf(&b, "\n%s\n\n----\n\n", strings.TrimSpace(got.body))
	}
	say("GET", "/v1/gates", "")
	say("POST", "/v1/gates", `{"name":"echo","server":"SERVER","seed":42,"to_client":["delay by=20ms",{"fault":"limit bytes=1MiB","id":"cap"}]}`, headerBy, "TestExchanges")
	say("POST", "/v1/gates", `{"name":"echo","server":"SERVER"}`)
	say("POST", "/v1/gates", `{"name":"x","server":"SERVER","to_server":["delay by=1s",{"delay":{"by":5}}]}`)
	say("POST", "/v1/gates", `{"name":"x","server":"SERVER","to_srver":[]}`)
	say("POST", "/v1/gates", `{"name":"x","server":"SERVER"`)
	say("POST", "/v1/gates", ``)
	say("POST", "/v1/gates", `name=x`, "Content-Type", "application/x-www-form-urlencoded")
	say("PUT", "/v1/gates", `[{"name":"echo","server":"SERVER","seed":42,"to_client":["delay by=20ms",{"fault":"limit bytes=1MiB","id":"cap"}]},{"name":"dns","network":"udp","server":"SERVER"}]`)
	say("PUT", "/v1/gates", `[{"name":"echo","server":"SERVER"},{"name":"dns","network":"udp","server":"SERVER","to_client":"slice size=1B"}]`)
	say("GET", "/v1/gates/ecko", "")
	say("PATCH", "/v1/gates/echo", `{"to_client":[{"fault":"limit bytes=1MiB","id":"cap"}],"door":null}`)
	say("PATCH", "/v1/gates/echo", `{"name":"other"}`)
	say("PUT", "/v1/gates/echo/door", `{"door":"hold","for":"1h"}`)
	say("PUT", "/v1/gates/echo/door", `{"door":"ajar"}`)
	say("PUT", "/v1/gates/echo/door", `{"door":"open"}`)
	say("PUT", "/v1/gates/echo/to_server", `"delay by=200ms bandwidth rate=64KiB/s"`)
	say("POST", "/v1/gates/echo/to_server", `{"fault":"stall","for":"1h"}`)
	say("POST", "/v1/gates/echo/to_client", `{"fault":"stall","id":"delay"}`)
	say("GET", "/v1/gates/echo/to_server/dely", "")
	say("PATCH", "/v1/gates/echo/to_server/delay", `{"delay":{"jitter":"20ms"}}`)
	say("PATCH", "/v1/gates/echo/to_server/delay", `"delay by=1s"`)
	say("PATCH", "/v1/gates/echo/to_server/delay", `{"for":"2h"}`)
	say("PATCH", "/v1/gates/echo/to_server/delay", `{"delay":{"by":"-1s"}}`)
	say("GET", "/v1/gates/echo/to_server/delay?hits=1&wait=1ms", "")
	say("DELETE", "/v1/gates/echo/to_server/delay", "")
	say("GET", "/v1/gates/echo/conns?count=2&wait=1ms", "")
	say("GET", "/v1/gates/echo/conns?count=two", "")
	say("GET", "/v1/gates/echo/conns/7", "")
	say("DELETE", "/v1/gates/dns/conns?how=rst", "")
	say("DELETE", "/v1/gates/echo/conns?how=softly", "")
	say("DELETE", "/v1/gates/echo/conns", "")
	say("PUT", "/v1/leases/test", `{"ttl":"1h"}`)
	say("PUT", "/v1/leases/test", `{"ttl":"1"}`)
	say("POST", "/v1/gates/echo/to_client", `{"fault":"vanish","lease":"tset"}`)
	say("POST", "/v1/gates/echo/to_client", `{"fault":"vanish","lease":"test"}`)
	say("GET", "/v1/leases", "")
	say("DELETE", "/v1/leases/test", "")
	say("POST", "/v1/gates/echo/reseed", `{"seed":"0x2a"}`)
	say("POST", "/v1/heal", "")
	say("DELETE", "/v1/gates/echo", "", "If-Match", "earlier")
	say("DELETE", "/v1/gates/echo", "")
	say("POST", "/v1/nothing", "")
	say("PUT", "/v1/version", `{}`)
	say("GET", "/v1/version", "")
	say("GET", "/v1/version", "", "Origin", "https://evil.example")
	say("GET", "/v1/version", "", "Host", "evil.example")
	say("GET", "/healthz", "")

	got := strings.ReplaceAll(b.String(), d.hub.Boot(), "BOOT")
	for _, v := range varying {
		got = v.pattern.ReplaceAllString(got, v.with)
	}
	file := filepath.Join("testdata", "exchanges.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	is, should := strings.Split(got, "\n----\n"), strings.Split(string(want), "\n----\n")
	for i := range max(len(is), len(should)) {
		if i >= len(is) || i >= len(should) || is[i] != should[i] {
			t.Fatalf("exchange %d (go test -run Exchanges -update . rewrites them): got\n%s\nwant\n%s", i, at(is, i), at(should, i))
		}
	}
}

// at returns an element, if there is one.
func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

func TestHAProxyIsSizedByTheLimit(t *testing.T) {
	text := haproxyConfig("127.0.0.1:1", "127.0.0.1:2", 20_000)
	for _, want := range []string{"maxconn 9644\n", "maxpipes 256\n", "bind 127.0.0.1:1\n", "server s 127.0.0.1:2\n", "option splice-auto\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in\n%s", want, text)
		}
	}
}

func TestNginxConfig(t *testing.T) {
	text := nginxConfig("dir", "127.0.0.1:1", "127.0.0.1:2", 20_000)
	for _, want := range []string{"pid dir/pid;", "listen 127.0.0.1:1 ", "proxy_pass 127.0.0.1:2;", "worker_connections 19900;"} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in\n%s", want, text)
		}
	}
}

// TestToxiproxyIsAsked lets a server see what Toxiproxy would be asked.
func TestToxiproxyIsAsked(t *testing.T) {
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		text, _ := json.Marshal(body)
		asked = append(asked, r.URL.Path+" "+string(text))
		w.Write([]byte(`{"listen": "127.0.0.1:9"}`))
	}))
	defer api.Close()
	tests := []struct {
		name  string
		fault fault
		want  string // what it is asked beside a proxy
	}{
		{"nothing", fault{}, ""},
		{
			"to the client",
			fault{text: "delay", toxic: `{"type": "latency"}`, way: chaos.ToClient},
			`/proxies/bench/toxics {"stream":"downstream","type":"latency"}`,
		},
		{
			"to the server",
			fault{text: "delay", toxic: `{"type": "latency"}`, way: chaos.ToServer},
			`/proxies/bench/toxics {"stream":"upstream","type":"latency"}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked = nil
			addr, err := toxiproxyProxy(t.Context(), api.URL, site{server: "127.0.0.1:2", fault: test.fault})
			if err != nil || addr != "127.0.0.1:9" {
				t.Errorf("got %q, %v, want the address of the answer", addr, err)
			}
			want := `/proxies {"listen":"127.0.0.1:0","name":"bench","upstream":"127.0.0.1:2"}`
			if test.want != "" {
				want += "\n" + test.want
			}
			if got := strings.Join(asked, "\n"); got != want {
				t.Errorf("it was asked\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestFaultsAreFaults holds that the texts of all measurements are what both contenders understand.
func TestFaultsAreFaults(t *testing.T) {
	found := 0
	for _, m := range slices.Concat(measurements(fullScale), measurementsOfToxics(fullScale)) {
		for _, f := range m.faults {
			if f.text == "" {
				continue
			}
			found++
			if _, err := spec.ParseFaults(f.text); err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
			if f.toxic != "" && !json.Valid([]byte(f.toxic)) {
				t.Errorf("%s: the toxic is no JSON: %s", m.name, f.toxic)
			}
		}
	}
	if found == 0 {
		t.Error("no measurement has a fault")
	}
}

func TestVersionOf(t *testing.T) {
	got, err := versionOf(t.Context(), `go version (go\S+)`, "go", "version")
	if err != nil || !strings.HasPrefix(got, "go1.") {
		t.Errorf("got %q, %v, want Go's", got, err)
	}
	if _, err := versionOf(t.Context(), `(no such)`, "go", "version"); err == nil {
		t.Error("a version that it does not say: got no error")
	}
	if _, err := versionOf(t.Context(), `x`, "no-such-program"); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("a program that is not there: got %v", err)
	}
}

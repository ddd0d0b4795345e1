package api

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaosgate/chaos/status"
)

// ops returns every operation of the document, by its id.
func ops(a *api) map[string]*huma.Operation {
	all := map[string]*huma.Operation{}
	for _, item := range a.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if op != nil {
				all[op.OperationID] = op
			}
		}
	}
	return all
}

// wrongBodies are not what any operation wants.
var wrongBodies = []string{
	``, `{`, `nonsense`, `null`, `true`, `7`, `-1`, `1e999`, `"x"`, `""`, `[]`, `[[]]`, `[null]`, `[7]`, `{}`, `{"x":1}`, `[{"x":1}]`,
	`{"name":7}`, `{"name":"a/b","server":"a:1"}`, `{"server":null}`, `{"server":[]}`, `{"server":"x"}`, `{"gates":7}`, `{"gates":[{}]}`, `{"gates":null}`,
	`{"server":"127.0.0.1:1","seed":-1}`, `{"server":"127.0.0.1:1","listen":"nowhere"}`, `{"server":"127.0.0.1:1","network":"ipx"}`,
	`{"server":"127.0.0.1:1","to_server":{}}`, `{"server":"127.0.0.1:1","to_server":[{"delay":{}}]}`, `{"server":"127.0.0.1:1","sessions":1e30}`,
	`{"door":"ajar"}`, `{"door":7}`, `{"door":null}`, `{"door":"hold","for":"-1s"}`, `{"door":"hold","for":7}`, `{"door":"hold","lease":"none"}`, `{"for":"1s"}`,
	`{"ttl":"0s"}`, `{"ttl":7}`, `{"ttl":"9000h"}`, `{"ttl":"-1s"}`, `{"seed":0}`, `{"seed":"x"}`, `{"seed":1e99}`, `{"seed":null}`,
	`["delay"]`, `["delay by=-1s"]`, `["dealy by=1s"]`, `[{"delay":{"by":7}}]`, `[{"delay":{"by":"1s"},"stall":{}}]`, `"delay by=1s delay"`, `{"delay":{"by":"99999999h"}}`,
	`{"fault":"stall","id":"a/b"}`, `{"fault":7}`, `{"fault":null}`, `{"fault":"stall","lease":"none"}`, `{"id":"x"}`, `{"id":7}`, `{"lease":7}`, `{"delay":null}`, `{"delay":{"by":null}}`,
	`{"fault":"stall","for":"-1h"}`, "{\"name\":\"\xff\"}", `{"server":"a:1","server":"b:1"}`, `{"\u0000":1}`, `{"slice":{"size":"1B"}}`, `{"corrupt":{"rate":7}}`,
	`{"server":"127.0.0.1:1","to_server":"` + strings.Repeat("after bytes=1B ", 100) + `stall"}`,
	strings.Repeat(`[`, 20_000), strings.Repeat(`{"after":{"fault":`, 200) + `"stall"` + strings.Repeat(`}}`, 200),
}

// wrongParameters are values of no parameter, or of few.
var wrongParameters = []string{"", "-1", "x", "1.5", "99999999999999999999", "1e3", "0x10", "null", "%00", "a%2Fb", "..", "%FF", strings.Repeat("9", 3000)}

// TestEveryOperation reflects over the document and calls every operation with what is right, missing, of the wrong type, out of range and too
// much. Whatever comes back is no failure of the daemon's, and what is refused changes nothing.
func TestEveryOperation(t *testing.T) {
	d := newDaemon(t, Options{})
	server := echoServer(t)
	d.must(t, 200, "PUT", "/v1/leases/l", `{"ttl":"1h"}`)
	setUp := `{"gates":[{"name":"echo","server":"` + server + `","to_server":[{"fault":"delay by=1ms","id":"x"}]},{"name":"dns","network":"udp","server":"` + server + `"}]}`
	shape := func() string {
		var gates []status.Gate
		if err := json.Unmarshal([]byte(d.must(t, 200, "GET", "/v1/gates", "").body), &gates); err != nil {
			t.Fatal(err)
		}
		for i := range gates {
			// Somebody else on this machine may try the port, and what that counts is no change.
			gates[i].Stats = status.Stats{}
			for _, list := range [][]status.Fault{gates[i].ToServer, gates[i].ToClient} {
				for k := range list {
					list[k].Hits, list[k].LastHit = 0, nil
				}
			}
		}
		data, _ := json.Marshal(gates)
		return string(data) + d.must(t, 200, "GET", "/v1/leases", "").body
	}
	check := func(t *testing.T, before, method, path, body string) int {
		t.Helper()
		got := d.do(t, method, path, body)
		var p Problem
		switch {
		case got.status >= 500:
			t.Errorf("%s %s %.200s: got %d %s", method, path, body, got.status, got.body)
		case got.status >= 400:
			if err := json.Unmarshal([]byte(got.body), &p); method != "HEAD" && (err != nil || p.Detail == "" || p.Code == "" || p.Status != got.status) {
				t.Errorf("%s %s %.200s: got %s, want a problem", method, path, body, got.body)
			}
			if after := shape(); after != before {
				t.Errorf("%s %s %.200s: refused with %s, and yet it has changed\n%s\nto\n%s", method, path, body, got.body, before, after)
			}
		}
		return got.status
	}
	called := 0
	for id, op := range ops(d.api) {
		t.Run(id, func(t *testing.T) {
			reset := func() string {
				d.must(t, 200, "PUT", "/v1/gates", setUp)
				d.do(t, "DELETE", "/v1/gates/gate-1", "")
				d.must(t, 200, "PUT", "/v1/leases/l", `{"ttl":"1h"}`)
				return shape()
			}
			quick := ""
			if id == "follow-events" {
				quick = "?count=1&wait=1ms"
			}
			path := concrete(op.Path) + quick
			for _, body := range wrongBodies {
				if op.RequestBody == nil && body != "" && body != `{}` {
					continue
				}
				before := reset()
				check(t, before, op.Method, path, body)
				called++
			}
			for _, p := range op.Parameters {
				for _, wrong := range wrongParameters {
					before := reset()
					target := concrete(op.Path)
					switch p.In {
					case "query":
						query := url.Values{p.Name: {wrong}}
						if id == "follow-events" && p.Name != "count" {
							query.Set("count", "1")
						}
						if p.Name != "wait" && slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "wait" }) {
							query.Set("wait", "1ms")
						}
						if wrong == "" && (p.Name == "wait" || p.Name == "count") {
							continue // which is a long wait, or a stream
						}
						target += "?" + query.Encode()
					case "path":
						if wrong == "" || wrong == ".." {
							continue // another path
						}
						target = concrete(strings.ReplaceAll(op.Path, "{"+p.Name+"}", wrong))
					default:
						continue
					}
					check(t, before, op.Method, target, "")
					called++
				}
			}
			before := reset()
			if got := d.do(t, op.Method, path+map[bool]string{true: "&", false: "?"}[quick != ""]+"nonsense=1", ""); got.status < 400 {
				t.Errorf("an unknown parameter: got %d %s, want an error", got.status, got.body)
			}
			if after := shape(); after != before {
				t.Error("an unknown parameter has changed something")
			}
			if op.RequestBody != nil {
				example, err := json.Marshal(op.RequestBody.Content["application/json"].Example)
				if err != nil {
					t.Fatal(err)
				}
				reset()
				conn(t, d)
				target := strings.ReplaceAll(strings.ReplaceAll(path, "/to_client/x", "/to_client/y"), "/conns/1/to_server/x", "/conns/1/to_server/z")
				if got := d.do(t, op.Method, target, string(example)); got.status >= 400 && got.status != 404 && got.status != 409 {
					t.Errorf("the example %s: got %d %s", example, got.status, got.body)
				}
			}
		})
	}
	t.Logf("%d calls of %d operations", called, len(ops(d.api)))
}

// conn opens a connection through the gate of a test, that stays until its end.
func conn(t *testing.T, d *daemon) {
	t.Helper()
	g, err := d.hub.Gate("echo")
	if err != nil {
		t.Fatal(err)
	}
	dialUntilTheEnd(t, g.Listen)
	if _, err := d.hub.WaitConns(t.Context(), "echo", 1); err != nil {
		t.Fatal(err)
	}
}

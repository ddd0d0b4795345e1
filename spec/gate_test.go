package spec_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/google/go-cmp/cmp"
)

func TestGateJSON(t *testing.T) {
	tests := []struct {
		name, json string
		want       spec.Gate
		back       string // what it is written as, if not the same
	}{
		{
			"everything",
			`{"name":"redis","network":"tcp","listen":"127.0.0.1:26379","server":"127.0.0.1:6379","seed":42,"door":"hold","to_server":[{"delay":{"by":"200ms"}}],"to_client":[{"stall":{}}]}`,
			spec.Gate{
				Name: "redis", Network: "tcp", Listen: "127.0.0.1:26379", Server: "127.0.0.1:6379", Seed: 42, Door: chaos.Hold,
				ToServer: spec.EntriesOf(chaos.Delay{By: 200 * time.Millisecond}), ToClient: spec.EntriesOf(chaos.Stall{}),
			},
			"",
		},
		{"server alone", `{"server":"a:1"}`, spec.Gate{Network: "tcp", Server: "a:1"}, `{"network":"tcp","server":"a:1"}`},
		{
			"unix", `{"network":"unix","listen":"/tmp/a,b=c d","server":"@abstract"}`,
			spec.Gate{Network: "unix", Listen: "/tmp/a,b=c d", Server: "@abstract"},
			"",
		},
		{
			"faults as text", `{"server":"a:1","to_server":"stall vanish","to-client":["stall"]}`,
			spec.Gate{Network: "tcp", Server: "a:1", ToServer: spec.EntriesOf(chaos.Stall{}, chaos.Vanish{}), ToClient: spec.EntriesOf(chaos.Stall{})},
			`{"network":"tcp","server":"a:1","to_server":[{"stall":{}},{"vanish":{}}],"to_client":[{"stall":{}}]}`,
		},
		{
			"largest seed", `{"network":"tcp","server":"a:1","seed":18446744073709551615}`,
			spec.Gate{Network: "tcp", Server: "a:1", Seed: 1<<64 - 1},
			`{"network":"tcp","server":"a:1","seed":"0xffffffffffffffff"}`,
		},
		{
			"seed in hexadecimal", `{"network":"tcp","server":"a:1","seed":"0xfeedfacecafebeef"}`,
			spec.Gate{Network: "tcp", Server: "a:1", Seed: 0xfeedfacecafebeef},
			"",
		},
		{
			"seed in a string", `{"network":"tcp","server":"a:1","seed":"9007199254740993"}`,
			spec.Gate{Network: "tcp", Server: "a:1", Seed: 1<<53 + 1},
			`{"network":"tcp","server":"a:1","seed":"0x20000000000001"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got spec.Gate
			err := json.Unmarshal([]byte(tt.json), &got)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Fatalf("got %v (-want +got):\n%s", err, diff)
			}
			if tt.back == "" {
				tt.back = tt.json
			}
			if data, err := json.Marshal(got); err != nil || string(data) != tt.back {
				t.Errorf("written: got %s and %v, want %s", data, err, tt.back)
			}
		})
	}
}

func TestGateJSONRefuses(t *testing.T) {
	tests := []struct {
		name, json, path, want string
	}{
		{"list", `[]`, "", `got [], want a gate such as {"listen": "127.0.0.1:26379", "server": "127.0.0.1:6379"}`},
		{"key misspelt", `{"sever":"a:1"}`, "sever", `unknown key "sever", did you mean server?`},
		{"key twice", `{"to_server":[],"to-server":[]}`, "", `to-server is given twice`},
		{"no server", `{}`, "server", `server: got nothing, want HOST:PORT`},
		{"server as a number", `{"server":80}`, "server", `server: got 80, want a string`},
		{"server without port", `{"server":"a"}`, "server", `server: got a, want HOST:PORT`},
		{"server with port 0", `{"server":"a:0"}`, "server", `server: got a:0, want a port above 0`},
		{"port too large", `{"server":"a:65536"}`, "server", `server: got a:65536, want HOST:PORT with a port from 0 to 65535`},
		{"port by name", `{"server":"a:http"}`, "server", `server: got a:http, want HOST:PORT with a port from 0 to 65535`},
		{"IPv6 without brackets", `{"server":"::1:80"}`, "server", `server: got ::1:80, want HOST:PORT, with an IPv6 address in brackets`},
		{"brackets around no address", `{"server":"[a]:80"}`, "server", `server: got [a]:80, want an IPv6 address in brackets, such as [::1]:80`},
		{"URL", `{"server":"http://a:80"}`, "server", `server: got http://a:80, want HOST:PORT, with an IPv6 address in brackets`},
		{"host with a blank", `{"listen":"a b:80","server":"a:1"}`, "listen", `listen: got "a b:80", want HOST:PORT with a name or an IP address`},
		{"fault for streams", `{"network":"udp4","server":"a:1","to_server":["slice size=1B"]}`, "to_server[0].slice", `to_server[0]: slice: got udp4, want a network of streams, because a datagram is never cut`},
		{"network unlike any", `{"network":"sctp6x","server":"a:1"}`, "network", `network: unknown network "sctp6x", want tcp, tcp4, tcp6, udp, udp4, udp6 or unix`},
		{"network", `{"network":"tpc","server":"a:1"}`, "network", `network: unknown network "tpc", did you mean tcp?`},
		{"path too long", `{"network":"unix","server":"/` + strings.Repeat("a", 107) + `"}`, "server", `server: got a path of 108 bytes, /` + strings.Repeat("a", 59) + `…, want at most 107`},
		{"path with a zero byte", `{"network":"unix","server":"/a\u0000"}`, "server", `server: got "/a\x00", want a path without zero bytes (an abstract name begins with @)`},
		{"no path", `{"network":"unix"}`, "server", `server: got nothing, want the path of a unix socket`},
		{"name with a slash", `{"name":"a/b","server":"a:1"}`, "name", `name: got a/b, want printable characters other than / and quotes`},
		{"name of dots", `{"name":"..","server":"a:1"}`, "name", `name: got "..", want a name`},
		{"name too long", `{"name":"` + strings.Repeat("n", 129) + `","server":"a:1"}`, "name", `name: got ` + strings.Repeat("n", 60) + `…, want at most 128 bytes`},
		{"seed with fraction", `{"server":"a:1","seed":1.5}`, "seed", `seed: got 1.5, want a whole number of 64 bits, such as 42 or 0x2a`},
		{"negative seed", `{"server":"a:1","seed":-1}`, "seed", `seed: got -1, want a whole number of 64 bits, such as 42 or 0x2a`},
		{"seed too large", `{"server":"a:1","seed":18446744073709551616}`, "seed", `seed: got 18446744073709551616, want a whole number of 64 bits, such as 42 or 0x2a`},
		{"seed with underscores", `{"server":"a:1","seed":"0x_2a"}`, "seed", `seed: got 0x_2a, want a whole number of 64 bits, such as 42 or 0x2a`},
		{"fault", `{"server":"a:1","to_client":["stall",{"after":{"bytes":"1B","fault":{"delay":{"by":200}}}}]}`, "to_client[1].after.fault.delay.by", `to_client[1]: after: fault: delay: by: got 200, want a duration with its unit, such as 200ms`},
		{"fault that does not fit the network", `{"server":"a:1","network":"tcp4","to_server":["stall","test_datagrams chance=1"]}`, "to_server[1].test_datagrams", `to_server[1]: test_datagrams: got tcp4, want udp`},
		{"reset on unix", `{"server":"/a","network":"unix","to_server":["close reset"]}`, "to_server[0].close.reset", `to_server[0]: close: reset: `},
		{"black hole on unix", `{"server":"/a","network":"unix","door":"blackhole"}`, "door", `door: got blackhole, want another, because a unix socket cannot leave a connect unanswered`},
		{"door", `{"server":"a:1","door":"ajar"}`, "door", `door: got "ajar", want open, hold, refuse or blackhole`},
		{"door as a number", `{"server":"a:1","door":1}`, "door", `door: got 1, want a string`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var g spec.Gate
			err := json.Unmarshal([]byte(tt.json), &g)
			// What a fault or a door says of itself is its own to word.
			if err == nil || err.Error() != tt.want && !(strings.HasSuffix(tt.want, " ") && strings.HasPrefix(err.Error(), tt.want)) {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if where, ok := errors.AsType[*spec.Error](err); !ok || where.Path != tt.path {
				t.Errorf("got %T at %+v, want *spec.Error at %s", err, where, tt.path)
			}
		})
	}
}

func TestGateText(t *testing.T) {
	tests := []struct {
		text string
		want spec.Gate
		back string // what it is written as, if not the same
	}{
		{"redis=127.0.0.1:26379,127.0.0.1:6379", spec.Gate{Name: "redis", Network: "tcp", Listen: "127.0.0.1:26379", Server: "127.0.0.1:6379"}, ""},
		{"127.0.0.1:26379,redis:6379", spec.Gate{Network: "tcp", Listen: "127.0.0.1:26379", Server: "redis:6379"}, ""},
		{" :80,a:1\n", spec.Gate{Network: "tcp", Listen: ":80", Server: "a:1"}, ":80,a:1"},
		{",a:1", spec.Gate{Network: "tcp", Server: "a:1"}, ""},
		{"[::1]:80,[fe80::1%eth0]:1", spec.Gate{Network: "tcp", Listen: "[::1]:80", Server: "[fe80::1%eth0]:1"}, ""},
		{"tcp:[::]:80,a:1", spec.Gate{Network: "tcp", Listen: "[::]:80", Server: "a:1"}, "[::]:80,a:1"},
		{"tcp6:[::]:80,a:1", spec.Gate{Network: "tcp6", Listen: "[::]:80", Server: "a:1"}, ""},
		{"db=tcp4:127.0.0.1:15432,a:5432", spec.Gate{Name: "db", Network: "tcp4", Listen: "127.0.0.1:15432", Server: "a:5432"}, ""},
		{"unix:/tmp/a.sock,/tmp/b.sock", spec.Gate{Network: "unix", Listen: "/tmp/a.sock", Server: "/tmp/b.sock"}, ""},
		{"pg=unix:/tmp/a=b c,@d:e", spec.Gate{Name: "pg", Network: "unix", Listen: "/tmp/a=b c", Server: "@d:e"}, ""},
		{"unix:a=b,c", spec.Gate{Network: "unix", Listen: "a=b", Server: "c"}, ""},
		{"my gate=:80,a:1", spec.Gate{Name: "my gate", Network: "tcp", Listen: ":80", Server: "a:1"}, ""},
		{"tcp=:80,a:1", spec.Gate{Name: "tcp", Network: "tcp", Listen: ":80", Server: "a:1"}, ""},
		{"udp:127.0.0.1:53,b:53", spec.Gate{Network: "udp", Listen: "127.0.0.1:53", Server: "b:53"}, ""},
		{"dns=udp6:[::1]:53,b:53", spec.Gate{Name: "dns", Network: "udp6", Listen: "[::1]:53", Server: "b:53"}, ""},
		{"tcp:udp:80,a:1", spec.Gate{Network: "tcp", Listen: "udp:80", Server: "a:1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := spec.ParseGate(tt.text)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Fatalf("got %v (-want +got):\n%s", err, diff)
			}
			if tt.back == "" {
				tt.back = tt.text
			}
			if text := got.Text(); text != tt.back {
				t.Errorf("written: got %s, want %s", text, tt.back)
			}
		})
	}
}

func TestParseGateRefuses(t *testing.T) {
	const form = "[NAME=][tcp:|udp:|unix:]LISTEN,SERVER, such as redis=127.0.0.1:26379,127.0.0.1:6379"
	tests := []struct {
		text   string
		column int
		want   string
	}{
		{"", 1, "gate: got nothing, want " + form},
		{"127.0.0.1:80", 1, "gate: got 127.0.0.1:80, want " + form},
		{"x=a:1", 3, "gate: got x=a:1, want " + form},
		{"a:1,b:2,c:3", 1, "gate: got a:1,b:2,c:3, want one comma, as in " + form},
		{"=a:1,b:2", 9, "gate: got =a:1,b:2, want a name before ="},
		{"x=a,b:2", 3, "listen: got a, want HOST:PORT"},
		{"x=a:1,b", 7, "server: got b, want HOST:PORT"},
		{"x=a:1,", 7, "server: got nothing, want HOST:PORT"},
		{"::1:80,b:2", 1, "listen: got ::1:80, want HOST:PORT, with an IPv6 address in brackets"},
		{"tcp:/tmp/a,b:2", 5, "listen: got /tmp/a, want HOST:PORT"},
		{"tpc:a:1,b:2", 1, "listen: got tpc:a:1, want HOST:PORT, with an IPv6 address in brackets"},
		{"\x1b=a:1,b:2", 1, `name: got "\x1b", want printable characters other than / and quotes`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			_, err := spec.ParseGate(tt.text)
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if where, ok := errors.AsType[*spec.Error](err); !ok || where.Column != tt.column {
				t.Errorf("got %T at %+v, want *spec.Error at column %d", err, where, tt.column)
			}
		})
	}
}

func TestGateNew(t *testing.T) {
	g := spec.Gate{
		Name: "x", Network: "tcp", Listen: "127.0.0.1:0", Server: "a:1", Seed: 7,
		ToServer: spec.EntriesOf(chaos.Stall{}), ToClient: spec.EntriesOf(chaos.Vanish{}, chaos.Delay{By: 1}),
	}
	gate, err := g.New()
	if err != nil {
		t.Fatal(err)
	}
	if gate.Network != "tcp" || gate.Listen != "127.0.0.1:0" || gate.Server != "a:1" || gate.Seed != 7 {
		t.Errorf("got %s %s %s %d, want those of %+v", gate.Network, gate.Listen, gate.Server, gate.Seed, g)
	}
	for _, flow := range []struct {
		name string
		flow *chaos.Flow
		want []chaos.Fault
	}{{"to server", &gate.ToServer, g.ToServer.Faults()}, {"to client", &gate.ToClient, g.ToClient.Faults()}} {
		var got []chaos.Fault
		for _, imposed := range flow.flow.Imposed() {
			got = append(got, imposed.Fault())
		}
		if diff := cmp.Diff(flow.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", flow.name, diff)
		}
	}
	if _, err := (spec.Gate{Server: "a:1", ToServer: spec.EntriesOf(nil)}).New(); err == nil || err.Error() != "to_server[0]: got nil, want a fault" {
		t.Errorf("nil fault: got %v, want to_server[0]: got nil, want a fault", err)
	}
}

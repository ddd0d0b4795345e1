package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

func TestRead(t *testing.T) {
	slow := spec.EntriesOf(chaos.Delay{By: 200 * time.Millisecond})
	redis := spec.Gate{Name: "redis", Network: "tcp", Listen: "127.0.0.1:26379", Server: "127.0.0.1:6379", ToClient: slow}
	tests := []struct {
		name, file, text string
		want             []spec.Gate
	}{
		{"a list", "f.yaml", "- name: redis\n  listen: 127.0.0.1:26379\n  server: 127.0.0.1:6379\n  to_client:\n  - delay by=200ms\n", []spec.Gate{redis}},
		{"gates", "f.yaml", "gates:\n- name: redis\n  listen: 127.0.0.1:26379\n  server: 127.0.0.1:6379\n  to_client:\n  - delay: {by: 200ms}\n", []spec.Gate{redis}},
		{"faults in one string", "f.yaml", "- {name: redis, listen: 127.0.0.1:26379, server: 127.0.0.1:6379, to_client: delay by=200ms}", []spec.Gate{redis}},
		{"faults in a block", "f.yml", "- name: redis\n  listen: 127.0.0.1:26379\n  server: 127.0.0.1:6379\n  to_client: |\n    delay\n      by=200ms\n", []spec.Gate{redis}},
		{"a document with marks", "f.yaml", "# what\n---\n- {name: redis, listen: 127.0.0.1:26379, server: 127.0.0.1:6379, to_client: ['delay by=200ms']}\n...\n# end\n", []spec.Gate{redis}},
		{"hyphens for underscores", "f.yaml", "- {name: redis, listen: 127.0.0.1:26379, server: 127.0.0.1:6379, to-client: [delay by=200ms]}", []spec.Gate{redis}},
		{"JSON", "f.json", `[{"name":"redis","listen":"127.0.0.1:26379","server":"127.0.0.1:6379","to_client":[{"delay":{"by":"200ms"}}]}]`, []spec.Gate{redis}},
		{
			"JSON with tabs under another name", "f.conf",
			"{\n\t\"gates\": [\n\t\t{\"name\": \"redis\", \"listen\": \"127.0.0.1:26379\", \"server\": \"127.0.0.1:6379\", \"to_client\": \"delay by=200ms\"}\n\t]\n}\n",
			[]spec.Gate{redis},
		},
		{"a byte order mark", "f.yaml", "\ufeff- {name: redis, listen: 127.0.0.1:26379, server: 127.0.0.1:6379, to_client: delay by=200ms}", []spec.Gate{redis}},
		{"lines of Windows", "f.yaml", "- name: redis\r\n  listen: 127.0.0.1:26379\r\n  server: 127.0.0.1:6379\r\n  to_client:\r\n  - delay by=200ms\r\n", []spec.Gate{redis}},
		{"a seed in hexadecimal", "f.yaml", "- {name: a, server: a:1, seed: 0xfeedfacecafebeef}", []spec.Gate{{Name: "a", Network: "tcp", Server: "a:1", Seed: 0xfeedfacecafebeef}}},
		{"the largest seed", "f.yaml", "- {name: a, server: a:1, seed: 18446744073709551615}", []spec.Gate{{Name: "a", Network: "tcp", Server: "a:1", Seed: 1<<64 - 1}}},
		{"a name in quotes", "f.yaml", "- {name: \"1\", server: a:1, stopped: True, sessions: 10}", []spec.Gate{{Name: "1", Network: "tcp", Server: "a:1", Stopped: true, Sessions: 10}}},
		{"no faults", "f.yaml", "- name: a\n  server: a:1\n  to_client:\n  to_server: ~\n", []spec.Gate{{Name: "a", Network: "tcp", Server: "a:1"}}},
		{"one port for tcp and for udp", "f.yaml", "- {name: a, listen: ':53', server: a:1}\n- {name: b, network: udp, listen: ':53', server: a:1}", []spec.Gate{
			{Name: "a", Network: "tcp", Listen: ":53", Server: "a:1"}, {Name: "b", Network: "udp", Listen: ":53", Server: "a:1"},
		}},
		{"no gates", "f.yaml", "gates: []", []spec.Gate{}},
		{"no gates in JSON", "f.json", "[]", []spec.Gate{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Read(tt.file, []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, f.Gates); diff != "" {
				t.Errorf("gates (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadRefuses tries what no transcript of the command config check shows.
func TestReadRefuses(t *testing.T) {
	deep := strings.Repeat("[", 1000)
	tests := []struct {
		name, file, text, want string
	}{
		{"too large", "f.yaml", strings.Repeat(" ", largest+1), "f.yaml: has more than 1024 KiB, want fewer"},
		{"brackets too deep", "f.yaml", deep, "f.yaml:1:101: got lists and objects within one another, more than 100 deep, want fewer"},
		{"brackets of JSON too deep", "f.json", deep + strings.Repeat("]", 1000), "f.json:1:101: got lists and objects within one another, more than 100 deep, want fewer"},
		{"dashes too deep", "f.yaml", strings.Repeat("- ", 1000), "f.yaml:1:201: got lists and objects within one another, more than 100 deep, want fewer"},
		{"too many keys", "f.yaml", keys(mostKeys+1, "k%d: v\n"), "f.yaml:1001:6: got more than 1000 keys, want fewer"},
		{"too many keys in braces", "f.yaml", "{" + keys(mostKeys+1, "k%d: v,\n") + "}", "f.yaml:1001:1: got more than 1000 keys, want fewer"},
		{"end of JSON", "f.json", `[{"name": "a"`, "f.json:1:13: JSON: unexpected end of JSON input"},
		{"comma of JSON", "f.json", "[\n1,\n]", "f.json:3:1: JSON: invalid character ']' looking for beginning of value"},
		{"behind JSON", "f.json", "[] []", "f.json:1:4: JSON: invalid character '[' after top-level value"},
		{"YAML by the name of JSON", "f.json", "- a", "f.json:1:2: JSON: invalid character ' ' in numeric literal"},
		{"empty JSON", "f.json", " \n", "f.json: is empty; where there are to be no gates it says so by gates: []"},
		{"key twice in JSON", "f.json", `[{"to_server":[],"to-server":[]}]`, "f.json:1:18: to-server is given twice, first in line 1"},
		{"a string that is no text", "f.yaml", `- {name: "\xff\xfe\ud800", server: a:1}`, `f.yaml:1:19: YAML: found unexpected character after high surrogate for UTF-16 surrogate pair`},
		{"a list for a gate", "f.yaml", "- []", `f.yaml:1:3: got [], want a gate such as {"listen": "127.0.0.1:26379", "server": "127.0.0.1:6379"}`},
		{"a key that is a list", "f.yaml", "[a]: b", "f.yaml:1:4: YAML: found an invalid key for this map"},
		{"keys with dots", "f.yaml", "- {name: a, server: a:1, to_client.0: {}}", `f.yaml:1:26: unknown key "to_client.0", did you mean to_client?`},
		{"behind letters of two bytes", "f.yaml", "- {name: ä, server: ö}", "f.yaml:1:21: server: got ö, want HOST:PORT"},
		{"lines of Windows", "f.yaml", "- name: a\r\n  server: b\r\n", "f.yaml:2:11: server: got b, want HOST:PORT"},
		{"one unix socket twice", "f.yaml", "- {name: a, network: unix, listen: /a, server: /b}\n- {name: b, network: unix, listen: /a, server: /b}", "f.yaml:2:36: listen: got /a, on which a listens, in line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(tt.file, []byte(tt.text))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// keys returns a number of keys.
func keys(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestLoad(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v, want that it does not exist", err)
	}
	dir := t.TempDir()
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: got %v, want an error that names it", err)
	}
	name := filepath.Join(dir, "f.yaml")
	if err := os.WriteFile(name, []byte("- {name: a, server: a:1, lease: x, to_client: [stall, {fault: stall, lease: b}]}"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Faults(); got != 2 {
		t.Errorf("faults: got %d, want 2", got)
	}
	if diff := cmp.Diff([]string{"b", "x"}, f.Leases()); diff != "" {
		t.Errorf("leases (-want +got):\n%s", diff)
	}
}

func TestAt(t *testing.T) {
	f, err := Read("f.yaml", []byte("- name: a\n  server: a:1\n  to_client:\n  - stall\n  - delay:\n      by: 1s\n"))
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("not here")
	tests := []struct{ path, want string }{
		{"gates[0].server", "f.yaml:2:11: not here"},
		{"gates[0].to_client[1].delay.by", "f.yaml:6:11: not here"},
		{"gates[0].to_client[0].stall", "f.yaml:4:5: not here"},
		{"gates[0].listen", "f.yaml:1:3: not here"},
		{"gates[0]", "f.yaml:1:3: not here"},
		{"gates[1]", "f.yaml: not here"},
		{"gates[x]", "f.yaml: not here"},
		{"state", "f.yaml: not here"},
		{"", "f.yaml: not here"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			if err := f.At(tt.path, refused); err.Error() != tt.want || !errors.Is(err, refused) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("x", 200)
	tests := []struct{ name, text, want string }{
		{"a value", "- {name: a, server: here}", "    1 | - {name: a, server: here}\n      |                     ^^^^\n"},
		{"tabs", "-\t{name: a, server: here}", "    1 | -\t{name: a, server: here}\n      |  \t                  ^^^^\n"},
		{"a long line", "- {name: " + long + ", server: here}", "    1 | …" + strings.Repeat("x", 50) + ", server: here}\n      |  " + strings.Repeat(" ", 60) + "^^^^\n"},
		{"what commands a terminal", "- {name: a, server: h\u009bre}", "    1 | - {name: a, server: h\ufffdre}\n      |                     ^^^^\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read("f.yaml", []byte(tt.text))
			got, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			if at := strings.Index(tt.text, "here"); len(tt.text) > 200 { // its name is refused first
				got = source{"f.yaml", tt.text}.wrong(place{at, 4}, "", err)
			}
			if diff := cmp.Diff(tt.want, got.Excerpt()); diff != "" {
				t.Errorf("excerpt (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManual reads the example of the manual, and looks that its table has all keys.
func TestManual(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "daemon.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	_, example, _ := strings.Cut(page, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	f, err := Read("daemon.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Gates) != 2 || f.Faults() != 5 {
		t.Errorf("the example has %d gates and %d faults, want 2 and 5", len(f.Gates), f.Faults())
	}
	for field := range reflect.TypeFor[spec.Gate]().Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !strings.Contains(page, "\n| `"+key+"` | ") {
			t.Errorf("the manual lacks the key %s", key)
		}
	}
	_, said, _ := strings.Cut(page, "$ chaosgate config check gates.yaml\n    chaosgate: ")
	where, shown, _ := strings.Cut(said, "\n")
	shown, _, _ = strings.Cut(shown, "\n\n")
	_, err = Read("gates.yaml", []byte(strings.Replace(example, "by=200ms", "by=200", 1)))
	refused, ok := errors.AsType[*Error](err)
	if !ok || refused.Error() != where {
		t.Fatalf("the manual says\n%s\nbut it is\n%v", where, err)
	}
	if got := strings.ReplaceAll(strings.TrimSpace(refused.Excerpt()), "\n", "\n    "); got != strings.TrimSpace(shown) {
		t.Errorf("the manual shows\n%s\nbut it is\n%s", shown, got)
	}
}

// FuzzRead looks that nothing makes the reader fail, that each error lies within the file, and that what is read can be written and
// read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"gates:\n  - name: redis\n    listen: 127.0.0.1:26379\n    server: 127.0.0.1:6379\n    to_client:\n      - delay: {by: 200ms}\n      - bandwidth rate=64KiB/s\n",
		"- {name: a, server: a:1, seed: 0x2a, stopped: true, to_server: [{fault: stall, for: 10s, id: x}]}",
		"[{\"name\": \"a\", \"server\": \"a:1\",\n\t\"to_server\": \"delay by=200\"}]",
		"- name: a\n  server: [::1]:80\n", "- &a b\n- *a\n- !t c\n<<: d\n? e\n%f\n", "a: |\n  b\nc: >-\n  d\n  e\n---\nf: \"g\\n\nh\"\n...\n",
		"[]", "- name: ä\r\n  ö: 'x''y'\r\n", "\ufeff{}", "\"0\ufec3", "a: [b, {c: d}]\n- e: 010\n  f: .5\n  g: ~\n  h:\n\ti\n", "- - - a\n    b: c\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"f.yaml", "f.json"} {
			file, err := Read(name, []byte(text))
			if err != nil {
				within(t, text, err)
				continue
			}
			data, err := json.Marshal(file.Gates)
			if err != nil {
				t.Fatalf("%s: cannot be written again: %v", name, err)
			}
			again, err := Read("f.json", data)
			if err != nil {
				t.Fatalf("%s: written again: %v", name, err)
			}
			if diff := cmp.Diff(file.Gates, again.Gates); diff != "" {
				t.Errorf("%s: written and read again (-first +second):\n%s", name, diff)
			}
		}
	})
}

// within looks that an error lies within a text, and can be shown.
func within(t *testing.T, text string, err error) {
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("got an error of type %T, want *Error", err)
	}
	if e.Line == 0 {
		if e.Excerpt() != "" {
			t.Errorf("%v: got an excerpt without a line", err)
		}
		return
	}
	lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
	if e.Line > len(lines) || e.Column > len([]rune(lines[e.Line-1]))+1 {
		t.Errorf("%v: is outside of the text", err)
	}
	if !strings.Contains(e.Excerpt(), "^") {
		t.Errorf("%v: got the excerpt %q, want a mark in it", err, e.Excerpt())
	}
}

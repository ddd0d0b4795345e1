package main

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestServeRefuses tries what a daemon does not start with.
func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().String()
	wrong := write("wrong.yaml", "- name: a\n  server: 127.0.0.1:1\n  to_client: delay by=200\n")
	clash := write("clash.yaml", "- name: a\n  server: 127.0.0.1:1\n- name: b\n  listen: "+port+"\n  server: 127.0.0.1:1\n")
	fine := write("fine.yaml", "- {name: a, server: 127.0.0.1:1}")
	leased := write("leased.yaml", "- name: a\n  server: 127.0.0.1:1\n  lease: x\n")
	damaged := write("damaged", "chaosgate-state 1 sha256:00\n{}\n")
	const help = "\nsee 'chaosgate serve --help'\n"
	tests := []struct {
		name string
		args []string
		code int
		want string // the beginning of what is said, with what differs from run to run left out
	}{
		{"an address where others can connect", []string{"--listen", "0.0.0.0:0"}, exitUsage, "--listen: got 0.0.0.0:0, where others than this machine can connect: that needs a --token, or $CHAOSGATE_TOKEN, because whoever reaches the daemon can have it connect to anything" + help},
		{"all addresses", []string{"--listen", ":0"}, exitUsage, "--listen: got :0, where others than this machine can connect: that needs a --token"},
		{"all IPv6 addresses", []string{"--listen", "[::]:0"}, exitUsage, "--listen: got [::]:0, where others than this machine can connect: that needs a --token"},
		{"no port", []string{"--listen", "127.0.0.1"}, exitUsage, `--listen: got "127.0.0.1", want HOST:PORT: address 127.0.0.1: missing port in address` + help},
		{"no such port", []string{"--listen", "127.0.0.1:99999"}, exitUsage, `--listen: got "127.0.0.1:99999", want HOST:PORT: address 99999: invalid port` + help},
		{"a port that is taken", []string{"--listen", port}, exitCannotRun, "listen tcp PORT: bind: address already in use; is another daemon running? --listen names another address, and with port 0 any free port\n"},
		{"a token with a blank", []string{"--token", "my secret"}, exitUsage, "--token: got one with blanks or with characters beyond ASCII, which no header carries" + help},
		{"profiles where others can connect", []string{"--pprof", "0.0.0.0:0", "--token", "x"}, exitUsage, "--pprof: got 0.0.0.0:0, where others than this machine can connect"},
		{"a wrong gate", []string{"--gate", "a=nowhere"}, exitUsage, "--gate: got a=nowhere, want [NAME=]"},
		{"a gate twice", []string{"--gate", "a=,127.0.0.1:1", "--gate", "a=,127.0.0.1:2"}, exitUsage, "--gate: got two with the name a" + help},
		{"a gate of the config file", []string{"--gate", "a=,127.0.0.1:1", "--config", fine}, exitUsage, "--gate: got a, which is in DIR/fine.yaml too" + help},
		{"a gate on a port that is taken", []string{"--gate", "a=" + port + ",127.0.0.1:1"}, exitCannotRun, "--gate a: listen tcp PORT: bind: address already in use\n"},
		{"a gate where none may listen", []string{"--gate", "a=127.0.0.1:0,127.0.0.1:1", "--allow-listen", "10.0.0.0/8"}, exitUsage, "--gate a: listen: 127.0.0.1:0 is none that --allow-listen allows" + help},
		{"a pattern that is none", []string{"--allow-server", "example.org"}, exitUsage, `allow-server: got "example.org", want an IP address or prefix`},
		{"no config file", []string{"--config", filepath.Join(dir, "none")}, exitUsage, "--config: open DIR/none: no such file or directory" + help},
		{"a wrong config file", []string{"--config", wrong}, exitUsage, "DIR/wrong.yaml:3:23: to_client: delay: by: got 200, want a duration with its unit, such as 200ms\n    3 |   to_client: delay by=200\n      |                       ^^^\n"},
		{"a config file with a port that is taken", []string{"--config", clash}, exitCannotRun, "DIR/clash.yaml:4:11: gates[1] (b): listen tcp PORT: bind: address already in use\n    4 |   listen: PORT\n      |           ^^^^"},
		{"a config file with a lease", []string{"--config", leased}, exitUsage, "DIR/leased.yaml:3:10: gates[0]: unknown lease \"x\"\n    3 |   lease: x\n      |          ^\n"},
		{"a state file that is damaged", []string{"--state", damaged}, exitCannotRun, "state file DIR/damaged: is damaged: its checksum is wrong; remove it to begin with nothing\n"},
		{"a form of logs", []string{"--log-format", "xml"}, exitUsage, `--log-format: got "xml", want auto, text or json` + help},
		{"an argument", []string{"redis"}, exitUsage, `unknown command "redis" for `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := execute(t.Context(), append([]string{"serve", "--listen", "127.0.0.1:0", "--log-level", "error"}, tt.args...), strings.NewReader(""), &out, &errs)
			if code != tt.code || out.Len() > 0 {
				t.Errorf("got exit code %d and %q on stdout, want %d and nothing", code, &out, tt.code)
			}
			got := strings.NewReplacer(port, "PORT", dir, "DIR").Replace(errs.String())
			got = regexp.MustCompile(`(?m)see '[^']* serve --help'$`).ReplaceAllString(got, "see 'chaosgate serve --help'")
			if want := "chaosgate: " + tt.want; !strings.HasPrefix(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, "secret") {
				t.Errorf("got %q, want no token in it", got)
			}
		})
	}
}

// lineServer starts a server that sends back each line that it gets.
func lineServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	return listener.Addr().String()
}

// askLine sends a line through a gate and expects it back.
func askLine(t *testing.T, addr string) {
	t.Helper()
	if err := exchangeLines("tcp", addr, []string{"hello"}, false); err != nil {
		t.Errorf("%s: %v", addr, err)
	}
}

// writeFile writes a file as editors do: another takes its place.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestServeListensWhenItsGatesDo(t *testing.T) {
	server := lineServer(t)
	file := filepath.Join(t.TempDir(), "gates.json")
	writeFile(t, file, `[{"name": "a", "server": "`+server+`"}]`)
	d := startDaemon(t, "--config", file, "--gate", "b=,"+server, "--gate", ","+server)
	var names []string
	for _, g := range d.gates() {
		names = append(names, g.Name+" by "+g.By)
		askLine(t, g.Listen)
	}
	if diff := cmp.Diff([]string{"a by config", "b by --gate", "gate-2 by --gate"}, names); diff != "" {
		t.Errorf("gates (-want +got):\n%s", diff)
	}
	if got := string(d.must("GET", "/metrics", nil)); !strings.Contains(got, `chaosgate_connections_accepted_total{gate="gate-2"} 1`) {
		t.Errorf("metrics: got\n%s\nwant the connection in it", got)
	}
	d.must("GET", "/readyz", nil)
}

// TestServeReload changes a config file and looks what becomes of the gates.
func TestServeReload(t *testing.T) {
	server := lineServer(t)
	file := filepath.Join(t.TempDir(), "gates.yaml")
	head := "- name: a\n  server: " + server + "\n"
	writeFile(t, file, head)
	d := startDaemon(t, "--config", file, "--gate", "mine=,"+server)
	applied := func(want map[string]string) {
		t.Helper()
		got := map[string]string{}
		line := d.awaitLine("config applied")
		for _, key := range []string{"created", "changed", "replaced", "removed", "unchanged"} {
			if value := attr(line, key); value != "" {
				got[key] = value
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("diff (-want +got):\n%s", diff)
		}
	}
	refused := func(want string) {
		t.Helper()
		line := d.awaitLine("config not applied: all stays as it is")
		if got := strings.ReplaceAll(attr(line, "error"), file, "FILE"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	imposed := func(gate string) (texts []string) {
		t.Helper()
		for _, g := range d.gates() {
			for _, f := range g.ToClient {
				if g.Name == gate {
					texts = append(texts, f.Text)
				}
			}
		}
		return texts
	}
	applied(map[string]string{"created": "[a]", "unchanged": "0"})
	conn, err := net.Dial("tcp", d.gates()[0].Listen) // which lives through all that follows
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	writeFile(t, file, head+"  to_client: delay by=1ms\n- name: b\n  server: "+server+"\n")
	applied(map[string]string{"created": "[b]", "changed": "[a]", "unchanged": "0"})
	writeFile(t, file, head+"  to_client: delay by=1\n- name: c\n  server: "+server+"\n")
	refused("FILE:3:23: to_client: delay: by: got 1, want a duration with its unit, such as 200ms")
	if diff := cmp.Diff([]string{"delay by=1ms"}, imposed("a")); diff != "" {
		t.Errorf("behind a wrong file: faults (-want +got):\n%s", diff)
	}
	taken := listenerAddr(t)
	writeFile(t, file, head+"- name: c\n  server: "+server+"\n- name: d\n  listen: "+taken+"\n  server: "+server+"\n")
	refused("FILE:6:11: gates[2] (d): listen tcp " + taken + ": bind: address already in use")
	if got := len(d.gates()); got != 3 {
		t.Errorf("behind a file that could not be applied: got %d gates, want 3", got)
	}
	writeFile(t, file, head+"  to_client: delay by=1ms\n- name: b\n  server: "+server+"\n# another comment\n")
	applied(map[string]string{"unchanged": "2"})

	// What others have imposed is lifted when that is asked for, because the file does not want it.
	d.must("PATCH", "/v1/gates/a", map[string]any{"to_client": "stall"})
	d.signal(syscall.SIGHUP)
	applied(map[string]string{"changed": "[a]", "unchanged": "1"})
	writeFile(t, file, "[]")
	applied(map[string]string{"removed": "[a b]", "unchanged": "0"})
	if gates := d.gates(); len(gates) != 1 || gates[0].Name != "mine" {
		t.Errorf("got %+v, want the gate of the flag alone", gates)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	refused("--config: open FILE: no such file or directory")
}

// listenerAddr returns an address that is taken as long as the test lasts.
func listenerAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestServeWithoutConfigLivesThroughHangup(t *testing.T) {
	d := startDaemon(t)
	d.signal(syscall.SIGHUP)
	d.awaitLine("nothing to read again: there is no --config")
	d.must("GET", "/readyz", nil)
}

// TestServeStops ends a daemon while somebody follows its events, somebody is connected and asks nothing, and a fault holds something back.
func TestServeStops(t *testing.T) {
	tests := []struct {
		name string
		end  func(d *daemonProcess)
		code int
		why  string
	}{
		{"SIGTERM", func(d *daemonProcess) { d.signal(syscall.SIGTERM) }, exitFine, "interrupted"},
		{"SIGINT", func(d *daemonProcess) { d.signal(os.Interrupt) }, exitFine, "interrupted"},
		{"standard input is closed", func(d *daemonProcess) { d.stdin.Close() }, exitFine, "standard input was closed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, "--until-stdin-closes", "--gate", "a=,"+lineServer(t))
			d.must("PATCH", "/v1/gates/a", map[string]any{"to_client": "delay by=1h"})
			idle, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			events, err := http.Get(d.url + "/v1/events")
			if err != nil {
				t.Fatal(err)
			}
			defer events.Body.Close()
			conn, err := net.Dial("tcp", d.gates()[0].Listen)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "hello\n"); err != nil {
				t.Fatal(err)
			}
			d.awaitLine("fault fired")
			tt.end(d)
			if got, err := bufio.NewReader(conn).ReadString('\n'); got != "hello\n" || err != nil {
				t.Errorf("what was held back: got %q and %v", got, err)
			}
			if _, err := io.ReadAll(events.Body); err != nil {
				t.Errorf("events: got %v, want their end", err)
			}
			d.awaitExit(tt.code)
			if got := attr(d.awaitLine("stopping: everything is lifted, the gates are closed"), "because"); got != tt.why {
				t.Errorf("because: got %q, want %q", got, tt.why)
			}
		})
	}
}

// TestServeStopsThoughNobodyReadsItsLog has a daemon log more than fits anywhere, to somebody who does not read on, or is gone.
func TestServeStopsThoughNobodyReadsItsLog(t *testing.T) {
	for _, name := range []string{"does not read", "is gone"} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			d := daemonCommand(t, "--until-stdin-closes")
			d.cmd.Stderr = w
			d.start()
			w.Close()
			line, err := bufio.NewReader(r).ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			d.log.Write(line)
			d.awaitReady()
			if name == "is gone" {
				r.Close()
			}
			for range 300 { // each is several lines
				d.must("PUT", "/v1/gates", []map[string]any{{"name": "a", "server": "127.0.0.1:9", "to_client": "delay by=1s"}})
				d.must("PUT", "/v1/gates", []any{})
			}
			d.stdin.Close()
			d.awaitExit(exitFine)
		})
	}
}

// TestServeLeavesAtTheSecondSignal has a peer that keeps a gate from ending: it takes nothing of what it is sent.
func TestServeLeavesAtTheSecondSignal(t *testing.T) {
	server := listenerAddr(t)
	d := startDaemon(t, "--gate", "a=,"+server)
	conn, err := net.Dial("tcp", d.gates()[0].Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	d.awaitLine("connection opened")
	for { // until there is room nowhere
		conn.SetWriteDeadline(time.Now().Add(time.Second / 2))
		if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
			break
		}
	}
	d.signal(os.Interrupt)
	d.awaitLine("stopping: everything is lifted, the gates are closed")
	time.Sleep(2 * sameSignal) // another at once would be the same one
	d.signal(os.Interrupt)
	d.awaitExit(exitInterrupted)
}

// A poorListener has no memory for most connections.
type poorListener struct {
	net.Listener
	errs []error
}

func (l *poorListener) Accept() (net.Conn, error) {
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}

func TestAcceptGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		poor := &poorListener{errs: []error{syscall.ENOBUFS, syscall.EMFILE, syscall.ENOMEM, nil, net.ErrClosed}}
		l := steadyListener{poor, slog.New(slog.NewTextHandler(&log, nil))}
		if _, err := l.Accept(); err != nil {
			t.Errorf("got %v, want a connection in the end", err)
		}
		if got := strings.Count(log.String(), "cannot accept"); got != 3 {
			t.Errorf("got %d lines about it, want 3:\n%s", got, &log)
		}
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Errorf("got %v, want %v", err, net.ErrClosed)
		}
	})
}

// TestServeKeepsFaultsOfFlagGates restarts a daemon with the same flags.
func TestServeKeepsFaultsOfFlagGates(t *testing.T) {
	args := []string{"--state", filepath.Join(t.TempDir(), "state"), "--gate", "a=,127.0.0.1:1"}
	d := startDaemon(t, args...)
	before := d.gates()[0].Listen
	d.must("PATCH", "/v1/gates/a", map[string]any{"to_client": "stall"})
	d.kill()
	d = startDaemon(t, args...)
	g := d.gates()[0]
	if len(g.ToClient) != 1 || g.Listen != before {
		t.Errorf("got %+v, want the fault and the address %s as before", g, before)
	}
	d.kill()
	d = startDaemon(t, append(args[:2:2], "--gate", "a=,127.0.0.1:2")...)
	if g := d.gates()[0]; len(g.ToClient) != 1 || g.Server != "127.0.0.1:2" {
		t.Errorf("with another server: got %+v, want that server and the fault as before", g)
	}
}

func TestProfilesAreForThisMachine(t *testing.T) {
	tests := []struct {
		name, host, path string
		header           [2]string
		want             int
	}{
		{"curl", "127.0.0.1:6060", "/debug/pprof/", [2]string{}, http.StatusOK},
		{"by name", "localhost:6060", "/debug/pprof/goroutine", [2]string{}, http.StatusOK},
		{"by IPv6", "[::1]:6060", "/debug/pprof/", [2]string{}, http.StatusOK},
		{"without a port", "localhost", "/debug/pprof/", [2]string{}, http.StatusOK},
		{"a browser's address bar", "127.0.0.1:6060", "/debug/pprof/", [2]string{"Sec-Fetch-Site", "none"}, http.StatusOK},
		{"a link on its own page", "127.0.0.1:6060", "/debug/pprof/", [2]string{"Sec-Fetch-Site", "same-origin"}, http.StatusOK},
		{"another page", "127.0.0.1:6060", "/debug/pprof/profile", [2]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"a page's script", "127.0.0.1:6060", "/debug/pprof/", [2]string{"Origin", "http://evil"}, http.StatusForbidden},
		{"rebound DNS", "evil:6060", "/debug/pprof/", [2]string{}, http.StatusForbidden},
		{"a name like an address", "127.0.0.1.evil:6060", "/debug/pprof/", [2]string{}, http.StatusForbidden},
		{"another address", "10.0.0.1:6060", "/debug/pprof/", [2]string{}, http.StatusForbidden},
		{"what may hold a token", "127.0.0.1:6060", "/debug/pprof/cmdline", [2]string{}, http.StatusForbidden},
		{"something else", "127.0.0.1:6060", "/", [2]string{}, http.StatusNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tt.path, nil)
			r.Host = tt.host
			if tt.header[0] != "" {
				r.Header.Set(tt.header[0], tt.header[1])
			}
			answer := httptest.NewRecorder()
			profiles().ServeHTTP(answer, r)
			if answer.Code != tt.want {
				t.Errorf("got status %d, want %d", answer.Code, tt.want)
			}
		})
	}
}

func TestServeShowsProfilesWhenAsked(t *testing.T) {
	d := startDaemon(t, "--pprof", "127.0.0.1:0")
	answer, err := plainHTTP.Get(attr(d.ready, "profiles"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("got status %d, want 200", answer.StatusCode)
	}
	if code, _, err := d.ask(t.Context(), "GET", "/debug/pprof/", nil); code != http.StatusNotFound || err != nil {
		t.Errorf("beside the API: got status %d and %v, want 404", code, err)
	}
}

// TestServeIsNoServerForGates has a gate connect to what the daemon itself listens on.
func TestServeIsNoServerForGates(t *testing.T) {
	d := startDaemon(t, "--pprof", "127.0.0.1:0")
	for _, url := range []string{d.url, strings.TrimSuffix(attr(d.ready, "profiles"), "/debug/pprof/")} {
		d.must("PUT", "/v1/gates", []map[string]any{{"name": "a", "server": strings.TrimPrefix(url, "http://")}})
		if answer, err := plainHTTP.Get("http://" + d.gates()[0].Listen + "/readyz"); err == nil {
			t.Errorf("%s: got status %d, want none", url, answer.StatusCode)
			answer.Body.Close()
		}
	}
}

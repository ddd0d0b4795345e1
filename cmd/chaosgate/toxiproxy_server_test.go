package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

func TestWhatTheProgramIsStartedAs(t *testing.T) {
	tests := []struct {
		name, program string
		args          []string
		want          string
	}{
		{"itself", "/usr/bin/chaosgate", nil, "chaosgate"},
		{"itself, with a command", "chaosgate", []string{"serve", "-host"}, "chaosgate"},
		{"itself, with its help", "chaosgate", []string{"-h"}, "chaosgate"},
		{"itself, asked for its version", "chaosgate", []string{"--version"}, "chaosgate"},
		{"an unknown flag", "chaosgate", []string{"--hosts=x"}, "chaosgate"},
		{"no flag", "chaosgate", []string{"-"}, "chaosgate"},
		{"a flag of the server", "chaosgate", []string{"-host=0.0.0.0"}, "server"},
		{"with its value apart", "chaosgate", []string{"-port", "1"}, "server"},
		{"with two dashes", "chaosgate", []string{"--config=f"}, "server"},
		{"asked for the version", "chaosgate", []string{"-version"}, "server"},
		{"by name", "/bin/toxiproxy-server", nil, "server"},
		{"by a name with its platform", "toxiproxy-server-linux-amd64", []string{"-seed=1"}, "server"},
		{"by name on windows", "toxiproxy-server.exe", nil, "server"},
		{"as in the image", "/toxiproxy", nil, "server"},
		{"the command line", "/toxiproxy-cli", []string{"list"}, "cli"},
		{"the command line, with a flag that the server has, too", "toxiproxy-cli.exe", []string{"-host", "x", "list"}, "cli"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "chaosgate"
			if asToxiproxyCLI(tt.program) {
				got = "cli"
			} else if asToxiproxyServer(tt.program, tt.args) {
				got = "server"
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// asProgram runs the program under another name until it ends.
func asProgram(t *testing.T, variables []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Args, cmd.Env = args, append(os.Environ(), variables...) // see TestMain
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), said.String()
}

func TestToxiproxyServerThatDoesNotStart(t *testing.T) {
	taken := newUpstream(t)
	tests := []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // a part of it
	}{
		{"asked for its version", []string{"-version"}, exitFine, "toxiproxy-server version 2.12.0\n", ""},
		{"an unknown flag", []string{"-hots=x"}, exitUsage, "", "flag provided but not defined: -hots"},
		{"an argument", []string{"-port=0", "list"}, exitUsage, "", `got "list", want flags alone`},
		{"a port that is taken", []string{"-port=" + port(t, taken.Addr().String()), "-host=127.0.0.1"}, exitCannotRun, "", "address already in use"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := asProgram(t, nil, append([]string{"toxiproxy-server"}, tt.args...)...)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("got code %d, %q and %q, want %d, %q and %q", code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
			}
		})
	}
}

// TestToxiproxyServerGoesOnWithoutItsConfig gives it config files that are none: the log tells, and the rest of the server serves.
func TestToxiproxyServerGoesOnWithoutItsConfig(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.json")
	writeFile(t, bad, `[{"name": "redis"}]`)
	for name, want := range map[string]string{bad: "missing required field: upstream at proxy 1", bad + ".none": "no such file"} {
		d := startToxiproxy(t, "-config="+name)
		if got := attr(d.awaitLine("the config file was not done, or not all of it"), "error"); !strings.Contains(got, want) {
			t.Errorf("got the error %q, want %q in it", got, want)
		}
		if _, err := toxiproxy.NewClient(d.url).CreateProxy("redis", "127.0.0.1:0", "127.0.0.1:1"); err != nil {
			t.Error(err)
		}
		d.signal(os.Interrupt)
		d.awaitExit(exitFine)
	}
}

func TestToxiproxyServerTellsFiguresThatItIsAskedFor(t *testing.T) {
	const ofProxies, ofProcess = "toxiproxy_proxy_sent_bytes_total", "go_goroutines"
	tests := []struct {
		name          string
		args, has, no []string
		code          int
	}{
		{"none", nil, nil, []string{ofProxies, ofProcess}, http.StatusNotFound},
		{"of proxies", []string{"-proxy-metrics"}, []string{ofProxies}, []string{ofProcess}, http.StatusOK},
		{"of the process", []string{"-runtime-metrics"}, []string{ofProcess}, []string{ofProxies}, http.StatusOK},
		{"both", []string{"-proxy-metrics", "-runtime-metrics"}, []string{ofProxies, ofProcess}, nil, http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := startToxiproxy(t, tt.args...)
			if _, err := toxiproxy.NewClient(d.url).CreateProxy("redis", "127.0.0.1:0", "127.0.0.1:1"); err != nil {
				t.Fatal(err)
			}
			code, body, err := d.ask(t.Context(), "GET", "/metrics", nil)
			if err != nil || code != tt.code {
				t.Fatalf("got %d and %v, want %d", code, err, tt.code)
			}
			for _, series := range tt.has {
				if !bytes.Contains(body, []byte(series)) {
					t.Errorf("got no %s", series)
				}
			}
			for _, series := range tt.no {
				if bytes.Contains(body, []byte(series)) {
					t.Errorf("got %s, want it only when it was asked for", series)
				}
			}
		})
	}
}

// TestToxiproxyServerLogsAsItIsTold looks at what is said of a proxy's start, which is said at the level info.
func TestToxiproxyServerLogsAsItIsTold(t *testing.T) {
	for level, said := range map[string]bool{"": true, "trace": true, "info": true, "warn": false, "error": false, "fatal": false, "disabled": false, "nonsense": true} {
		t.Run("level "+level, func(t *testing.T) {
			t.Setenv("LOG_LEVEL", level)
			d := startToxiproxy(t)
			if _, err := toxiproxy.NewClient(d.url).CreateProxy("redis", "127.0.0.1:0", "127.0.0.1:1"); err != nil {
				t.Fatal(err)
			}
			d.signal(syscall.SIGTERM)
			d.awaitExit(exitFine)
			if got := strings.Contains(d.log.String(), `"gate":"redis"`); got != said {
				t.Errorf("got a line about the proxy: %v, want %v", got, said)
			}
		})
	}
}

// TestToxiproxyServerIsSeeded sends through two servers of one seed, and one of another, and looks at which connections are hit.
func TestToxiproxyServerIsSeeded(t *testing.T) {
	hits := func(seed int) (which string) {
		d := startToxiproxy(t, fmt.Sprintf("-seed=%d", seed))
		upstream := newUpstream(t)
		proxy, err := toxiproxy.NewClient(d.url).CreateProxy("redis", "127.0.0.1:0", upstream.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := proxy.AddToxic("", "limit_data", "", .5, toxiproxy.Attributes{"bytes": 1}); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			c, s := pair{t, upstream, proxy.Listen}.connect()
			s.Write([]byte("ab"))
			s.Close()
			n, _ := ended(c)
			which += fmt.Sprint(n)
		}
		return which
	}
	one, again, other := hits(7), hits(7), hits(8)
	if one != again {
		t.Errorf("the same seed: got %s and then %s", one, again)
	}
	if one == other {
		t.Errorf("another seed: got %s again", one)
	}
	if strings.Trim(one, "12") != "" || !strings.Contains(one, "1") || !strings.Contains(one, "2") {
		t.Errorf("got %s bytes, want 1 of some and 2 of others", one)
	}
}

// TestToxiproxyServerIsClosedToOthers asks a server that listens everywhere from another address of this machine: Toxiproxy's clients are answered, and
// the native API answers who has the token.
func TestToxiproxyServerIsClosedToOthers(t *testing.T) {
	address := ownAddress(t)
	for _, token := range []string{"", "secret"} {
		t.Setenv("CHAOSGATE_TOKEN", token)
		d := daemonCommand(t)
		d.cmd.Args = []string{"toxiproxy-server", "-port=0", "-host=0.0.0.0"}
		d.cmd.Stdout = d.log
		if token != "" {
			d.cmd.Env = append(d.cmd.Env, "CHAOSGATE_TOKEN="+token)
		}
		d.start()
		d.awaitReady()
		d.awaitLine("whoever reaches this address can have it connect to anything: Toxiproxy's API has no token; " +
			"all else answers only this machine, unless $CHAOSGATE_TOKEN is set")
		d.url = "http://" + net.JoinHostPort(address, port(t, strings.TrimPrefix(d.url, "http://")))
		for _, tt := range []struct {
			path, token string
			open        bool
		}{
			{"/version", "", true},
			{"/proxies", "", true},
			{"/v1/gates", "", false},
			{"/v1/gates", "wrong", false},
			{"/v1/gates", "secret", token != ""},
		} {
			code, body, err := d.ask(t.Context(), "GET", tt.path, nil, "Authorization", "Bearer "+tt.token)
			if err != nil || (code == http.StatusOK) != tt.open {
				t.Errorf("with the server's token %q and the token %q, %s: got %d %s and %v, want it open: %v", token, tt.token, tt.path, code, body, err, tt.open)
			}
		}
	}
}

// ownAddress returns an address of this machine that is not of its loopback.
func ownAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address but its loopback's")
	return ""
}

// TestToxiproxyCLI drives the server by the command line that the program is under another name, as users do in the container.
func TestToxiproxyCLI(t *testing.T) {
	d := startToxiproxy(t)
	upstream := newUpstream(t)
	cli := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := asProgram(t, []string{"TOXIPROXY_URL=" + d.url}, append([]string{"toxiproxy-cli"}, args...)...)
		if code != 0 {
			t.Fatalf("%v: got code %d and %s", args, code, stderr)
		}
		return stdout
	}
	cli("create", "-l", "127.0.0.1:0", "-u", upstream.Addr().String(), "redis")
	cli("toxic", "add", "-t", "limit_data", "-a", "bytes=3", "redis")
	fields := strings.Split(strings.TrimSpace(cli("-host", d.url, "list")), "\t")
	if len(fields) != 5 || fields[0] != "redis" || fields[3] != "enabled" || fields[4] != "1" {
		t.Fatalf("got %q, want the proxy with one toxic", fields)
	}
	c, s := pair{t, upstream, fields[1]}.connect()
	if _, err := io.WriteString(s, "abcdef"); err != nil {
		t.Fatal(err)
	}
	if n, how := ended(c); n != 3 || how != "end" {
		t.Errorf("got %d bytes and %s, want 3 and the end", n, how)
	}
	cli("toggle", "redis")
	if c, err := net.Dial("tcp", fields[1]); err == nil {
		c.Close()
		t.Error("a disabled proxy: got a connection")
	}
}

package browser

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
)

// python is where the Python package is.
const python = "../../../../../clients/python/src"

// languages are what an action can be copied as, and how such a text is run.
var languages = []struct {
	name string
	run  func(t *testing.T, text string) *exec.Cmd
}{
	{"sh", shell},
	{"curl", func(t *testing.T, text string) *exec.Cmd {
		if _, err := exec.LookPath("curl"); err != nil {
			t.Skip("curl is missing (Debian package curl)")
		}
		return shell(t, strings.Replace(text, "curl ", "curl --fail-with-body ", 1))
	}},
	{"go", func(t *testing.T, text string) *exec.Cmd {
		cmd := exec.Command("go", "run", file(t, "main.go", text))
		cmd.Dir = "../../.." // where the packages are found that it imports
		return cmd
	}},
	{"pytest", func(t *testing.T, text string) *exec.Cmd {
		if _, err := os.Stat(python); err != nil {
			t.Skip("the Python package is not here")
		}
		if exec.Command("/usr/bin/python3", "-c", "import pytest").Run() != nil {
			t.Skip("pytest is missing (Debian package python3-pytest)")
		}
		name := file(t, "test_it.py", text)
		said, _, _ := strings.Cut(text, "\n") // how it is run
		words := append([]string{"-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "chaosgate.pytest_plugin", name}, strings.Fields(strings.TrimPrefix(said, "# pytest "))...)
		cmd := exec.Command("/usr/bin/python3", words...)
		source, err := filepath.Abs(python)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(os.Environ(), "PYTHONPATH="+source, "PYTHONDONTWRITEBYTECODE=1")
		return cmd
	}},
}

// shell prepares a text to be run by a shell that finds the program.
func shell(_ *testing.T, text string) *exec.Cmd {
	cmd := exec.Command("sh", "-ec", text)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))
	return cmd
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCopyAs copies each action as each language, runs the text, and looks at the daemon for what it has done.
func TestCopyAs(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	p := open(t, d.url)
	const name = "odd $HOME & #1"
	server := echo(t)
	answers := client.Where{Gate: name, Direction: chaos.ToClient}
	var conn net.Conn
	// begin has the gate as it is before each text is run: with a client, a delay and an open door.
	begin := func(t *testing.T) {
		d.Remove(t.Context(), "made")
		d.Remove(t.Context(), name) // there is none at first
		g := d.gate(t, spec.Gate{Name: name, Server: server})
		conn = dial(t, g.Listen)
		exchange(t, conn)
		if _, err := d.Add(t.Context(), answers, spec.EntriesOf(chaos.Delay{By: time.Millisecond})); err != nil {
			t.Fatal(err)
		}
	}
	ended := func(err error) bool {
		conn.SetDeadline(time.Now().Add(patience))
		_, got := conn.Read(make([]byte, 1))
		return errors.Is(got, err) || err == nil && isReset(got)
	}
	is := func(lines ...string) func() bool {
		return func() bool { return strings.Join(imposed(t, d, name), "; ") == strings.Join(lines, "; ") }
	}
	show := func(tab string) { p.show("#gate=" + escaped(name) + "&kind=bandwidth&tab=" + tab) }
	actions := []struct {
		name string
		open func() // leads to the text
		done func() bool
	}{
		{"impose", func() {
			p.click(".impose .segments button", "2 min")
			p.click(".impose .copy", "impose")
		}, func() bool {
			f, err := d.Fault(t.Context(), answers, "bandwidth")
			return err == nil && f.Text == "bandwidth rate=64KiB/s" && !f.Till.IsZero()
		}},
		{"impose for good", func() {
			p.click(".impose .segments button", "for good")
			p.choose("#kind", "substitute")
			p.write("#new-pattern", `it's "q" \d $HOME`)
			p.click(".impose .copy", "impose")
		}, is("delay by=1ms", `substitute pattern="it's \"q\" \\d $HOME"`)},
		{"change", func() {
			p.click(".fault button", "Adjust")
			p.write("#edit-delay-by", "2ms")
			p.click(".fault .edit .copy", "")
		}, is("delay by=2ms")},
		{"lift", func() { p.click(".fault .head .copy", "Lift delay") }, is()},
		{"heal the gate", func() { p.click(".gate header .copy", "Heal") }, is()},
		{"heal everything", func() { p.click(".top .copy", "heal everything") }, is()},
		{"door", func() { p.click(".doors .copy", "door hold") }, func() bool {
			g, err := d.Gate(t.Context(), name)
			return err == nil && g.Door == chaos.Hold
		}},
		{"stop", func() { p.click(".gate header .copy", "Listen no more") }, func() bool {
			g, err := d.Gate(t.Context(), name)
			return err == nil && g.Stopped
		}},
		{"remove", func() { p.click(".gate header .copy", "Remove") }, func() bool {
			_, err := d.Gate(t.Context(), name)
			return errors.Is(err, client.ErrUnknown)
		}},
		{"close a connection", func() {
			show("conns")
			p.click(".conn-row .copy", "Close connection 1")
		}, func() bool { return ended(io.EOF) }},
		{"reset all connections", func() {
			show("conns")
			p.click(".conns .bar .copy", "Reset all")
		}, func() bool { return ended(nil) }},
		{"impose on a connection", func() {
			p.show("#gate=" + escaped(name) + "&conn=1&kind=bandwidth&way=to_server")
			p.sees(".impose h3", "connection 1")
			p.click(".impose .copy", "impose")
		}, is("delay by=1ms", "bandwidth rate=64KiB/s")},
		{"create", func() {
			p.click("button", "New gate")
			p.write("#gate-name", "made")
			p.write("#gate-server", server)
			p.click("dialog form .copy", "")
			p.sees("dialog", "Copy as")
		}, func() bool {
			g, err := d.Gate(t.Context(), "made")
			return err == nil && g.Server == server
		}},
	}
	for _, a := range actions {
		t.Run(a.name, func(t *testing.T) {
			p.navigate(d.url + "/") // with nothing of the action before
			begin(t)
			show("")
			p.sees(".gate h2", name)
			p.sees(".fault", "delay by=1ms")
			a.open()
			texts := map[string]string{}
			for _, l := range languages {
				eventually(t, "the text is shown", func() bool {
					return eval[bool](p, fmt.Sprintf(`(() => { const b = document.querySelector('[data-language=%q]'); b?.click(); return !!b })()`, l.name))
				})
				eventually(t, "the language is chosen", func() bool {
					return eval[bool](p, fmt.Sprintf(`document.querySelector('[data-language=%q]').ariaPressed === "true"`, l.name))
				})
				texts[l.name] = eval[string](p, `document.getElementById("copy-text").textContent`)
			}
			for _, l := range languages {
				t.Run(l.name, func(t *testing.T) {
					begin(t)
					cmd := l.run(t, texts[l.name])
					if said, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("%v\n%s\n%s", err, texts[l.name], said)
					}
					if !a.done() {
						t.Errorf("it has not done what it says:\n%s", texts[l.name])
					}
				})
			}
		})
	}
}

package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestInvocation(t *testing.T) {
	lookPath := func(name string) (string, error) {
		if name == "chaosgate" {
			return "/usr/local/bin/chaosgate", nil
		}
		return "", exec.ErrNotFound
	}
	const hash = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	tests := []struct{ name, started, want string }{
		{"by its name", "chaosgate", "chaosgate"},
		{"by the path to which its name leads", "/usr/local/bin/chaosgate", "chaosgate"},
		{"by another path", "bin/chaosgate", "bin/chaosgate"},
		{"under another name", "./gate", "./gate"},
		{"by go run", "/tmp/go-build123456/b001/exe/chaosgate", "go run ./cmd/chaosgate"},
		{"by go run, from the cache", "/var/cache/a/go-build/0f/" + hash + "-d/chaosgate", "go run ./cmd/chaosgate"},
		{"by go run, from a cache elsewhere", "/var/gocache/0f/" + hash + "-d/chaosgate", "go run ./cmd/chaosgate"},
		{"by go run, on Windows", `C:\Temp\go-build42\b001\exe\chaosgate.exe`, "go run ./cmd/chaosgate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := invocation(test.started, lookPath); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestHelpSaysHowItWasStarted looks at what people copy from help.
func TestHelpSaysHowItWasStarted(t *testing.T) {
	const program = "go run ./cmd/chaosgate"
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"root", nil, []string{"Begin with:  " + program + " demo\n", `Use "` + program + ` [command] --help"`}},
		{"run", []string{"run", "--help"}, []string{"\n  " + program + " run [NAME=]", "\n  " + program + " run :18080,"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			root := newRoot(program)
			root.SetArgs(test.args)
			root.SetOut(&out)
			if err := root.ExecuteContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("help has no %q:\n%s", want, out.String())
				}
			}
		})
	}
}

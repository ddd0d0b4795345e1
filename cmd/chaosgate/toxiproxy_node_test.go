package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// nodeClients returns the folder in which the clients for Node are, and installs them if this machine does not have them. It skips the test where they
// cannot be had.
func nodeClients(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it installs packages")
	}
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%v: Toxiproxy's clients for Node are not tried", err)
		}
	}
	lock, err := os.ReadFile(filepath.Join("testdata", "node", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("nowhere to install packages: %v", err)
	}
	dir := filepath.Join(cache, "chaosgate-tests", fmt.Sprintf("node-%x", sha256.Sum256(lock))[:21])
	done := filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", "node", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Skipf("Toxiproxy's clients for Node cannot be installed: %v\n%s", err, out)
	}
	if err := os.WriteFile(done, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestToxiproxyNodeClients drives the server by toxiproxy-node-client and by Testcontainers' module for Node.
func TestToxiproxyNodeClients(t *testing.T) {
	dir := nodeClients(t)
	d := startToxiproxy(t)
	node := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "node", "drive.mjs"), d.url, dir)
	var stderr bytes.Buffer
	node.Stderr = &stderr
	out, err := node.Output()
	if err != nil {
		t.Errorf("%v\n%s", err, &stderr)
	}
	n := 0
	for line := range bytes.Lines(out) {
		var tried struct{ Name, Error string }
		if err := json.Unmarshal(line, &tried); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		n++
		t.Run(tried.Name, func(t *testing.T) {
			if tried.Error != "" {
				t.Error(tried.Error)
			}
		})
	}
	if want := 4 + 2*7 + 1; n != want {
		t.Errorf("%d things were tried, want %d", n, want)
	}
}

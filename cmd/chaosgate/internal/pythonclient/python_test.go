//go:build linux

package pythonclient

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// root is the repository's.
	root = "../../../.."
	// fewest is how many tests there are at least: a run that has lost most of them is no success.
	fewest = 150
	// margin is what is left of the test's time when pytest is interrupted, so that it can say what it was at.
	margin = 20 * time.Second
)

func TestPython(t *testing.T) {
	if testing.Short() {
		t.Skip("pytest is not started with -short")
	}
	python := interpreter(t)
	report := filepath.Join(t.TempDir(), "report.xml")
	said := pytest(t, python, program(t), report)
	cases := readReport(t, report, said)
	if len(cases) < fewest {
		t.Errorf("got %d tests of Python's, want at least %d; pytest says:\n%s", len(cases), fewest, said)
	}
	for _, c := range cases {
		t.Run(c.title(), c.tell)
	}
}

// interpreter returns a Python that has pytest: Debian's before another, for its packages are found by that alone.
func interpreter(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import pytest").Run() == nil {
			return path
		}
	}
	t.Skip("there is no Python that has pytest (Debian package python3-pytest)")
	return ""
}

// program builds the program, and returns where it is.
func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "chaosgate")
	if out, err := exec.Command("go", "build", "-o", file, "../..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}

// pytest runs all tests and returns what it says. That tests fail is for the report to tell.
func pytest(t *testing.T, python, program, report string) string {
	t.Helper()
	ctx := t.Context()
	if deadline, ok := t.Deadline(); ok {
		within, cancel := context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
		ctx = within
	}
	cmd := exec.CommandContext(ctx, python, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", "--junitxml="+report, "tests")
	cmd.Dir = filepath.Join(root, "clients", "python")
	cmd.Env = append(os.Environ(), "CHAOSGATE_BIN="+program, "PYTHONDONTWRITEBYTECODE=1", "PYTEST_ADDOPTS=")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // upon which it says what it was at
	cmd.WaitDelay = margin / 2
	out, err := cmd.CombinedOutput()
	failed, ended := errors.AsType[*exec.ExitError](err)
	if err != nil && (!ended || failed.ExitCode() != 1) {
		t.Errorf("pytest: %v\n%s", err, out)
	}
	return string(out)
}

// A testcase is what a report in JUnit's form says of a test.
type testcase struct {
	File     string    `xml:"file,attr"`
	Class    string    `xml:"classname,attr"`
	Name     string    `xml:"name,attr"`
	Failures []outcome `xml:"failure"`
	Errors   []outcome `xml:"error"`
	Skipped  *outcome  `xml:"skipped"`
}

// An outcome is why a test has not passed.
type outcome struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// readReport reads the report that pytest has written.
func readReport(t *testing.T, file, said string) []testcase {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; pytest says:\n%s", err, said)
	}
	var report struct {
		Cases []testcase `xml:"testsuite>testcase"`
	}
	if err := xml.NewDecoder(bytes.NewReader(data)).Decode(&report); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return report.Cases
}

// title returns the test's name, by file and function, as pytest would be told to run it.
func (c testcase) title() string {
	name := c.Name
	if _, class, ok := strings.Cut(c.Class, filepath.Base(strings.TrimSuffix(c.File, ".py"))+"."); ok {
		name = class + "::" + name
	}
	return strings.TrimPrefix(c.File, "tests/") + "::" + name
}

// tell passes on what has become of the test.
func (c testcase) tell(t *testing.T) {
	for _, o := range append(c.Failures, c.Errors...) {
		t.Errorf("%s\n%s", o.Message, o.Text)
	}
	if c.Skipped != nil {
		t.Skip(c.Skipped.Message)
	}
}

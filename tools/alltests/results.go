package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is one line of go test -json, see go doc test2json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// test names a test, or with an empty name the package itself.
type test struct{ pkg, name string }

func (t test) String() string { return t.pkg + " " + t.name }

// results reads what go test -json says, shows what a person needs and counts.
type results struct {
	w       io.Writer
	pending map[test][]string // output of the tests that have not ended
	passed  int
	failed  []test
	skipped []string // one line a test, with its reason
}

func newResults(w io.Writer) *results {
	return &results{w: w, pending: map[test][]string{}}
}

// read takes events until the stream ends.
func (r *results) read(stream io.Reader) error {
	decoder := json.NewDecoder(stream)
	for {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading the output of go test: %w", err)
		}
		r.take(e)
	}
}

func (r *results) take(e event) {
	t := test{e.Package, e.Test}
	switch {
	case e.Action == "build-output":
		r.show(e.Output)
	case e.Action == "output" && t.name != "":
		r.pending[t] = append(r.pending[t], e.Output)
	case e.Action == "output" && e.Output != "PASS\n":
		r.show(e.Output)
	case t.name == "" && e.Action == "fail":
		r.showUnfinished(t.pkg)
	case t.name == "":
		// That a package started, passed or had no tests, its closing line has said.
	case e.Action == "pass":
		r.passed++
		delete(r.pending, t)
	case e.Action == "fail":
		r.failed = append(r.failed, t)
		r.show(r.pending[t]...)
		delete(r.pending, t)
	case e.Action == "skip":
		r.skipped = append(r.skipped, fmt.Sprintf("%s: %s", t, reason(r.pending[t])))
		delete(r.pending, t)
	}
}

// showUnfinished shows what the tests had said that were running when their
// package broke off, as after a panic in another one.
func (r *results) showUnfinished(pkg string) {
	for t, output := range r.pending {
		if t.pkg == pkg {
			r.show(output...)
			delete(r.pending, t)
		}
	}
}

// show prints output without the lines that only say which test goes on.
func (r *results) show(output ...string) {
	for _, line := range output {
		if !strings.HasPrefix(line, "=== ") {
			fmt.Fprint(r.w, line)
		}
	}
}

// reason is what a test said before it skipped itself, on one line.
func reason(output []string) string {
	var said []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	if said == nil {
		return "no reason given"
	}
	return strings.Join(said, " ")
}

// summarize prints the counts, subtests included, and what did not run.
func (r *results) summarize() {
	fmt.Fprintf(r.w, "== %d passed, %d failed, %d skipped\n", r.passed, len(r.failed), len(r.skipped))
	for _, t := range r.failed {
		fmt.Fprintf(r.w, "failed   %s\n", t)
	}
	for _, line := range r.skipped {
		fmt.Fprintf(r.w, "skipped  %s\n", line)
	}
}

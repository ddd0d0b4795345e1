package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSmoke makes every measurement, so shortly that its figures say nothing. What must never go wrong must not go wrong here.
func TestSmoke(t *testing.T) {
	for _, s := range sections {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			table, err := s.measure(t.Context(), options{share: 0.002, seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(table.rows) == 0 {
				t.Error("got no row, want some")
			}
			for _, r := range table.rows {
				if len(r.cells) != len(table.head) {
					t.Errorf("got %d cells %q, want %d as in the head", len(r.cells), r.cells, len(table.head))
				}
				if !slices.Contains([]verdict{ok, off, inconclusive, none}, r.verdict) {
					t.Errorf("got the verdict %q, want one of those there are", r.verdict)
				}
				if r.verdict == off && (s.name == "cutoff" || s.name == "reset") {
					t.Errorf("got %q, want nothing wrong", r.cells)
				}
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"help", []string{"-h"}, exitFine, "-quick"},
		{"an unknown flag", []string{"-slow"}, exitUsage, "slow"},
		{"an argument", []string{"delay"}, exitUsage, `"delay"`},
		{"no expression", []string{"-run", "("}, exitUsage, "missing closing"},
		{"no such section", []string{"-run", "nothing"}, exitStuck, "no section"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(t.Context(), test.args, &out, &errs); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if out.Len() > 0 || !strings.Contains(errs.String(), test.says) {
				t.Errorf("got %q and %q, want nothing and a word of %q", &out, &errs, test.says)
			}
		})
	}
}

// TestInto runs one section and finds its figures in a page, in place of what stood there.
func TestInto(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("# Before\n"+figuresBegin+"old\n"+figuresEnd+"After\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	o := options{share: 0.002, seed: 1}
	if err := o.measureAll(t.Context(), regexp.MustCompile("^cutoff$"), &out, &errs); err != nil {
		t.Fatal(err)
	}
	if err := putInto(page, out.Bytes()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	want := "# Before\n" + figuresBegin + "\n" + out.String() + "\n" + figuresEnd + "After\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, part := range []string{"2 ok, 0 off, 0 inconclusive.", "| processor |", "### Cut-off", "| FIN | 10 | 0 |"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is missing in %s", part, got)
		}
	}
	if err := os.WriteFile(page, []byte("no markers"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := putInto(page, out.Bytes()); err == nil {
		t.Error("a page without markers: got no error, want one")
	}
}

func TestRowsInMarkdown(t *testing.T) {
	tab := &table{title: "Title", rule: "Rule.", head: []string{"a", "b"}}
	tab.add(ok, "1", "2")
	tab.add(off, "3", "4")
	tab.add(inconclusive, "5", "6")
	var out bytes.Buffer
	tab.write(&out)
	want := "\n### Title\n\nRule.\n\n| a | b | verdict |\n| --- | --- | --- |\n| 1 | 2 | ok |\n| 3 | 4 | **off** |\n| 5 | 6 | **inconclusive** |\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", &out, want)
	}
	if got, want := tally([]*table{tab, tab}), "2 ok, 2 off, 2 inconclusive"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

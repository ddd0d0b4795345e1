package matrix_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos/internal/reportsample"
	"github.com/chaosgate/chaos/matrix"
)

// TestFormsForPeople holds what people read to golden files. With -update it writes them.
func TestFormsForPeople(t *testing.T) {
	tests := []struct {
		file  string
		write func(*matrix.Report, *bytes.Buffer) error
	}{
		{"report.md", func(r *matrix.Report, b *bytes.Buffer) error { return r.WriteMarkdown(b) }},
		{"report.txt", func(r *matrix.Report, b *bytes.Buffer) error { return r.WriteText(b, matrix.Terminal{}) }},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			var got bytes.Buffer
			for _, r := range []*matrix.Report{reportsample.Every(), reportsample.Good(), reportsample.Interrupted()} {
				if err := test.write(r, &got); err != nil {
					t.Fatal(err)
				}
				got.WriteString("\n---\n\n")
			}
			file := filepath.Join("testdata", test.file)
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("differs from %s; -update rewrites it (-want +got):\n%s", file, diff)
			}
		})
	}
}

func TestMarkdownFitsAJobSummary(t *testing.T) {
	huge := reportsample.Every()
	for range 4000 {
		huge.Notes = append(huge.Notes, strings.Repeat("A long note. ", 25))
	}
	many := append(samples[:len(samples):len(samples)], struct {
		name   string
		report *matrix.Report
	}{"huge", huge})
	for _, sample := range many {
		t.Run(sample.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := sample.report.WriteMarkdown(&b); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			if limit := 1 << 20; len(text) >= limit || !utf8.ValidString(text) {
				t.Errorf("got %d bytes, want less than the %d that GitHub takes, in UTF-8", len(text), limit)
			}
			if cut := strings.Contains(text, "cut short"); cut != (sample.name == "huge") {
				t.Errorf("it says that it is cut short: got %v", cut)
			}
			columns := 0 // of the table
			for i, line := range strings.Split(text, "\n") {
				plain := withoutCode(line)
				if strings.ContainsAny(plain, "<&[]`@#") && !strings.HasPrefix(plain, "##") {
					t.Errorf("line %d: got %.200q with a sign that means something", i+1, plain)
				}
				if !strings.HasPrefix(line, "|") {
					columns = 0
					continue
				}
				n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
				if columns != 0 && n != columns {
					t.Errorf("line %d: got a row of %d columns in a table of %d", i+1, n-1, columns-1)
				}
				columns = n
			}
		})
	}
}

// withoutCode returns a line of Markdown without what stands in code, which ends at as many backquotes as it began with.
func withoutCode(line string) string {
	run := func(s string) int { return len(s) - len(strings.TrimLeft(s, "`")) }
	plain := ""
	for {
		before, rest, found := strings.Cut(line, "`")
		if plain += before; !found {
			return plain
		}
		rest = "`" + rest
		n := run(rest)
		end := -1
		for at := n; at < len(rest); at++ {
			if m := run(rest[at:]); m == n {
				end = at
				break
			} else if m > 0 {
				at += m - 1
			}
		}
		if end < 0 {
			return plain + rest
		}
		line = rest[end+n:]
	}
}

func TestTextFitsTheTerminal(t *testing.T) {
	for _, width := range []int{40, 80, 132} {
		for _, sample := range samples {
			t.Run(fmt.Sprintf("%s at %d", sample.name, width), func(t *testing.T) {
				var plain, coloured bytes.Buffer
				if err := sample.report.WriteText(&plain, matrix.Terminal{Width: width}); err != nil {
					t.Fatal(err)
				}
				for _, line := range strings.Split(plain.String(), "\n") {
					if n := utf8.RuneCountInString(line); n > width {
						t.Errorf("got a line of %d characters, %.200q", n, line)
					}
				}
				if i := strings.IndexFunc(plain.String(), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }); i >= 0 {
					t.Errorf("got a control character: %q", plain.String()[i])
				}
				if err := sample.report.WriteText(&coloured, matrix.Terminal{Width: width, Colours: true}); err != nil {
					t.Fatal(err)
				}
				bare := regexp.MustCompile(`\x1b\[[0-9;]+m`).ReplaceAllString(coloured.String(), "")
				if diff := cmp.Diff(plain.String(), bare); diff != "" {
					t.Errorf("in colours it says something else (-plain +coloured):\n%s", diff)
				}
			})
		}
	}
}

func TestTextPaintsVerdicts(t *testing.T) {
	var b bytes.Buffer
	if err := reportsample.Every().WriteText(&b, matrix.Terminal{Colours: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x1b[1;31mHANG\x1b[0m", "\x1b[33mtimeout\x1b[0m", "\x1b[32mok\x1b[0m", "\x1b[2mnot exercised\x1b[0m"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got no %q", want)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a file below dir, and its folders.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRunTestsEveryModule(t *testing.T) {
	const header = "package p\n\nimport \"testing\"\n\n"
	tests := []struct {
		name   string
		nested string // the test file of the nested module
		code   int
		want   []string
	}{
		{
			"all pass",
			header + `func TestNested(t *testing.T) { t.Skip("not today") }`,
			0,
			[]string{"ok  \texample/root\t", "ok  \texample/nested\t", "1 passed, 0 failed, 1 skipped", "TestNested: p_test.go:5: not today"},
		},
		{
			"a test fails",
			header + `func TestNested(t *testing.T) { t.Error("oops") }`,
			1,
			[]string{"ok  \texample/root\t", "oops", "FAIL\texample/nested\t", "1 passed, 1 failed, 0 skipped"},
		},
		{
			"a test panics",
			header + `func TestNested(t *testing.T) { panic("oops") }`,
			1,
			[]string{"panic: oops", "FAIL\texample/nested\t", "1 passed, 1 failed, 0 skipped"},
		},
		{
			"a package does not compile",
			header + `func TestNested(t *testing.T) { undefined() }`,
			1,
			[]string{"undefined: undefined", "FAIL\texample/nested [build failed]", "1 passed, 0 failed, 0 skipped"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "go.mod", "module example/root\n\ngo 1.26.0\n")
			write(t, dir, "p_test.go", header+"func TestRoot(t *testing.T) {}\n")
			write(t, dir, "sub/nested/go.mod", "module example/nested\n\ngo 1.26.0\n")
			write(t, dir, "sub/nested/p_test.go", test.nested)
			write(t, dir, "testdata/not/go.mod", "not a module of ours")

			var stdout, stderr strings.Builder
			if got := run(t.Context(), nil, dir, &stdout, &stderr); got != test.code {
				t.Errorf("exit code: got %d, want %d", got, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("got\n%s%s\nwant %q in it", &stdout, &stderr, want)
				}
			}
		})
	}
}

func TestRunWithoutModules(t *testing.T) {
	var stdout, stderr strings.Builder
	if got := run(t.Context(), nil, t.TempDir(), &stdout, &stderr); got != 3 {
		t.Errorf("exit code: got %d, want 3", got)
	}
	if got, want := stderr.String(), "no go.mod below"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}

package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBundleIsThatOfTheSources bundles the page anew and compares it with what is committed.
func TestBundleIsThatOfTheSources(t *testing.T) {
	made, err := bundle("..")
	if err != nil {
		t.Fatal(err)
	}
	is := map[string][]byte{}
	names, err := filepath.Glob("../dist/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if is[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(is))); diff != "" {
		t.Errorf("dist has other files than the sources make (-want +got): go generate ./internal/console mends it\n%s", diff)
	}
	for name, want := range made {
		if !bytes.Equal(is[name], want) {
			t.Errorf("dist/%s: got %d bytes that are not the %d of the sources: go generate ./internal/console mends it", name, len(is[name]), len(want))
		}
	}
}

// TestSameBytesElsewhere bundles the page in another folder.
func TestSameBytesElsewhere(t *testing.T) {
	here, err := bundle("..")
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	for _, part := range []string{"web", "vendored"} {
		if err := os.CopyFS(filepath.Join(other, part), os.DirFS(filepath.Join("..", part))); err != nil {
			t.Fatal(err)
		}
	}
	if code := run(other); code != 0 {
		t.Fatalf("got exit code %d, want 0", code)
	}
	for name, want := range here {
		if got, err := os.ReadFile(filepath.Join(other, "dist", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes, %v, want the same %d", name, len(got), err, len(want))
		}
	}
	if code := run(t.TempDir()); code != 3 {
		t.Errorf("without sources: got exit code %d, want 3", code)
	}
}

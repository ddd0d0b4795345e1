package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should happen at once.
const patience = 20 * time.Second

func TestWatch(t *testing.T) {
	write := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rename := func(t *testing.T, from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	link := func(t *testing.T, to, at string) {
		t.Helper()
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
	}
	folder := func(t *testing.T, path string) {
		t.Helper()
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// Each test writes "new" twice, because a watch must hold beyond the first change.
	tests := []struct {
		name   string
		before func(t *testing.T, dir string)
		change func(t *testing.T, dir string)
	}{
		{
			"written in place",
			func(t *testing.T, dir string) { write(t, dir+"/f.yaml", "old") },
			func(t *testing.T, dir string) { write(t, dir+"/f.yaml", "new") },
		},
		{
			"put in its place, as editors do",
			func(t *testing.T, dir string) { write(t, dir+"/f.yaml", "old") },
			func(t *testing.T, dir string) {
				write(t, dir+"/.f.swp", "new")
				rename(t, dir+"/.f.swp", dir+"/f.yaml")
			},
		},
		{
			"removed and made again",
			func(t *testing.T, dir string) { write(t, dir+"/f.yaml", "old") },
			func(t *testing.T, dir string) {
				if err := os.Remove(dir + "/f.yaml"); err != nil {
					t.Fatal(err)
				}
				write(t, dir+"/f.yaml", "new")
			},
		},
		{
			"not there at first",
			func(*testing.T, string) {},
			func(t *testing.T, dir string) { write(t, dir+"/f.yaml", "new") },
		},
		{
			"a ConfigMap of Kubernetes",
			func(t *testing.T, dir string) {
				folder(t, dir+"/..1")
				write(t, dir+"/..1/f.yaml", "old")
				link(t, "..1", dir+"/..data")
				link(t, "..data/f.yaml", dir+"/f.yaml")
			},
			func(t *testing.T, dir string) {
				old, err := os.Readlink(dir + "/..data")
				if err != nil {
					t.Fatal(err)
				}
				folder(t, dir+"/"+old+"1")
				write(t, dir+"/"+old+"1/f.yaml", "new")
				link(t, old+"1", dir+"/..data_tmp")
				rename(t, dir+"/..data_tmp", dir+"/..data")
				if err := os.RemoveAll(dir + "/" + old); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			"a link to a file elsewhere",
			func(t *testing.T, dir string) {
				folder(t, dir+"/elsewhere")
				write(t, dir+"/elsewhere/g.yaml", "old")
				link(t, dir+"/elsewhere/g.yaml", dir+"/f.yaml")
			},
			func(t *testing.T, dir string) { write(t, dir+"/elsewhere/g.yaml", "new") },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tt.before(t, dir)
			w, err := NewWatch(filepath.Join(dir, "f.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			for range 2 {
				tt.change(t, dir)
				waitForText(t, w, dir+"/f.yaml", "new")
				write(t, dir+"/f.yaml", "old") // through all links
				waitForText(t, w, dir+"/f.yaml", "old")
			}
		})
	}
}

// waitForText waits until the watch tells of a change after which the file holds a text.
func waitForText(t *testing.T, w *Watch, file, want string) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case <-w.Changed():
			if got, _ := os.ReadFile(file); string(got) == want {
				return
			}
		case <-late:
			got, err := os.ReadFile(file)
			t.Fatalf("the watch has not told of a change; the file holds %q (%v), want %q", got, err, want)
		}
	}
}

func TestWatchOfAFolderThatGoesAndComes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	file := filepath.Join(dir, "f.yaml")
	make := func(text string) {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	make("old")
	w, err := NewWatch(file)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.Failed():
	case <-time.After(patience):
		t.Fatal("the watch has not said that the folder is gone")
	}
	make("new")
	waitForText(t, w, file, "new")
	// What was read may have been there before the folder was watched again: a second change is told of by a watch only.
	if err := os.WriteFile(file, []byte("newer"), 0o600); err != nil {
		t.Fatal(err)
	}
	waitForText(t, w, file, "newer")
}

func TestWatchLeavesAloneWhatItIsNotFor(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"f.yaml", "other"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, err := NewWatch(filepath.Join(dir, "f.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := os.WriteFile(filepath.Join(dir, "other"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * settled) // so that what is told wrongly can be
	w.Close()
	if len(w.changed) > 0 {
		t.Error("the watch tells of a change to another file")
	}
}

func TestWatchOfNoFolder(t *testing.T) {
	if _, err := NewWatch(filepath.Join(t.TempDir(), "none", "f.yaml")); err == nil {
		t.Error("got no error, want one: there is nothing to watch")
	}
}

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// How long a file is left alone that is being written: until nothing has happened to it for settled, and for atMost in all. A folder that
// is gone is looked for again after each again.
const (
	settled = 100 * time.Millisecond
	atMost  = time.Second
	again   = time.Second
)

// A Watch tells when a file may have changed. A nil *Watch never does.
//
// It watches folders and no files, because editors put a new file in the old one's place, and Kubernetes mounts a file as a link to a
// link to a folder, which is replaced.
type Watch struct {
	file    string
	watcher *fsnotify.Watcher
	changed chan struct{} // what Changed returns
	failed  chan error    // what Failed returns
	done    chan struct{} // closed when run has ended

	// These belong to run.
	names   []string // the links that lead to the file, and where its bytes are
	folders []string // that are watched
	isLost  bool     // not all of them could be
}

// NewWatch begins to watch a file, which may not be there yet. Its folder must be.
func NewWatch(file string) (*Watch, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", file, err)
	}
	w := &Watch{
		file: file, watcher: watcher, changed: make(chan struct{}, 1), failed: make(chan error, 1), done: make(chan struct{}),
	}
	if err := w.follow(); err != nil {
		watcher.Close()
		return nil, fmt.Errorf("watching %s: %w", file, err)
	}
	go w.run()
	return w, nil
}

// Changed returns what gets a value when there is something to read. At most one waits in it.
func (w *Watch) Changed() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.changed
}

// Failed returns what gets the reason when something may have been missed. At most one waits in it.
func (w *Watch) Failed() <-chan error {
	if w == nil {
		return nil
	}
	return w.failed
}

// Close ends the watch.
func (w *Watch) Close() {
	if w == nil {
		return
	}
	w.watcher.Close()
	<-w.done
}

// run collects what happens to the file until the watcher is closed.
func (w *Watch) run() {
	defer close(w.done)
	pause := time.NewTimer(0) // ends when the file has been left alone for long enough
	<-pause.C
	defer pause.Stop()
	var since time.Time // when the first of what was collected has happened; zero if nothing has
	for {
		select {
		case e, ok := <-w.watcher.Events:
			switch {
			case !ok:
				return
			case !w.concerns(e):
				continue
			}
			if since.IsZero() {
				since = time.Now()
			}
			pause.Reset(min(settled, max(atMost-time.Since(since), 0)))
		case <-pause.C:
			since = time.Time{}
			err := w.follow()
			if err != nil {
				pause.Reset(again)
			}
			if err != nil && w.isLost {
				continue // it was said
			}
			if w.isLost = err != nil; w.isLost {
				w.fail(err)
			}
			w.tell()
		case err, ok := <-w.watcher.Errors:
			if !ok {
				return
			}
			w.fail(err)
			w.tell() // what was missed may have been this file
		}
	}
}

func (w *Watch) tell() {
	select {
	case w.changed <- struct{}{}:
	default: // who reads it reads what is there then
	}
}

func (w *Watch) fail(err error) {
	select {
	case w.failed <- fmt.Errorf("watching %s: %w", w.file, err):
	default:
	}
}

// concerns reports whether an event may have changed what the file holds.
func (w *Watch) concerns(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod { // of backups and virus scanners
		return false
	}
	name := filepath.Clean(e.Name)
	return slices.Contains(w.names, name) || slices.Contains(w.folders, name) || !slices.Equal(w.names, chain(w.file))
}

// follow watches the folders of all that leads to the file, as it is now.
func (w *Watch) follow() error {
	w.names = chain(w.file)
	var folders []string
	for _, name := range w.names {
		if dir := filepath.Dir(name); !slices.Contains(folders, dir) {
			folders = append(folders, dir)
		}
	}
	for _, dir := range w.folders {
		if !slices.Contains(folders, dir) {
			_ = w.watcher.Remove(dir) // it may be gone, and its watch with it
		}
	}
	w.folders = folders
	var failed error
	for _, dir := range folders {
		if err := w.watcher.Add(dir); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// chain returns the links that lead to a file, folders among them, and at its end the path of the file without a link in it.
func chain(file string) []string {
	const longest = 40 // as many as Linux follows
	var names []string
	for len(names) < longest {
		link, next := step(file)
		names = append(names, link)
		if next == "" {
			break
		}
		file = next
	}
	return names
}

// step finds the first link in a path, and returns it with the path that it makes of all. If there is none it returns the path alone.
func step(path string) (link, next string) {
	volume := filepath.VolumeName(path)
	rest := path[len(volume):]
	for end := 1; end <= len(rest); end++ {
		if end < len(rest) && !os.IsPathSeparator(rest[end]) {
			continue
		}
		part := volume + rest[:end]
		target, err := os.Readlink(part)
		if err != nil {
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(part), target)
		}
		return part, filepath.Join(target, rest[end:])
	}
	return path, ""
}

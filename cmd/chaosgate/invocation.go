package main

import (
	"path/filepath"
	"regexp"
)

// builtByRun matches the path of a program that go run has built: in its temporary folder, or in go's cache.
var builtByRun = regexp.MustCompile(`[/\\](go-build\d*[/\\].*|[0-9a-f]{2}[/\\][0-9a-f]{64}-d[/\\])[^/\\]+$`)

// invocation returns what to type to start this program again, given the name by which it was started: the name alone
// if that leads to it.
func invocation(started string, lookPath func(name string) (string, error)) string {
	if builtByRun.MatchString(started) {
		return "go run ./cmd/chaosgate"
	}
	name := filepath.Base(started)
	if found, err := lookPath(name); err == nil && (started == name || found == started) {
		return name
	}
	return started
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/chaosgate/chaos/bench/internal/ownnet"
)

// describe writes what machine the figures are of.
func describe(w io.Writer, began time.Time, before string, o options) {
	fmt.Fprintf(w, "| machine | |\n| --- | --- |\n")
	fmt.Fprintf(w, "| processor | %d × %s |\n", runtime.NumCPU(), cmp.Or(field("/proc/cpuinfo", "model name"), runtime.GOARCH))
	fmt.Fprintf(w, "| memory | %s |\n", cmp.Or(field("/proc/meminfo", "MemTotal"), "unknown"))
	fmt.Fprintf(w, "| system | %s %s |\n", runtime.GOOS, line("/proc/sys/kernel/osrelease"))
	fmt.Fprintf(w, "| network | %s |\n", ownnet.Describe())
	fmt.Fprintf(w, "| Go | %s, GOMAXPROCS %d |\n", runtime.Version(), runtime.GOMAXPROCS(0))
	fmt.Fprintf(w, "| load before, after | %s, %s |\n", before, load())
	fmt.Fprintf(w, "| measured | %s, in %v |\n", began.UTC().Format("2006-01-02 15:04 UTC"), time.Since(began).Round(time.Second))
	if r := revision(); r != "" {
		fmt.Fprintf(w, "| commit | %s |\n", r)
	}
	fmt.Fprintf(w, "| seed, size | %d, %g of the whole |\n", o.seed, o.share)
}

// load returns how many processes wanted to run in the last minute.
func load() string {
	first, _, _ := strings.Cut(line("/proc/loadavg"), " ")
	return first
}

// line returns a file's first line, and "unknown" without one.
func line(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return first
}

// field returns what stands behind a name and a colon in a file.
func field(file, name string) string {
	text, _ := os.ReadFile(file)
	for l := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(l, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// revision returns the commit that the program was built from, if Go knows it.
func revision() string {
	info, found := debug.ReadBuildInfo()
	if !found {
		return ""
	}
	var commit, changed string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				changed = ", changed"
			}
		}
	}
	if commit == "" {
		return ""
	}
	return commit[:min(12, len(commit))] + changed
}

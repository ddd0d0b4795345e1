package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/chaosgate/chaos/bench/internal/ownnet"
)

// machine is what a report says of where it was made.
type machine struct {
	before string        // the load before it began
	took   time.Duration // the whole run
}

// describe prints the machine and the contenders.
func (m machine) describe(out io.Writer, b *bench) {
	fmt.Fprint(out, "## The machine and the contenders\n\n")
	table(out, [][]string{
		{"what", "value"},
		{"system", strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + ", kernel " + read("/proc/sys/kernel/osrelease"))},
		{"processor", fmt.Sprintf("%d × %s", runtime.NumCPU(), lineOf("/proc/cpuinfo", "model name"))},
		{"memory", lineOf("/proc/meminfo", "MemTotal")},
		{"network", ownnet.Describe()},
		{"open files", fmt.Sprint(openFiles())},
		{"Go", runtime.Version()},
		{"load average before", m.before},
		{"rounds", fmt.Sprintf("%d, with loads of %v", b.scale.rounds, b.scale.load)},
		{"took", m.took.Round(time.Second).String()},
	})
	fmt.Fprintln(out)
	rows := [][]string{{"contender", "version", "what it is"}}
	for _, c := range b.present {
		rows = append(rows, []string{c.name, b.versions[c.name], c.about})
	}
	table(out, rows)
	for _, a := range b.absent {
		fmt.Fprintf(out, "\nLeft out, %s\n", strings.ReplaceAll(a, "\n", "; "))
	}
}

// loadAverage returns the machine's load over the last minute, 5 and 15 minutes.
func loadAverage() string {
	fields := strings.Fields(read("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func read(file string) string {
	text, _ := os.ReadFile(file)
	return strings.TrimSpace(string(text))
}

// lineOf returns what stands behind a name and a colon in one of the files of /proc.
func lineOf(file, name string) string {
	for line := range strings.Lines(read(file)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

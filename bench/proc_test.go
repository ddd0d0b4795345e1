package main

import (
	"os"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	tests := []struct {
		name   string
		text   string
		parent int
		cpu    time.Duration
		fails  bool
	}{
		{"a process", "12 (nginx) S 7 12 12 0 -1 4194560 1 2 3 4 100 20 3 1 20 0 1 0 5", 7, 1240 * time.Millisecond, false},
		{"a name that is no name", "12 (a) R (b) S 7 12 12 0 -1 4194560 1 2 3 4 1 0 0 0 20 0", 7, 10 * time.Millisecond, false},
		{"cut off", "12 (nginx) S 7 12", 0, 0, true},
		{"no numbers", "12 (nginx) S x 12 12 0 -1 4194560 1 2 3 4 1 0 0 0 20 0", 0, 0, true},
		{"nothing", "", 0, 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseStat(test.text)
			if (err != nil) != test.fails {
				t.Fatalf("got the error %v, want one: %v", err, test.fails)
			}
			if err == nil && (got.parent != test.parent || got.cpu != test.cpu) {
				t.Errorf("got %+v, want parent %d and %v", got, test.parent, test.cpu)
			}
		})
	}
}

func TestParsePss(t *testing.T) {
	got, err := parsePss([]byte("00400000-7fff [rollup]\nRss:   96 kB\nPss:                12 kB\nPss_Dirty: 4 kB\n"))
	if err != nil || got != 12<<10 {
		t.Errorf("got %d, %v, want %d", got, err, 12<<10)
	}
	if _, err := parsePss([]byte("Rss: 96 kB\n")); err == nil {
		t.Error("without Pss: got no error")
	}
}

// TestFamily starts a child: its processor time and memory are found from here, as that of a proxy's child is.
func TestFamily(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skipf("there is no such /proc here: %v", err)
	}
	alone, files, err := heldBy(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	c, err := startChild(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	defer c.stop()
	processes, err := family(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := processes[c.pid]; !ok || s.parent != os.Getpid() {
		t.Errorf("got %v, want the child %d among them", processes, c.pid)
	}
	both, more, err := heldBy(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if both-alone < 1<<20 || more-files < 3 {
		t.Errorf("with the child: got %d bytes and %d files more, want at least 1 MiB and 3", both-alone, more-files)
	}
	if _, err := cpuOf(1 << 30); err == nil {
		t.Error("of a process that is not there: got no error")
	}
}

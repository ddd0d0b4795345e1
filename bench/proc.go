package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc, USER_HZ, which is 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// procStat is what /proc/PID/stat tells of a process.
type procStat struct {
	parent int
	cpu    time.Duration // of its own threads and of its children that have ended
}

// parseStat reads /proc/PID/stat, whose second field is a name in parentheses that may hold anything, see proc_pid_stat(5).
func parseStat(text string) (procStat, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return procStat{}, fmt.Errorf("stat: got %q, want at least 17 fields", text)
	}
	var s procStat
	var err error
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return s, fmt.Errorf("stat: parent: %w", err)
	}
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return s, fmt.Errorf("stat: time: %w", err)
		}
		s.cpu += time.Duration(n) * tick
	}
	return s, nil
}

// family returns what /proc tells of a process and of all its descendants.
func family(pid int) (map[int]procStat, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	all := map[int]procStat{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		id, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		if all[id], err = parseStat(string(text)); err != nil {
			return nil, err
		}
	}
	if _, ok := all[pid]; !ok {
		return nil, fmt.Errorf("process %d is gone, or there is no /proc", pid)
	}
	found := map[int]procStat{pid: all[pid]}
	for grown := true; grown; {
		grown = false
		for id, s := range all {
			_, has := found[id]
			if _, ours := found[s.parent]; ours && !has {
				found[id], grown = s, true
			}
		}
	}
	return found, nil
}

// cpuOf returns the processor time that a process and its descendants have used.
func cpuOf(pid int) (sum time.Duration, err error) {
	processes, err := family(pid)
	for _, s := range processes {
		sum += s.cpu
	}
	return sum, err
}

// heldBy returns the memory and descriptors that a process and its descendants hold. Memory that they share is divided.
func heldBy(pid int) (memory int64, files int, err error) {
	processes, err := family(pid)
	if err != nil {
		return 0, 0, err
	}
	for id := range processes {
		folder := filepath.Join("/proc", strconv.Itoa(id))
		text, err := os.ReadFile(filepath.Join(folder, "smaps_rollup"))
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended
		} else if err != nil {
			return 0, 0, err
		}
		pss, err := parsePss(text)
		if err != nil {
			return 0, 0, err
		}
		open, err := os.ReadDir(filepath.Join(folder, "fd"))
		if err != nil {
			return 0, 0, err
		}
		memory, files = memory+pss, files+len(open)
	}
	return memory, files, nil
}

// parsePss returns the proportional set size in /proc/PID/smaps_rollup, in bytes.
func parsePss(text []byte) (int64, error) {
	for line := range bytes.Lines(text) {
		if rest, ok := strings.CutPrefix(string(line), "Pss:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("smaps_rollup: no line begins with Pss")
}

// openFiles returns how many files a process may open.
func openFiles() int {
	text, _ := os.ReadFile("/proc/self/limits")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if n, err := strconv.Atoi(strings.Fields(rest)[0]); err == nil {
				return n
			}
			return 1 << 20 // "unlimited"
		}
	}
	return 1024
}

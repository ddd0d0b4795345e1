package sweep

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// explore tries a message of which outcome says what comes of each offset, and returns the stretches and how many offsets were tried.
func explore(size int64, a Action, every bool, outcome func(int64) string) (text string, tried int) {
	e := newExplorer(Message{Size: size}, a, every)
	for {
		offsets := e.next()
		if len(offsets) == 0 {
			break
		}
		for _, offset := range offsets {
			e.came(offset, outcome(offset))
			tried++
		}
	}
	var all []string
	for _, s := range e.stretches() {
		all = append(all, fmt.Sprintf("%d-%d %s", s.from, s.to, s.outcome))
	}
	return strings.Join(all, ", "), tried
}

func TestExplore(t *testing.T) {
	fin, corrupt := Actions[0], Actions[3]
	step := func(at int64) func(int64) string {
		return func(offset int64) string {
			if offset < at {
				return "error"
			}
			return "ok"
		}
	}
	tests := []struct {
		name    string
		size    int64
		action  Action
		every   bool
		outcome func(int64) string
		want    string
		tried   int
	}{
		{"the same everywhere", 1000, fin, false, step(2000), "0-1000 error", 4},
		{"one change", 1000, fin, false, step(312), "0-311 error, 312-1000 ok", 14},
		{"at the first byte", 1000, fin, false, step(1), "0-0 error, 1-1000 ok", 4},
		{"behind the last byte", 1000, fin, false, step(1000), "0-999 error, 1000-1000 ok", 4},
		{"one byte", 1, fin, false, step(1), "0-0 error, 1-1 ok", 2},
		{"one byte that is corrupted", 1, corrupt, false, step(1), "0-0 error", 1},
		{"all bytes that are corrupted", 10, corrupt, true, step(4), "0-3 error, 4-9 ok", 10},
		{"every byte", 10, fin, true, func(offset int64) string { return map[bool]string{true: "hang", false: "ok"}[offset == 5] }, "0-4 ok, 5-5 hang, 6-10 ok", 11},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, tried := explore(tt.size, tt.action, tt.every, tt.outcome)
			if got != tt.want || tried != tt.tried {
				t.Errorf("got %s by %d, want %s by %d", got, tried, tt.want, tt.tried)
			}
		})
	}
}

// TestExploreFindsEveryChange has outcomes that rise, which is where bisection finds all.
func TestExploreFindsEveryChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 5000).Draw(t, "size")
		changes := rapid.SliceOfNDistinct(rapid.Int64Range(1, size), 0, 5, rapid.ID[int64]).Draw(t, "changes")
		slices.Sort(changes)
		outcome := func(offset int64) string {
			n, _ := slices.BinarySearch(changes, offset+1)
			return fmt.Sprint(n)
		}
		got, tried := explore(size, Actions[0], false, outcome)
		all, _ := explore(size, Actions[0], true, outcome)
		if got != all {
			t.Errorf("got %s, want what every byte gives: %s", got, all)
		}
		if most := 4 + 14*len(changes); tried > most {
			t.Errorf("tried %d offsets for %d changes, want %d at most", tried, len(changes), most)
		}
	})
}

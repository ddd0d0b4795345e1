package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A meeting is what a client can meet with an exchange, the worse the greater.
type meeting uint8

const (
	fine   meeting = iota // the right answer in good time
	slow                  // the right answer, later than slowAfter
	failed                // an error
	wrong                 // an answer, but not the right one, and the client did not notice
	hang                  // nothing at all until hangAfter, for all the client's timeouts
)

const (
	// slowAfter is many times what a healthy exchange takes, and less than what a person feels.
	slowAfter = 50 * time.Millisecond
	// hangAfter is more than all the client's timeouts and retries in a row.
	hangAfter = 4 * time.Second
)

// An outcome is what came of one exchange.
type outcome struct {
	kind meeting
	what string // failed: in a few words
	took time.Duration
}

// A tally counts outcomes.
type tally struct {
	counts  [hang + 1]int
	errors  map[string]int // by what they said
	slowest time.Duration  // of those that were fine or slow
}

// add counts one more outcome.
func (t *tally) add(o outcome) {
	t.counts[o.kind]++
	switch o.kind {
	case fine, slow:
		t.slowest = max(t.slowest, o.took)
	case failed:
		if t.errors == nil {
			t.errors = map[string]int{}
		}
		t.errors[o.what]++
	}
}

// merge adds what another tally has counted.
func (t *tally) merge(other *tally) {
	for kind, n := range other.counts {
		t.counts[kind] += n
	}
	for what, n := range other.errors {
		if t.errors == nil {
			t.errors = map[string]int{}
		}
		t.errors[what] += n
	}
	t.slowest = max(t.slowest, other.slowest)
}

// worst returns the worst that was met.
func (t *tally) worst() meeting {
	for kind := hang; kind > fine; kind-- {
		if t.counts[kind] > 0 {
			return kind
		}
	}
	return fine
}

// String returns what was met, the worst first: "3 wrong, 2 timed out, 110 ok".
func (t *tally) String() string {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(t.counts[hang], "HANG")
	add(t.counts[wrong], "WRONG")
	kinds := slices.SortedFunc(maps.Keys(t.errors), func(a, b string) int {
		return cmp.Or(t.errors[b]-t.errors[a], strings.Compare(a, b))
	})
	const shown = 2 // kinds of errors; more would not fit a line
	others := 0
	for i, what := range kinds {
		if n := t.errors[what]; i < shown {
			add(n, what)
		} else {
			others += n
		}
	}
	add(others, "other")
	if t.counts[slow] > 0 {
		add(t.counts[slow], "slow ("+short(t.slowest)+")")
	}
	add(t.counts[fine], "ok")
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// short returns a duration with two digits or so, as a person would say it.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f ms", max(d.Seconds()*1e3, 0.1))
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}

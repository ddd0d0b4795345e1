package spec

import (
	"fmt"
	"strings"
)

// unknown returns the message about a name that is none of those known.
func unknown(what, name string, known []string) error {
	if near := Nearest(name, known); near != "" {
		return fmt.Errorf("unknown %s %q, did you mean %s?", what, clip(name), near)
	}
	if len(known) == 0 {
		return fmt.Errorf("unknown %s %q, there are none", what, clip(name))
	}
	return fmt.Errorf("unknown %s %q, want %s", what, clip(name), oneOf(known))
}

// unknownFault returns the message about a name of a fault that is none of those known.
func unknownFault(name string, known []string) error {
	if here := elsewhere[canonical(strings.ToLower(name))]; here != "" {
		return fmt.Errorf("unknown fault %q, did you mean %s?", clip(name), here)
	}
	return unknown("fault", name, known)
}

// Nearest returns the known name that someone who wrote word most likely meant, or "".
func Nearest(word string, known []string) string {
	const longest = 40 // no name is longer, and the effort is quadratic
	if len(word) > longest {
		return ""
	}
	word = canonical(strings.ToLower(word))
	best, least := "", (len(word)+1)/3+1
	for _, name := range known {
		if d := distance(word, name); d < least {
			best, least = name, d
		}
	}
	if best != "" || len(word) < 3 {
		return best
	}
	for _, name := range known { // the beginning of exactly one
		if strings.HasPrefix(name, word) {
			if best != "" {
				return ""
			}
			best = name
		}
	}
	return best
}

// distance counts the bytes to insert, delete, replace or exchange with their neighbour to get from one word to another
// (optimal string alignment).
func distance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := above[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// canonical returns a name or key in lower_snake form: hyphens are underscores.
func canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

package spec

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"after", "bandwidth", "by", "close", "close_on_data", "delay", "slow_close"}
	tests := []struct {
		name, word, want string
	}{
		{"exchanged", "dealy", "delay"},
		{"one too few", "dlay", "delay"},
		{"one too many", "dellay", "delay"},
		{"replaced", "delat", "delay"},
		{"capitals", "DELAY", "delay"},
		{"hyphens", "close-on-date", "close_on_data"},
		{"beginning of one", "band", "bandwidth"},
		{"beginning of two is near neither", "clo", ""},
		{"nearer of two", "closed", "close"},
		{"short", "b", ""},
		{"short with one too many", "bye", "by"},
		{"unlike any", "latency", ""},
		{"empty", "", ""},
		{"too long to compare", strings.Repeat("delay", 1000), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Nearest(tt.word, known); got != tt.want {
				t.Errorf("Nearest(%.20q): got %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abc", "acb", 1},
		{"abcd", "badc", 2},
		{"kitten", "sitting", 3},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q): got %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

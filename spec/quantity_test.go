package spec

import (
	"math"
	"testing"
	"time"
)

func TestDurationText(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{1, "1ns"},
		{1500 * time.Microsecond, "1.5ms"},
		{time.Minute, "1m"},
		{time.Hour, "1h"},
		{time.Hour + time.Second, "1h0m1s"},
		{time.Hour + 10*time.Minute, "1h10m"},
		{10 * time.Hour, "10h"},
		{20 * time.Minute, "20m"},
		{10 * time.Second, "10s"},
		{100*time.Hour + 500*time.Millisecond, "100h0m0.5s"},
		{-time.Minute, "-1m"},
	}
	for _, tt := range tests {
		if got := durationText(tt.d); got != tt.want {
			t.Errorf("durationText(%v): got %s, want %s", tt.d, got, tt.want)
		}
	}
}

func TestSizeText(t *testing.T) {
	tests := []struct {
		bytes int64
		want  string
	}{
		{0, "0B"},
		{1, "1B"},
		{999, "999B"},
		{1000, "1KB"},
		{1024, "1KiB"},
		{1536, "1536B"},
		{64000, "64KB"},
		{65536, "64KiB"},
		{1024000, "1024KB"},
		{1 << 20, "1MiB"},
		{5e9, "5GB"},
		{3 << 40, "3TiB"},
		{1 << 50, "1024TiB"},
		{-1024, "-1KiB"},
		{math.MaxInt64, "9223372036854775807B"},
	}
	for _, tt := range tests {
		if got := sizeText(tt.bytes); got != tt.want {
			t.Errorf("sizeText(%d): got %s, want %s", tt.bytes, got, tt.want)
		}
	}
}

func TestReadSize(t *testing.T) {
	const form = "a size with its unit, such as 64KiB"
	tests := []struct {
		text, allowed string
		want          int64
	}{
		{"0B", "", 0},
		{"1.5KB", "", 1500},
		{"0.5KiB", "", 512},
		{"0.000000000001TB", "", 1},
		{"9223372036854775807B", "", math.MaxInt64},
		{"9223372036854775808B", "a size of at most 1024TiB", 0},
		{"0.5B", "a whole number of bytes", 0},
		{"0.1KiB", "a whole number of bytes", 0},
		{"5", form, 0},
		{"KiB", form, 0},
		{".5KiB", form, 0},
		{"1e3B", form, 0},
		{"1_000B", form, 0},
		{"64 KiB", form, 0},
		{"1e999999999B", form, 0},
		{"8bit", "a size in B, KB, MB, GB, TB, KiB, MiB, GiB or TiB", 0},
	}
	for _, tt := range tests {
		if got, allowed := readSize(tt.text); got != tt.want || allowed != tt.allowed {
			t.Errorf("readSize(%q): got %d, %q, want %d, %q", tt.text, got, allowed, tt.want, tt.allowed)
		}
	}
}

func TestChanceText(t *testing.T) {
	tests := []struct {
		chance float64
		want   string
	}{
		{0, "0%"},
		{1, "100%"},
		{0.1, "10%"},
		{0.07, "7%"},
		{0.007, "0.7%"},
		{0.123456, "12.3456%"},
		{1. / 3, "33.33333333333333%"},
		{1e-6, "0.0001%"},
		{9e-7, "9e-07"},
		{math.Nextafter(1, 0), "99.99999999999999%"},
		{-0.1, "-0.1"},
		{2, "2"},
		{math.NaN(), "NaN"},
		{math.Inf(1), "+Inf"},
	}
	for _, tt := range tests {
		if got := chanceText(tt.chance); got != tt.want {
			t.Errorf("chanceText(%v): got %s, want %s", tt.chance, got, tt.want)
		}
	}
}

func TestOneOf(t *testing.T) {
	tests := []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"a"}, "a"},
		{[]string{"a", "b"}, "a or b"},
		{[]string{"a", "b", "c"}, "a, b or c"},
	}
	for _, tt := range tests {
		if got := oneOf(tt.names); got != tt.want {
			t.Errorf("oneOf(%v): got %q, want %q", tt.names, got, tt.want)
		}
	}
}

package chaos

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestDropList(t *testing.T) {
	tests := []struct{ text, want string }{
		{"1", "1"},
		{"1,4,7-9", "1 4 7 8 9"},
		{"9,1", "1 9"},
		{"7-9,1-3,8-10,4", "1 2 3 4 7 8 9 10"},
		{"2-2", "2"},
		{" 1 , 3 - 5 ", "1 3 4 5"},
		{"01", "1"},
		{"3,3,3", "3"},
		{"19,1125899906842624", "19"},
	}
	for _, tt := range tests {
		list, err := parseDropList(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		got := ""
		for n := range int64(20) {
			if list.has(n) {
				got += fmt.Sprint(" ", n)
			}
		}
		if got != " "+tt.want {
			t.Errorf("%q: got%s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestDropListRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"word", "all", "a number from 1 to 1125899906842624 at column 1"},
		{"zero", "0", "a number from 1 to 1125899906842624 at column 1"},
		{"negative", "-1", "a number from 1 to 1125899906842624 at column 1"},
		{"blanks", " ", "a number from 1 to 1125899906842624 at column 2"},
		{"two commas", "1,,2", "a number from 1 to 1125899906842624 at column 3"},
		{"comma at the end", "1, ", "a number from 1 to 1125899906842624 at column 4"},
		{"comma at the very end", "1,", "a number from 1 to 1125899906842624 at column 3"},
		{"run without an end", "7-", "a number from 7 to 1125899906842624 at column 3"},
		{"run backwards", "1,9-7", "a number from 9 to 1125899906842624 at column 5"},
		{"run of runs", "1-2-3", "a comma at column 4"},
		{"semicolon", "1;2", "a comma or a hyphen at column 2"},
		{"fraction", "1.5", "a comma or a hyphen at column 2"},
		{"too large", "1,1125899906842625", "a number from 1 to 1125899906842624 at column 3"},
		{"larger than all numbers", "99999999999999999999", "a number from 1 to 1125899906842624 at column 1"},
		{"two words", "1 2", "a comma or a hyphen at column 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := parseDropList(tt.text)
			if err == nil {
				t.Fatalf("got %v, want an error", list)
			}
			refused := err.(*FaultError)
			if got, want := refused.Allowed, tt.want+", as in 1,4,7-9"; got != want || refused.Param != "list" || refused.Given != tt.text {
				t.Errorf("got %v, want %s of list, which was %q", err, want, tt.text)
			}
		})
	}
}

// TestDropListHasWhatItSays reads lists that were written from runs.
func TestDropListHasWhatItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		has, text := map[int64]bool{}, ""
		for range rapid.IntRange(1, 8).Draw(t, "runs") {
			from := rapid.Int64Range(1, 40).Draw(t, "from")
			to := rapid.Int64Range(from, 45).Draw(t, "to")
			if text != "" {
				text += ","
			}
			if text += fmt.Sprint(from); to > from {
				text += fmt.Sprint("-", to)
			}
			for n := from; n <= to; n++ {
				has[n] = true
			}
		}
		list, err := parseDropList(text)
		if err != nil {
			t.Fatal(err)
		}
		for n := range int64(50) {
			if got := list.has(n); got != has[n] {
				t.Errorf("%s has %d: got %v, want %v", text, n, got, has[n])
			}
		}
	})
}

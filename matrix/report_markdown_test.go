package matrix

import "testing"

func TestMarkdownText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "The right answer in 4.2 ms, twice (1 of 2): \"ok\"", "The right answer in 4.2 ms, twice (1 of 2): \"ok\""},
		{"underscores", "idle_limit_", `idle\_limit\_`},
		{"an address", "see https://example.org", "`see https://example.org`"},
		{"an address without a scheme", "www.example.org", "`www.example.org`"},
		{"a name and a number", "@someone #1", "`@someone #1`"},
		{"a picture", "no :bomb: here", "`no :bomb: here`"},
		{"markup", "<b>&amp;*x*[y](z)~~", "`<b>&amp;*x*[y](z)~~`"},
		{"a list", "1. one", "`1. one`"},
		{"another list", "- one", "`- one`"},
		{"a number", "17 of them", "17 of them"},
		{"backquotes", "a `b` ``c``", "``` a `b` ``c`` ```"},
		{"lines", "a\nb", "a ⏎ b"},
		{"nothing", " \n", "(none)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := mdText(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got, want := mdCell("a|b"), "`a\\|b`"; got != want {
		t.Errorf("in a table: got %q, want %q", got, want)
	}
}

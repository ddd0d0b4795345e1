package matrix

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestVisible(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "a b\tc\n日本 é 💥", "a b\tc\n日本 é 💥"},
		{"windows", "a\r\nb", "a\nb"},
		{"windows, and more", "a\r\nb\x00", "a\nb␀"},
		{"escapes", "\x1b[31mred\x07", "␛[31mred␇"},
		{"a lone return", "old\rnew", "old␍new"},
		{"delete, and the upper controls", "\x7f\u009b1m\u0085", `␡\u009b1m\u0085`},
		{"what turns text around", "a\u202eb\u200f", `a\u202eb\u200f`},
		{"what has no width", "a\u200bb\ufeffc\U000e0041", `a\u200bb\ufeffc\U000e0041`},
		{"lines and paragraphs of Unicode", "a\u2028b", `a\u2028b`},
		{"what no XML may hold", "\ufffe\uffff", `\ufffe\uffff`},
		{"invalid UTF-8", "a\xff\xc3(", "a\ufffd\ufffd("},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := visible(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestReadableLeavesTheReportAlone(t *testing.T) {
	const bad = "a\x00"
	r := &Report{
		Notes: []string{bad}, Counts: map[Verdict]int{bad: 2}, Expected: &Comparison{New: []string{bad}},
		Cells: []Cell{{Says: bad, Recovery: &Recovery{Failed: 3}, Attempts: []Attempt{{Output: bad}}}},
	}
	got := r.readable()
	for _, text := range []string{
		got.Notes[0], got.Expected.New[0], got.Cells[0].Says, got.Cells[0].Attempts[0].Output,
	} {
		if text != "a␀" {
			t.Errorf("got %q, want it to be visible", text)
		}
	}
	if got.Counts["a␀"] != 2 || got.Cells[0].Recovery.Failed != 3 {
		t.Errorf("got %v and %v, want what is no text as it was", got.Counts, got.Cells[0].Recovery)
	}
	if r.Notes[0] != bad || r.Cells[0].Attempts[0].Output != bad || r.Counts[bad] != 2 || r.Expected.New[0] != bad {
		t.Error("the report itself was changed")
	}
}

func TestEndsKeepsBeginningAndEnd(t *testing.T) {
	long := "begin" + strings.Repeat("é", 5000) + "end"
	got := ends(long, 100)
	if !strings.HasPrefix(got, "begin") || !strings.HasSuffix(got, "end") || !utf8.ValidString(got) || len(got) > 200 {
		t.Errorf("got %q, want its beginning and its end", got)
	}
	if want := "bytes are left out"; !strings.Contains(got, want) {
		t.Errorf("got %q, want that it says %q", got, want)
	}
	if got := ends("short", 100); got != "short" {
		t.Errorf("got %q, want it as it was", got)
	}
}

func TestOneLine(t *testing.T) {
	tests := []struct{ in, want string }{
		{"  a\nb\t c\n", "a ⏎ b c"},
		{"0123456789", "0123456789"},
		{"0123456789a", "012345678…"},
		{"", ""},
	}
	for _, test := range tests {
		if got := oneLine(test.in, 10); got != test.want {
			t.Errorf("%q: got %q, want %q", test.in, got, test.want)
		}
	}
}

func TestBytesText(t *testing.T) {
	tests := []struct {
		n    int64
		want string
	}{{0, "0 bytes"}, {1, "1 byte"}, {1023, "1023 bytes"}, {1024, "1.0 KiB"}, {15000, "15 KiB"}, {5 << 20, "5.0 MiB"}, {3 << 40, "3.0 TiB"}}
	for _, test := range tests {
		if got := bytesText(test.n); got != test.want {
			t.Errorf("%d: got %q, want %q", test.n, got, test.want)
		}
	}
}

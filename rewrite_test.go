package chaos

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// recorded is what a rewriter emitted. It scribbles over every piece once it has its copy, as a receiver may.
type recorded struct {
	t       *testing.T
	source  []byte // all that was fed
	out     []byte
	pieces  []string // changed ones in brackets
	at      int64
	changes int
}

func (rec *recorded) emit(p rewritten) {
	rec.t.Helper()
	if p.at != rec.at {
		rec.t.Fatalf("piece %q: got position %d, want %d", p.data, p.at, rec.at)
	}
	rec.at += int64(p.src)
	was := string(rec.source[p.at:rec.at])
	if same := was == string(p.data); same == p.changed {
		rec.t.Fatalf("piece %q for %q: got changed %v", p.data, was, p.changed)
	}
	rec.out = append(rec.out, p.data...)
	piece := string(p.data)
	if p.changed {
		rec.changes++
		piece = "[" + piece + "]"
	}
	rec.pieces = append(rec.pieces, piece)
	all := p.data[:cap(p.data)]
	for i := range all {
		all[i] = "ab\n"[i%3]
	}
}

// rewriteChunks feeds chunks, checks the bound after each, and ends the stream.
func rewriteChunks(t *testing.T, rw *rewrite, chunks ...string) *recorded {
	t.Helper()
	return feedChunks(t, newRewriter(rw, 0), chunks...)
}

func feedChunks(t *testing.T, r *rewriter, chunks ...string) *recorded {
	t.Helper()
	rec := &recorded{t: t}
	for _, chunk := range chunks {
		rec.source = append(rec.source, chunk...)
		r.feed([]byte(chunk), rec.emit)
		if got := r.held(); got > r.rw.max || int64(got) != int64(len(rec.source))-rec.at {
			t.Fatalf("held: got %d, want at most %d, and %d", got, r.rw.max, int64(len(rec.source))-rec.at)
		}
	}
	r.flush(true, rec.emit)
	if r.held() != 0 || rec.at != int64(len(rec.source)) {
		t.Fatalf("after the end: got %d bytes held and %d emitted, want 0 and %d", r.held(), rec.at, len(rec.source))
	}
	return rec
}

func mustRewrite(t testing.TB, pattern, with string, maxHeld int) *rewrite {
	t.Helper()
	rw, err := compileRewrite(pattern, with, maxHeld)
	if err != nil {
		t.Fatalf("%q: %v", pattern, err)
	}
	return rw
}

func TestRewriterReplaces(t *testing.T) {
	tests := []struct {
		name, pattern, with, in, want string
		max                           int
	}{
		{"literal", "cat", "dog", "a cat, a concatenation", "a dog, a condogenation", 0},
		{"deleted", "cat", "", "a cat", "a ", 0},
		{"overlapping starts", "aab", "X", "aaaaab", "aaaX", 0},
		{"leftmost first, not longest", "a|ab|abc", "X", "abc abc", "Xbc Xbc", 0},
		{"preferred alternative comes late", "abcd|a", "X", "abce abcd", "Xbce X", 0},
		{"greedy", `a+b?`, "X", "aaab aab a", "X X X", 0},
		{"lazy", `a+?`, "X", "aaa", "XXX", 0},
		{"groups", `(\w+)@(?P<host>\w+)`, "${host}<$1>$$ $9$", "me@home, you@work", "home<me>$ $, work<you>$ $", 0},
		{"group that did not take part", "(a)|(b)", "<$1$2>", "ab", "<a><b>", 0},
		{"the whole match", "b+", "[$0]", "abbc", "a[bb]c", 0},
		{"repeated group keeps the last", "(?:(a|b)c)+", "<$1>", "acbc", "<b>", 0},
		{"case", "(?i)stop", "go", "STOP Stop stop", "go go go", 0},
		{"start of the stream", "^a", "X", "aa\na", "Xa\na", 0},
		{"start of a line", "(?m)^a", "X", "aa\naa", "Xa\nXa", 0},
		{"end of a line", "(?m)a$", "X", "aa\naa", "aX\naX", 0},
		{"end of the stream", "a$", "X", "aa\naa", "aa\naX", 0},
		{"word", `\bcat\b`, "dog", "cat concat cats cat", "dog concat cats dog", 0},
		{"not a word", `\Bcat\B`, "dog", "cat concats", "cat condogs", 0},
		{"behind a replaced byte", `\ba`, "X", "aa a", "Xa X", 0},
		{"dot is a byte, but no newline", "a.c", "X", "a\xffc a\nc a\x80c", "X a\nc X", 0},
		{"(?s) dot is any byte", "(?s)a.c", "X", "a\nc", "X", 0},
		{"escaped byte", `\xff\x00`, "X", "\xff\xff\x00\x00", "\xffX\x00", 0},
		{"octal byte", `\377\0a`, "X", "\xff\x00a", "X", 0},
		{"raw byte", "\xff+", "X", "a\xff\xff\xfe", "aX\xfe", 0},
		{"range of bytes", `[\x7e-\x81]+`, "X", "}~\x7f\x80\x81\x82", "}X\x82", 0},
		{"negated class", `[^\x00-\x7f]`, "X", "a\x80\xffé", "aXXXX", 0},
		{"UTF-8 text", "é", "e", "café\xc3x\xa9", "cafe\xc3x\xa9", 0},
		{"UTF-8 text repeated", "é+", "e", "éé\xa9", "e\xa9", 0},
		{"UTF-8 text has no case over bytes", "(?i)é", "e", "é É \xe3\xa9", "e É \xe3\xa9", 0},
		{"UTF-8 text quoted", `\Q[é]\E+`, "X", "[é]]", "X", 0},
		{"class of words beside bytes", `[[:alpha:]\xe9]+`, "X", "1ab\xe92", "1X2", 0},
		{"bracket in a class", `[]\x80][^]\x81]`, "X", "]a \x80] \x80\x80", "X \x80XX", 0},
		{"letters are ASCII", `\pL+`, "X", "a\xe9k", "X\xe9X", 0},
		{"bytes in the replacement", "a", "\xff\x00é", "ba", "b\xff\x00é", 0},
		{"too long, greedy", "a+", "<$0>", "aaaaaaa", "<aaa><aaa><a>", 3},
		{"too long, closed", `<[^>]*>`, "X", "<abcdef> <b>", "<abcdef> X", 4},
		{"too long, another begins inside", `<[^>]*>`, "X", "<abcd<b>", "<abcdX", 4},
		{"too long, a shorter one was found", "a(b*c)?", "X", "abbbbbc", "Xbbbbbc", 4},
		{"as long as is allowed, and a word", `\ba+\b`, "X", "aaa aaaa", "X aaaa", 3},
		{"the same again", "a|b", "b", "abc", "bbc", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rw := mustRewrite(t, tt.pattern, tt.with, tt.max)
			if got := string(rewriteChunks(t, rw, tt.in).out); got != tt.want {
				t.Errorf("at once: got %q, want %q", got, tt.want)
			}
			single := make([]string, len(tt.in))
			for i := range single {
				single[i] = tt.in[i : i+1]
			}
			if got := string(rewriteChunks(t, rw, single...).out); got != tt.want {
				t.Errorf("byte by byte: got %q, want %q", got, tt.want)
			}
		})
	}
}

// A feed of "" is a pause.
func TestRewriterHoldsOnlyWhatMayMatch(t *testing.T) {
	tests := []struct {
		name, pattern string
		feeds         []string
		want          []string // what each feed emits, changed pieces in brackets, and how much is then held
	}{
		{"no match can begin", "cat", []string{"a dog", "hello"}, []string{"a dog 0", "hello 0"}},
		{"known with its last byte", "cat", []string{"a cat", "xcatx"}, []string{"a |[X] 0", "x|[X]|x 0"}},
		{"one may have begun", "cat", []string{"a ca", "t", "ca", "ca", "r"}, []string{"a  2", "[X] 0", " 2", "ca 2", "ca|r 0"}},
		{"greedy waits", "a+", []string{"baa", "a", "b"}, []string{"b 2", " 3", "[X]|b 0"}},
		{"greedy at its largest does not", "a{1,3}", []string{"baaa", "aab"}, []string{"b|[X] 0", "[X]|b 0"}},
		{"lazy does not", "a+?", []string{"ba"}, []string{"b|[X] 0"}},
		{"the preferred way is alive", "abc|a", []string{"xab", "d"}, []string{"x 2", "[X]|b|d 0"}},
		{"the other way would not be preferred", "a|abc", []string{"xab"}, []string{"x|[X]|b 0"}},
		{"a word waits for what follows", `\bcat\b`, []string{"cat", " cat", "s"}, []string{" 3", "[X]|  3", "cat|s 0"}},
		{"behind a word byte none begins", `\bcat`, []string{"con", "ca", " ca"}, []string{"con 0", "ca 0", "  2"}},
		{"pause", "cat", []string{"ca", "", "t"}, []string{" 2", "ca 0", "t 0"}},
		{"pause ends a greedy match", "a+", []string{"aa", "", "a", ""}, []string{" 2", "[X] 0", " 1", "[X] 0"}},
		{"pause ends a word", `\bcat\b`, []string{"cat", ""}, []string{" 3", "[X] 0"}},
		{"pause is not the end of the stream", `cat$`, []string{"cat", ""}, []string{" 3", "cat 0"}},
		{"pause matches all that is held", "abcd|b", []string{"abc", ""}, []string{" 3", "a|[X]|c 0"}},
		{"pause is not a start", "^cat", []string{"a", "", "cat"}, []string{"a 0", " 0", "cat 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, rec := newRewriter(mustRewrite(t, tt.pattern, "X", 0), 0), &recorded{t: t}
			for i, feed := range tt.feeds {
				rec.pieces = nil
				if rec.source = append(rec.source, feed...); feed == "" {
					r.flush(false, rec.emit)
				} else {
					r.feed([]byte(feed), rec.emit)
				}
				if got := fmt.Sprint(strings.Join(rec.pieces, "|"), " ", r.held()); got != tt.want[i] {
					t.Errorf("feed %d, %q: got %q, want %q", i, feed, got, tt.want[i])
				}
			}
		})
	}
}

func TestRewriterBeginsWithinAStream(t *testing.T) {
	for pattern, want := range map[string]string{`^cat`: "cat", `(?m)^cat`: "[X]", `\bcat`: "[X]", `\Bcat`: "cat", "t": "ca|[X]"} {
		r := newRewriter(mustRewrite(t, pattern, "X", 0), 10)
		rec := &recorded{t: t, source: []byte("0123456789cat"), at: 10}
		r.feed([]byte("cat"), rec.emit)
		r.flush(true, rec.emit)
		if got := strings.Join(rec.pieces, "|"); got != want {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
}

func TestRewriterPassesTheSliceItWasFed(t *testing.T) {
	r := newRewriter(mustRewrite(t, "needle", "pin", 0), 0)
	data := bytes.Repeat([]byte("hay, no nee "), 1000)
	calls := 0
	emit := func(p rewritten) {
		if calls++; &p.data[0] != &data[0] || len(p.data) != len(data) {
			t.Errorf("got a copy, or %d bytes of %d", len(p.data), len(data))
		}
	}
	if r.feed(data, emit); calls != 1 {
		t.Errorf("calls of emit: got %d, want 1", calls)
	}
}

func TestRewriterDoesNotAllocate(t *testing.T) {
	for _, pattern := range []string{`needle`, `(n\w*?)d(le)\b`, `[a-n]+\d`} {
		r := newRewriter(mustRewrite(t, pattern, "<$1$2>", 0), 0)
		datagrams := newRewriter(r.rw, 0)
		data := []byte("hay needle hay nee")
		emit := func(rewritten) {}
		allocs := testing.AllocsPerRun(100, func() {
			r.feed(data, emit)
			r.feed(data, emit)
			r.flush(false, emit)
			datagrams.whole(data)
		})
		if allocs != 0 {
			t.Errorf("%q: got %v allocations, want 0", pattern, allocs)
		}
	}
}

func TestRewriterDatagram(t *testing.T) {
	r := newRewriter(mustRewrite(t, `^(a+)b|c$`, "<$1>", 4), 0)
	tests := []struct {
		in, want string
		changes  int
	}{
		{"aab c", "<aa> <>", 2},
		{"xab", "xab", 0},
		{"aaaaaaaab", "<aaaaaaaa>", 1}, // A datagram is not bounded by what a stream may hold back.
		{"", "", 0},
		{"aa", "aa", 0},
		{"c", "<>", 1}, // Nothing is left of the one before.
	}
	for _, tt := range tests {
		if got, changes := r.whole([]byte(tt.in)); string(got) != tt.want || changes != tt.changes {
			t.Errorf("%q: got %q, %d changes, want %q, %d", tt.in, got, changes, tt.want, tt.changes)
		}
	}
}

func TestCompileRewriteRefuses(t *testing.T) {
	tests := []struct {
		name, pattern string
		max           int
		want          string
	}{
		{"syntax", "a(b", 0, "missing closing )"},
		{"syntax in the author's words", "é(b", 0, "`é(b`"},
		{"empty pattern", "", 0, "empty string"},
		{"empty match", "a*", 0, "empty string"},
		{"only an assertion", `\b|^`, 0, "empty string"},
		{"no bytes", `\p{Greek}`, 0, "no sequence of bytes"},
		{"long", strings.Repeat("a", 1025), 0, "at most 1024"},
		{"large", strings.Repeat("(a{999}b{999})", 40), 0, "repeats are too large"},
		{"negative bound", "a", -1, "-1"},
		{"bound below the shortest match", "abc?", 1, "the shortest match has 2 bytes"},
		{"characters in a class", "[éa]", 0, "(?:é|…)"},
		{"characters as escapes", `\x{20ac}`, 0, `\x{20ac} is not a byte`},
		{"backslash before a byte", "\\\xff", 0, "backslash"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := compileRewrite(tt.pattern, "", tt.max); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestCompileRewriteBounds(t *testing.T) {
	tests := []struct {
		pattern   string
		max, want int
	}{
		{"abc", 0, 3},
		{"a{2,5}(?:é|b)?", 0, 7},
		{`^[ab]\b$`, 100, 1},
		{"a+", 0, 4096},
		{"a+", 7, 7},
		{"a{1,9}", 7, 7},
	}
	for _, tt := range tests {
		if got := mustRewrite(t, tt.pattern, "", tt.max).max; got != tt.want {
			t.Errorf("%q with %d: got %d, want %d", tt.pattern, tt.max, got, tt.want)
		}
	}
}

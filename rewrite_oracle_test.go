package chaos

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// oracle lets the standard library do the work: on a text of runes, each of which stands for a byte.
type oracle struct{ re *regexp.Regexp }

func newOracle(t testing.TB, pattern string) oracle {
	t.Helper()
	text, err := bytePattern(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return oracle{regexp.MustCompile(text)}
}

func toRunes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(byteRune(s[i]))
	}
	return b.String()
}

func toBytes(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
	}
	return b.String()
}

func (o oracle) replace(text, with string) string {
	return toBytes(o.re.ReplaceAllString(toRunes(text), with))
}

// longest returns the length of the longest match in the text.
func (o oracle) longest(text string) (n int) {
	for _, match := range o.re.FindAllString(toRunes(text), -1) {
		n = max(n, len(toBytes(match)))
	}
	return n
}

// replaceBounded replaces the leftmost matches of at most bound bytes, for patterns without assertions: it is slow and
// plain, and tries each place with nothing but the bytes that are allowed.
func (o oracle) replaceBounded(text, with string, bound int) string {
	anchored := regexp.MustCompile(`\A(?:` + o.re.String() + `)`)
	var out []byte
	for len(text) > 0 {
		window := toRunes(text[:min(bound, len(text))])
		m := anchored.FindStringSubmatchIndex(window)
		if m == nil {
			out, text = append(out, text[0]), text[1:]
			continue
		}
		out = append(out, toBytes(string(anchored.ExpandString(nil, with, window, m)))...)
		text = text[len(toBytes(window[:m[1]])):]
	}
	return string(out)
}

// randomPattern draws a pattern from a small grammar.
func randomPattern(rng *rand.Rand, depth int, assertions bool) string {
	pick := func(choices ...string) string { return choices[rng.IntN(len(choices))] }
	if depth == 0 || rng.IntN(4) == 0 {
		if assertions && rng.IntN(5) == 0 {
			return pick(`\b`, `\B`, `(?m:^)`, `(?m:$)`, `^`, `$`, `\A`, `\z`)
		}
		return pick("a", "a", "b", "b", "c", "ab", "abc", ".", "[ab]", "[^a]", `\n`, " ", `\w`, `\x80`, `[b-\xff]`, "(?i:B)", "é", "(?s:.)")
	}
	sub := func() string { return randomPattern(rng, depth-1, assertions) }
	switch rng.IntN(6) {
	case 0, 1:
		return sub() + sub()
	case 2:
		return "(?:" + sub() + "|" + sub() + ")"
	case 3:
		return "(" + sub() + ")"
	case 4:
		return "(?:" + sub() + "|" + sub() + "|" + sub() + ")" + pick("", "+", "*")
	default:
		return "(?:" + sub() + ")" + pick("*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}")
	}
}

func randomText(rng *rand.Rand, n int) string {
	pieces := []string{"a", "a", "a", "b", "b", "c", " ", "\n", "\x80", "\xff", "B", "é"}
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return b.String()
}

func randomChunks(rng *rand.Rand, text string) (chunks []string) {
	most := 1 + rng.IntN(8)
	for len(text) > 0 {
		n := min(len(text), rng.IntN(most+1))
		chunks, text = append(chunks, text[:n]), text[n:]
	}
	return chunks
}

const randomWith = "<$0|$1|${2}x$3>"

// randomRewrite draws a pattern until one is accepted.
func randomRewrite(t *testing.T, rng *rand.Rand, maxHeld int, assertions bool) (*rewrite, string) {
	t.Helper()
	for range 1000 {
		pattern := randomPattern(rng, 1+rng.IntN(4), assertions)
		if rw, err := compileRewrite(pattern, randomWith, maxHeld); err == nil {
			return rw, pattern
		}
	}
	t.Fatal("no pattern was accepted")
	return nil, ""
}

func TestRewriterEqualsReplaceAll(t *testing.T) {
	changed, bounded := 0, 0
	const rounds = 5_000
	for seed := range uint64(rounds) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rw, pattern := randomRewrite(t, rng, rng.IntN(3)*rng.IntN(12), true)
		o, text := newOracle(t, pattern), randomText(rng, rng.IntN(40))
		chunks := randomChunks(rng, text)
		got, once := rewriteChunks(t, rw, chunks...), rewriteChunks(t, rw, text)
		if !bytes.Equal(got.out, once.out) {
			t.Fatalf("seed %d: %q, max %d, on %q: got %q, at once %q", seed, pattern, rw.max, chunks, got.out, once.out)
		}
		if o.longest(text) > rw.max {
			bounded++
			continue
		}
		if want := o.replace(text, randomWith); string(got.out) != want {
			t.Fatalf("seed %d: %q, max %d, on %q: got %q, want %q", seed, pattern, rw.max, chunks, got.out, want)
		}
		tired := newRewriter(rw, 0)
		tired.vm.again = 1 << 60 // It may never look again, and finds the matches that fit all the same.
		if got := feedChunks(t, tired, chunks...); string(got.out) != string(once.out) {
			t.Fatalf("seed %d: %q, max %d, on %q, without looking again: got %q, want %q", seed, pattern, rw.max, chunks, got.out, once.out)
		}
		whole, changes := newRewriter(rw, 0).whole([]byte(text))
		if string(whole) != string(got.out) || changes != got.changes {
			t.Fatalf("seed %d: %q on datagram %q: got %q, %d changes, want %q, %d", seed, pattern, text, whole, changes, got.out, got.changes)
		}
		changed += got.changes
	}
	if changed < rounds || bounded > rounds/4 {
		t.Errorf("%d changes in %d rounds, %d of which met the bound: that proves little", changed, rounds, bounded)
	}
}

func TestRewriterBoundsMatches(t *testing.T) {
	met := 0
	for seed := range uint64(4_000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		rw, pattern := randomRewrite(t, rng, 1+rng.IntN(8), false)
		o, text := newOracle(t, pattern), randomText(rng, rng.IntN(60))
		chunks := randomChunks(rng, text)
		if o.longest(text) > rw.max {
			met++
		}
		got, want := rewriteChunks(t, rw, chunks...), o.replaceBounded(text, randomWith, rw.max)
		if string(got.out) != want {
			t.Fatalf("seed %d: %q, max %d, on %q: got %q, want %q", seed, pattern, rw.max, chunks, got.out, want)
		}
	}
	if met < 300 {
		t.Errorf("got %d texts with a match beyond the bound, want 300", met)
	}
}

// Where a match is given up at every byte, looking again each time would cost the bound times as much.
func TestRewriterLooksAgainInMeasure(t *testing.T) {
	r := newRewriter(mustRewrite(t, "a[ab]*c", "X", 4096), 0)
	data := bytes.Repeat([]byte("a"), 1<<14)
	total := 0
	for range 8 {
		r.feed(data, func(p rewritten) { total += len(p.data) })
	}
	if most := int64(8 * (8<<14 + 4096)); r.vm.again == 0 || r.vm.again > most {
		t.Errorf("looked again at %d bytes, want some and at most %d", r.vm.again, most)
	}
	if got := total + r.held(); got != 8<<14 || r.held() > 4096 {
		t.Errorf("got %d bytes, %d of them held, want %d and at most 4096", got, r.held(), 8<<14)
	}
	// The matches that fit are still found.
	found := 0
	r.feed([]byte("  abc abbc "), func(p rewritten) {
		if p.changed {
			found++
		}
	})
	if found != 2 {
		t.Errorf("matches behind it: got %d, want 2", found)
	}
}

// What is given up must not stand in the way of a match that begins at that very place, while another is alive.
func TestRewriterGivesUpOnlyTheEarliest(t *testing.T) {
	r := newRewriter(mustRewrite(t, "(?:ab)+c|babax", "X", 4), 0)
	r.vm.again = 1 << 60
	if got := feedChunks(t, r, "abababc"); string(got.out) != "ababX" {
		t.Errorf("got %q, want %q", got.out, "ababX")
	}
}

func TestRewriterFreesALargeBuffer(t *testing.T) {
	r := newRewriter(mustRewrite(t, `"[^"]*"`, "X", 1<<20), 0)
	emit := func(rewritten) {}
	r.feed(append([]byte{'"'}, make([]byte, 1<<19)...), emit)
	if got, want := r.held(), 1<<19+1; got != want {
		t.Errorf("held: got %d, want %d", got, want)
	}
	if r.feed([]byte{'"'}, emit); r.held() != 0 || cap(r.buf) > maxIdleBuffer {
		t.Errorf("got %d bytes held in a buffer of %d, want 0 and at most %d", r.held(), cap(r.buf), maxIdleBuffer)
	}
}

func TestParseWithIsExpand(t *testing.T) {
	const pattern = `(?P<a>a)(?P<b_1>x)?(b)`
	re := regexp.MustCompile(pattern)
	for seed := range uint64(4_000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		with := ""
		for range rng.IntN(8) {
			with += []string{"$", "{", "}", "a", "b_1", "0", "1", "2", "3", "01", "9", "é", "-", "${a}", "\xff"}[rng.IntN(15)]
		}
		want := re.ReplaceAll([]byte("ab axb"), []byte(with))
		got := rewriteChunks(t, mustRewrite(t, pattern, with, 0), "ab axb")
		if !bytes.Equal(got.out, want) {
			t.Fatalf("seed %d: %q: got %q, want %q", seed, with, got.out, want)
		}
	}
}

func FuzzRewriter(f *testing.F) {
	f.Add("a(b|c)*", "xabcbcab", uint64(3), uint16(0))
	f.Add(`\bé+$`, "é éé", uint64(1), uint16(9))
	f.Add(`[^\x80-\xff]a|\Qa.\E`, "a.\xffa", uint64(2), uint16(2))
	f.Fuzz(func(t *testing.T, pattern, text string, seed uint64, maxHeld uint16) {
		if len(text) > 1<<12 {
			t.Skip("long")
		}
		rw, err := compileRewrite(pattern, randomWith, int(maxHeld))
		if err != nil {
			t.Skip(err)
		}
		got := rewriteChunks(t, rw, randomChunks(rand.New(rand.NewPCG(seed, 4)), text)...)
		once := rewriteChunks(t, rw, text)
		if !bytes.Equal(got.out, once.out) {
			t.Fatalf("got %q, at once %q", got.out, once.out)
		}
		if o := newOracle(t, pattern); o.longest(text) <= rw.max {
			if want := o.replace(text, randomWith); string(got.out) != want {
				t.Fatalf("got %q, want %q", got.out, want)
			}
		}
	})
}

func BenchmarkRewriter(b *testing.B) {
	text := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog, no matter what; "), 1<<20/61)
	for _, bb := range []struct{ name, pattern string }{
		{"literal", "quicksilver"},
		{"byte", "Q[a-z]*"},
		{"class", `[0-9]+ms`},
		{"class that often begins", `[a-f]+[0-9]`},
		{"word", `\b[A-Z]\w*`},
		{"case", `(?i)quicksilver`},
		{"always alive", `\w+@\w+`},
		{"replaced", `lazy`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r := newRewriter(mustRewrite(b, bb.pattern, "<$0>", 0), 0)
			emit := func(rewritten) {}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for rest := text; len(rest) > 0; {
					n := min(len(rest), 32<<10)
					r.feed(rest[:n], emit)
					rest = rest[n:]
				}
			}
		})
	}
}

package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp/syntax"
	"unicode/utf8"
)

const (
	// maxPattern bounds a pattern, in bytes of its text.
	maxPattern = 1 << 10
	// maxPatternSteps bounds the program that a pattern is compiled to, because counted repeats multiply:
	// a connection keeps some 50 bytes for each step, and a byte of traffic may have to visit them all.
	maxPatternSteps = 10_000
	// defaultHeld is how many bytes are held back at most if the pattern does not tell.
	defaultHeld = 4 << 10
)

// A rewrite is a pattern and what to put in the place of its matches, compiled. It is immutable, so all connections
// share it; each has a rewriter of its own.
//
// The pattern is RE2 over bytes. A dot is any byte but a newline, \xff is the byte 0xFF, and é outside of a class is
// the two bytes of its UTF-8 text. Classes match single bytes, and only ASCII letters have a case or are letters.
type rewrite struct {
	prog     []rewriteStep
	start    uint32
	first    [256]bool // bytes that a match can begin with
	only     int       // the one byte that it must begin with, -1 if there are several
	prefix   []byte    // what every match begins with, as far as that is known
	anchored bool      // a match begins where the stream begins
	asserts  bool      // there are assertions such as \b, which look at the bytes around them
	slots    int       // places in which a thread remembers where groups begin and end
	with     []withPart
	max      int // bytes that are held back at most, and that a match can have
}

// A rewriteStep is an instruction of the compiled pattern. The instructions that match a rune have become InstRune,
// with the set of bytes that they match.
type rewriteStep struct {
	op  syntax.InstOp
	out uint32
	arg uint32 // InstAlt: the other way; InstCapture: the slot, noSlot if nobody wants it; InstEmptyWidth: the assertion
	set [4]uint64
}

const noSlot = math.MaxUint32

func (s *rewriteStep) has(c byte) bool { return s.set[c>>6]>>(c&63)&1 != 0 }

// compileRewrite compiles a pattern and a template in the syntax of [regexp.Regexp.Expand]. At most maxHeld bytes of a
// stream will be held back; if zero, as many as the longest match has, or 4 KiB if there is no longest.
func compileRewrite(pattern, with string, maxHeld int) (*rewrite, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("a pattern may have at most %d bytes, this one has %d", maxPattern, len(pattern))
	}
	if utf8.ValidString(pattern) {
		// So that a mistake is reported in the words that the author wrote.
		if _, err := syntax.Parse(pattern, syntax.Perl); err != nil {
			return nil, err
		}
	}
	text, err := bytePattern(pattern)
	if err != nil {
		return nil, err
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	shortest, longest := matchLength(re)
	switch {
	case shortest == 0:
		return nil, errors.New("the pattern matches the empty string, which is everywhere in a stream: it must match at least one byte")
	case shortest == endless:
		return nil, errors.New("the pattern matches no sequence of bytes")
	case maxHeld < 0:
		return nil, fmt.Errorf("cannot hold back %d bytes", maxHeld)
	case longest < endless && (maxHeld == 0 || maxHeld > longest):
		maxHeld = longest
	case maxHeld == 0:
		maxHeld = defaultHeld
	}
	if maxHeld < shortest {
		return nil, fmt.Errorf("the shortest match has %d bytes, but at most %d are held back", shortest, maxHeld)
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, err
	}
	if len(prog.Inst) > maxPatternSteps {
		return nil, fmt.Errorf("the pattern compiles to %d steps, at most %d are allowed: its repeats are too large", len(prog.Inst), maxPatternSteps)
	}
	rw := &rewrite{start: uint32(prog.Start), only: -1, max: maxHeld, with: parseWith(with, re.CapNames())}
	rw.anchored = prog.StartCond()&syntax.EmptyBeginText != 0
	rw.translate(prog)
	rw.findFirst(prog)
	return rw, nil
}

// translate makes the steps of the program, with slots for the groups that the template uses.
func (rw *rewrite) translate(prog *syntax.Prog) {
	slots := map[uint32]uint32{}
	for i := range rw.with {
		if p := &rw.with[i]; p.group > 0 {
			if _, known := slots[uint32(2*p.group)]; !known {
				slots[uint32(2*p.group)], slots[uint32(2*p.group+1)] = uint32(len(slots)), uint32(len(slots)+1)
			}
			p.slot = int(slots[uint32(2*p.group)])
		}
	}
	rw.slots = len(slots)
	rw.prog = make([]rewriteStep, len(prog.Inst))
	for i := range prog.Inst {
		in := &prog.Inst[i]
		step := rewriteStep{op: in.Op, out: in.Out, arg: in.Arg}
		switch in.Op {
		case syntax.InstCapture:
			step.arg = noSlot
			if slot, wanted := slots[in.Arg]; wanted {
				step.arg = slot
			}
		case syntax.InstEmptyWidth:
			rw.asserts = true
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			step.op = syntax.InstRune
			for c := range 256 {
				if in.MatchRune(byteRune(byte(c))) {
					step.set[c>>6] |= 1 << (c & 63)
				}
			}
		}
		rw.prog[i] = step
	}
}

// findFirst finds out how a match can begin.
func (rw *rewrite) findFirst(prog *syntax.Prog) {
	seen := make([]bool, len(rw.prog))
	var visit func(pc uint32)
	visit = func(pc uint32) {
		if seen[pc] {
			return
		}
		seen[pc] = true
		switch step := &rw.prog[pc]; step.op {
		case syntax.InstAlt, syntax.InstAltMatch:
			visit(step.out)
			visit(step.arg)
		case syntax.InstRune:
			for c := range rw.first {
				rw.first[c] = rw.first[c] || step.has(byte(c))
			}
		case syntax.InstNop, syntax.InstCapture, syntax.InstEmptyWidth:
			visit(step.out)
		}
	}
	visit(rw.start)
	several := 0
	for c, can := range rw.first {
		if can {
			rw.only = c
			several++
		}
	}
	if several != 1 {
		rw.only = -1
	}
	prefix, _ := prog.Prefix()
	for _, r := range prefix {
		rw.prefix = append(rw.prefix, byte(r)) // The low byte is the byte that the rune stands for.
	}
}

// begin returns the first place in b where a match can begin, len(b) if there is none.
func (rw *rewrite) begin(b []byte) int {
	i := 0
	if n := len(rw.prefix); n > 1 {
		if i = bytes.Index(b, rw.prefix); i >= 0 {
			return i
		}
		i = max(0, len(b)-n+1) // The prefix may have begun at the end.
	}
	if rw.only >= 0 {
		if j := bytes.IndexByte(b[i:], byte(rw.only)); j >= 0 {
			return i + j
		}
		return len(b)
	}
	for ; i < len(b); i++ {
		if rw.first[b[i]] {
			return i
		}
	}
	return len(b)
}

// endless is the length of a match that has no bound, or that does not exist.
const endless = 1 << 29

// matchLength returns how many bytes a match has at least and at most.
func matchLength(re *syntax.Regexp) (shortest, longest int) {
	times := func(n, length int) int { return int(min(int64(n)*int64(length), endless)) }
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune), len(re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1, 1
	case syntax.OpCharClass:
		for c := range 256 {
			for i := 0; i < len(re.Rune); i += 2 {
				if r := byteRune(byte(c)); re.Rune[i] <= r && r <= re.Rune[i+1] {
					return 1, 1
				}
			}
		}
		return endless, 0
	case syntax.OpNoMatch:
		return endless, 0
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			s, l := matchLength(sub)
			shortest, longest = min(shortest+s, endless), min(longest+l, endless)
		}
		return shortest, longest
	case syntax.OpAlternate:
		shortest = endless
		for _, sub := range re.Sub {
			s, l := matchLength(sub)
			shortest, longest = min(shortest, s), max(longest, l)
		}
		return shortest, longest
	case syntax.OpCapture:
		return matchLength(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		least, most := re.Min, re.Max
		switch re.Op {
		case syntax.OpStar:
			least, most = 0, -1
		case syntax.OpPlus:
			least, most = 1, -1
		case syntax.OpQuest:
			least, most = 0, 1
		}
		if most < 0 {
			most = endless
		}
		s, l := matchLength(re.Sub[0])
		return times(least, s), times(most, l)
	}
	return 0, 0 // What remains are the assertions.
}

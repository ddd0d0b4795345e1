package chaos

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// byteRune returns the rune that stands for a byte in a compiled pattern. Bytes from 0x80 on stand in the private use
// area, in their order: so ranges and negated classes mean what they say, and no such byte has a case or is a letter.
// (As the Latin-1 letters of the same numbers, half of the bytes of é would have upper case.)
func byteRune(c byte) rune {
	if c < utf8.RuneSelf {
		return rune(c)
	}
	return 0xf700 | rune(c)
}

// bytePattern rewrites a pattern over runes as the same pattern over bytes, each written as its byteRune.
func bytePattern(pattern string) (string, error) {
	var b strings.Builder
	class := false // whether i is within a class
	for i := 0; i < len(pattern); {
		c, rest := pattern[i], pattern[i:]
		n := 1
		switch {
		case c >= utf8.RuneSelf:
			if _, n = utf8.DecodeRuneInString(rest); class && n > 1 {
				return "", fmt.Errorf("%s stands in a class, which matches single bytes: write (?:%[1]s|…) instead", rest[:n])
			}
			writeBytes(&b, rest[:n])
		case c == '\\' && !class && strings.HasPrefix(rest, `\Q`):
			quoted, _, closed := strings.Cut(rest[2:], `\E`)
			writeQuoted(&b, quoted)
			if n = 2 + len(quoted); closed {
				n += 2
			}
		case c == '\\':
			var err error
			if n, err = writeEscape(&b, rest); err != nil {
				return "", err
			}
		case !class && c == '[':
			// A ] that comes first does not end the class.
			for _, opens := range []string{"[^]", "[]", "[^"} {
				if n == 1 && strings.HasPrefix(rest, opens) {
					n = len(opens)
				}
			}
			class = true
			b.WriteString(rest[:n])
		case class && strings.HasPrefix(rest, "[:") && strings.Contains(rest[2:], ":]"):
			n = 2 + strings.Index(rest[2:], ":]") + 2
			b.WriteString(rest[:n])
		default:
			if c == ']' {
				class = false
			}
			b.WriteByte(c)
		}
		i += n
	}
	return b.String(), nil
}

// writeBytes writes a literal. What has several bytes is grouped, so that a repeat after it means all of them.
func writeBytes(b *strings.Builder, literal string) {
	if len(literal) > 1 {
		b.WriteString("(?:")
	}
	for i := range len(literal) {
		fmt.Fprintf(b, `\x{%X}`, byteRune(literal[i]))
	}
	if len(literal) > 1 {
		b.WriteByte(')')
	}
}

// writeQuoted writes what stood between \Q and \E.
func writeQuoted(b *strings.Builder, quoted string) {
	for len(quoted) > 0 {
		_, n := utf8.DecodeRuneInString(quoted)
		writeBytes(b, quoted[:n])
		quoted = quoted[n:]
	}
}

// writeEscape writes the escape that begins with the backslash at the start of s and returns how long it was in s.
// What the parser will refuse is left to it.
func writeEscape(b *strings.Builder, s string) (n int, err error) {
	digits, base := "", 16
	n = min(2, len(s))
	switch {
	case n == 2 && s[1] >= utf8.RuneSelf:
		return 0, fmt.Errorf("a backslash before the byte %#x has no meaning", s[1])
	case strings.HasPrefix(s, `\x{`) && strings.Contains(s, "}"):
		n = strings.Index(s, "}") + 1
		digits = s[3 : n-1]
	case strings.HasPrefix(s, `\x`):
		n = min(4, len(s))
		digits = s[2:n]
	case n == 2 && (s[1] == '0' || len(s) > 2 && isOctal(s[1]) && isOctal(s[2])):
		for n < min(4, len(s)) && isOctal(s[n]) {
			n++
		}
		digits, base = s[1:n], 8
	}
	if v, err := strconv.ParseUint(digits, base, 32); err == nil && v >= utf8.RuneSelf {
		if v > 0xff {
			return 0, fmt.Errorf("%s is not a byte: the largest is \\xff", s[:n])
		}
		fmt.Fprintf(b, `\x{%X}`, byteRune(byte(v)))
		return n, nil
	}
	b.WriteString(s[:n])
	return n, nil
}

func isOctal(c byte) bool { return '0' <= c && c <= '7' }

// A withPart is a piece of a template: text, or the bytes that a group matched.
type withPart struct {
	text  string
	group int // 0 is the whole match; -1 for text
	slot  int // where a thread remembers where the group begins; in the next slot, where it ends
}

// parseWith parses a template as [regexp.Regexp.Expand] understands it: $1 and ${name} stand for groups, $$ is a
// dollar sign, a group that does not exist is empty, and a dollar sign that makes no sense is itself.
func parseWith(with string, names []string) (parts []withPart) {
	text := ""
	for {
		before, after, found := strings.Cut(with, "$")
		text += before
		if !found {
			break
		}
		if with = after; strings.HasPrefix(with, "$") {
			text, with = text+"$", with[1:]
			continue
		}
		name, rest, ok := groupName(with)
		if !ok {
			text += "$"
			continue
		}
		with = rest
		if group := groupNumber(name, names); group >= 0 {
			if text != "" {
				parts = append(parts, withPart{text: text, group: -1})
			}
			text, parts = "", append(parts, withPart{group: group})
		}
	}
	if text != "" {
		parts = append(parts, withPart{text: text, group: -1})
	}
	return parts
}

// groupName cuts the name of a group, with or without braces, from the start of s.
func groupName(s string) (name, rest string, ok bool) {
	inner, braced := strings.CutPrefix(s, "{")
	end := strings.IndexFunc(inner, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end < 0 {
		end = len(inner)
	}
	name, rest = inner[:end], inner[end:]
	if braced {
		rest, ok = strings.CutPrefix(rest, "}")
		return name, rest, ok && name != ""
	}
	return name, rest, name != ""
}

// groupNumber returns the number of a named or numbered group, -1 if there is none.
func groupNumber(name string, names []string) int {
	digits := strings.Trim(name, "0123456789") == ""
	if digits && (name == "0" || name[0] != '0') {
		if n, err := strconv.Atoi(name); err == nil && n < len(names) {
			return n
		}
		return -1
	}
	for i, known := range names {
		if i > 0 && known == name {
			return i
		}
	}
	return -1
}

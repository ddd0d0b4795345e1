package probe

import (
	"errors"
	"fmt"
	"strings"
)

// split splits a command line into words as a shell does: at blanks, outside of quotes. Variables, such as $NAME and ${NAME}, stay as
// they are; those in single quotes, or behind a backslash, are marked by a zero byte before them.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	began := false
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == 0:
			return nil, errors.New("got a zero byte")
		case r == '\\' && quote != '\'':
			if i++; i == len(runes) {
				return nil, errors.New("ends with a backslash")
			}
			if quote == '"' && !strings.ContainsRune("\"\\$`", runes[i]) {
				word.WriteRune('\\')
			}
			if runes[i] == '$' {
				word.WriteByte(0)
			}
			word.WriteRune(runes[i])
			began = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, began = r, true
		case quote == 0 && strings.ContainsRune(" \t\n\r", r):
			if began {
				words = append(words, word.String())
				word.Reset()
				began = false
			}
		case quote == 0 && strings.ContainsRune("|&;<>`", r):
			return nil, fmt.Errorf("got %q outside of quotes: a probe is a command and not a shell's line; for that write sh -c '…'", r)
		default:
			if quote == '\'' && r == '$' {
				word.WriteByte(0)
			}
			word.WriteRune(r)
			began = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote, %c, is not closed", quote)
	}
	if began {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("got nothing, want a command")
	}
	return words, nil
}

// expand puts the values of variables into a word that split has made.
func expand(word string, value func(name string) string) string {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		switch {
		case word[i] == 0: // what follows is a dollar that means itself
			i++
			b.WriteByte('$')
		case word[i] != '$':
			b.WriteByte(word[i])
		default:
			name, length := variable(word[i+1:])
			if length == 0 {
				b.WriteByte('$')
				continue
			}
			b.WriteString(value(name))
			i += length
		}
	}
	return b.String()
}

// variable returns the name of the variable at the beginning of a text behind a dollar, and how long it is with its braces.
func variable(s string) (name string, length int) {
	if rest, ok := strings.CutPrefix(s, "{"); ok {
		if name, _, ok := strings.Cut(rest, "}"); ok {
			return name, len(name) + 2
		}
		return "", 0
	}
	for length < len(s) {
		c := s[length]
		if !(c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			break
		}
		length++
	}
	return s[:length], length
}

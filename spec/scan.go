package spec

import (
	"strconv"
	"strings"
)

const blanks = " \t\r\n"

// A word is a name alone, or a key with its value: key=value.
type word struct {
	column   int // of the name, counted from 1
	name     string
	assigned bool   // there is a value
	at       int    // the column of the value
	value    string // without its quotes
	broken   string // what is wrong with the value; empty if nothing
}

// words are the words of a line that have not been read yet.
type words struct {
	line string
	pos  int
	next *word // looked at already
}

// peek returns the next word, without reading it; nil at the end.
func (w *words) peek() *word {
	if w.next == nil {
		w.next = w.scan()
	}
	return w.next
}

// take reads the next word.
func (w *words) take() *word {
	next := w.peek()
	w.next = nil
	return next
}

// scan returns the word that begins at pos or behind the blanks there, and moves pos behind it.
func (w *words) scan() *word {
	rest := strings.TrimLeft(w.line[w.pos:], blanks)
	w.pos = len(w.line) - len(rest)
	if rest == "" {
		return nil
	}
	next := &word{column: w.pos + 1}
	end := strings.IndexAny(rest, blanks+"=")
	if end < 0 {
		end = len(rest)
	}
	next.name = rest[:end]
	w.pos += end
	if end == len(rest) || rest[end] != '=' {
		return next
	}
	w.pos++
	next.assigned, next.at = true, w.pos+1
	next.value, next.broken = w.scanValue(rest[end+1:])
	return next
}

// scanValue returns the value at the beginning of rest and what is wrong with it, and moves pos behind it.
func (w *words) scanValue(rest string) (value, broken string) {
	end := strings.IndexAny(rest, blanks)
	if end < 0 {
		end = len(rest)
	}
	if rest == "" || rest[0] != '"' && rest[0] != '`' {
		w.pos += end
		if strings.ContainsAny(rest[:end], "\"`") {
			return rest[:end], "quotes around the whole value"
		}
		return rest[:end], ""
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		w.pos = len(w.line)
		return rest, "quotes as in Go"
	}
	w.pos += len(quoted)
	if behind := rest[len(quoted):]; behind != "" && !strings.ContainsRune(blanks, rune(behind[0])) {
		return rest[:end], "a blank behind the quotes"
	}
	value, err = strconv.Unquote(quoted)
	if err != nil {
		return quoted, "quotes as in Go"
	}
	return value, ""
}

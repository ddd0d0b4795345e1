package config

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Error tells what is wrong with a file, and where.
type Error struct {
	File   string
	Line   int    // counted from 1; 0 if it is about the file as a whole
	Column int    // in characters, counted from 1; 0 likewise
	Path   string // the way to the value, such as "gates[1].to_client[0].delay.by"; empty if it is about no value
	Err    error

	line string // as it stands in the file
	wide int    // how many characters of it are wrong
}

// Error says in one line where it is and what is wrong.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Column, e.Err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Source returns the line as it stands in the file, or "" if it is no line.
func (e *Error) Source() string { return e.line }

// Excerpt returns the line with a mark beneath what is wrong in it, or "" if it is no line.
func (e *Error) Excerpt() string {
	if e.Line == 0 {
		return ""
	}
	const widest, before = 110, 60 // of a long line what is around it is shown
	runes := []rune(e.line)
	from := 0
	if at := e.Column - 1; len(runes) > widest && at > before {
		from = at - before
	}
	till := min(len(runes), from+widest)
	start, end := "", ""
	if from > 0 {
		start = "…"
	}
	if till < len(runes) {
		end = "…"
	}
	var line, mark strings.Builder
	for i, r := range runes[from:till] {
		line.WriteRune(visible(r))
		if from+i < e.Column-1 {
			mark.WriteRune(blank(r))
		}
	}
	mark.WriteString(strings.Repeat("^", max(1, min(e.wide, till-(e.Column-1)))))
	number := fmt.Sprintf("%5d", e.Line)
	none := strings.Repeat(" ", len(number))
	return fmt.Sprintf("%s | %s%s%s\n%s | %s%s\n", number, start, line.String(), end, none, strings.Repeat(" ", utf8.RuneCountInString(start)), mark.String())
}

// visible returns what stands for a character in an excerpt: what could command a terminal must not reach it.
func visible(r rune) rune {
	if r == '\t' || unicode.IsPrint(r) {
		return r
	}
	return utf8.RuneError
}

// blank returns what takes as much room as a character.
func blank(r rune) rune {
	if r == '\t' {
		return r
	}
	return ' '
}

// shown returns a text as an error shows it: short, and in quotes if it is more than a word.
func shown(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	isPlain := !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '"' || r == '`' || !strconv.IsPrint(r) })
	if text != "" && isPlain {
		return text
	}
	return strconv.Quote(text)
}

// A place is a part of a file.
type place struct {
	at   int // at which byte it begins
	wide int // how many bytes it has
}

// wrong returns the error about a place in the source.
func (s source) wrong(p place, path string, err error) *Error {
	at := min(max(p.at, 0), len(s.text))
	for at > 0 && at < len(s.text) && !utf8.RuneStart(s.text[at]) {
		at--
	}
	begin := strings.LastIndexByte(s.text[:at], '\n') + 1
	line, _, _ := strings.Cut(s.text[begin:], "\n")
	line = strings.TrimRight(line, "\r")
	at = min(at, begin+len(line))
	return &Error{
		File: s.name, Path: path, Err: err,
		Line:   strings.Count(s.text[:begin], "\n") + 1,
		Column: utf8.RuneCountInString(s.text[begin:at]) + 1,
		line:   line, wide: utf8.RuneCountInString(line[at-begin : min(len(line), at-begin+cmp.Or(p.wide, 1))]),
	}
}

// whole returns the error about all of the source.
func (s source) whole(format string, args ...any) *Error {
	return &Error{File: s.name, Err: fmt.Errorf(format, args...)}
}

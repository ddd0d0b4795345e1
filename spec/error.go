package spec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/chaosgate/chaos"
)

// An Error tells what is wrong with something that was read, and where.
type Error struct {
	Column int    // in the text form: at which byte of the line, counted from 1; otherwise 0
	Path   string // the way to the value in JSON, such as "to_server[1].delay.by"; empty if it is the whole
	Key    bool   // in JSON: it is about the last key of Path and not about the key's value
	Err    error  // what is wrong; about a fault always a *chaos.FaultError
}

// Error says what is wrong.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// errorf returns an error about the value at a path, whose name begins the message.
func errorf(path, format string, args ...any) *Error {
	return &Error{Path: path, Err: fmt.Errorf(path+": "+format, args...)}
}

// under returns the error of a value that stands at a path within another, such as "to_server[1]".
func (e *Error) under(path string) *Error {
	format := "%s: %w"
	if strings.HasPrefix(e.Path, "[") { // the message begins with it
		format = "%s%w"
	}
	return &Error{Column: e.Column, Path: join(path, e.Path), Key: e.Key, Err: fmt.Errorf(format, path, e.Err)}
}

// atKey returns the error as one about a key within its path.
func (e *Error) atKey(key string) *Error {
	return &Error{Column: e.Column, Path: join(e.Path, canonical(key)), Key: true, Err: e.Err}
}

// join joins the parts of a path with dots.
func join(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		if part != "" && b.Len() > 0 && part[0] != '[' {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}

// pathOf returns the path of what a fault error is about.
func pathOf(e *chaos.FaultError) string {
	return join(join(e.Path...), e.Kind, e.Param)
}

// clip returns as much of a text as it takes to recognise it.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// shown returns a text as an error shows it: short, and in quotes if it is more than a word.
func shown(text string) string {
	text = clip(text)
	if text != "" && !plain(text) {
		return strconv.Quote(text)
	}
	return text
}

// oneOf returns names as a list for people: "a, b or c".
func oneOf(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// A Code tells programs what sort of error it is.
type Code string

// The sorts of errors.
const (
	Unknown   Code = "unknown"   // there is nothing of that name
	Taken     Code = "taken"     // the name belongs to another
	Invalid   Code = "invalid"   // a value is wrong
	Unable    Code = "unable"    // the system cannot do it: an address is in use, say
	Forbidden Code = "forbidden" // it is not allowed here
	TimedOut  Code = "timed_out" // what was waited for has not come
	Gone      Code = "gone"      // the gate, or all of the hub, was removed meanwhile
	Failed    Code = "failed"    // it was done, but could not be kept in the state file
)

// An Error tells why something was refused, or has failed.
type Error struct {
	Code Code
	Path string // the way to the value that is wrong, such as "gates[1].to_server[0].delay.by"; empty if it is none
	Err  error
}

// Error says what is wrong.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func errorf(code Code, path, format string, args ...any) *Error {
	return &Error{code, path, fmt.Errorf(format, args...)}
}

// invalid returns the error about a value that stands at a path.
func invalid(path string, err error) *Error {
	if where, ok := errors.AsType[*spec.Error](err); ok {
		return &Error{Invalid, joinPath(path, where.Path), err}
	}
	if where, ok := errors.AsType[*chaos.FaultError](err); ok {
		return &Error{Invalid, joinPath(path, joinPath(where.Kind, where.Param)), err}
	}
	return &Error{Invalid, path, err}
}

// within returns an error about a value that stands at a path within another's.
func within(path string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	return &Error{e.Code, joinPath(path, e.Path), e.Err}
}

// joinPath returns the path of a value within one that stands at another.
func joinPath(a, b string) string {
	if a == "" || b == "" || b[0] == '[' {
		return a + b
	}
	return a + "." + b
}

// unknownGate returns the error about a name that no gate has.
func unknownGate(name string, known []string) *Error {
	return unknown("gate", name, known)
}

func unknown(what, name string, known []string) *Error {
	if best := spec.Nearest(name, known); best != "" && best != name {
		return errorf(Unknown, what, "unknown %s %q, did you mean %s?", what, name, best)
	}
	const most = 10
	if len(known) == 0 || len(known) > most {
		return errorf(Unknown, what, "unknown %s %q", what, name)
	}
	return errorf(Unknown, what, "unknown %s %q, there is %s", what, name, strings.Join(known, ", "))
}

// waited returns the error about something that has not come before the context has ended.
func waited(ctx context.Context, format string, args ...any) *Error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return errorf(TimedOut, "", format, args...)
	}
	return &Error{Gone, "", context.Cause(ctx)}
}

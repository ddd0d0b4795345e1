package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// The sorts of errors, for errors.Is.
var (
	// ErrUnknown is that there is nothing of that name.
	ErrUnknown = errors.New("there is nothing of that name")
	// ErrTaken is that the name belongs to another.
	ErrTaken = errors.New("the name is taken")
	// ErrInvalid is that a value is wrong.
	ErrInvalid = errors.New("a value is wrong")
	// ErrUnable is that the daemon's system cannot do it: an address is in use, say.
	ErrUnable = errors.New("the system cannot do it")
	// ErrForbidden is that the daemon does not allow it.
	ErrForbidden = errors.New("it is not allowed")
	// ErrUnauthorized is that the daemon wants a token, and was shown none or another.
	ErrUnauthorized = errors.New("the token is missing or wrong")
	// ErrTimedOut is that what was waited for has not come in time. It is context.DeadlineExceeded as well.
	ErrTimedOut = errors.New("it has not come in time")
	// ErrGone is that the gate or the fault was removed meanwhile, or that the daemon is stopping.
	ErrGone = errors.New("it was removed meanwhile")
	// ErrRestarted is that the daemon was started anew: what was imposed on the run that is meant holds no more.
	ErrRestarted = errors.New("the daemon was started anew")
	// ErrUnreachable is that no daemon answers.
	ErrUnreachable = errors.New("no daemon answers")
)

// sorts are the sorts of errors by the codes that the daemon gives them.
var sorts = map[string]error{
	"unknown": ErrUnknown, "taken": ErrTaken, "invalid": ErrInvalid, "malformed": ErrInvalid, "unable": ErrUnable,
	"forbidden": ErrForbidden, "timed_out": ErrTimedOut, "gone": ErrGone,
}

// An Error is what a daemon refuses with.
type Error struct {
	Status int    `json:"status"` // of HTTP
	Code   string `json:"code"`   // tells programs what sort of error it is: "unknown", "taken", "invalid", …
	Path   string `json:"path"`   // the way to the value that is wrong, such as "to_server[0].delay.by"; empty if it is none
	Detail string `json:"detail"` // what is wrong
	Boot   string `json:"boot"`   // the run of the daemon that has refused
}

// Error says what is wrong.
func (e *Error) Error() string { return e.Detail }

// Is reports whether the error is of a sort.
func (e *Error) Is(sort error) bool {
	switch sort {
	case ErrRestarted:
		return e.Status == http.StatusPreconditionFailed
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case context.DeadlineExceeded:
		return sorts[e.Code] == ErrTimedOut
	}
	known, ok := sorts[e.Code]
	return ok && known == sort
}

// refusal returns the error that a daemon's answer is.
func refusal(daemon string, answer *http.Response) error {
	const most = 1 << 20 // bytes of an error that are read
	e := &Error{Status: answer.StatusCode, Boot: answer.Header.Get(bootHeader)}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if kind != "application/problem+json" {
		return stranger(daemon, answer)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(e); err != nil {
		return fmt.Errorf("the daemon at %s answers %s, but not why: %w", daemon, answer.Status, err)
	}
	e.Status = answer.StatusCode
	if e.Detail == "" {
		e.Detail = "the daemon answers " + answer.Status
	}
	return e
}

// stranger returns the error that what answers is no daemon, or stands before one.
func stranger(daemon string, answer *http.Response) error {
	return &unreachable{daemon, fmt.Errorf("what does is something else, and says %s", strings.TrimSpace(answer.Status))}
}

// An unreachable is that no daemon answers at a URL.
type unreachable struct {
	daemon string
	err    error
}

// Error says so, and why.
func (e *unreachable) Error() string {
	return fmt.Sprintf("%v at %s: %v", ErrUnreachable, e.daemon, e.err)
}

// Unwrap returns the sort of error, and why.
func (e *unreachable) Unwrap() []error { return []error{ErrUnreachable, e.err} }

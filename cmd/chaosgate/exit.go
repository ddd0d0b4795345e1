package main

import "errors"

// The program's exit codes.
const (
	exitFine        = 0
	exitFailed      = 1   // the system under test failed
	exitUsage       = 2   // the command line or the configuration is wrong
	exitCannotRun   = 3   // something that is needed is not there: a port, a server
	exitTimedOut    = 4   // waited for something that did not come
	exitInterrupted = 130 // SIGINT or SIGTERM, as a shell would say it
)

// An exitError is an error that knows its exit code. Any other error means exitCannotRun.
type exitError struct {
	code int
	err  error // nil if everything was said already
}

// Error returns the text of the error inside.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap returns the error inside.
func (e *exitError) Unwrap() error { return e.err }

// usage marks an error as one of the command line or the configuration.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err}
}

// exitCode returns the exit code that an error stands for.
func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, &e):
		return e.code
	default:
		return exitCannotRun
	}
}

//go:build !linux

package ownnet

import (
	"context"
	"errors"
	"io"
)

// Rerun says that it cannot be done here.
func Rerun(context.Context, []string, []string, io.Writer, io.Writer) (int, error) {
	return 0, errors.ErrUnsupported
}

// SetUp says that it cannot be done here.
func SetUp() error { return errors.ErrUnsupported }

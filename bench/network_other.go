//go:build !linux

package main

import (
	"context"
	"errors"
	"io"
)

func rerun(context.Context, string, []string, io.Writer, io.Writer) (int, error) {
	return 0, errors.ErrUnsupported
}

func setUpNetwork() error { return errors.ErrUnsupported }

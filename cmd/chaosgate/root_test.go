package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestObey(t *testing.T) {
	t.Run("a command ends by itself", func(t *testing.T) {
		code := obey(t.Context(), nil, func(context.Context) int { return exitFailed })
		if code != exitFailed {
			t.Errorf("exit code: got %d, want %d", code, exitFailed)
		}
	})
	t.Run("the first signal cancels", func(t *testing.T) {
		signals := make(chan os.Signal, 1)
		signals <- os.Interrupt
		code := obey(t.Context(), signals, func(ctx context.Context) int {
			<-ctx.Done()
			return exitCode(interrupted(ctx))
		})
		if code != exitInterrupted {
			t.Errorf("exit code: got %d, want %d", code, exitInterrupted)
		}
	})
	t.Run("the second does not wait", func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		signals <- os.Interrupt
		signals <- syscall.SIGTERM
		ended := make(chan struct{})
		defer close(ended)
		code := obey(t.Context(), signals, func(context.Context) int {
			<-ended // not before obey has returned
			return exitFine
		})
		if code != exitInterrupted {
			t.Errorf("exit code: got %d, want %d", code, exitInterrupted)
		}
	})
}

func TestExitCode(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"fine", nil, exitFine},
		{"any error", broken, exitCannotRun},
		{"usage", usage(broken), exitUsage},
		{"failed", &exitError{exitFailed, broken}, exitFailed},
		{"wrapped", errors.Join(&exitError{exitTimedOut, nil}), exitTimedOut},
		{"no usage error", usage(nil), exitFine},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := exitCode(test.err); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

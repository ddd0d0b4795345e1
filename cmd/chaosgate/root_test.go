package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
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
		code, took := obeySignals(t, sameSignal, time.Hour)
		if code != exitInterrupted || took != sameSignal {
			t.Errorf("got exit code %d after %v, want %d after %v", code, took, exitInterrupted, sameSignal)
		}
	})
	t.Run("one that comes at once is the first", func(t *testing.T) {
		code, took := obeySignals(t, sameSignal-1, time.Minute)
		if code != exitFine || took != time.Minute {
			t.Errorf("got exit code %d after %v, want %d after %v", code, took, exitFine, time.Minute)
		}
	})
}

// obeySignals sends two signals, some time apart, to a command that takes some time to end after the first. It returns
// the exit code, and when after the first signal the program would have ended with it.
func obeySignals(t *testing.T, apart, ending time.Duration) (code int, took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		signals := make(chan os.Signal, 2)
		signals <- os.Interrupt
		time.AfterFunc(apart, func() { signals <- syscall.SIGTERM })
		code = obey(t.Context(), signals, func(ctx context.Context) int {
			<-ctx.Done()
			time.Sleep(ending)
			return exitFine
		})
		took = time.Since(begin)
		time.Sleep(ending) // until the command has ended, whether or not that was waited for
	})
	return code, took
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

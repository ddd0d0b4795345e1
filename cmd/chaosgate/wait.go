package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/spec"
)

// defaultWait is how long a command waits for what is to happen.
const defaultWait = 30 * time.Second

// A waitFlags are the flags of a command that waits.
type waitFlags struct{ time spec.Duration }

// add adds the flags.
func (f *waitFlags) add(cmd *cobra.Command) {
	f.time = spec.Duration(defaultWait)
	cmd.Flags().Var(textFlag{&f.time}, "wait", "wait for at most `TIME`; the exit code is 4 if it was in vain")
}

// context returns a context that ends when the time is over.
func (f *waitFlags) context(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(f.time))
}

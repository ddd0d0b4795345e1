package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/status"
)

func newApply() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Make the daemon's gates what a file says: all of it, or nothing",
		Long: `apply reads a file of gates, in YAML or JSON, or standard input if it is -, and makes the daemon's gates what it says:
it creates, changes, replaces and removes. Gates that the file does not name are removed. What is as it should be
is left alone, with its connections. If any of it cannot be, nothing is changed.`,
		Example: `  chaosgate apply gates.yaml
  echo 'gates: []' | chaosgate apply -        removes all gates`,
		Args: named("FILE"),
	}
	addForm(cmd, &form)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		file, err := loadConfig(args[0], t.in)
		if err != nil {
			return usage(err)
		}
		diff, err := t.Apply(ctx, file.Gates)
		if refused, ok := errors.AsType[*client.Error](err); ok && refused.Path != "" {
			return file.At(refused.Path, err)
		}
		if err != nil {
			return err
		}
		return t.show(form, diff, func() { t.diff(diff) })
	})
}

// diff says what was changed.
func (t *talk) diff(diff status.Diff) {
	for _, change := range []struct {
		names []string
		verb  string
	}{
		{diff.Created, t.paint.green("created")},
		{diff.Changed, t.paint.yellow("changed")},
		{diff.Replaced, t.paint.yellow("replaced")},
		{diff.Removed, t.paint.red("removed")},
		{diff.Unchanged, "unchanged"},
	} {
		for _, name := range change.names {
			fmt.Fprintf(t.out, "%s %s\n", safe(name), change.verb)
		}
	}
}

package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func newFaultWait() *cobra.Command {
	var form form
	var wait waitFlags
	var hits int64
	cmd := &cobra.Command{
		Use:   "wait NAME ID",
		Short: "Wait until a fault has fired: one that never fired proves nothing",
		Example: `  chaosgate fault wait redis delay
  chaosgate fault wait redis delay --hits 3 --wait 5s`,
		Args: named("NAME", "ID"),
	}
	cmd.Flags().Int64Var(&hits, "hits", 1, "wait until it has fired `N` times, from when it was imposed")
	wait.add(cmd)
	addForm(cmd, &form)
	completing(cmd, gateNames, faultIDs, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		if hits < 1 {
			return usage(fmt.Errorf("--hits: got %d, want 1 or more", hits))
		}
		ctx, cancel := wait.context(ctx)
		defer cancel()
		where, err := t.Find(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		f, err := t.WaitHits(ctx, where, args[1], hits)
		if err != nil {
			return err
		}
		return t.show(form, f, func() { t.fault(f) })
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/client"
)

func newFaultChange() *cobra.Command {
	var times timeFlags
	var form form
	cmd := &cobra.Command{
		Use:   "change NAME ID [FAULT]",
		Short: "Change a fault in place: its hits go on counting",
		Long: `change puts another fault in the place of one that is imposed, or says anew for how long it holds. It keeps its id
and its hits and, where the kind stays, what it remembers of connections.`,
		Example: `  chaosgate fault change redis delay 'delay by=1s'
  chaosgate fault change redis delay --for 1m
  chaosgate fault change redis delay --for 0s        for good`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage(fmt.Errorf("got %s, want NAME ID [FAULT]", plural(int64(len(args)), "argument")))
			}
			return nil
		},
	}
	times.add(cmd, "lift it by itself")
	addForm(cmd, &form)
	notFromEnvironment(cmd.Flags(), "for", "lease") // what is not said stays
	completing(cmd, gateNames, faultIDs, faultOf(2))
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		var change client.Change
		es, err := entries(args[2:], timeFlags{})
		if err != nil {
			return usage(err)
		}
		if cmd.Flags().Changed("for") {
			change.For = (*time.Duration)(&times.time)
		}
		if cmd.Flags().Changed("lease") {
			change.Lease = &times.lease
		}
		switch {
		case len(es) > 1:
			return usage(fmt.Errorf("got %d faults, want one", len(es)))
		case len(es) == 1:
			change.Fault = es[0].Fault
		case change.For == nil && change.Lease == nil:
			return usage(errors.New("got nothing to change, want a fault, --for or --lease"))
		}
		where, err := t.Find(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		f, err := t.Change(ctx, where, args[1], change)
		if err != nil {
			return err
		}
		return t.show(form, f, func() { t.fault(f) })
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/spec"
)

func newGate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "List, add, show, change and remove gates",
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newGateList(), newGateAdd(), newGateShow(), newGateChange(), newGateReseed(), newGateRemove())
	return cmd
}

func newGateList() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the gates",
		Example: `  chaosgate gate list
  chaosgate gate list -o json`,
		Args: arguments(cobra.NoArgs),
	}
	addForm(cmd, &form)
	return talking(cmd, func(ctx context.Context, t *talk, _ []string) error {
		gates, err := t.Gates(ctx)
		if err != nil {
			return err
		}
		return t.show(form, gates, func() { t.gates(gates) })
	})
}

func newGateShow() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a gate: what is imposed, what has fired, its figures",
		Example: `  chaosgate gate show redis`,
		Args:    named("NAME"),
	}
	addForm(cmd, &form)
	completing(cmd, gateNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		gate, err := t.Gate(ctx, args[0])
		if err != nil {
			return err
		}
		return t.show(form, gate, func() { t.gate(gate) })
	})
}

func newGateReseed() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:   "reseed NAME SEED",
		Short: "Draw all randomness from a seed, and count connections anew",
		Long: `reseed has everything that is random at a gate drawn again as it was, or otherwise: the same seed and the same
bytes on the same connections, counted from 1, have the same faults.`,
		Example: `  chaosgate gate reseed redis 0x2a`,
		Args:    named("NAME", "SEED"),
	}
	addForm(cmd, &form)
	completing(cmd, gateNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		var seed spec.Seed
		if err := seed.UnmarshalText([]byte(args[1])); err != nil {
			return usage(fmt.Errorf("SEED: %w", err))
		}
		gate, err := t.Reseed(ctx, args[0], uint64(seed))
		if err != nil {
			return err
		}
		return t.show(form, gate, func() { t.listens(gate) })
	})
}

func newGateRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "remove NAME...",
		Short:   "Remove gates, and their connections with them",
		Example: `  chaosgate gate remove redis db`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("got no argument, want the NAME of a gate"))
			}
			return nil
		},
	}
	completing(cmd, gateNames)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		for _, name := range args {
			if err := t.Remove(ctx, name); err != nil {
				return err
			}
			fmt.Fprintf(t.out, "%s removed\n", safe(name))
		}
		return nil
	})
}

// named refuses another number of arguments than there are names for.
func named(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return usage(fmt.Errorf("got %s, want %s", plural(int64(len(args)), "argument"), strings.Join(names, " ")))
	}
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

func newLease() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lease",
		Short: "Make, hold, list and end leases, with which faults, doors and gates go",
		Long: `What names a lease goes with it: when the lease is not renewed in time, or is ended, the faults that name it are
lifted, the doors opened and the gates removed. A test that dies then leaves nothing behind.`,
		Example: `  chaosgate lease renew ci 30s
  chaosgate fault add redis to-client stall --lease ci
  chaosgate lease end ci`,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLeaseList(), newLeaseRenew(), newLeaseHold(), newLeaseEnd())
	return cmd
}

func newLeaseList() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the leases, and what hangs on them",
		Example: `  chaosgate lease list`,
		Args:    arguments(cobra.NoArgs),
	}
	addForm(cmd, &form)
	return talking(cmd, func(ctx context.Context, t *talk, _ []string) error {
		leases, err := t.Leases(ctx)
		if err != nil {
			return err
		}
		return t.show(form, leases, func() { t.leases(leases) })
	})
}

// leases writes a table of leases.
func (t *talk) leases(leases []status.Lease) {
	rows := table{columns: []column{
		{title: "LEASE"}, {title: "LASTS", right: true}, {title: "ENDS IN", right: true}, {title: "FAULTS"}, {title: "DOORS"}, {title: "GATES"}, {title: "BY", optional: true},
	}}
	for _, l := range leases {
		ends := left(l.Till)
		if l.Held > 0 {
			ends = "held"
		}
		row := plain(safe(l.Name), l.TTL.String(), ends, hangs(l.Faults), hangs(l.Doors), hangs(l.Gates), safe(l.By))
		row[0].paint = t.paint.bold
		rows.rows = append(rows.rows, row)
	}
	rows.writeFit(t.out, t.paint)
}

// hangs returns what hangs on a lease.
func hangs(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return safe(strings.Join(names, " "))
}

// leaseTime reads how long a lease is to last.
func leaseTime(text string) (time.Duration, error) {
	var d spec.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil {
		return 0, usage(fmt.Errorf("TIME: %w", err))
	}
	return time.Duration(d), nil
}

func newLeaseRenew() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:     "renew NAME TIME",
		Short:   "Make a lease that ends in some time, or renew it",
		Example: `  chaosgate lease renew ci 30s`,
		Args:    named("NAME", "TIME"),
	}
	addForm(cmd, &form)
	completing(cmd, leaseNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		ttl, err := leaseTime(args[1])
		if err != nil {
			return err
		}
		l, err := t.Lease(ctx, args[0], ttl)
		if err != nil {
			return err
		}
		return t.show(form, l, func() {
			fmt.Fprintf(t.out, "lease %s ends in %s unless it is renewed\n", t.paint.bold(safe(l.Name)), left(l.Till))
		})
	})
}

func newLeaseHold() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hold NAME TIME",
		Short: "Hold a lease in the foreground: it ends some time after this program, however that ends",
		Long: `hold makes a lease and keeps it from ending until it is interrupted, and then ends it. If it is killed, or its
machine is gone, the lease ends by itself after TIME.`,
		Example: `  chaosgate lease hold ci 10s`,
		Args:    named("NAME", "TIME"),
	}
	completing(cmd, leaseNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		ttl, err := leaseTime(args[1])
		if err != nil {
			return err
		}
		hold, err := t.HoldLease(context.WithoutCancel(ctx), args[0], ttl)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "lease %s is held\n", t.paint.bold(safe(args[0])))
		select {
		case <-ctx.Done():
		case <-hold.Done():
		}
		held := hold.Release()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), ttl) // then it has ended anyhow
		defer cancel()
		l, err := t.EndLease(ending, args[0])
		if err != nil {
			return cmp.Or(held, err)
		}
		t.ended(l)
		return held
	})
}

func newLeaseEnd() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:     "end NAME",
		Short:   "End a lease: what hangs on it is lifted, opened, removed",
		Example: `  chaosgate lease end ci`,
		Args:    named("NAME"),
	}
	addForm(cmd, &form)
	completing(cmd, leaseNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		l, err := t.EndLease(ctx, args[0])
		if err != nil {
			return err
		}
		return t.show(form, l, func() { t.ended(l) })
	})
}

// ended says what has ended with a lease.
func (t *talk) ended(l status.Lease) {
	fmt.Fprintf(t.out, "lease %s ended\n", t.paint.bold(safe(l.Name)))
	for _, what := range []struct {
		names []string
		verb  string
	}{{l.Faults, "lifted"}, {l.Doors, "door opened"}, {l.Gates, "removed"}} {
		for _, name := range what.names {
			fmt.Fprintf(t.out, "%s %s\n", safe(name), what.verb)
		}
	}
}

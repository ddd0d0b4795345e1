package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// imposeFlags are the flags of the commands that impose faults.
type imposeFlags struct {
	timeFlags
	conn uint64
	id   string
	form form
}

func newFaultAdd() *cobra.Command {
	var flags imposeFlags
	cmd := &cobra.Command{
		Use:   "add NAME to-server|to-client FAULT...",
		Short: "Impose more faults on a flow, behind those that are",
		Long: `add imposes faults on what goes to the server, or to the client, of all connections or of one. They hold when it
returns. A fault is its kind and its parameters, as fault kinds lists them.`,
		Example: `  chaosgate fault add redis to-client 'delay by=200ms jitter=20ms'
  chaosgate fault add redis to-server 'bandwidth rate=64KiB/s' --for 10s
  chaosgate fault add redis to-client stall --conn 3 --id stuck`,
		Args: atFlow,
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.id, "id", "", "call the fault `ID`, of which there must be just one; without, it is called like its kind")
	return imposing(cmd, &flags, (*client.Client).Add)
}

func newFaultSet() *cobra.Command {
	var flags imposeFlags
	cmd := &cobra.Command{
		Use:   "set NAME to-server|to-client [FAULT...]",
		Short: "Impose faults on a flow, in place of those that are",
		Long: `set has just the given faults imposed on what goes to the server, or to the client, of all connections or of one.
They hold when it returns. One that is imposed already stays what it is, and goes on counting. Without any, all
that is imposed there is lifted.`,
		Example: `  chaosgate fault set redis to-client 'delay by=200ms' 'bandwidth rate=64KiB/s'
  chaosgate fault set redis to-client`,
		Args: atFlow,
	}
	flags.add(cmd)
	return imposing(cmd, &flags, (*client.Client).Set)
}

// add adds the flags.
func (f *imposeFlags) add(cmd *cobra.Command) {
	f.timeFlags.add(cmd, "lift it by itself")
	cmd.Flags().Uint64Var(&f.conn, "conn", 0, "impose it on connection `N` alone, as conns lists them")
	noDefault(cmd.Flags(), "conn")
	addForm(cmd, &f.form)
}

// atFlow refuses arguments that do not begin with a flow.
func atFlow(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return usage(fmt.Errorf("got %s, want NAME to-server|to-client FAULT", plural(int64(len(args)), "argument")))
	}
	if _, err := flow(args[1]); err != nil {
		return usage(err)
	}
	if cmd.Name() == "add" && len(args) == 2 {
		return usage(errors.New("got no fault, want one, such as 'delay by=200ms'"))
	}
	return nil
}

// imposing makes a command one that imposes faults.
func imposing(cmd *cobra.Command, flags *imposeFlags, impose func(*client.Client, context.Context, client.Where, spec.Entries) ([]status.Fault, error)) *cobra.Command {
	completing(cmd, gateNames, offer("to-server", "to-client"), faultOf(2))
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		direction, err := flow(args[1])
		if err != nil {
			return usage(err)
		}
		es, err := entries(args[2:], flags.timeFlags)
		if err != nil {
			return usage(err)
		}
		if flags.id != "" {
			if len(es) != 1 {
				return usage(fmt.Errorf("--id: got %q for %d faults, want one fault", flags.id, len(es)))
			}
			es[0].ID = flags.id
		}
		where := client.Where{Gate: args[0], Conn: flags.conn, Direction: direction}
		faults, err := impose(t.Client, ctx, where, es)
		if err != nil {
			return err
		}
		return t.show(flags.form, faults, func() {
			if len(faults) == 0 {
				fmt.Fprintf(t.out, "nothing is imposed on %s\n", safe(where.String()))
				return
			}
			t.imposed(args[0], faults)
			for _, f := range faults {
				t.offsets(f)
			}
		})
	})
}

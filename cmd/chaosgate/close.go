package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

func newClose() *cobra.Command {
	var count int
	var reset bool
	var form form
	cmd := &cobra.Command{
		Use:   "close NAME [CONN...]",
		Short: "Close connections of a gate",
		Long: `close ends connections as a server does that closes them, or with --reset as one that has crashed: those of the
given numbers, the oldest --count, or all. The gate goes on to receive new ones; door keeps them out.`,
		Example: `  chaosgate close redis
  chaosgate close redis --count 1 --reset
  chaosgate close redis 3 7`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("got no argument, want NAME [CONN]"))
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&count, "count", 0, "close the oldest `N`; without, all")
	noDefault(cmd.Flags(), "count")
	cmd.Flags().BoolVar(&reset, "reset", false, "by RST; without, by FIN")
	addForm(cmd, &form)
	completing(cmd, gateNames, connNumbers)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		how := chaos.FIN
		if reset {
			how = chaos.RST
		}
		var ended status.Ended
		var err error
		switch set := cmd.Flags().Changed("count"); {
		case set && count < 1:
			return usage(fmt.Errorf("--count: got %d, want 1 or more", count))
		case set && len(args) > 1:
			return usage(errors.New("got numbers of connections and --count, want one of them"))
		case len(args) > 1:
			ended.Ended, err = t.closeEach(ctx, args[0], args[1:], how)
		case set:
			ended.Ended, err = t.CloseConns(ctx, args[0], count, how)
		default:
			ended.Ended, err = t.CloseConns(ctx, args[0], chaos.All, how)
		}
		if err != nil {
			return err
		}
		return t.show(form, ended, func() { fmt.Fprintf(t.out, "%s closed\n", plural(int64(ended.Ended), "connection")) })
	})
}

// closeEach closes the connections of some numbers.
func (t *talk) closeEach(ctx context.Context, gate string, numbers []string, how chaos.End) (int, error) {
	var conns []uint64
	for _, text := range numbers {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n == 0 {
			return 0, usage(fmt.Errorf("got %q, want the number of a connection, as conns lists it", text))
		}
		conns = append(conns, n)
	}
	for i, n := range conns {
		if err := t.CloseConn(ctx, gate, n, how); err != nil {
			return i, err
		}
	}
	return len(conns), nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/status"
)

func newDoor() *cobra.Command {
	var times timeFlags
	var wait waitFlags
	var hits int64
	var form form
	cmd := &cobra.Command{
		Use:   "door NAME [open|hold|refuse|blackhole]",
		Short: "Set, show or await how a gate receives new connections",
		Long: `door sets how a gate receives new connections: open lets them in, hold leaves them waiting in the kernel's queue,
refuse answers that nobody listens, blackhole does not answer at all. Connections that there are stay. Without a
door it shows the one that is; with --hits it waits until that has met so many connections.`,
		Example: `  chaosgate door redis hold --for 10s
  chaosgate door redis --hits 3 --wait 5s
  chaosgate door redis open`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 && len(args) != 2 {
				return usage(fmt.Errorf("got %s, want NAME [%s]", plural(int64(len(args)), "argument"), strings.Join(doorNames(), "|")))
			}
			return nil
		},
	}
	times.add(cmd, "open the door by itself")
	cmd.Flags().Int64Var(&hits, "hits", 0, "wait until the door has met `N` connections")
	noDefault(cmd.Flags(), "hits")
	wait.add(cmd)
	addForm(cmd, &form)
	completing(cmd, gateNames, offer(doorNames()...), nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		var gate status.Gate
		var err error
		switch {
		case hits < 0:
			return usage(fmt.Errorf("--hits: got %d, want 1 or more", hits))
		case len(args) == 2 && hits > 0:
			return usage(errors.New("got a door and --hits, want one of them"))
		case len(args) == 2:
			set := client.DoorSetting{For: time.Duration(times.time), Lease: times.lease}
			if err := set.Door.UnmarshalText([]byte(args[1])); err != nil {
				return usage(fmt.Errorf("%w%s", err, didYouMean(args[1], doorNames())))
			}
			gate, err = t.SetDoor(ctx, args[0], set)
		case hits > 0:
			ctx, cancel := wait.context(ctx)
			defer cancel()
			gate, err = t.WaitDoor(ctx, args[0], hits)
		default:
			gate, err = t.Gate(ctx, args[0])
		}
		if err != nil {
			return err
		}
		return t.show(form, gate, func() {
			fmt.Fprintf(t.out, "%s: ", t.paint.bold(safe(gate.Name)))
			if gate.Door == chaos.Open && gate.DoorHits == 0 {
				fmt.Fprintln(t.out, "door open")
			}
			t.door(gate)
		})
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/spec"
)

// gateFlags are the flags of the subcommand gate add.
type gateFlags struct {
	runFlags
	window, memory spec.Size
	sessions       int
	expire         spec.Duration
	stopped        bool
	lease          string
	form           form
}

func newGateAdd() *cobra.Command {
	var flags gateFlags
	cmd := &cobra.Command{
		Use:   "add NAME LISTEN SERVER",
		Short: "Put a gate before a server",
		Long: `add has the daemon listen at LISTEN for clients of the server at SERVER. With tcp:, udp: or unix: before
LISTEN it says which network; without, it is TCP. An empty LISTEN is any free port. All of it may be written
on one line as well: NAME=LISTEN,SERVER.

What is to be imposed from the first connection on is given along; everything can be changed later.`,
		Example: `  chaosgate gate add redis 127.0.0.1:26379 127.0.0.1:6379
  chaosgate gate add dns udp:127.0.0.1:15353 127.0.0.1:53 --to-client 'lose chance=10%'
  chaosgate gate add db=127.0.0.1:15432,127.0.0.1:5432 --door hold --lease ci`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 && len(args) != 3 {
				return usage(fmt.Errorf("got %d arguments, want NAME LISTEN SERVER, such as redis 127.0.0.1:26379 127.0.0.1:6379", len(args)))
			}
			return nil
		},
	}
	f := cmd.Flags()
	flags.add(cmd)
	f.Var(textFlag{&flags.window}, "window", "hold back at most `SIZE` in one direction of one connection")
	f.Var(textFlag{&flags.memory}, "memory", "hold back at most `SIZE` in all queues together")
	f.IntVar(&flags.sessions, "sessions", 0, "have at most `N` sessions of datagrams")
	f.Var(textFlag{&flags.expire}, "expire", "end a session of datagrams that was silent for `TIME`")
	f.BoolVar(&flags.stopped, "stopped", false, "do not listen yet")
	f.StringVar(&flags.lease, "lease", "", "remove the gate when lease `NAME` ends")
	noDefault(f, "window", "memory", "sessions", "expire")
	addForm(cmd, &flags.form)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		want, err := flags.spec(args)
		if err != nil {
			return usage(err)
		}
		gate, err := t.Create(ctx, want)
		if err != nil {
			return err
		}
		return t.show(flags.form, gate, func() {
			t.listens(gate)
			t.imposed(gate.Name, slices.Concat(gate.ToServer, gate.ToClient))
		})
	})
}

// spec returns the gate that the command line describes.
func (f *gateFlags) spec(args []string) (spec.Gate, error) {
	text := args[0]
	if len(args) == 3 {
		text = args[1] + "," + args[2]
	}
	g, err := f.gate(text)
	if len(args) == 3 {
		g.Name = args[0] // it may have what would mean something else on one line
	}
	if err != nil {
		return g, err
	}
	if g.Name == "" {
		return g, errors.New("got no name, want NAME LISTEN SERVER, or NAME=LISTEN,SERVER")
	}
	g.Window, g.Memory, g.Sessions, g.Expire, g.Stopped, g.Lease = f.window, f.memory, f.sessions, f.expire, f.stopped, f.lease
	return g, g.Check()
}

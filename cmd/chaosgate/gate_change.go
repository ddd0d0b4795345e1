package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/client"
)

func newGateChange() *cobra.Command {
	var flags gateFlags
	var network, listen, server string
	cmd := &cobra.Command{
		Use:   "change NAME",
		Short: "Change a gate: its addresses, its bounds, whether it listens",
		Long: `change changes what is given and leaves the rest as it is. Where the addresses or the bounds become others, the
gate is made anew: its faults stay, its connections end. Faults and doors are changed by the commands fault and
door.`,
		Example: `  chaosgate gate change redis --stopped         nobody can connect, the port is kept
  chaosgate gate change redis --stopped=false
  chaosgate gate change redis --server 10.0.0.7:6379`,
		Args: named("NAME"),
	}
	f := cmd.Flags()
	f.StringVar(&network, "network", "", "carry `NETWORK`: tcp, tcp4, tcp6, udp, udp4, udp6 or unix")
	f.StringVar(&listen, "listen", "", "have clients connect to `ADDRESS`")
	f.StringVar(&server, "server", "", "connect to the server at `ADDRESS`")
	f.Var(textFlag{&flags.window}, "window", "hold back at most `SIZE` in one direction of one connection; 0B for the usual")
	f.Var(textFlag{&flags.memory}, "memory", "hold back at most `SIZE` in all queues together; 0B for the usual")
	f.IntVar(&flags.sessions, "sessions", 0, "have at most `N` sessions of datagrams; 0 for the usual")
	f.Var(textFlag{&flags.expire}, "expire", "end a session of datagrams that was silent for `TIME`; 0s for the usual")
	f.BoolVar(&flags.stopped, "stopped", false, "listen no more; --stopped=false listens again")
	f.StringVar(&flags.lease, "lease", "", "remove the gate when lease `NAME` ends; '' never")
	// What is not said is to stay, whatever the environment says to other commands.
	notFromEnvironment(f, "network", "listen", "server", "window", "memory", "sessions", "expire", "stopped", "lease")
	noDefault(f, "window", "memory", "sessions", "expire")
	addForm(cmd, &flags.form)
	completing(cmd, gateNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		var p client.Patch
		changed := false
		for flag, set := range map[string]func(){
			"network": func() { p.Network = &network }, "listen": func() { p.Listen = &listen }, "server": func() { p.Server = &server },
			"window": func() { p.Window = &flags.window }, "memory": func() { p.Memory = &flags.memory },
			"sessions": func() { p.Sessions = &flags.sessions }, "expire": func() { p.Expire = &flags.expire },
			"stopped": func() { p.Stopped = &flags.stopped }, "lease": func() { p.Lease = &flags.lease },
		} {
			if f.Changed(flag) {
				set()
				changed = true
			}
		}
		if !changed {
			return usage(errors.New("got nothing to change, want a flag that says what"))
		}
		gate, err := t.Update(ctx, args[0], p)
		if err != nil {
			return err
		}
		return t.show(flags.form, gate, func() { t.listens(gate) })
	})
}

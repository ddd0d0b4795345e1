package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// runFlags are the flags of the subcommand run.
type runFlags struct {
	toServer, toClient []string
	door               chaos.Door
	seed               spec.Seed
	output             output
}

func newRun() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run [NAME=][tcp:|udp:|unix:]LISTEN,SERVER",
		Short: "Run one gate in the foreground, before a server of your own",
		Long: `run stands between the clients that connect to LISTEN and the server at SERVER, imposes the given
faults on their traffic, and shows what happens until it is interrupted. It then lifts everything,
closes, and sums up. A second interrupt ends it at once.

A fault is written as its kind and its parameters. Several may stand in one text, or the flag is
given again; the bytes meet them in that order.`,
		Example: `  chaosgate run 127.0.0.1:15432,127.0.0.1:5432 --to-client 'delay by=200ms jitter=50ms'
  chaosgate run :18080,10.0.0.7:8080 --to-server 'bandwidth rate=64KiB/s' --to-client close_on_data
  chaosgate run ,127.0.0.1:6379 --door hold -o json      any free port; events as JSON`,
		Args: flags.oneGate,
		RunE: func(cmd *cobra.Command, args []string) error {
			gate, err := flags.gate(args[0])
			if err != nil {
				return usage(err)
			}
			return runGate(cmd.Context(), gate, flags.output, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags.add(cmd)
	addOutput(cmd, &flags.output)
	return cmd
}

// add adds the flags that say what a gate imposes from its first connection on.
func (f *runFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.toServer, "to-server", nil, "impose `FAULT` on what goes to the server; may be repeated")
	flags.StringArrayVar(&f.toClient, "to-client", nil, "impose `FAULT` on what goes to the client; may be repeated")
	flags.Var(textFlag{&f.door}, "door", "receive connections by `DOOR`: open, hold, refuse or blackhole")
	addSeed(flags, &f.seed)
	complete(cmd, "door", doorNames()...)
	completeFault(cmd, "to-server")
	completeFault(cmd, "to-client")
}

// oneGate refuses anything but one argument.
func (f *runFlags) oneGate(_ *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	isParam := func(arg string) bool { return strings.Contains(arg, "=") && !strings.Contains(arg, ",") }
	if i := slices.IndexFunc(args, isParam); i >= 0 {
		return usage(fmt.Errorf("got %q as an argument; a fault with parameters stands in quotes: %s", args[i], f.quoted(args[i])))
	}
	return usage(fmt.Errorf("got %d arguments, want one: LISTEN,SERVER, such as 127.0.0.1:15432,127.0.0.1:5432", len(args)))
}

// quoted returns the flag with the fault that a parameter was to belong to, or that of another fault where it cannot be
// told which.
func (f *runFlags) quoted(param string) string {
	flag, faults := "--to-client", f.toClient
	if len(faults) == 0 {
		flag, faults = "--to-server", f.toServer
	}
	if len(f.toClient)+len(f.toServer) != 1 || strings.ContainsAny(faults[0]+param, "'") || safe(faults[0]+param) != faults[0]+param {
		return "--to-client 'delay by=200ms'"
	}
	return fmt.Sprintf("%s '%s %s'", flag, faults[0], param)
}

// gate returns what the command line describes.
func (f *runFlags) gate(text string) (spec.Gate, error) {
	g, err := spec.ParseGate(text)
	if err != nil {
		return g, err
	}
	g.Seed, g.Door = f.seed, f.door
	for _, flow := range []struct {
		flag   string
		texts  []string
		faults *spec.Entries
	}{{"--to-server", f.toServer, &g.ToServer}, {"--to-client", f.toClient, &g.ToClient}} {
		for _, text := range flow.texts {
			faults, err := spec.ParseFaults(text)
			if err != nil {
				return g, fmt.Errorf("%s: %w", flow.flag, err)
			}
			*flow.faults = append(*flow.faults, spec.EntriesOf(faults...)...)
		}
	}
	return g, g.Check()
}

// runGate runs a gate until the context ends.
func runGate(ctx context.Context, g spec.Gate, out output, stdout, stderr io.Writer) error {
	gate, err := g.New()
	if err != nil {
		return usage(err)
	}
	log := &gateLog{out: stdout, paint: paintFor(stdout), gate: g}
	gate.Observe = log.text
	if out == outputJSON {
		gate.Observe = log.json
	}
	if g.Seed == 0 {
		gate.Seed = drawSeed() // here and not in Start, so that the first event can show it
	}
	log.gate.Seed = spec.Seed(gate.Seed)
	if err := gate.Start(); err != nil {
		return err
	}
	begin := time.Now()
	<-ctx.Done()

	fmt.Fprintln(stderr, "chaosgate: lifting everything and closing; interrupt again to leave at once")
	end := summary{doorHits: gate.DoorHits()}
	imposed := append(gate.ToServer.Imposed(), gate.ToClient.Imposed()...)
	err = gate.Heal()
	if e := gate.Close(); err == nil { // the observer has been told everything when Close returns
		err = e
	}
	end.stats, end.took = gate.Stats(), time.Since(begin)
	for n, i := range imposed {
		way := chaos.ToServer
		if n >= len(g.ToServer) {
			way = chaos.ToClient
		}
		end.faults = append(end.faults, faultHits{way, spec.Text(i.Fault()), i.Hits()})
	}
	log.sum(end, out)
	return err
}

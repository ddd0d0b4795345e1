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
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

func newFault() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fault",
		Short: "List the kinds of faults; impose, show, await, change and lift faults",
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFaultKinds(), newFaultList(), newFaultShow(), newFaultWait(), newFaultAdd(), newFaultSet(), newFaultChange(), newFaultLift())
	return cmd
}

// A timeFlags are the flags that say for how long something holds.
type timeFlags struct {
	time  spec.Duration
	lease string
}

// add adds the flags. What ends is said by then.
func (f *timeFlags) add(cmd *cobra.Command, then string) {
	cmd.Flags().Var(textFlag{&f.time}, "for", then+" after `TIME`, such as 10s")
	cmd.Flags().StringVar(&f.lease, "lease", "", then+" when lease `NAME` ends")
	noDefault(cmd.Flags(), "for")
	_ = cmd.RegisterFlagCompletionFunc("lease", func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return askAndOffer(cmd, leaseNames, nil, word)
	})
}

func newFaultList() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:   "list [NAME]",
		Short: "List what is imposed: at a gate, or at all",
		Example: `  chaosgate fault list
  chaosgate fault list redis -o json`,
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	addForm(cmd, &form)
	completing(cmd, gateNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		names := args
		if len(args) == 0 {
			gates, err := t.Gates(ctx)
			if err != nil {
				return err
			}
			for _, g := range gates {
				names = append(names, g.Name)
			}
		}
		all := []status.GateFault{}
		for _, name := range names {
			faults, err := t.AllFaults(ctx, name)
			switch {
			case errors.Is(err, client.ErrUnknown) && len(args) == 0: // it was removed just now
				continue
			case err != nil:
				return err
			}
			for _, f := range faults {
				all = append(all, status.GateFault{Gate: name, Fault: f})
			}
		}
		return t.show(form, all, func() { t.faults(all, len(args) == 0) })
	})
}

func newFaultShow() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:     "show NAME ID",
		Short:   "Show a fault: how often it has fired, and from where it holds",
		Example: `  chaosgate fault show redis delay`,
		Args:    named("NAME", "ID"),
	}
	addForm(cmd, &form)
	completing(cmd, gateNames, faultIDs, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		where, err := t.Find(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		f, err := t.Fault(ctx, where, args[1])
		if err != nil {
			return err
		}
		return t.show(form, f, func() { t.fault(f) })
	})
}

// flow reads the direction of a flow, as it is typed.
func flow(text string) (chaos.Direction, error) {
	var d chaos.Direction
	if d.UnmarshalText([]byte(strings.ReplaceAll(text, "-", "_"))) == nil {
		return d, nil
	}
	near := strings.ReplaceAll(didYouMean(text, []string{"to_server", "to_client"}), "_", "-")
	return d, fmt.Errorf("got %q, want to-server or to-client%s", text, near)
}

// faultTexts returns the faults that some arguments are: each argument is one or several, and those without blanks belong together, so
// that quotes can be forgotten.
func faultTexts(args []string) (texts []string) {
	words := false // the last of texts is of arguments without blanks
	for _, arg := range args {
		isWord := !strings.ContainsAny(strings.TrimSpace(arg), " \t\n")
		_, _, isParam := strings.Cut(arg, "=")
		isParam = isParam && isWord
		if n := len(texts); n > 0 && (isWord && words || isParam) {
			texts[n-1] += " " + arg
		} else {
			texts = append(texts, arg)
		}
		words = isWord
	}
	return texts
}

// entries returns the faults that some arguments are.
func entries(args []string, times timeFlags) (es spec.Entries, err error) {
	for _, text := range faultTexts(args) {
		faults, err := spec.ParseFaults(text)
		if err != nil {
			return nil, err
		}
		es = append(es, spec.EntriesOf(faults...)...)
	}
	for i := range es {
		es[i].For, es[i].Lease = time.Duration(times.time), times.lease
	}
	return es, nil
}

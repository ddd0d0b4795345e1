package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/config"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/toxicli"
	"github.com/chaosgate/chaos/spec"
)

// run is the whole program: it returns the exit code. The first SIGINT or SIGTERM cancels the command, which then
// puts in order what it has begun; a second ends the program without waiting for that.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	signals := make(chan os.Signal, 2) // what the system sends us; room for both
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// They are never given back: the second of two that are one may come when the command has ended already.
	return obey(ctx, signals, func(ctx context.Context) int { return execute(ctx, args, stdin, stdout, stderr) })
}

// sameSignal is how long after the first signal another is taken for the same one: timeout and others signal a
// program and then its process group, to which it belongs. No person means it twice so soon.
const sameSignal = 300 * time.Millisecond

// obey runs a command until it ends or has been told twice to end.
func obey(ctx context.Context, signals <-chan os.Signal, command func(context.Context) int) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan int, 1) // the command's exit code
	go func() { done <- command(ctx) }()
	var first time.Time
	for {
		select {
		case code := <-done:
			return code
		case <-signals:
		}
		switch {
		case first.IsZero():
			first = time.Now()
			cancel(errInterrupted)
		case time.Since(first) >= sameSignal:
			return exitInterrupted
		}
	}
}

// errInterrupted is why a command's context was cancelled.
var errInterrupted = errors.New("interrupted")

// interrupted returns the error with which a command ends that was told to end before it was through.
func interrupted(ctx context.Context) error {
	return &exitError{exitInterrupted, context.Cause(ctx)}
}

// execute runs one command line and says on stderr what was wrong with it.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	switch {
	case asToxiproxyCLI(os.Args[0]): // first: its flags are like those of the server
		return toxicli.Run(ctx, toxiproxyVersion, args, os.Getenv, isTerminal(stdout), stdout, stderr)
	case asToxiproxyServer(os.Args[0], args):
		return serveToxiproxy(ctx, args, stdin, stdout, stderr)
	}
	root := newRoot(invocation(os.Args[0], exec.LookPath))
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	code := exitCode(err)
	if err != nil && err.Error() != "" {
		fmt.Fprintf(stderr, "chaosgate: %v\n", err)
	}
	_, asked := errors.AsType[*client.Error](err)           // what a daemon refuses no help explains
	if where, ok := errors.AsType[*config.Error](err); ok { // no flag would have helped
		fmt.Fprint(stderr, where.Excerpt())
	} else if code == exitUsage && !asked {
		fmt.Fprintf(stderr, "see '%s --help'\n", cmd.CommandPath())
	}
	return code
}

func init() { cobra.EnableCommandSorting = false } // help lists commands in the order in which they are needed

// newRoot returns the command line of the program, which is started by typing program.
func newRoot(program string) *cobra.Command {
	root := &cobra.Command{
		Use:   "chaosgate",
		Short: "A gate between clients and a server that does what a bad network does",
		Long: `chaosgate stands between clients and a server and does to their traffic what a bad network does:
it delays, cuts, corrupts, stalls, closes and resets, exactly as told and no more.

Begin with:  ` + program + ` demo
Then, before a server of your own:  ` + program + ` run,
or ` + program + ` serve, and from elsewhere ` + program + ` gate add`,
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: program},
		Args:              knownCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true, // execute says them, once
		SilenceUsage:      true, // a mistake is answered by a sentence, not by a page
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd.Flags(), os.LookupEnv) },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(flagError(cmd.Flags(), err)) })
	const alone, daemon = "alone", "daemon"
	root.AddGroup(&cobra.Group{ID: alone, Title: "By itself:"}, &cobra.Group{ID: daemon, Title: "With a daemon:"})
	grouped(root, alone, newDemo(), newRun(), newMatrix(), newSweep(), newReport())
	grouped(root, daemon, newServe(), newGate(), newFault(), newDoor(), newConns(), newClose(), newHeal(), newEvents(), newConsole(), newLease(), newApply(), newConfig(), newHealthcheck())
	root.AddCommand(newVersion(), newMan())
	inWords(root, program)
	return root
}

// grouped adds commands that stand together in help.
func grouped(root *cobra.Command, group string, cmds ...*cobra.Command) {
	for _, cmd := range cmds {
		cmd.GroupID = group
		root.AddCommand(cmd)
	}
}

// inWords has the help of all commands say how the program is started, and which environment variables stand for flags.
func inWords(cmd *cobra.Command, program string) {
	cmd.Example = strings.ReplaceAll(cmd.Example, "chaosgate ", program+" ")
	showEnvironment(cmd.Flags())
	for _, sub := range cmd.Commands() {
		inWords(sub, program)
	}
}

// knownCommand refuses what is not a command, naming the nearest one.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usage(fmt.Errorf("unknown command %q%s", args[0], didYouMean(args[0], names)))
}

// flagError returns an error about a flag in the words of this program: for an unknown one it names the nearest, for a
// bad value it says once what was given and what is right.
func flagError(flags *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		var names []string // with underscores, as they are compared
		flags.VisitAll(func(f *pflag.Flag) { names = append(names, strings.ReplaceAll(f.Name, "-", "_")) })
		if near := spec.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			return fmt.Errorf("%w, did you mean --%s?", err, strings.ReplaceAll(near, "_", "-"))
		}
		return err
	case errors.As(err, &bad):
		return fmt.Errorf("--%s: %w", bad.GetFlag().Name, bad.Unwrap())
	default:
		return err
	}
}

// arguments makes a cobra check of arguments one of usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return usage(check(cmd, args)) }
}

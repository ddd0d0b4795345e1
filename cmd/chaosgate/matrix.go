package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/probe"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

// matrixFlags are the flags of the subcommand matrix.
type matrixFlags struct {
	server, gate             string
	command, url, script     string
	name                     string
	quick                    bool
	conditions               string
	only                     []string
	cell                     string
	seed                     spec.Seed
	workers                  int
	slow, deadline, patience time.Duration
	expect                   string
	update                   bool
	reports                  []string
	output                   output
	expectations             *matrix.Expectations // from the file
}

func newMatrix() *cobra.Command {
	var f matrixFlags
	cmd := &cobra.Command{
		Use:   "matrix",
		Short: "Try every condition on software of your own: what happens, and does it recover?",
		Long: `matrix finds out what a probe does under every condition of its network: the server refuses, stalls,
resets, is slow, corrupts; in each direction; before a connection is there, on an idle one, and while
a request is under way. In each cell it makes sure that the probe works, imposes the condition, probes,
lifts it, and probes until it works again.

A probe is a command, a URL, or a script of what is sent and what is expected. It reaches the gate by
$CHAOSGATE_HOST and $CHAOSGATE_PORT, or $CHAOSGATE_ADDR. With --server each cell has a gate of its own at a
free port, and several are tried at once. With --gate there is one, at the address that a service of yours
is told to connect to, and the probe asks the service.

The verdicts: ok, slow, error, timeout (its own), HANG (past the deadline, killed), WRONG (another answer than
with nothing imposed, and no error), CRASH, STORM (connections opened in a loop), NO RECOVERY, and not
exercised (the condition never fired, which is no pass). The exit code is 1 if a cell is worse than
expected: without --expect, if one is HANG, WRONG, CRASH, STORM or NO RECOVERY.

The grid goes to stdout, what happens meanwhile to stderr. Interrupted, it writes what there is.`,
		Example: `  chaosgate matrix --server 127.0.0.1:6379 --probe 'redis-cli -h $CHAOSGATE_HOST -p $CHAOSGATE_PORT get key'
  chaosgate matrix --gate 127.0.0.1:15432,127.0.0.1:5432 --probe-url http://127.0.0.1:8080/orders --quick
  chaosgate matrix --server 127.0.0.1:6379 --probe-script 'timeout 2s send "PING\r\n" expect "+PONG\r\n"' --report matrix.html
  chaosgate matrix --server 127.0.0.1:6379 --probe ./check.sh --cell stall/to_client/idle --seed 0x5f3a`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.try(cmd) },
	}
	f.add(cmd)
	return cmd
}

// add adds the flags.
func (f *matrixFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	f.addSubject(flags)
	flags.BoolVar(&f.quick, "quick", false, "try each pair of condition, direction and moment, not each three")
	flags.StringVar(&f.conditions, "conditions", "", "try the conditions in `FILE`, one a line: NAME: FAULTS")
	flags.StringArrayVar(&f.only, "only", nil, "try only cells that `PATTERN` fits: a condition, a group, or such as '*/to_client/*'; may be repeated")
	flags.StringVar(&f.cell, "cell", "", "try one `CELL` alone, such as stall/to_client/idle")
	addSeed(flags, &f.seed)
	flags.IntVar(&f.workers, "workers", 0, "try `N` cells at once, 8 if not given; with --gate always one")
	f.addLengths(flags)
	flags.StringVar(&f.expect, "expect", "", "compare with the verdicts in `FILE`: fail if a cell is worse than there")
	flags.BoolVar(&f.update, "update", false, "write the verdicts to the file of --expect instead")
	flags.StringArrayVar(&f.reports, "report", nil, "write a report to `FILE`, its form by its ending: "+formNames(matrixForms)+"; may be repeated")
	flags.VarP(textFlag{&f.output}, "output", "o", "write to stdout as `FORMAT`: text, which is a grid, or json, the whole report")
	noDefault(flags, "workers", "slow", "deadline", "patience")
	complete(cmd, "output", string(outputText), string(outputJSON))
	complete(cmd, "only", conditionNames()...)
}

// addSubject adds the flags that say what is tried.
func (f *matrixFlags) addSubject(flags *pflag.FlagSet) {
	flags.StringVar(&f.server, "server", "", "stand before the server at `ADDRESS`, HOST:PORT or unix:PATH, with gates at free ports")
	flags.StringVar(&f.gate, "gate", "", "stand before a server by one `GATE`, [NAME=][tcp:|unix:]LISTEN,SERVER, to which a service connects")
	flags.StringVar(&f.command, "probe", "", "run `COMMAND`: exit code 0 and the same output as with nothing imposed are right")
	flags.StringVar(&f.url, "probe-url", "", "get `URL`: a status below 400 and the same body as with nothing imposed are right")
	flags.StringVar(&f.script, "probe-script", "", "connect and do what `SCRIPT` says: send, expect, match, timeout, end")
	flags.StringVar(&f.name, "name", "", "call what is tried `NAME` in reports and expectations")
}

// addLengths adds the flags that say what is long.
func (f *matrixFlags) addLengths(flags *pflag.FlagSet) {
	flags.DurationVar(&f.slow, "slow", 0, "call what takes longer than `TIME` slow; without it that follows from the baseline")
	flags.DurationVar(&f.deadline, "deadline", 0, "call what takes longer than `TIME` a hang: 10s, or ten times the baseline, if not given")
	flags.DurationVar(&f.patience, "patience", 0, "give the probe `TIME` to recover: 15s if not given, or half as long again as the deadline")
}

// conditionNames returns the names of the standard conditions.
func conditionNames() []string {
	names := make([]string, len(matrix.Standard))
	for i, c := range matrix.Standard {
		names[i] = c.Name
	}
	return names
}

// try runs the matrix.
func (f *matrixFlags) try(cmd *cobra.Command) error {
	ctx, stderr := cmd.Context(), cmd.ErrOrStderr()
	run, err := f.run(cmd.Root().DisplayName())
	if err != nil {
		return usage(err)
	}
	show := newMatrixProgress(stderr)
	run.Progress = show.tell
	report, err := run.Do(ctx)
	show.clear()
	switch {
	case report == nil && ctx.Err() != nil:
		return interrupted(ctx)
	case report == nil && errors.Is(err, matrix.ErrUnable):
		return err
	case report == nil:
		return usage(err)
	case err != nil:
		fmt.Fprintf(stderr, "chaosgate: %v\n", err)
	}
	report.Tool, report.Choice.File = "chaosgate "+versionText(), filepath.Base(cmp.Or(f.conditions, "."))
	if f.conditions == "" {
		report.Choice.File = ""
	}
	if err := f.conclude(cmd, report); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return interrupted(ctx)
	case report.Failed && !f.update && report.Worse == 0:
		return &exitError{exitFailed, fmt.Errorf("%s expected and not tried; --update takes that for right", portionIs(len(report.Expected.Missing), len(f.expectations.Cells)))}
	case report.Failed && !f.update:
		return &exitError{exitFailed, fmt.Errorf("%s worse than %s", portionIs(report.Worse, report.Planned), f.allowed())}
	}
	return nil
}

// portionIs returns how many cells of how many are something.
func portionIs(n, whole int) string {
	if n == 1 {
		return fmt.Sprintf("1 cell of %d is", whole)
	}
	return fmt.Sprintf("%d cells of %d are", n, whole)
}

// allowed says what cells are compared with.
func (f *matrixFlags) allowed() string {
	if f.expect != "" {
		return "expected"
	}
	return "an error"
}

// conclude writes what has come of it.
func (f *matrixFlags) conclude(cmd *cobra.Command, report *matrix.Report) error {
	stdout, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	if f.update && !report.Interrupted {
		if err := f.rewrite(report); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "chaosgate: wrote what is expected to %s\n", f.expect)
		if report.Expected != nil {
			report.Expected.Updated = true
		}
	}
	if f.output == outputJSON {
		if err := report.WriteJSON(stdout); err != nil {
			return err
		}
	} else if err := writeGrid(stdout, report); err != nil {
		return err
	}
	if err := writeReports(matrixForms, report, f.reports, stderr); err != nil {
		return err
	}
	return tellGitHub(report, os.Getenv, stderr)
}

// run returns what the command line describes.
func (f *matrixFlags) run(program string) (*matrix.Run, error) {
	run := &matrix.Run{
		Quick: f.quick, Only: f.only, Cell: f.cell, Seed: f.seed, Workers: f.workers,
		Slow: f.slow, Deadline: f.deadline, Patience: f.patience,
	}
	run.Subject.Name = f.name
	if err := f.where(run); err != nil {
		return nil, err
	}
	if err := f.probe(run); err != nil {
		return nil, err
	}
	if f.conditions != "" {
		text, err := os.ReadFile(f.conditions)
		if err == nil {
			run.Conditions, err = matrix.ParseConditions(run.Network, string(text))
		}
		if err != nil {
			return nil, fmt.Errorf("--conditions: %w", inFile(f.conditions, err))
		}
	}
	for _, file := range f.reports {
		if _, err := formOf(matrixForms, file); err != nil {
			return nil, fmt.Errorf("--report: %w", err)
		}
	}
	run.Repeat = func(cell string, seed spec.Seed) string { return f.repeat(program, cell, seed) }
	return run, f.readExpectations(run)
}

// inFile says in which file something is wrong, if the error does not.
func inFile(file string, err error) error {
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}

// where tells the run where the server is.
func (f *matrixFlags) where(run *matrix.Run) error {
	if (f.server == "") == (f.gate == "") {
		return errors.New("want one of --server ADDRESS and --gate LISTEN,SERVER")
	}
	text := f.gate
	if path, ok := strings.CutPrefix(f.server, "unix:"); ok {
		text = "unix:," + path
	} else if f.server != "" {
		text = "," + f.server
	}
	gate, err := spec.ParseGate(text)
	if err != nil && f.server != "" {
		return fmt.Errorf("--server: %w", errors.Unwrap(err))
	}
	if err != nil {
		return fmt.Errorf("--gate: %w", err)
	}
	run.Network, run.Server = gate.Network, gate.Server
	if f.gate != "" {
		run.Listen = cmp.Or(gate.Listen, "127.0.0.1:0")
		run.Subject.Name = cmp.Or(f.name, gate.Name)
	}
	return nil
}

// probe tells the run what to probe with.
func (f *matrixFlags) probe(run *matrix.Run) (err error) {
	given := 0
	for _, p := range []struct{ kind, text string }{{"command", f.command}, {"url", f.url}, {"script", f.script}} {
		if p.text != "" {
			given++
			run.Subject.Kind, run.Subject.Probe = p.kind, p.text
		}
	}
	if given != 1 {
		return fmt.Errorf("got %d probes, want one of --probe COMMAND, --probe-url URL and --probe-script SCRIPT", given)
	}
	switch run.Subject.Kind {
	case "command":
		run.Probe, err = probe.Command(f.command)
	case "url":
		run.Probe, err = probe.URL(f.url)
	default:
		run.Probe, err = probe.Script(run.Network, f.script)
	}
	return err
}

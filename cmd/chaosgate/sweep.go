package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/probe"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/sweep"
)

// sweepFlags are the flags of the subcommand sweep. What is swept is said as for a matrix.
type sweepFlags struct {
	matrixFlags
	actions    []string
	directions []string
	everyByte  bool
	point      string
	maxRuns    int
	time       time.Duration
	pause      time.Duration
	check      string
}

func newSweep() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Cut what software of your own says to its server at every point",
		Long: `sweep records what a probe and its server say to one another, and then has the probe do it again and
again: each time something happens at another point, between two bytes. What is before the point is
delivered, and nothing behind it. Then it lifts that, and looks whether the probe recovers.

The boundaries of each message and one byte around them are tried first, and then the points between
neighbours of which something else has come. --every-byte tries all.

The actions: ` + actionHelp() + `.

The probe is one as for matrix. It is told a name of its own for each attempt, $CHAOSGATE_ATTEMPT, by which
--check finds what it has written: the check runs when the probe works again, with the same name, and
with what came of the attempt in $CHAOSGATE_OUTCOME, and must succeed.`,
		Example: `  chaosgate sweep --server 127.0.0.1:6379 --probe 'redis-cli -h $CHAOSGATE_HOST -p $CHAOSGATE_PORT incr n'
  chaosgate sweep --server 127.0.0.1:5432 --probe ./insert.sh --check ./once.sh --action fin,reset,stall --report sweep.json
  chaosgate sweep --server 127.0.0.1:6379 --probe ./check.sh --every-byte --max-runs 500
  chaosgate sweep --server 127.0.0.1:6379 --probe ./check.sh --point fin/1/to_client/2+5 --seed 0x5f3a`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.sweep(cmd) },
	}
	f.addSweep(cmd)
	return cmd
}

// actionHelp says what the actions are.
func actionHelp() string {
	var all []string
	for _, a := range sweep.Actions {
		all = append(all, a.Name+" ("+a.Help+")")
	}
	return strings.Join(all, ", ")
}

// addSweep adds the flags.
func (f *sweepFlags) addSweep(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	f.addSubject(flags)
	flags.StringSliceVar(&f.actions, "action", []string{"fin"}, "have each `ACTION` happen, a name or one more fault such as 'delay by=5s'; may be repeated")
	flags.StringSliceVar(&f.directions, "direction", nil, "try only messages that go `DIRECTION`, to-server or to-client")
	flags.BoolVar(&f.everyByte, "every-byte", false, "try every point")
	flags.StringVar(&f.point, "point", "", "try one `POINT` alone, ACTION/CONN/DIRECTION/MESSAGE+OFFSET")
	flags.IntVar(&f.maxRuns, "max-runs", 0, "try `N` points at most; without it as many as there are")
	flags.DurationVar(&f.time, "time", 0, "end after `TIME`; without it when all is tried")
	flags.DurationVar(&f.pause, "pause", 100*time.Millisecond, "part two messages that go the same way by a pause of more than `TIME`")
	flags.StringVar(&f.check, "check", "", "run `COMMAND` when the probe works again: it must succeed")
	addSeed(flags, &f.seed)
	flags.IntVar(&f.workers, "workers", 0, "try `N` points at once, 8 if not given; with --gate always one")
	f.addLengths(flags)
	flags.StringArrayVar(&f.reports, "report", nil, "write a report to `FILE`, its form by its ending: "+formNames(sweepForms)+"; may be repeated")
	flags.VarP(textFlag{&f.output}, "output", "o", "write to stdout as `FORMAT`: text, or json, the whole report")
	noDefault(flags, "workers", "slow", "deadline", "patience", "max-runs", "time")
	complete(cmd, "output", string(outputText), string(outputJSON))
	var names []string
	for _, a := range sweep.Actions {
		names = append(names, a.Name)
	}
	complete(cmd, "action", names...)
	complete(cmd, "direction", "to-server", "to-client")
}

// sweep runs the sweep.
func (f *sweepFlags) sweep(cmd *cobra.Command) error {
	ctx, stdout, stderr := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	s, err := f.read(cmd.Root().DisplayName())
	if err != nil {
		return usage(err)
	}
	show := newSweepProgress(stderr)
	s.Progress = show.tell
	report, err := s.Do(ctx)
	show.clear()
	switch {
	case report == nil && ctx.Err() != nil:
		return interrupted(ctx)
	case report == nil && (errors.Is(err, matrix.ErrUnable) || errors.Is(err, sweep.ErrNothing)):
		return err
	case report == nil:
		return usage(err)
	case err != nil:
		fmt.Fprintf(stderr, "chaosgate: %v\n", err)
	}
	report.Tool = "chaosgate " + versionText()
	report.Repeat = f.repeatSweep(cmd.Root().DisplayName(), "", report.Seed)
	write := report.WriteText
	if f.output == outputJSON {
		write = report.WriteJSON
	}
	if err := write(stdout); err != nil {
		return err
	}
	if err := writeReports(sweepForms, report, f.reports, stderr); err != nil {
		return err
	}
	if err := tellGitHub(report.Cells(), os.Getenv, stderr); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return interrupted(ctx)
	case report.Bad > 0:
		return &exitError{exitFailed, fmt.Errorf("%s of points failed", plural(int64(report.Bad), "range"))}
	}
	return nil
}

// read returns what the command line describes.
func (f *sweepFlags) read(program string) (*sweep.Sweep, error) {
	s := &sweep.Sweep{
		Run:       matrix.Run{Seed: f.seed, Workers: f.workers, Slow: f.slow, Deadline: f.deadline, Patience: f.patience},
		EveryByte: f.everyByte, MaxRuns: f.maxRuns, Time: f.time, Pause: f.pause,
	}
	s.Run.Subject.Name = f.name
	if err := f.where(&s.Run); err != nil {
		return nil, err
	}
	if err := f.probe(&s.Run); err != nil {
		return nil, err
	}
	if err := f.choice(s); err != nil {
		return nil, err
	}
	if f.check != "" {
		check, err := probe.Check(f.check)
		if err != nil {
			return nil, fmt.Errorf("--check: %w", err)
		}
		s.Check = check
	}
	for _, file := range f.reports {
		if _, err := formOf(sweepForms, file); err != nil {
			return nil, fmt.Errorf("--report: %w", err)
		}
	}
	s.Repeat = func(action string, p sweep.Point, seed spec.Seed) string {
		return f.repeatSweep(program, action+"/"+p.String(), seed)
	}
	return s, nil
}

// choice reads what is to happen, and where.
func (f *sweepFlags) choice(s *sweep.Sweep) error {
	actions := f.actions
	if f.point != "" {
		action, text, _ := strings.Cut(f.point, "/")
		point, err := sweep.ParsePoint(text)
		if err != nil {
			return fmt.Errorf("--point: got %q, want ACTION/CONN/DIRECTION/MESSAGE+OFFSET, such as fin/1/to_client/3+5", f.point)
		}
		s.Point, actions = &point, []string{action}
	}
	for _, text := range actions {
		action, err := sweep.ActionNamed(text)
		if err != nil && strings.ContainsAny(text, " =") {
			var fault chaos.Fault
			if fault, err = spec.ParseFault(text); err == nil {
				action = sweep.Action{Name: chaos.KindOf(fault), Help: spec.Text(fault), Fault: fault}
			}
		}
		if err != nil {
			return fmt.Errorf("--action: %s", strings.TrimPrefix(err.Error(), "action: "))
		}
		if slices.ContainsFunc(s.Actions, func(other sweep.Action) bool { return other.Name == action.Name }) {
			return fmt.Errorf("--action: got %s twice", action.Name)
		}
		s.Actions = append(s.Actions, action)
	}
	for _, text := range f.directions {
		var d chaos.Direction
		if err := d.UnmarshalText([]byte(strings.ReplaceAll(text, "-", "_"))); err != nil {
			return fmt.Errorf("--direction: got %q, want to-server or to-client", text)
		}
		s.Directions = append(s.Directions, d)
	}
	return nil
}

// repeatSweep returns the command that repeats a point, or the sweep if it is empty.
func (f *sweepFlags) repeatSweep(program, point string, seed spec.Seed) string {
	words := f.subjectWords([]string{program, "sweep"})
	flag := func(name, value string) {
		if value != "" {
			words = append(words, "--"+name, quoted(value))
		}
	}
	if point == "" {
		point = f.point
	}
	switch _, err := sweep.ActionNamed(beforeSlash(point)); {
	case point != "" && err == nil:
		flag("point", point)
	default:
		for _, a := range f.actions {
			flag("action", a)
		}
		for _, d := range f.directions {
			flag("direction", d)
		}
		if f.everyByte {
			words = append(words, "--every-byte")
		}
	}
	flag("check", f.check)
	flag("seed", seed.String())
	return strings.Join(words, " ")
}

func beforeSlash(text string) string {
	before, _, _ := strings.Cut(text, "/")
	return before
}

// A sweepProgress shows how far a sweep is: on a terminal by a line, and each bad point above it; elsewhere by a line for each bad point.
type sweepProgress struct{ *progress }

func newSweepProgress(w io.Writer) *sweepProgress { return &sweepProgress{newProgress(w, 0)} }

// tell shows what has changed.
func (p *sweepProgress) tell(now sweep.Progress) {
	if x := now.Exchange; x != nil {
		toServer, toClient := x.Bytes()
		fmt.Fprintf(p.w, "recorded  %d messages, %d B to the server, %d B to the client\n", len(x.Messages), toServer, toClient)
		for _, note := range x.Notes {
			fmt.Fprintf(p.w, "note      %s\n", note)
		}
		return
	}
	p.total = now.Known
	if p.terminal && !now.Verdict.Bad() {
		p.done++
		p.begin(now.Point)
		return
	}
	if !now.Verdict.Bad() {
		p.done++
		return
	}
	p.end(fmt.Sprintf("%-34s %s", now.Point, p.paint.red(now.Verdict.Words())))
}

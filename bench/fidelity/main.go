package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/chaosgate/chaos/bench/internal/ownnet"
)

// Exit codes of the program. What a gate does wrong is a figure, and no failure of the program.
const (
	exitFine  = 0
	exitUsage = 2
	exitStuck = 3
)

// options are how a run is made.
type options struct {
	share float64 // of the runs and of the time that a whole measurement takes
	seed  uint64
}

// of returns a share of a number of runs, and no less than so many.
func (o options) of(whole, least int) int { return max(least, int(float64(whole)*o.share)) }

// lasting returns a share of a time, and no less than so much.
func (o options) lasting(whole, least time.Duration) time.Duration {
	return max(least, time.Duration(float64(whole)*o.share))
}

// A section is one kind of measurement.
type section struct {
	name    string
	measure func(context.Context, options) (*table, error)
}

var sections = []section{
	{"delay", measureDelay},
	{"jitter", measureJitter},
	{"bandwidth", measureBandwidth},
	{"throughput", measureThroughput},
	{"cutoff", measureCutoff},
	{"reset", measureReset},
	{"recovery", measureRecovery},
	{"losing", measureLosing},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(enter(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// enter runs the program in a network of its own, where there can be one.
func enter(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if ownnet.Inside() {
		if err := ownnet.SetUp(); err != nil {
			fmt.Fprintln(stderr, "fidelity:", err)
			return exitStuck
		}
	} else if code, err := ownnet.Rerun(ctx, nil, args, stdout, stderr); err == nil {
		return code
	} else {
		fmt.Fprintln(stderr, "fidelity: measuring in the machine's network, because there can be no other:", err)
	}
	return run(ctx, args, stdout, stderr)
}

// run measures what the arguments ask for.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("fidelity", flag.ContinueOnError)
	flags.SetOutput(stderr)
	quick := flags.Bool("quick", false, "a tenth of the runs: to try it, not to be quoted")
	only := flags.String("run", "", "only the sections whose names match this regular `expression`")
	into := flags.String("into", "", "also put the figures into this `file`, between its markers")
	seed := flags.Uint64("seed", 0, "what all randomness comes from; drawn if 0")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitFine
	} else if err != nil {
		return exitUsage
	}
	wanted, err := regexp.Compile(*only)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("got %q, want flags alone", flags.Args())
	}
	if err != nil {
		fmt.Fprintln(stderr, "fidelity:", err)
		return exitUsage
	}
	o := options{share: 1, seed: cmp.Or(*seed, uint64(time.Now().UnixNano()))}
	if *quick {
		o.share = 0.1
	}
	var out bytes.Buffer
	if err := o.measureAll(ctx, wanted, &out, stderr); err != nil {
		fmt.Fprintln(stderr, "fidelity:", err)
		return exitStuck
	}
	stdout.Write(out.Bytes())
	if *into != "" {
		if err := putInto(*into, out.Bytes()); err != nil {
			fmt.Fprintln(stderr, "fidelity:", err)
			return exitStuck
		}
	}
	return exitFine
}

// measureAll measures the sections that are wanted, and writes their tables behind the description of the machine.
func (o options) measureAll(ctx context.Context, wanted *regexp.Regexp, out, progress io.Writer) error {
	began, before := time.Now(), load()
	var tables []*table
	for _, s := range sections {
		if !wanted.MatchString(s.name) {
			continue
		}
		start := time.Now()
		t, err := s.measure(ctx, o)
		if err = cmp.Or(context.Cause(ctx), err); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		tables = append(tables, t)
		fmt.Fprintf(progress, "%-10s %-40s %v\n", s.name, tally(tables[len(tables)-1:]), time.Since(start).Round(time.Second))
	}
	if tables == nil {
		return fmt.Errorf("no section matches %q", wanted)
	}
	fmt.Fprintf(out, "%s.\n\n", tally(tables))
	describe(out, began, before, o)
	for _, t := range tables {
		t.write(out)
	}
	return nil
}

// What stands between these lines of a page is replaced.
const (
	figuresBegin = "<!-- figures: written by make fidelity -->\n"
	figuresEnd   = "<!-- end of figures -->\n"
)

// putInto puts figures between the markers of a page.
func putInto(file string, figures []byte) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, begins := bytes.Cut(page, []byte(figuresBegin))
	_, tail, ends := bytes.Cut(rest, []byte(figuresEnd))
	if !begins || !ends {
		return fmt.Errorf("%s: got no lines %q and %q, want both", file, figuresBegin, figuresEnd)
	}
	page = bytes.Join([][]byte{head, []byte(figuresBegin), []byte("\n"), figures, []byte("\n"), []byte(figuresEnd), tail}, nil)
	return os.WriteFile(file, page, 0o644)
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/chaosgate/chaos/bench/internal/ownnet"
)

func main() {
	if beChild() {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are what the command line says.
type options struct {
	lineup
	scale   scale
	only    *regexp.Regexp // the measurements
	peers   []string       // by name; all if empty
	tree    string         // the repository's root, from which chaosgate is built
	profile string         // the folder for profiles of the gate; none if empty
	list    bool
}

// parseOptions reads the command line.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("run", "", "only the measurements that match `REGEXP`")
	peers := flags.String("peers", "", "only the contenders `A,B,…`; the direct connection and the gates are contenders, too")
	rounds := flags.Int("rounds", 0, "measure every contender in `N` rounds (5, or 1 if quick)")
	length := flags.Duration("length", 0, "load each for `TIME` a turn (1s, or 150ms if quick)")
	quick := flags.Bool("quick", false, "few connections, one short round: whether it works, not how fast it is")
	flags.StringVar(&o.tree, "tree", "..", "build chaosgate from the repository in `FOLDER`")
	flags.StringVar(&o.profile, "profile", "", "write a processor profile of the gate for each measurement to `FOLDER`")
	beside := flags.Bool("toxiproxy", false, "chaosgate in the place of Toxiproxy's server beside the real one: both are driven by Toxiproxy's API, with each toxic")
	flags.BoolVar(&o.list, "list", false, "list the measurements and contenders")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("got %q, want flags only", flags.Arg(0))
	}
	if o.lineup = everybody; *beside {
		o.lineup = asToxiproxy
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-run: %w", err)
	}
	if *peers != "" {
		o.peers = strings.Split(*peers, ",")
	}
	for _, p := range o.peers {
		if named(o.contenders, p) == nil {
			return o, fmt.Errorf("-peers: got %q, want names of %s", p, strings.Join(names(o.contenders), ", "))
		}
	}
	if *rounds < 0 || *length < 0 {
		return o, errors.New("-rounds and -length: got a negative value")
	}
	o.scale = fullScale
	if *quick {
		o.scale = quickScale
	}
	if *rounds > 0 {
		o.scale.rounds = *rounds
	}
	if *length > 0 {
		o.scale.load = *length
	}
	o.scale.fit(openFiles())
	return o, nil
}

// builtVar is the variable of the environment that tells this program, when it runs in a network of its own, in which folder the contenders
// were built before, where there was a network to build them from.
const builtVar = "CHAOS_BENCH_BUILT"

// run measures what the command line asks for: the report goes to stdout, all else to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	var chosen []measurement
	for _, m := range o.measurements(o.scale) {
		if o.only.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if o.list {
		for _, m := range chosen {
			fmt.Fprintf(stdout, "%-28s %s\n", m.name, m.about)
		}
		for _, c := range o.contenders {
			fmt.Fprintf(stdout, "%-28s %s\n", c.name, c.about)
		}
		return 0
	}
	if dir := os.Getenv(builtVar); dir != "" {
		if err := ownnet.SetUp(); err != nil {
			fmt.Fprintln(stderr, "bench:", err)
			return 3
		}
		b := &bench{options: o, dir: dir, log: stderr}
		b.gather(ctx)
		return b.run(ctx, chosen, stdout)
	}
	dir, err := os.MkdirTemp("", "chaos-bench-")
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 3
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, log: stderr}
	b.gather(ctx)
	code, err := ownnet.Rerun(ctx, []string{builtVar + "=" + dir}, args, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "bench: measuring in the machine's network, because there can be no other:", err)
		return b.run(ctx, chosen, stdout)
	}
	return code
}

// run does measurements and prints the report.
func (b *bench) run(ctx context.Context, chosen []measurement, stdout io.Writer) int {
	start, load := time.Now(), loadAverage()
	for _, m := range chosen {
		if ctx.Err() == nil {
			b.results = append(b.results, b.measure(ctx, m))
		}
	}
	b.report(stdout, machine{before: load, took: time.Since(start)})
	if ctx.Err() != nil {
		fmt.Fprintln(b.log, "bench: interrupted; the report has what was measured until then")
		return 130
	}
	return 0
}

package toxicli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A command is one subcommand.
type command struct {
	names []string
	args  string // what stands behind its name
	help  string
	run   func(c *cli, ctx context.Context, args []string) error
}

var commands = []command{
	{[]string{"list", "l", "li", "ls"}, "", "list all proxies", (*cli).list},
	{[]string{"inspect", "i", "ins"}, "PROXY", "show a proxy's toxics", (*cli).inspect},
	{[]string{"create", "c", "new"}, "--listen ADDRESS --upstream ADDRESS PROXY", "create a proxy", (*cli).create},
	{[]string{"toggle", "tog"}, "PROXY", "enable a proxy that is disabled, and the other way round", (*cli).toggle},
	{[]string{"delete", "d"}, "PROXY", "delete a proxy", (*cli).remove},
	{[]string{"toxic", "t"}, "add|update|remove …", "add, update or remove a toxic", (*cli).toxic},
}

var toxicCommands = []command{
	{[]string{"add", "a"}, "--type TYPE [--toxicName NAME] [--toxicity SHARE] [--attribute KEY=VALUE]… [--upstream|--downstream] PROXY", "add a toxic", (*cli).addToxic},
	{[]string{"update", "u"}, "--toxicName NAME [--toxicity SHARE] [--attribute KEY=VALUE]… PROXY", "update a toxic", (*cli).updateToxic},
	{[]string{"remove", "r", "delete", "d"}, "--toxicName NAME PROXY", "remove a toxic", (*cli).removeToxic},
}

// A cli is one call of the program.
type cli struct {
	server
	out      io.Writer
	terminal bool
}

// errUsage is an error about the command line: help explains it.
type errUsage struct {
	error
	of []command
}

func (e *errUsage) Unwrap() error { return e.error }

// errTopic is the error about a command that there is not.
type errTopic struct{ name string }

func (e *errTopic) Error() string { return fmt.Sprintf("No help topic for '%s'", e.name) }

// Run runs a command line and returns the exit code: 0, 3 if there is no such command, 1 if anything else was wrong. Toxiproxy's own ends with 0
// for a flag that it does not know, so that a script does not learn of its mistake; here that is 1, too. Version is what --version says.
func Run(ctx context.Context, version string, args []string, variable func(string) string, terminal bool, stdout, stderr io.Writer) int {
	c := &cli{server: server{url: variable("TOXIPROXY_URL"), version: version}, out: stdout, terminal: terminal}
	if c.url == "" {
		c.url = "http://localhost:8474"
	}
	err := c.run(ctx, args)
	if wrong, ok := errors.AsType[*errUsage](err); ok {
		help(stdout, wrong.of)
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\n\n", err)
	}
	switch _, unknown := errors.AsType[*errTopic](err); {
	case unknown:
		return 3
	case err != nil:
		return 1
	}
	return 0
}

func (c *cli) run(ctx context.Context, args []string) error {
	flags := newFlags()
	var help, version bool
	for _, name := range []string{"host", "h"} {
		flags.StringVar(&c.url, name, c.url, "")
	}
	flags.BoolVar(&help, "help", false, "")
	for _, name := range []string{"version", "v"} {
		flags.BoolVar(&version, name, false, "")
	}
	if err := flags.Parse(args); err != nil {
		return &errUsage{err, commands}
	}
	c.url = strings.TrimSuffix(c.url, "/")
	if !strings.Contains(c.url, "://") {
		c.url = "http://" + c.url
	}
	switch {
	case version:
		fmt.Fprintf(c.out, "toxiproxy-cli version %s\n", c.version)
		return nil
	case help || flags.NArg() == 0:
		return &errUsage{flag.ErrHelp, commands}
	}
	return c.dispatch(ctx, commands, flags.Args())
}

// dispatch runs the command that is named.
func (c *cli) dispatch(ctx context.Context, among []command, args []string) error {
	if len(args) == 0 || args[0] == "help" {
		return &errUsage{flag.ErrHelp, among}
	}
	i := slices.IndexFunc(among, func(command command) bool { return slices.Contains(command.names, args[0]) })
	if i < 0 {
		return &errTopic{args[0]}
	}
	err := among[i].run(c, ctx, args[1:])
	if wrong, ok := errors.AsType[*errUsage](err); ok && wrong.of == nil {
		wrong.of = among[i : i+1]
	}
	return err
}

// help shows what commands there are.
func help(w io.Writer, of []command) {
	fmt.Fprintln(w, "usage: toxiproxy-cli [--host URL] COMMAND [FLAGS] [PROXY]    flags stand before PROXY; $TOXIPROXY_URL is --host")
	for _, c := range of {
		fmt.Fprintf(w, "\n  %s %s\n      %s\n", strings.Join(c.names, ", "), c.args, c.help)
	}
}

// newFlags returns flags that say nothing by themselves.
func newFlags() *flag.FlagSet {
	flags := flag.NewFlagSet("toxiproxy-cli", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parse reads a command's flags and returns the proxy's name that stands behind them. noName is what it says if there is none.
func parse(flags *flag.FlagSet, args []string, noName string) (proxy string, err error) {
	if err := flags.Parse(args); err != nil {
		return "", &errUsage{err, nil}
	}
	if flags.NArg() == 0 {
		return "", &errUsage{complaint(noName), nil}
	}
	return flags.Arg(0), nil
}

// A complaint is an error in the words of Toxiproxy's command line, which scripts may look for.
type complaint string

func (c complaint) Error() string { return string(c) }

func says(format string, args ...any) error { return complaint(fmt.Sprintf(format, args...)) }

// required returns the error about a flag without a value.
func required(name, value string) error {
	if value == "" {
		return &errUsage{says("Required argument '%s' was empty.", name), nil}
	}
	return nil
}

// attributes are the values of a toxic's attributes.
type attributes map[string]any

func (a attributes) String() string { return "" }

// Set reads KEY=VALUE, or several with commas between them.
func (a attributes) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		if err := a.set(strings.TrimSpace(part)); err != nil {
			return err
		}
	}
	return nil
}

// set reads KEY=VALUE. Toxiproxy's own command line passes over what is none; that would leave a toxic without what it was to have.
func (a attributes) set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return fmt.Errorf("got %q, want KEY=VALUE", text)
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		a[key] = n
	} else if f, err := strconv.ParseFloat(value, 64); err == nil {
		a[key] = f
	} else {
		a[key] = value // which the server refuses by name
	}
	return nil
}

// A toxicFlags are the flags of what concerns a toxic.
type toxicFlags struct {
	name, kind, toxicity string
	upstream, downstream bool
	attributes           attributes
}

func (f *toxicFlags) parse(args []string) (proxy string, share float32, err error) {
	f.attributes = attributes{}
	flags := newFlags()
	for _, name := range []string{"toxicName", "n"} {
		flags.StringVar(&f.name, name, "", "")
	}
	for _, name := range []string{"type", "t"} {
		flags.StringVar(&f.kind, name, "", "")
	}
	for _, name := range []string{"toxicity", "tox"} {
		flags.StringVar(&f.toxicity, name, "", "")
	}
	for _, name := range []string{"attribute", "a"} {
		flags.Var(f.attributes, name, "")
	}
	for _, name := range []string{"upstream", "u"} {
		flags.BoolVar(&f.upstream, name, false, "")
	}
	for _, name := range []string{"downstream", "d"} {
		flags.BoolVar(&f.downstream, name, false, "")
	}
	if proxy, err = parse(flags, args, "Proxy name is missing."); err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseFloat(cmp.Or(f.toxicity, "1"), 32)
	if err != nil || !(n >= 0 && n <= 1) {
		return "", 0, says("toxicity should be a float between 0 and 1.")
	}
	if f.upstream && f.downstream {
		return "", 0, says("Only one should be specified: upstream or downstream.")
	}
	return proxy, float32(n), nil
}

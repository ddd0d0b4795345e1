package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
)

// defaultListen is where a daemon listens, and where others look for it.
const defaultListen = "127.0.0.1:8474"

// serveFlags are the flags of the subcommand serve.
type serveFlags struct {
	listen, config, token, state, pprof string
	gateTexts                           []string
	gates                               []spec.Gate // what gateTexts say
	allowHosts, allowServers            []string
	allowListens                        []string
	untilStdinCloses                    bool
	logs                                logFlags
}

func newServe() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run gates as a daemon, which others tell over HTTP what to do",
		Long: `serve is the daemon. It keeps gates by name, and does with them what the other commands, the Go client
or anybody who speaks HTTP ask for. It begins with the gates of --gate and --config, and says where
it listens when all of them do.

Interrupted it lifts everything, closes the gates and ends; interrupted again it ends at once.
SIGHUP, and any change of the file, has it read --config again: all of it is done, or nothing.`,
		Example: `  chaosgate serve                                            gates come over HTTP
  chaosgate serve --gate redis=127.0.0.1:26379,127.0.0.1:6379
  chaosgate serve --config gates.yaml --state chaosgate.state
  chaosgate serve --listen 127.0.0.1:0 --until-stdin-closes  ends with the program that has started it`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(); err != nil {
				return usage(err)
			}
			log, always, end := flags.logs.loggers(cmd.ErrOrStderr())
			defer end()
			d := &daemon{serveFlags: flags, log: log, always: always, stdin: cmd.InOrStdin()}
			return d.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.listen, "listen", defaultListen, "speak HTTP at `ADDRESS`; port 0 is any that is free")
	f.StringVar(&flags.config, "config", "", "begin with the gates in `FILE`, YAML or JSON, and follow its changes")
	f.StringArrayVar(&flags.gateTexts, "gate", nil, "begin with `GATE`, [NAME=][tcp:|udp:|unix:]LISTEN,SERVER; may be repeated")
	f.StringVar(&flags.token, "token", "", "answer only who knows `TOKEN`; needed to listen where others than this machine can connect")
	f.StringArrayVar(&flags.allowHosts, "allow-host", nil, "answer who calls the daemon `HOST`, beside loopback names and IP addresses; may be repeated")
	f.StringArrayVar(&flags.allowServers, "allow-server", nil, "have gates connect only to what `PATTERN` matches, such as 10.0.0.0/8 or *:6379; may be repeated")
	f.StringArrayVar(&flags.allowListens, "allow-listen", nil, "have gates listen only on what `PATTERN` matches; may be repeated")
	f.StringVar(&flags.state, "state", "", "keep gates and faults in `FILE`, and begin with what is in it")
	f.BoolVar(&flags.untilStdinCloses, "until-stdin-closes", false, "end when standard input does: with the program at its other end")
	f.StringVar(&flags.pprof, "pprof", "", "show profiles of the daemon at `ADDRESS`, a loopback address")
	flags.logs.add(f)
	return cmd
}

// check refuses flags that cannot be, and reads those that stand for something else.
func (f *serveFlags) check() error {
	if strings.ContainsFunc(f.token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return errors.New("--token: got one with blanks or with characters beyond ASCII, which no header carries") // it is shown to nobody
	}
	f.gates = nil
	names := map[string]bool{}
	for i, text := range f.gateTexts {
		g, err := spec.ParseGate(text)
		if err != nil {
			return fmt.Errorf("--gate: %s", strings.TrimPrefix(err.Error(), "gate: "))
		}
		// One that has no name gets the same at each start, so that it is found again in a state file.
		g.Name = cmp.Or(g.Name, fmt.Sprintf("gate-%d", i+1))
		if names[g.Name] {
			return fmt.Errorf("--gate: got two with the name %s", g.Name)
		}
		names[g.Name] = true
		f.gates = append(f.gates, g)
	}
	return nil
}

// hubOptions returns what the flags say to the hub.
func (f *serveFlags) hubOptions() hub.Options {
	return hub.Options{State: f.state, AllowServer: f.allowServers, AllowListen: f.allowListens, Version: versionText()}
}

// refused returns an error of the hub's as one of the command line or the configuration, if it is.
func refused(err error) error {
	e, ok := errors.AsType[*hub.Error](err)
	if ok && e.Path != "state" && (e.Code == hub.Invalid || e.Code == hub.Forbidden || e.Code == hub.Taken) {
		return usage(err)
	}
	return err
}

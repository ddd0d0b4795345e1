package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/api"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/console"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/metrics"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/toxiproxy"
)

// toxiproxyVersion is the version of Toxiproxy whose API is spoken. Some clients look at it to know what there is.
const toxiproxyVersion = "2.12.0"

// A toxiproxyServer is what the program is told when it is started as Toxiproxy's server.
type toxiproxyServer struct {
	host, port, config           string
	seed                         uint64
	proxyMetrics, runtimeMetrics bool
	version                      bool
}

// flags returns the flags of Toxiproxy's server.
func (s *toxiproxyServer) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("toxiproxy-server", flag.ContinueOnError)
	flags.StringVar(&s.host, "host", "localhost", "listen on this `HOST`")
	flags.StringVar(&s.port, "port", "8474", "listen on this `PORT`")
	flags.StringVar(&s.config, "config", "", "begin with the proxies in this `FILE`, a JSON array")
	flags.Uint64Var(&s.seed, "seed", 0, "the `SEED` of every proxy; without it each draws its own")
	flags.BoolVar(&s.proxyMetrics, "proxy-metrics", false, "tell the figures of proxies at /metrics")
	flags.BoolVar(&s.runtimeMetrics, "runtime-metrics", false, "tell the figures of the process at /metrics")
	flags.BoolVar(&s.version, "version", false, "print the version of Toxiproxy whose API this is")
	return flags
}

// asToxiproxyServer reports whether the program is started as Toxiproxy's server: by its name, as in an image, or with its flags, which have one dash or
// two. --version with two is not taken for one of them: who asks so asks about this program.
func asToxiproxyServer(program string, args []string) bool {
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	if name == "toxiproxy" || strings.HasPrefix(name, "toxiproxy-server") {
		return true
	}
	if len(args) == 0 || !strings.HasPrefix(args[0], "-") || args[0] == "--version" {
		return false
	}
	given, _, _ := strings.Cut(strings.TrimPrefix(args[0][1:], "-"), "=")
	return new(toxiproxyServer).flags().Lookup(given) != nil
}

// asToxiproxyCLI reports whether the program is started as Toxiproxy's command line.
func asToxiproxyCLI(program string) bool {
	return strings.HasPrefix(filepath.Base(program), "toxiproxy-cli")
}

// serveToxiproxy runs the daemon as Toxiproxy's server would run, and returns the exit code.
func serveToxiproxy(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var s toxiproxyServer
	flags := s.flags()
	flags.SetOutput(stderr)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitFine
		}
		return exitUsage // it has said what is wrong
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "toxiproxy-server: got %q, want flags alone\n", flags.Arg(0))
		return exitUsage
	}
	if s.version {
		fmt.Fprintf(stdout, "toxiproxy-server version %s\n", toxiproxyVersion)
		return exitFine
	}
	logs := logFlags{format: "json", level: toxiproxyLevel(os.Getenv("LOG_LEVEL"))}
	log, always, end := logs.loggers(stdout)
	defer end()
	d := &daemon{
		serveFlags: serveFlags{listen: net.JoinHostPort(s.host, s.port), token: os.Getenv("CHAOSGATE_TOKEN")},
		log:        log, always: always, stdin: stdin, toxiproxy: &s,
	}
	if err := d.run(ctx); err != nil {
		fmt.Fprintf(stderr, "toxiproxy-server: %v\n", err)
		return exitCode(err)
	}
	return exitFine
}

// toxiproxyLevel returns what the levels of Toxiproxy's log mean here.
func toxiproxyLevel(name string) logLevel {
	switch strings.ToLower(name) {
	case "trace", "debug":
		return logLevel(slog.LevelDebug)
	case "warn":
		return logLevel(slog.LevelWarn)
	case "error", "fatal", "panic", "disabled":
		return logLevel(slog.LevelError)
	}
	return logLevel(slog.LevelInfo)
}

// routes returns what answers HTTP, and creates the proxies of a Toxiproxy config file.
func (d *daemon) routes() http.Handler {
	o := api.Options{Token: d.token, AllowHosts: d.allowHosts, Metrics: metrics.Handler(d.hub, metrics.Everything), Console: console.Handler()}
	proxies := toxiproxy.Options{Version: toxiproxyVersion}
	s := d.toxiproxy
	if s != nil {
		// Its clients have no token; whoever else wants to speak to the daemon from elsewhere needs one.
		o.Local, o.Open, o.Metrics = true, true, nil
		proxies.Seed, proxies.Metrics = s.seed, http.NotFoundHandler()
		if s.proxyMetrics || s.runtimeMetrics {
			proxies.Metrics = metrics.Handler(d.hub, metrics.Parts{Gates: s.proxyMetrics, Runtime: s.runtimeMetrics})
		}
	}
	beside := toxiproxy.New(d.hub, proxies)
	if s != nil && s.config != "" {
		d.populate(beside, s.config)
	}
	o.Beside = beside
	return api.New(d.hub, o)
}

// populate creates the proxies of a config file. What is wrong with it is logged, as Toxiproxy does, and the rest of the daemon serves.
func (d *daemon) populate(proxies *toxiproxy.API, file string) {
	text, err := os.ReadFile(file)
	if err == nil {
		err = proxies.Populate(text)
	}
	if err != nil {
		d.always.Error("the config file was not done, or not all of it", "file", file, "error", err)
	}
}

// warn says who can speak to a daemon that was started as Toxiproxy's server.
func (d *daemon) warn(at net.Listener) {
	if d.toxiproxy == nil || boundTo(at).Addr().IsLoopback() {
		return
	}
	d.always.Warn("whoever reaches this address can have it connect to anything: Toxiproxy's API has no token; " +
		"all else answers only this machine, unless $CHAOSGATE_TOKEN is set")
}

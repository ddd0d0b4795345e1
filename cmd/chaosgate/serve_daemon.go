package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/config"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
)

// stopWithin is how long a daemon takes to stop at most. A gate gives its last bytes up a little earlier.
const stopWithin = 4800 * time.Millisecond

// lastAnswers is how long those who are being answered are waited for, once nothing keeps their answers back.
const lastAnswers = time.Second / 2

// A daemon is what serve runs.
type daemon struct {
	serveFlags
	log    *slog.Logger
	always *slog.Logger // writes whatever --log-level is
	stdin  io.Reader

	toxiproxy *toxiproxyServer // what it was told as Toxiproxy's server; nil if it was started as itself

	hub     *hub.Hub
	told    chan struct{} // closed when all events are logged
	servers []*http.Server
	failed  chan error // gets why a server has ended by itself
	read    []byte     // what stood in the config file when it was read last, right or wrong
}

// run starts the daemon, and stops it when the context ends.
func (d *daemon) run(ctx context.Context) error {
	hangups := make(chan os.Signal, 1) // SIGHUP; one that waits stands for all
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	signal.Ignore(syscall.SIGPIPE) // that nobody reads the log any more is no reason to leave anything as it is

	flag := "listen"
	if d.toxiproxy != nil {
		flag = "port"
	}
	listener, err := listenHTTP(ctx, flag, d.listen, d.token != "" || d.toxiproxy != nil)
	if err != nil {
		return err
	}
	defer listener.Close()
	own := []netip.AddrPort{boundTo(listener)}
	var profiler net.Listener
	if d.pprof != "" {
		if profiler, err = listenHTTP(ctx, "pprof", d.pprof, false); err != nil {
			return err
		}
		defer profiler.Close()
		own = append(own, boundTo(profiler))
	}
	watch := d.watch() // first, so that no change after the first reading is missed
	defer watch.Close()
	if err := d.begin(own); err != nil {
		return err
	}
	d.failed = make(chan error, 2) // one of each server
	d.warn(listener)
	d.serve(listener, d.routes())
	attrs := []any{"url", "http://" + listener.Addr().String(), "version", d.hub.Version().Version, "boot", d.hub.Boot()}
	if profiler != nil {
		d.serve(profiler, profiles())
		attrs = append(attrs, "profiles", "http://"+profiler.Addr().String()+"/debug/pprof/")
	}
	d.always.Info("listening", attrs...)
	because, err := d.wait(ctx, hangups, watch)
	d.log.Info("stopping: everything is lifted, the gates are closed", "because", because)
	d.stop()
	return err
}

// begin makes the hub with all gates that it is to begin with.
func (d *daemon) begin(own []netip.AddrPort) error {
	o := d.hubOptions()
	o.Own = func() []netip.AddrPort { return own }
	h, err := hub.New(o)
	if err != nil {
		return refused(err)
	}
	d.hub, d.told = h, make(chan struct{})
	go func() { // ends when the hub is closed
		defer close(d.told)
		(&eventLog{log: d.log}).run(h.Events(0))
	}()
	err = d.firstConfig()
	if err == nil {
		err = d.flagGates()
	}
	if err != nil {
		d.stop()
	}
	return err
}

// flagGates creates the gates of --gate. One that was restored with the same addresses stays as it is, with its faults.
func (d *daemon) flagGates() error {
	const by = "--gate"
	for _, g := range d.gates {
		is, err := d.hub.Gate(g.Name)
		switch same := is.Network == g.Network && is.Server == g.Server && listensOn(is.Listen, g.Listen); {
		case err != nil:
			_, err = d.hub.Create(by, g)
		case !same:
			_, err = d.hub.Update(by, g.Name, func(is spec.Gate) (spec.Gate, error) {
				is.Network, is.Listen, is.Server = g.Network, g.Listen, g.Server
				return is, nil
			})
		}
		if err != nil {
			return refused(fmt.Errorf("--gate %s: %w", g.Name, err))
		}
	}
	return nil
}

// listensOn reports whether a gate that listens on an address is one that was to listen on another, which may be any.
func listensOn(is, want string) bool {
	_, port, err := net.SplitHostPort(want)
	return is == want || want == "" || err == nil && port == "0"
}

// serve answers HTTP until the daemon stops.
func (d *daemon) serve(l net.Listener, h http.Handler) {
	s := &http.Server{
		Handler: h,
		// Who is slow to say what they want is not waited for; what they may send then is bounded by the handler.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelWarn),
	}
	d.servers = append(d.servers, s)
	go func() { // ends when the server is closed
		if err := s.Serve(steadyListener{l, d.log}); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- err
		}
	}()
}

// wait does what comes up until the daemon is to stop, and returns why it is.
func (d *daemon) wait(ctx context.Context, hangups <-chan os.Signal, watch *config.Watch) (because string, err error) {
	var closed <-chan struct{}
	if d.untilStdinCloses {
		closed = readToEnd(d.stdin)
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx).Error(), nil
		case <-closed:
			return "standard input was closed", nil
		case err := <-d.failed:
			return "HTTP has failed", err
		case <-hangups:
			d.reload(true)
		case <-watch.Changed():
			d.reload(false)
		case err := <-watch.Failed():
			d.log.Warn("a change of the config file may be missed; SIGHUP has it read", "error", err)
		}
	}
}

// readToEnd returns what is closed when there is nothing more to read. Its goroutine may outlive the daemon, and ends with the program.
func readToEnd(r io.Reader) <-chan struct{} {
	end := make(chan struct{})
	go func() {
		defer close(end)
		_, _ = io.Copy(io.Discard, r) // that it fails is an end too
	}()
	return end
}

// stop stops the daemon: no request is accepted any more, gates are closed, and who follows events is told that there are no more.
func (d *daemon) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	over := make(chan struct{}) // closed when nothing is left
	go func() {
		defer close(over)
		d.shutdown(ctx)
	}()
	select {
	case <-over:
	case <-ctx.Done():
		d.log.Warn("stopped with something left", "after", stopWithin.String())
	}
}

func (d *daemon) shutdown(ctx context.Context) {
	// Those who follow events, or wait for something, are answered when the hub is closed. Nobody else is waited for that long.
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	ended := make(chan struct{}, len(d.servers)) // gets a value of each
	for _, s := range d.servers {
		go func() {
			if s.Shutdown(ctx) != nil {
				s.Close()
			}
			ended <- struct{}{}
		}()
	}
	if err := d.hub.Close(); err != nil {
		d.log.Warn("a gate was not closed in order", "error", err)
	}
	timer := time.AfterFunc(lastAnswers, giveUp)
	defer timer.Stop()
	for range d.servers {
		<-ended
	}
	<-d.told
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/status"
)

// eventTypes are the types of events that a daemon tells.
var eventTypes = []string{
	string(status.EventCreated), string(chaos.EventStarted), string(chaos.EventStopped), string(status.EventRemoved),
	string(chaos.EventDoor), string(chaos.EventImposed), string(chaos.EventChanged), string(chaos.EventFired), string(chaos.EventLifted),
	string(chaos.EventOpened), string(chaos.EventClosed), string(chaos.EventDialError), string(chaos.EventAcceptError), string(chaos.EventFailed),
	string(status.EventLeased), string(status.EventExpired), string(status.EventEnded), string(status.EventLost),
}

// eventsFlags are the flags of the subcommand events.
type eventsFlags struct {
	types  []string
	since  uint64
	kept   bool
	count  int
	wait   waitFlags
	asJSON bool
	output output
}

func newEvents() *cobra.Command {
	var flags eventsFlags
	cmd := &cobra.Command{
		Use:   "events [NAME]",
		Short: "Follow what happens: at a gate, or at all",
		Long: `events shows what happens until it is interrupted: gates that come and go, doors, faults imposed, fired and lifted,
connections opened and closed, and who has asked for it. Where the connection to the daemon breaks it goes on
behind the last event; what could not be shown is said.`,
		Example: `  chaosgate events
  chaosgate events redis --type fired --type closed
  chaosgate events --kept --json                      what was, and then what comes, as JSON
  chaosgate events redis --type fired --count 1 --wait 5s`,
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.types, "type", nil, "show only events of `TYPE`, such as fired; may be repeated")
	f.Uint64Var(&flags.since, "since", 0, "begin behind the event of number `ID`, as far as the daemon keeps them")
	noDefault(f, "since")
	f.BoolVar(&flags.kept, "kept", false, "begin with all events that the daemon keeps")
	f.IntVar(&flags.count, "count", 0, "end when `N` events have come")
	noDefault(f, "count")
	flags.wait.add(cmd)
	f.Lookup("wait").Usage = "with --count, wait for at most `TIME`; the exit code is 4 if it was in vain"
	f.BoolVar(&flags.asJSON, "json", false, "the same as --output json")
	addOutput(cmd, &flags.output)
	complete(cmd, "type", eventTypes...)
	completing(cmd, gateNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		q, err := flags.query(args)
		if err != nil {
			return usage(err)
		}
		return t.follow(ctx, q, &flags)
	})
}

// query returns what the command line asks for.
func (f *eventsFlags) query(args []string) (client.EventsQuery, error) {
	q := client.EventsQuery{Since: f.since, Kept: f.kept}
	if len(args) == 1 {
		q.Gate = args[0]
	}
	for _, name := range f.types {
		if !slices.Contains(eventTypes, name) {
			if near := didYouMean(name, eventTypes); near != "" {
				return q, fmt.Errorf("--type: unknown type %q%s", name, near)
			}
			return q, fmt.Errorf("--type: unknown type %q, want %s", name, strings.Join(eventTypes, ", "))
		}
		q.Types = append(q.Types, chaos.EventType(name))
	}
	switch {
	case f.count < 0:
		return q, fmt.Errorf("--count: got %d, want 1 or more", f.count)
	case f.kept && f.since > 0:
		return q, errors.New("got --since and --kept, want one of them")
	}
	return q, nil
}

// follow shows events until there were enough, or the context ends.
func (t *talk) follow(ctx context.Context, q client.EventsQuery, flags *eventsFlags) error {
	waiting := ctx
	if flags.count > 0 {
		var cancel context.CancelFunc
		waiting, cancel = flags.wait.context(ctx)
		defer cancel()
	}
	if q.Gate != "" { // a gate that there is not would be silent for ever; with --kept it may have been
		if _, err := t.Gate(waiting, q.Gate); err != nil && !(q.Kept && errors.Is(err, client.ErrUnknown)) {
			return err
		}
	}
	tell := t.teller(ctx)
	if flags.asJSON || flags.output == outputJSON {
		tell = json.NewEncoder(t.out).Encode
	}
	q.Broken = func(err error) { fmt.Fprintf(t.errs, "chaosgate: %s; trying again\n", safeLines(err.Error())) }
	shown := 0
	for event, err := range t.Events(waiting, q) {
		switch {
		case err != nil && ctx.Err() != nil && flags.count == 0: // as it was meant to end
			return nil
		case err != nil && ctx.Err() == nil && waiting.Err() != nil:
			return &exitError{exitTimedOut, fmt.Errorf("%s come within %v, not %d", have(shown), flags.wait.time, flags.count)}
		case err != nil:
			return err
		}
		if err := tell(event); err != nil {
			return err
		}
		if shown++; shown == flags.count {
			break
		}
	}
	return nil
}

// have says how many events there were.
func have(n int) string {
	if n == 1 {
		return "1 such event has"
	}
	return fmt.Sprintf("%d such events have", n)
}

// teller returns what shows events to people.
func (t *talk) teller(ctx context.Context) func(any) error {
	networks := map[string]string{} // of gates, as far as they are known
	n := &narrator{out: t.out, paint: t.paint, texts: map[[2]string]string{}}
	n.udp = func(gate string) bool {
		if _, known := networks[gate]; !known {
			asking, cancel := context.WithTimeout(ctx, completionPatience)
			defer cancel()
			g, _ := t.Gate(asking, gate) // if it is gone meanwhile, its datagrams are called bytes
			networks[gate] = g.Network
			for _, f := range slices.Concat(g.ToServer, g.ToClient) {
				n.texts[[2]string{gate, f.ID}] = cmp.Or(n.texts[[2]string{gate, f.ID}], f.Text)
			}
		}
		return strings.HasPrefix(networks[gate], "udp")
	}
	return func(value any) error {
		e := value.(status.Event)
		if e.Type == status.EventCreated {
			delete(networks, e.Gate)
		}
		if e.Gate != "" {
			n.udp(e.Gate) // learns how its faults are written
		}
		n.tell(cmp.Or(e.Time, time.Now()), about(e), n.what(e)+why(e))
		return nil
	}
}

// about returns whom an event is about.
func about(e status.Event) string {
	switch {
	case e.Gate != "" && e.Conn != 0:
		return fmt.Sprintf("%s conn %d", safe(e.Gate), e.Conn)
	case e.Gate != "":
		return safe(e.Gate)
	case e.Lease != "":
		return "lease " + safe(e.Lease)
	default:
		return "daemon"
	}
}

// why returns why something has happened, and who has asked for it.
func why(e status.Event) (text string) {
	if e.Because != "" {
		text += "; " + safe(e.Because)
	}
	if e.By != "" {
		text += ", asked by " + safe(e.By)
	}
	return text
}

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// gates writes a table of gates.
func (t *talk) gates(gates []status.Gate) {
	rows := table{columns: []column{
		{title: "GATE"},
		{title: "LISTENS ON"},
		{title: "FOR SERVER"},
		{title: "DOOR"},
		{title: "FAULTS", right: true},
		{title: "CONNS", right: true},
		{title: "TO SERVER", right: true},
		{title: "TO CLIENT", right: true},
	}}
	for _, g := range gates {
		listen, _, _ := strings.Cut(gateLine(g), ",")
		row := plain(safe(g.Name), safe(listen), safe(g.Server), g.Door.String(), fmt.Sprint(len(g.ToServer)+len(g.ToClient)),
			fmt.Sprint(g.Stats.Live), size(g.Stats.ToServer), size(g.Stats.ToClient))
		row[0].paint = t.paint.bold
		if doorText := t.doorState(g); doorText != "open" {
			row[3] = cell{doorText, t.paint.yellow}
		}
		if row[4].text != "0" {
			row[4].paint = t.paint.yellow
		}
		rows.rows = append(rows.rows, row)
	}
	rows.writeFit(t.out, t.paint)
}

// doorState returns how a gate receives new connections.
func (t *talk) doorState(g status.Gate) string {
	if g.Stopped {
		return "stopped"
	}
	return g.Door.String()
}

// listens says where a gate listens.
func (t *talk) listens(g status.Gate) {
	listen, _, _ := strings.Cut(gateLine(g), ",")
	what := "listening on " + t.paint.bold(safe(listen))
	if g.Stopped {
		what = t.paint.yellow("stopped") + ", keeping " + safe(listen)
	}
	fmt.Fprintf(t.out, "%s: %s for %s, seed %v\n", t.paint.bold(safe(g.Name)), what, safe(g.Server), g.Seed)
}

// gate writes all about a gate.
func (t *talk) gate(g status.Gate) {
	t.listens(g)
	created := "created " + ago(g.Since)
	if g.By != "" {
		created += " by " + safe(g.By)
	}
	if g.Lease != "" {
		created += ", removed when lease " + safe(g.Lease) + " ends"
	}
	fmt.Fprintln(t.out, created)
	t.door(g)
	var bounds []string
	for _, bound := range []struct {
		is         bool
		what, much string
	}{
		{g.Window > 0, "window", g.Window.String()},
		{g.Memory > 0, "memory", g.Memory.String()},
		{g.Sessions > 0, "sessions", fmt.Sprint(g.Sessions)},
		{g.Expire > 0, "expire", g.Expire.String()},
	} {
		if bound.is {
			bounds = append(bounds, bound.what+" "+bound.much)
		}
	}
	if len(bounds) > 0 {
		fmt.Fprintln(t.out, strings.Join(bounds, ", "))
	}
	t.figures(g)
	fmt.Fprintln(t.out)
	t.imposed("", slices.Concat(g.ToServer, g.ToClient))
}

// door writes how a gate receives new connections, unless there is nothing to say.
func (t *talk) door(g status.Gate) {
	if g.Door == chaos.Open && g.DoorHits == 0 {
		return
	}
	text := "door " + g.Door.String()
	if g.Door != chaos.Open {
		text = t.paint.yellow(text)
	}
	if !g.DoorTill.IsZero() {
		text += ", opens in " + left(g.DoorTill)
	}
	if g.DoorHits > 0 {
		text += ", has met " + plural(g.DoorHits, "connection")
	}
	fmt.Fprintln(t.out, text)
}

// figures writes a gate's figures.
func (t *talk) figures(g status.Gate) {
	s := g.Stats
	l := gateLog{}
	l.gate.Network = g.Network
	text := fmt.Sprintf("%s, %d live", plural(s.Accepted, l.noun()), s.Live)
	for _, who := range slices.Sorted(maps.Keys(s.Closed)) {
		text += fmt.Sprintf(", %d closed by %s", s.Closed[who], safe(who))
	}
	fmt.Fprintln(t.out, text)
	text = fmt.Sprintf("%s to server, %s to client", l.amount(s.ToServer, s.DatagramsToServer), l.amount(s.ToClient, s.DatagramsToClient))
	for _, much := range []struct {
		n    int64
		what string
	}{{s.Dropped, "dropped"}, {s.Held, "held back now"}} {
		if much.n > 0 {
			text += fmt.Sprintf(", %s %s", size(much.n), much.what)
		}
	}
	fmt.Fprintln(t.out, text)
	for _, trouble := range troubles(s) {
		fmt.Fprintln(t.out, t.paint.red(trouble))
	}
}

// ago returns how long ago something was.
func ago(at time.Time) string { return ageText(time.Since(at)) + " ago" }

// left returns how long it is until something.
func left(till time.Time) string { return ageText(time.Until(till)) }

// ageText returns a duration as a person would say it, however long it is.
func ageText(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return short(d)
	case d < time.Hour:
		return spec.Duration(d.Truncate(time.Second)).String()
	default:
		return spec.Duration(d.Truncate(time.Minute)).String()
	}
}

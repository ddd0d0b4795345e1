package main

import (
	"fmt"
	"strings"

	"github.com/chaosgate/chaos/status"
)

// imposed writes a table of faults at one gate, which is named if there is a name.
func (t *talk) imposed(gate string, faults []status.Fault) {
	all := make([]status.GateFault, len(faults))
	for i, f := range faults {
		all[i] = status.GateFault{Gate: gate, Fault: f}
	}
	if len(all) > 0 {
		t.faults(all, gate != "")
	} else if gate == "" {
		fmt.Fprintln(t.out, "nothing is imposed")
	}
}

// faults writes a table of faults.
func (t *talk) faults(faults []status.GateFault, gates bool) {
	rows := table{columns: []column{
		{title: "GATE", optional: true},
		{title: "ID"},
		{title: "WHERE"},
		{title: "FAULT"},
		{title: "FIRED", right: true},
		{title: "LAST", optional: true},
		{title: "UNTIL", optional: true},
		{title: "BY", optional: true},
	}}
	for _, f := range faults {
		gate := ""
		if gates {
			gate = safe(f.Gate)
		}
		row := plain(gate, safe(f.ID), whereText(f.Fault), safe(f.Text), fmt.Sprint(f.Hits), lastText(f.Fault), untilText(f.Fault), safe(f.By))
		row[1].paint = t.paint.bold
		if f.Hits == 0 {
			row[4].paint = t.paint.yellow
		}
		rows.rows = append(rows.rows, row)
	}
	rows.writeFit(t.out, t.paint)
}

// faultName returns a fault as it is written, with its id if that tells more than its kind.
func faultName(id, kind, text string) string {
	if id == "" || id == kind {
		return safe(text)
	}
	return fmt.Sprintf("%s (%s)", safe(id), safe(text))
}

// whereText returns what a fault is imposed on.
func whereText(f status.Fault) string {
	if f.Conn != 0 {
		return fmt.Sprintf("%v of conn %d", f.Direction, f.Conn)
	}
	return f.Direction.String()
}

// lastText returns where a fault has fired last.
func lastText(f status.Fault) string {
	if f.LastHit == nil {
		return ""
	}
	return fmt.Sprintf("at %d of conn %d", f.LastHit.Offset, f.LastHit.Conn)
}

// untilText returns until when a fault is imposed.
func untilText(f status.Fault) string {
	var ends []string
	if !f.Till.IsZero() {
		ends = append(ends, "in "+left(f.Till))
	}
	if f.Lease != "" {
		ends = append(ends, "end of lease "+safe(f.Lease))
	}
	return strings.Join(ends, " or ")
}

// fault writes all about a fault.
func (t *talk) fault(f status.Fault) {
	fmt.Fprintf(t.out, "%s on %s, %s\n", t.paint.bold(faultName(f.ID, f.Kind, f.Text)), whereText(f), t.firedText(f))
	imposed := "imposed " + ago(f.Since)
	if f.By != "" {
		imposed += " by " + safe(f.By)
	}
	if until := untilText(f); until != "" {
		imposed += ", until " + until
	}
	fmt.Fprintln(t.out, strings.Replace(imposed, "until in", "lifted in", 1))
	if f.LastHit != nil {
		fmt.Fprintf(t.out, "last hit %s at %d of conn %d, for %s\n", ago(f.LastHit.Time), f.LastHit.Offset, f.LastHit.Conn, size(f.LastHit.Bytes))
	}
	t.offsets(f)
}

// offsets says from where a fault holds on the connections that there were.
func (t *talk) offsets(f status.Fault) {
	if len(f.Offsets) == 0 {
		return
	}
	const most = 5 // connections that are named
	var texts []string
	for i, o := range f.Offsets {
		if i == most {
			texts = append(texts, fmt.Sprintf("%d more", len(f.Offsets)-most))
			break
		}
		texts = append(texts, fmt.Sprintf("%d of conn %d", o.Offset, o.Conn))
	}
	fmt.Fprintf(t.out, "%s holds from %s\n", safe(f.ID), strings.Join(texts, ", "))
}

// firedText returns how often a fault has fired.
func (t *talk) firedText(f status.Fault) string {
	if f.Hits == 0 {
		return t.paint.yellow("never fired")
	}
	return "fired " + plural(f.Hits, "time")
}

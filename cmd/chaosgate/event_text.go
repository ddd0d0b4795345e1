package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// A narrator writes what happens at gates as lines for people.
type narrator struct {
	out   io.Writer
	paint paint
	width int                            // of the column that says whom it is about
	texts map[[2]string]string           // by gate and id, how faults are written; may be nil
	udp   func(gate string) (isUDP bool) // tells whether a gate carries datagrams
}

// tell writes what has happened to whom: a gate, or a connection.
func (n *narrator) tell(at time.Time, who, what string) {
	n.width = max(n.width, utf8.RuneCountInString(who))
	pad := strings.Repeat(" ", n.width-utf8.RuneCountInString(who))
	fmt.Fprintf(n.out, "%s  %s%s  %s\n", n.paint.dim(at.Local().Format("15:04:05.000")), who, pad, what)
}

// what returns what has happened.
func (n *narrator) what(e status.Event) string {
	p := n.paint
	switch e.Type {
	case chaos.EventStarted:
		return "listening on " + p.bold(safe(e.Addr))
	case chaos.EventStopped:
		return p.yellow("stopped")
	case status.EventCreated:
		return "created for " + safe(e.Server)
	case status.EventRemoved:
		return "removed"
	case chaos.EventDoor:
		return n.door(e)
	case chaos.EventImposed, chaos.EventChanged:
		return fmt.Sprintf("%s %s %s", way(e), p.yellow(n.fault(e)), e.Type)
	case chaos.EventLifted:
		return fmt.Sprintf("%s %s lifted, %s", way(e), n.fault(e), n.fired(value(e.Hits)))
	case chaos.EventFired:
		return n.firing(e)
	case chaos.EventOpened:
		return "opened from " + safe(e.Addr)
	case chaos.EventClosed:
		return n.closed(e)
	case chaos.EventDialError:
		return p.red("server unreachable: ") + safe(e.Err)
	case chaos.EventAcceptError:
		return p.red("cannot accept: ") + safe(e.Err)
	case chaos.EventFailed:
		return p.red(safe(n.fault(e))+" failed: ") + safe(e.Err)
	case status.EventLeased:
		return "made"
	case status.EventExpired, status.EventEnded:
		return "ended"
	case status.EventLost:
		return p.red(n.lost(e))
	default: // a newer daemon's
		return strings.TrimSuffix(safe(string(e.Type))+": "+safe(e.Err), ": ")
	}
}

// way returns the direction of an event's fault.
func way(e status.Event) string {
	if e.Direction == nil {
		return "?"
	}
	return e.Direction.String()
}

// value returns the number that a pointer points to, or 0.
func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// fault returns the fault that an event is about, as it is written, with its id if that tells more than its kind.
func (n *narrator) fault(e status.Event) string {
	at := [2]string{e.Gate, e.Fault}
	if e.Text != "" && n.texts != nil {
		n.texts[at] = e.Text
	}
	return faultName(e.Fault, e.Kind, cmp.Or(e.Text, n.texts[at], e.Kind))
}

// fired returns how often a fault has fired.
func (n *narrator) fired(hits int64) string {
	if hits == 0 {
		return n.paint.yellow("never fired")
	}
	return "fired " + plural(hits, "time")
}

// door returns how a gate receives connections now.
func (n *narrator) door(e status.Event) string {
	if e.Door == nil {
		return "door"
	}
	text := "door " + e.Door.String()
	if *e.Door == chaos.Open {
		return text
	}
	return n.paint.yellow(text)
}

// firing returns what a fault has done.
func (n *narrator) firing(e status.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", way(e), n.paint.yellow(n.fault(e)+" fired"))
	if value(e.Hits) > 1 {
		fmt.Fprintf(&b, " %d times, last", *e.Hits)
	}
	offset, bytes := value(e.Offset), value(e.Bytes)
	switch {
	case n.udp(e.Gate):
		fmt.Fprintf(&b, " at datagram %d, for %s", offset, size(bytes))
	case bytes > 0:
		fmt.Fprintf(&b, " at byte %d, for %s", offset, size(bytes))
	case strings.HasSuffix(cmp.Or(e.Text, n.texts[[2]string{e.Gate, e.Fault}], e.Kind), "stall"): // it leaves bytes unread, the stream goes on
		fmt.Fprintf(&b, " at byte %d", offset)
	default: // it has met the end of the stream, or made it
		fmt.Fprintf(&b, " at the end, byte %d", offset)
	}
	return b.String()
}

// closed returns how a connection has ended.
func (n *narrator) closed(e status.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "closed by %s", safe(e.Ended))
	if e.How != nil {
		fmt.Fprintf(&b, " (%v)", *e.How)
	}
	if e.Age > 0 {
		fmt.Fprintf(&b, " after %s", short(time.Duration(e.Age*float64(time.Second))))
	}
	amount := func(bytes, datagrams int64) string { return amountText(n.udp(e.Gate), bytes, datagrams) }
	fmt.Fprintf(&b, ", %s to server, %s to client", amount(value(e.ToServer), e.DatagramsToServer), amount(value(e.ToClient), e.DatagramsToClient))
	if dropped := value(e.Dropped); dropped > 0 {
		fmt.Fprintf(&b, ", %s dropped", size(dropped))
	}
	if e.Err != "" {
		b.WriteString(": " + safe(e.Err))
	}
	return b.String()
}

// lost returns that events were lost.
func (n *narrator) lost(e status.Event) string {
	if e.Lost > 0 {
		return plural(e.Lost, "event") + " lost"
	}
	return "events lost: " + safe(e.Err)
}

// amountText returns what was delivered: bytes, and of datagrams their number.
func amountText(udp bool, bytes, datagrams int64) string {
	if !udp {
		return size(bytes)
	}
	return plural(datagrams, "datagram") + " (" + size(bytes) + ")"
}

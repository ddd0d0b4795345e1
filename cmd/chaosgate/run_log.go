package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A gateLog writes what happens at a gate. Its methods text and json are observers; one goroutine calls them, so
// nothing is locked.
type gateLog struct {
	out   io.Writer
	paint paint
	gate  spec.Gate
}

// text writes an event as a line for people.
func (l *gateLog) text(e chaos.Event) {
	switch e.Type {
	case chaos.EventStarted:
		l.introduce(e)
		return
	case chaos.EventImposed, chaos.EventLifted: // the introduction and the summary say it better
		return
	case chaos.EventClosed:
		if e.By == "dial" { // it was never open, and why has been said
			return
		}
	}
	who := "gate"
	if e.Conn != 0 {
		who = fmt.Sprintf("conn %d", e.Conn)
	}
	n := l.narrator()
	n.tell(e.Time, who, n.what(l.status(e)))
}

// narrator returns what puts events into words.
func (l *gateLog) narrator() *narrator {
	const width = 8 // room for 999 connections
	return &narrator{out: l.out, paint: l.paint, width: width, udp: func(string) bool { return l.datagrams() }}
}

// status returns an event as a daemon would tell it, as far as words are made of it.
func (l *gateLog) status(e chaos.Event) status.Event {
	s := status.Event{
		Time: e.Time, Type: e.Type, Conn: e.Conn, Addr: e.Addr, Ended: e.By, Err: e.Err, Direction: &e.Direction, Door: &e.Door, How: &e.How,
		Hits: &e.Hits, Offset: &e.Offset, Bytes: &e.Bytes, Dropped: &e.Bytes, ToServer: &e.ToServer, ToClient: &e.ToClient,
		DatagramsToServer: e.DatagramsToServer, DatagramsToClient: e.DatagramsToClient, Age: e.Age.Seconds(),
	}
	if e.Fault != "" {
		s.Kind, s.Text = e.Fault, l.fault(e)
	}
	return s
}

// introduce writes what the gate is.
func (l *gateLog) introduce(e chaos.Event) {
	fmt.Fprintf(l.out, "listening on %s for %s, seed %v\n", l.paint.bold(safe(e.Addr)), safe(l.gate.Server), l.gate.Seed)
	for way, faults := range [...]spec.Entries{l.gate.ToServer, l.gate.ToClient} {
		for _, e := range faults {
			fmt.Fprintf(l.out, "%v: %s\n", chaos.Direction(way), spec.Text(e.Fault))
		}
	}
}

// fault returns the fault that an event is about, as it was written.
func (l *gateLog) fault(e chaos.Event) string {
	faults := l.gate.ToServer
	if e.Direction == chaos.ToClient {
		faults = l.gate.ToClient
	}
	if e.Ordinal < len(faults) { // what is imposed at the start is numbered in its order, and stays
		return spec.Text(faults[e.Ordinal].Fault)
	}
	return e.Fault
}

// An eventJSON is an event as a JSON object. What does not belong to an event's type is left out.
type eventJSON struct {
	Seq       uint64           `json:"seq,omitzero"`
	Time      time.Time        `json:"time"`
	Type      chaos.EventType  `json:"type"`
	Addr      string           `json:"addr,omitzero"`
	Gate      *spec.Gate       `json:"gate,omitzero"`
	Conn      uint64           `json:"conn,omitzero"`
	Direction *chaos.Direction `json:"direction,omitzero"`
	Fault     string           `json:"fault,omitzero"`
	Ordinal   *int             `json:"ordinal,omitzero"`
	Hits      *int64           `json:"hits,omitzero"`
	Offset    *int64           `json:"offset,omitzero"`
	Bytes     *int64           `json:"bytes,omitzero"`
	Age       string           `json:"age,omitzero"`
	ToServer  *int64           `json:"to_server,omitzero"`
	ToClient  *int64           `json:"to_client,omitzero"`
	Datagrams *[2]int64        `json:"datagrams,omitzero"` // to the server, to the client
	Dropped   *int64           `json:"dropped,omitzero"`
	By        string           `json:"by,omitzero"`
	How       *chaos.End       `json:"how,omitzero"`
	Door      *chaos.Door      `json:"door,omitzero"`
	Err       string           `json:"error,omitzero"`
}

// json writes an event as a JSON object on a line.
func (l *gateLog) json(e chaos.Event) {
	j := eventJSON{Seq: e.Seq, Time: e.Time, Type: e.Type, Addr: e.Addr, Conn: e.Conn, Fault: e.Fault, By: e.By, Err: e.Err}
	if e.Fault != "" {
		j.Direction, j.Ordinal = &e.Direction, &e.Ordinal
	}
	switch e.Type {
	case chaos.EventStarted:
		j.Gate = &l.gate
	case chaos.EventDoor:
		j.Door = &e.Door
	case chaos.EventFired:
		j.Hits, j.Offset, j.Bytes = &e.Hits, &e.Offset, &e.Bytes
	case chaos.EventLifted:
		j.Hits = &e.Hits
	case chaos.EventClosed:
		j.ToServer, j.ToClient, j.Dropped, j.How, j.Age = &e.ToServer, &e.ToClient, &e.Bytes, &e.How, e.Age.String()
		if l.datagrams() {
			j.Datagrams = &[2]int64{e.DatagramsToServer, e.DatagramsToClient}
		}
	}
	l.write(j)
}

// write writes a value as JSON on a line.
func (l *gateLog) write(value any) {
	line, err := json.Marshal(value)
	if err != nil { // no value here can fail; if one does, the reader should know what is missing
		line = fmt.Appendf(nil, `{"type":"unwritable","error":%q}`, err)
	}
	fmt.Fprintf(l.out, "%s\n", line)
}

// datagrams reports whether the gate carries datagrams.
func (l *gateLog) datagrams() bool { return strings.HasPrefix(l.gate.Network, "udp") }

// amount returns what was delivered: bytes, and of datagrams their number.
func (l *gateLog) amount(bytes, datagrams int64) string {
	return amountText(l.datagrams(), bytes, datagrams)
}

// size returns a number of bytes with a unit fit for it.
func size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for value >= 1<<10 && unit < len("KMGTPE")-1 {
		value, unit = value/(1<<10), unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTPE"[unit])
}

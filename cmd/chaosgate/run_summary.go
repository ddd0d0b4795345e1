package main

import (
	"fmt"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// A summary is what a gate has done until it was closed.
type summary struct {
	took     time.Duration
	stats    chaos.Stats
	doorHits int64
	faults   []faultHits
}

// A faultHits is how often a fault has fired.
type faultHits struct {
	way  chaos.Direction
	text string
	hits int64
}

// sum writes a summary.
func (l *gateLog) sum(s summary, out output) {
	if out == outputJSON {
		l.sumJSON(s)
		return
	}
	st := s.stats
	fmt.Fprintf(l.out, "\n%s in %s; %s to server, %s to client", plural(st.Accepted, l.noun()), short(s.took),
		l.amount(st.ToServer, st.DatagramsToServer), l.amount(st.ToClient, st.DatagramsToClient))
	if st.Dropped > 0 {
		fmt.Fprintf(l.out, ", %s dropped", size(st.Dropped))
	}
	fmt.Fprintln(l.out)
	for _, trouble := range troubles(status.Stats{
		DialErrors: st.DialErrors, AcceptErrors: st.AcceptErrors, Refused: st.Refused, Overflowed: st.Overflowed,
		KernelDrops: st.KernelDrops, SendErrors: st.SendErrors, EventsLost: st.EventsLost,
	}) {
		fmt.Fprintln(l.out, l.paint.red(trouble))
	}
	if l.gate.Door != chaos.Open {
		fmt.Fprintf(l.out, "door       %-40v %s\n", l.gate.Door, l.fired(s.doorHits, l.gate.Door == chaos.Refuse))
	}
	for _, f := range s.faults {
		fmt.Fprintf(l.out, "%-9v  %-40s %s\n", f.way, f.text, l.fired(f.hits, false))
	}
}

// troubles returns what has gone wrong at a gate.
func troubles(s status.Stats) (lines []string) {
	for _, c := range []struct {
		n    int64
		what string
	}{
		{s.DialErrors, "time the server could not be reached"},
		{s.AcceptErrors, "accept error"},
		{s.Refused, "time the server's host said that nobody listens"},
		{s.Overflowed, "datagram thrown away, the gate's memory was full"},
		{s.KernelDrops, "datagram dropped by the kernel, a receive buffer was full"},
		{s.SendErrors, "datagram that the kernel did not send"},
		{s.EventsLost, "event not shown, the output is too slow"},
	} {
		if c.n > 0 {
			lines = append(lines, plural(c.n, c.what))
		}
	}
	return lines
}

// noun returns what the gate's connections are called.
func (l *gateLog) noun() string {
	if l.datagrams() {
		return "session"
	}
	return "connection"
}

// fired returns how often something has fired, if that can be known.
func (l *gateLog) fired(hits int64, unseen bool) string {
	switch {
	case unseen:
		return "whom the kernel refuses is not seen"
	case hits == 0:
		return l.paint.yellow("never fired")
	default:
		return "fired " + plural(hits, "time")
	}
}

// sumJSON writes a summary as a JSON object.
func (l *gateLog) sumJSON(s summary) {
	type fault struct {
		Direction chaos.Direction `json:"direction"`
		Fault     string          `json:"fault"`
		Hits      int64           `json:"hits"`
	}
	object := struct {
		Time         time.Time        `json:"time"`
		Type         string           `json:"type"`
		Took         string           `json:"took"`
		Connections  int64            `json:"connections"`
		Closed       map[string]int64 `json:"closed"`
		DialErrors   int64            `json:"dial_errors"`
		AcceptErrors int64            `json:"accept_errors"`
		EventsLost   int64            `json:"events_lost"`
		ToServer     int64            `json:"to_server"`
		ToClient     int64            `json:"to_client"`
		Dropped      int64            `json:"dropped"`
		Datagrams    *datagramSums    `json:"datagrams,omitzero"`
		DoorHits     int64            `json:"door_hits"`
		Faults       []fault          `json:"faults"`
	}{
		Time: time.Now(), Type: "summary", Took: s.took.String(), Connections: s.stats.Accepted, Closed: s.stats.Closed,
		DialErrors: s.stats.DialErrors, AcceptErrors: s.stats.AcceptErrors, EventsLost: s.stats.EventsLost,
		ToServer: s.stats.ToServer, ToClient: s.stats.ToClient, Dropped: s.stats.Dropped, DoorHits: s.doorHits, Faults: []fault{},
	}
	if st := s.stats; l.datagrams() {
		object.Datagrams = &datagramSums{st.DatagramsToServer, st.DatagramsToClient, st.Lost, st.Overflowed, st.KernelDrops, st.Refused, st.SendErrors}
	}
	for _, f := range s.faults {
		object.Faults = append(object.Faults, fault{f.way, f.text, f.hits})
	}
	l.write(object)
}

// datagramSums is what became of datagrams: delivered, thrown away by faults, by the gate, by the kernel; and what was heard of the server.
type datagramSums struct {
	ToServer    int64 `json:"to_server"`
	ToClient    int64 `json:"to_client"`
	Lost        int64 `json:"lost"`
	Overflowed  int64 `json:"overflowed"`
	KernelDrops int64 `json:"kernel_drops"`
	Refused     int64 `json:"refused"`
	SendErrors  int64 `json:"send_errors"`
}

// plural returns a number with its noun.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	first, rest := noun, ""
	for i, r := range noun {
		if r == ' ' {
			first, rest = noun[:i], noun[i:]
			break
		}
	}
	return fmt.Sprintf("%d %ss%s", n, first, rest)
}

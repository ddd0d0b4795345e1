package hub

import (
	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// created returns the event that tells of a new gate.
func (g *gate) created() status.Event {
	return status.Event{Type: status.EventCreated, Gate: g.name, Addr: g.gate.Addr(), Server: g.asked.Server, Lease: g.lease, By: g.by}
}

// observe tells all who read events what the library tells, with what the hub knows of it. It runs on one goroutine of the gate's.
func (g *gate) observe(e chaos.Event) {
	out := status.Event{Time: e.Time, Type: e.Type, Gate: g.name, Conn: e.Conn, Addr: e.Addr, Err: e.Err}
	if e.Seq != g.told+1 {
		g.hub.events.add(status.Event{Type: status.EventLost, Gate: g.name, Lost: int64(e.Seq - g.told - 1)})
		g.sweep()
	}
	g.told = e.Seq
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.Fault != "" {
		g.describe(&out, e)
	}
	switch e.Type {
	case chaos.EventStarted:
		if e.Seq > 1 || g.asked.Stopped {
			return // who has had it start has told so
		}
		begun := g.created()
		begun.Time = e.Time
		g.hub.events.add(begun)
		out.By = g.by
	case chaos.EventDoor:
		if e.Seq > 2 || g.asked.Stopped { // behind started: that of the beginning
			return
		}
		door := e.Door // whose copy is kept, not all of e with it
		out.Door, out.By = &door, g.by
	case chaos.EventStopped:
		return
	case chaos.EventOpened:
		out.Took = e.Took.Seconds()
		g.dials.add(e.Took)
	case chaos.EventDialError:
		if out.Took = e.Took.Seconds(); e.Took > 0 {
			g.dials.add(e.Took)
		}
	case chaos.EventClosed:
		kept := struct {
			toServer, toClient, dropped int64
			how                         chaos.End
		}{e.ToServer, e.ToClient, e.Bytes, e.How}
		out.ToServer, out.ToClient, out.Dropped, out.How = &kept.toServer, &kept.toClient, &kept.dropped, &kept.how
		out.Ended, out.Age = e.By, e.Age.Seconds()
		out.DatagramsToServer, out.DatagramsToClient = e.DatagramsToServer, e.DatagramsToClient
		if e.By == "gate" {
			out.By = g.closers[e.Conn]
		}
		delete(g.closers, e.Conn)
		for _, f := range g.faults {
			if f.conn != nil && f.conn.Ordinal() == e.Conn && f.conn.Info().State == chaos.Closed {
				g.forget(f)
			}
		}
	}
	g.hub.events.add(out)
}

// describe adds to an event what is known of its fault. g.mu guards it, and is let go while the fault is being imposed: who does that
// notes what it is as soon as it is.
func (g *gate) describe(out *status.Event, e chaos.Event) {
	f := g.faults[e.Imposed]
	for ; f == nil && g.changing > 0; f = g.faults[e.Imposed] {
		g.settled.Wait()
	}
	out.Direction, out.Kind = &e.Direction, e.Fault
	switch e.Type {
	case chaos.EventFired:
		out.Hits, out.Offset, out.Bytes = &e.Hits, &e.Offset, &e.Bytes
		g.hits[HitKey{e.Direction, e.Fault}] += e.Hits
	case chaos.EventLifted:
		out.Hits = &e.Hits
	}
	if f == nil {
		return
	}
	out.Fault = f.id
	if out.Conn == 0 && e.Type != chaos.EventFired {
		out.Conn = f.number()
	}
	switch e.Type {
	case chaos.EventImposed:
		out.Text, out.By, out.Lease = f.status(false).Text, f.by, f.lease
	case chaos.EventChanged:
		out.Text, out.By, out.Lease = f.status(false).Text, f.why.by, f.lease
	case chaos.EventLifted:
		out.By, out.Because, out.Lease = f.why.by, f.why.because, f.lease
		g.forget(f)
	}
}

// sweep forgets the faults whose events were lost.
func (g *gate) sweep() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.faults {
		if f.lifted {
			g.forget(f)
		}
	}
}

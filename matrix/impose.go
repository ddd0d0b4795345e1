package matrix

import (
	"context"
	"fmt"
	"time"

	"github.com/chaosgate/chaos"
)

// An imposition is a condition at work on a gate.
type imposition struct {
	gate    *chaos.Gate
	door    chaos.Door
	imposed []*chaos.Imposed
	ended   int64 // connections that were ended once
}

// flows returns the flows of a direction, with their directions.
func (b *bench) flows(d Direction) map[chaos.Direction]*chaos.Flow {
	flows := map[chaos.Direction]*chaos.Flow{chaos.ToServer: &b.gate.ToServer, chaos.ToClient: &b.gate.ToClient}
	switch d {
	case ToServer:
		delete(flows, chaos.ToClient)
	case ToClient:
		delete(flows, chaos.ToServer)
	}
	return flows
}

// impose imposes a cell's condition, behind what is imposed already.
func (b *bench) impose(base Baseline, c plannedCell) (*imposition, error) {
	i := &imposition{gate: b.gate, door: c.condition.Door}
	switch end := c.condition.End; {
	case i.door != chaos.Open:
		// The door first, or a client that is quick gets in again.
		if err := b.gate.SetDoor(i.door); err != nil {
			return nil, fmt.Errorf("door %v: %w", i.door, err)
		}
		b.end(chaos.FullClose)
	case end != chaos.More && c.moment == Connecting:
		i.imposed = append(i.imposed, b.gate.ToClient.Add(chaos.Close{Reset: end == chaos.RST}))
	case end != chaos.More:
		i.ended = b.end(end)
	default:
		for d, flow := range b.flows(c.direction) {
			faults := c.condition.faults(base, d)
			if err := chaos.Check(b.gate.Network, faults...); err != nil { // of a scaled condition nobody has asked yet
				return nil, fmt.Errorf("condition %s: %w", c.condition.Name, err)
			}
			for _, f := range faults {
				i.imposed = append(i.imposed, flow.Add(f))
			}
		}
	}
	return i, nil
}

// end ends all connections and waits until nothing is left of them: lifted before, a delay would give up what it holds back.
func (b *bench) end(how chaos.End) int64 {
	conns, ended := b.gate.Conns(), 0
	if how == chaos.RST {
		ended = b.gate.ResetConns(chaos.All)
	} else {
		ended = b.gate.CloseConns(chaos.All)
	}
	until := time.Now().Add(time.Second)
	for _, c := range conns {
		for c.Info().State != chaos.Closed && time.Now().Before(until) {
			wait(context.Background(), time.Millisecond, nil)
		}
	}
	return int64(ended)
}

// fired returns how often the condition has made a difference. Whom Refuse refuses the gate cannot see, so that is told by the
// attempts that have failed.
func (i *imposition) fired(failed int) int64 {
	n := i.ended
	for _, imposed := range i.imposed {
		n += imposed.Hits()
	}
	switch i.door {
	case chaos.Hold, chaos.Blackhole:
		n += i.gate.DoorHits()
	case chaos.Refuse:
		n += int64(failed)
	}
	return n
}

// ripen waits until the condition has fired, for so long at most.
func (i *imposition) ripen(ctx context.Context, most time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for ctx.Err() == nil && i.fired(0) == 0 {
		wait(ctx, time.Millisecond, nil)
	}
}

// hold has the gate keep what goes one way once half of what an exchange moves has passed, so that a condition can be imposed in the
// middle; or, if early, from the first byte on. What is kept meets the faults that are imposed behind; or, if connections
// are to be ended, it is lost with them.
func (b *bench) hold(base Baseline, c plannedCell, early bool) *chaos.Imposed {
	way, flow := chaos.ToClient, &b.gate.ToClient
	if c.direction == ToServer {
		way, flow = chaos.ToServer, &b.gate.ToServer
	}
	var keep chaos.Fault = chaos.Stall{}
	if c.condition.whole() {
		keep = chaos.Delay{By: time.Hour} // a connection that ends lets go what is stalled, and drops what is not due
	}
	half := base.bytes(way) / max(1, base.Conns) / 2
	if early || half == 0 {
		return flow.Add(keep)
	}
	return flow.Add(chaos.After{Bytes: half, Fault: keep})
}

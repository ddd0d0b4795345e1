//go:build linux

package realservers

import (
	"time"

	"github.com/chaosgate/chaos"
)

// A datagramCondition is what a network may do to datagrams, and those who use them must bear.
type datagramCondition struct {
	name     string
	faults   []chaos.Fault // imposed both ways
	toClient []chaos.Fault // imposed one way only, behind them
}

var datagramConditions = []datagramCondition{
	{name: "nothing imposed"},
	{name: "loss", faults: []chaos.Fault{loss}},
	{name: "duplication", faults: []chaos.Fault{duplication}},
	{name: "reordering", faults: []chaos.Fault{reordering}},
	{name: "delay with jitter", faults: []chaos.Fault{jitter}},
	// Where packets are lost the speed follows from the round trip: a delay both ways would halve it.
	{name: "all at once", faults: []chaos.Fault{loss, duplication, reordering}, toClient: []chaos.Fault{jitter}},
}

var (
	loss        = chaos.Lose{Chance: 0.05}
	duplication = chaos.Duplicate{Chance: 0.02}
	reordering  = chaos.Reorder{Chance: 0.05, Gap: 3}
	jitter      = chaos.Delay{By: 20 * time.Millisecond, Jitter: 10 * time.Millisecond}
)

// impose imposes the condition, and returns all faults that it has.
func (c datagramCondition) impose(g *chaos.Gate) []*chaos.Imposed {
	imposed := impose(g, c.faults...)
	for _, f := range c.toClient {
		imposed = append(imposed, g.ToClient.Add(f))
	}
	return imposed
}

// firstOfAll loses the first datagram that a gate passes one way. A client that asks again from another port has another session, which
// Lose alone would begin to count anew.
var firstOfAll = chaos.Only{First: 1, Fault: chaos.Lose{List: "1"}}

// lossesOfDig are losses after which dig must ask again.
var lossesOfDig = []struct {
	name   string
	impose func(g *chaos.Gate) *chaos.Imposed
}{
	{"the first question", func(g *chaos.Gate) *chaos.Imposed { return g.ToServer.Add(firstOfAll) }},
	{"the first answer", func(g *chaos.Gate) *chaos.Imposed { return g.ToClient.Add(firstOfAll) }},
}

// moves are what changes the port from which the server sees a client come.
var moves = []struct {
	name string
	do   func(g *chaos.Gate) []*chaos.Imposed
	same bool // the session is the same afterwards
}{
	{name: "rebind", same: true, do: func(g *chaos.Gate) []*chaos.Imposed {
		return []*chaos.Imposed{g.ToServer.Add(chaos.Rebind{})}
	}},
	{name: "rebind on the way to the client", same: true, do: func(g *chaos.Gate) []*chaos.Imposed {
		return []*chaos.Imposed{g.ToClient.Add(chaos.Rebind{})}
	}},
	{name: "as when a NAT restarts", do: func(g *chaos.Gate) []*chaos.Imposed {
		g.CloseConns(chaos.All)
		return nil
	}},
}

package hub

import (
	"maps"
	"slices"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// Figures are a gate's figures at one moment. But for what a gate has now, they only grow.
type Figures struct {
	Gate, Network, Listen, Server string
	Since                         time.Time // when the gate was created: another of the same name counts anew
	Stats                         chaos.Stats
	Hits                          map[HitKey]int64 // also of faults that were lifted
	Dials                         DialTimes
}

// A HitKey is what hits are counted by.
type HitKey struct {
	Direction chaos.Direction
	Kind      string
}

// DialTimes tell how long it took to reach the server.
type DialTimes struct {
	Bounds []float64 // in seconds, rising
	Counts []uint64  // by bound: how often it took that long at most
	Count  uint64
	Sum    float64 // in seconds
}

// dialBounds reach from a server beside the gate to a dial that is given up.
var dialBounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// dialTimes is a DialTimes while it grows: counts are of each interval by itself.
type dialTimes struct {
	counts [16]uint64 // as many as bounds
	count  uint64
	sum    float64
}

func (d *dialTimes) add(took time.Duration) {
	seconds := took.Seconds()
	d.count++
	d.sum += seconds
	if at, _ := slices.BinarySearch(dialBounds, seconds); at < len(d.counts) {
		d.counts[at]++
	}
}

func (d *dialTimes) times() DialTimes {
	t := DialTimes{Bounds: dialBounds, Counts: make([]uint64, len(dialBounds)), Count: d.count, Sum: d.sum}
	sum := uint64(0)
	for i, n := range d.counts {
		sum += n
		t.Counts[i] = sum
	}
	return t
}

// Figures returns the figures of all gates, sorted by name.
func (h *Hub) Figures() []Figures {
	var all []Figures
	for _, g := range h.all() {
		f := Figures{Gate: g.name, Network: g.asked.Network, Listen: g.address(), Server: g.asked.Server, Since: g.since, Stats: g.gate.Stats()}
		g.mu.Lock()
		f.Hits, f.Dials = maps.Clone(g.hits), g.dials.times()
		g.mu.Unlock()
		all = append(all, f)
	}
	return all
}

// figures returns a gate's figures as they are told.
func figures(s chaos.Stats) status.Stats {
	told := status.Stats{
		Accepted: s.Accepted, Opened: s.Opened, Live: s.Live, Closed: s.Closed, DialErrors: s.DialErrors, AcceptErrors: s.AcceptErrors,
		ToServer: s.ToServer, ToClient: s.ToClient, Dropped: s.Dropped, Held: s.Held, WindowFull: s.WindowFull, EventsLost: s.EventsLost,
		DatagramsToServer: s.DatagramsToServer, DatagramsToClient: s.DatagramsToClient, Lost: s.Lost, Overflowed: s.Overflowed,
		KernelDrops: s.KernelDrops, Refused: s.Refused, SendErrors: s.SendErrors,
	}
	if told.Closed == nil {
		told.Closed = map[string]int64{}
	}
	return told
}

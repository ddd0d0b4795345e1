package main

import (
	"context"
	"fmt"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// A condition is something that a network or a peer does.
type condition struct {
	name string // in the words of those who meet it
	text string // as it is written on the command line of "chaosgate run", or the method in Go
	way  string // where it is imposed
	// impose brings the condition about and returns what counts how often it has made a difference.
	impose func(l *lab) (fired func() int64, err error)
	// provoke, if not nil, does what the condition waits for, beside the workload.
	provoke func(ctx context.Context, l *lab)
	pause   time.Duration // between the exchanges of the workload; workPause if zero
}

// demoConditions returns all conditions, in the order in which they are shown.
func demoConditions() []condition {
	var all []condition
	all = append(
		all,
		door("new clients must wait", chaos.Hold),
		door("new clients are refused", chaos.Refuse),
		door("connects are not answered", chaos.Blackhole),
		ending("all connections are closed", "gate.CloseConns(chaos.All)", (*chaos.Gate).CloseConns),
		ending("all connections are reset", "gate.ResetConns(chaos.All)", (*chaos.Gate).ResetConns),
	)
	for _, f := range []condition{
		{name: "whoever connects is closed", text: "close"},
		{name: "whoever connects is reset", text: "close reset"},
		{name: "the first byte closes", text: "close_on_data"},
		{name: "cut off after 1 KiB", text: "limit bytes=1KiB"},
		{name: "reset after 1 KiB", text: "limit bytes=1KiB reset"},
		{name: "connections live 150 ms", text: "lifetime for=150ms"},
		{name: "idle connections are closed", text: "idle for=60ms", pause: 120 * time.Millisecond},
		{name: "a goodbye comes late", text: "slow_close by=150ms", provoke: sayGoodbye},
		{name: "a side does not read", text: "stall"},
		{name: "a side reads, never answers", text: "discard"},
		{name: "a partition", text: "vanish"},
		{name: "everything comes late", text: "delay by=80ms jitter=20ms"},
		{name: "a thin line", text: "bandwidth rate=32KiB/s"},
		{name: "one byte at a time", text: "slice size=1B"},
		{name: "data comes in lumps", text: "concat size=64KiB within=80ms"},
		{name: "bytes are corrupted", text: "corrupt rate=0.1%"},
		{name: "words are replaced", text: `substitute pattern=cat with=dog`},
	} {
		for _, way := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
			all = append(all, f.on(way))
		}
	}
	return all
}

// on returns the condition as a fault on the traffic going one way.
func (c condition) on(way chaos.Direction) condition {
	c.way = way.String()
	text := c.text
	c.impose = func(l *lab) (func() int64, error) {
		faults, err := spec.ParseFaults(text)
		if err != nil {
			return nil, err
		}
		flow := &l.gate.ToServer
		if way == chaos.ToClient {
			flow = &l.gate.ToClient
		}
		imposed := flow.Set(faults...)
		return func() (hits int64) {
			for _, i := range imposed {
				hits += i.Hits()
			}
			return hits
		}, nil
	}
	return c
}

// door returns the condition in which new connections meet a door that is not open. Live connections would not
// notice, so they are closed first, as when a server restarts.
func door(name string, d chaos.Door) condition {
	return condition{
		name: name, text: "--door " + d.String(), way: "door",
		impose: func(l *lab) (func() int64, error) {
			if err := l.gate.SetDoor(d); err != nil {
				return nil, err
			}
			l.gate.CloseConns(chaos.All)
			if d == chaos.Refuse { // the gate cannot see whom the kernel refuses, but those refused can
				return func() int64 { return l.client.refused.Load() }, nil
			}
			return l.gate.DoorHits, nil
		},
	}
}

// ending returns the condition in which all connections end at once, again and again while the workload runs.
func ending(name, text string, end func(*chaos.Gate, int) int) condition {
	return condition{
		name: name, text: text, way: "both",
		impose: func(l *lab) (func() int64, error) {
			return func() int64 { return l.ended.Load() }, nil
		},
		provoke: func(ctx context.Context, l *lab) {
			again := time.NewTicker(workFor / 6) // some of them in the middle of an exchange, some between two
			defer again.Stop()
			for {
				select {
				case <-again.C:
					l.ended.Add(int64(end(l.gate, chaos.All)))
				case <-ctx.Done():
					return
				}
			}
		},
	}
}

// sayGoodbye opens two connections and has the client close one and the server the other, for without an end of
// stream there is nothing that could be late.
func sayGoodbye(ctx context.Context, l *lab) {
	client := newDemoClient(l.gate.Addr())
	client.redis.Ping(ctx)
	client.close()
	client = newDemoClient(l.gate.Addr())
	defer client.close()
	client.redis.Do(ctx, "QUIT")
	<-ctx.Done() // the client would close what the server is about to
}

// String names the condition with its direction, on one line.
func (c condition) String() string { return fmt.Sprintf("%s (%s)", c.text, c.way) }

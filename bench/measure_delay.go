package main

import (
	"context"
	"slices"
	"time"

	"github.com/chaosgate/chaos"
)

// faultPeers are the contenders whose faults are compared.
var faultPeers = []string{"gate", "drop-in", "toxiproxy"}

// delayError is about how late what is delayed is. It never fires early, says a figure that is not below 0.
func delayError() measurement {
	const by, apart = 20 * time.Millisecond, 3 * time.Millisecond
	const late, p99, early = "late ms p50", "late ms p99", "earliest ms"
	return measurement{
		name: "delay/error",
		about: "A Delay of 20 ms towards the server, and round trips of 64 bytes, 3 ms apart: how much longer each took than 20 ms and the " +
			"median without a fault, through the same contender. Those are 23 ms apart, so that the server has slept as long for both.",
		role:    "echo",
		who:     faultPeers,
		faults:  []fault{{}, {text: "delay by=20ms", toxic: `{"type": "latency", "attributes": {"latency": 20}}`, way: chaos.ToServer}},
		metrics: []string{late, p99, early},
		targets: []target{{metric: late, most: 0.15}, {metric: early, least: 0}},
		turn: func(ctx context.Context, t turn) (figures, error) {
			control, err := t.wires[0].spacedTrips(ctx, t.length, apart+by)
			if err != nil {
				return nil, err
			}
			delayed, err := t.wires[1].spacedTrips(ctx, t.length, apart)
			if err != nil {
				return nil, err
			}
			beyond := func(took time.Duration) float64 { return millis(took - by - percentile(control, 50)) }
			return figures{
				late:  beyond(percentile(delayed, 50)),
				p99:   beyond(percentile(delayed, 99)),
				early: millis(delayed[0] - by),
			}, nil
		},
	}
}

// spacedTrips does round trips with pauses, so that they meet a machine that was asleep, and returns how long each took,
// sorted.
func (w *wire) spacedTrips(ctx context.Context, length, apart time.Duration) ([]time.Duration, error) {
	open, err := w.open(ctx, 1, length)
	defer reset(open...)
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	buf := make([]byte, message)
	for start := time.Now(); time.Since(start) < length; {
		if err := pause(ctx, apart); err != nil {
			return nil, err
		}
		at := time.Now()
		if err := roundTrip(open[0], buf); err != nil {
			return nil, err
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	return took, nil
}

// delayThroughput is about what a delay costs a stream.
func delayThroughput() measurement {
	const window = 64 << 20 // bytes that a gate holds back of one direction of one connection, by default
	const by = 100 * time.Millisecond
	const pass, delayed, share = "MB/s without", "MB/s with 100 ms", "share"
	return measurement{
		name: "delay/throughput",
		about: "One connection sends as fast as it can, without a fault and under a Delay of 100 ms. The share is of the lesser of what passes " +
			"without, and the gate's window (64 MiB) divided by the delay.",
		role:    "sink",
		who:     faultPeers,
		faults:  []fault{{}, {text: "delay by=100ms", toxic: `{"type": "latency", "attributes": {"latency": 100}}`, way: chaos.ToServer}},
		metrics: []string{pass, delayed, share},
		targets: []target{{metric: share, least: 0.95}, {metric: delayed, than: []string{"toxiproxy"}, least: 1}},
		turn: func(ctx context.Context, t turn) (figures, error) {
			without, err := t.wires[0].upload(ctx, 1, t.length)
			if err != nil {
				return nil, err
			}
			with, err := t.wires[1].upload(ctx, 1, 2*t.length)
			if err != nil {
				return nil, err
			}
			f := figures{pass: rate(without), delayed: rate(with)}
			f[share] = f[delayed] / min(f[pass], window/1e6/by.Seconds())
			return f, nil
		},
	}
}

package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// roundTripTimes is about small messages.
func roundTripTimes() measurement {
	p50 := func(conns int) string { return fmt.Sprintf("p50 µs over %d", conns) }
	p99 := func(conns int) string { return fmt.Sprintf("p99 µs over %d", conns) }
	speed := func(conns int) string { return fmt.Sprintf("requests/s over %d", conns) }
	cost := func(conns int) string { return fmt.Sprintf("CPU µs/request over %d", conns) }
	const many = 64
	m := measurement{
		name: "roundtrip",
		about: "Messages of 64 bytes go there and back, one after the other on each connection, over 1 connection and over 64, " +
			"all of them opened anew five times in a turn.",
		role: "echo",
		targets: []target{
			{metric: p50(1), than: []string{"nginx"}, most: 1},
			{metric: p50(1), than: []string{"toxiproxy"}, most: 1},
			{metric: speed(many), than: []string{"haproxy"}, least: 1},
		},
		turn: func(ctx context.Context, t turn) (figures, error) {
			f := figures{}
			for _, conns := range []int{1, many} {
				var took []time.Duration
				var elapsed time.Duration
				cpu, err := t.wires[0].spent(func() (err error) {
					took, elapsed, err = t.wires[0].roundTripsAnew(ctx, conns, t.length)
					return err
				})
				if err != nil {
					return nil, err
				}
				f[p50(conns)], f[p99(conns)] = micros(percentile(took, 50)), micros(percentile(took, 99))
				f[speed(conns)] = float64(len(took)) / elapsed.Seconds()
				if t.wires[0].pid != 0 {
					f[cost(conns)] = micros(cpu) / float64(len(took))
				}
			}
			return f, nil
		},
	}
	for _, conns := range []int{1, many} {
		m.metrics = append(m.metrics, p50(conns), p99(conns), speed(conns), cost(conns))
	}
	return m
}

// roundTripsAnew does round trips with new connections every now and then, because where the kernel puts who serves a
// connection makes more of a difference than what serves it.
func (w *wire) roundTripsAnew(ctx context.Context, conns int, length time.Duration) (all []time.Duration, elapsed time.Duration, err error) {
	const times = 5
	for range times {
		took, e, err := w.roundTrips(ctx, conns, length/times)
		if err != nil {
			return nil, 0, err
		}
		all, elapsed = append(all, took...), elapsed+e
	}
	slices.Sort(all)
	return all, elapsed, nil
}

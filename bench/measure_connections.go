package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// connectionRate is about short connections.
func connectionRate() measurement {
	const speed, cost = "connections/s", "CPU µs/connection"
	return measurement{
		name: "connections",
		about: fmt.Sprintf("%d clients, each of which again and again opens a connection, sends 64 bytes, waits for them to come back, "+
			"and closes.", openers),
		role:    "echo",
		metrics: []string{speed, cost},
		targets: []target{
			{metric: speed, than: []string{"haproxy"}, least: 1},
			{metric: speed, than: []string{"toxiproxy"}, least: 2},
		},
		turn: func(ctx context.Context, t turn) (figures, error) {
			w := t.wires[0]
			var done atomic.Int64
			start := time.Now()
			cpu, err := w.spent(func() error {
				return together(openers, func(int) error {
					for {
						if err := w.visit(ctx); err != nil {
							return err
						}
						done.Add(1)
						if time.Since(start) >= t.length {
							return nil
						}
					}
				})
			})
			if err != nil {
				return nil, err
			}
			f := figures{speed: float64(done.Load()) / time.Since(start).Seconds()}
			if w.pid != 0 {
				f[cost] = micros(cpu) / float64(done.Load())
			}
			return f, nil
		},
	}
}

// visit opens a connection, does one round trip and closes.
func (w *wire) visit(ctx context.Context) error {
	c, err := dial(ctx, w.addr, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	return roundTrip(c, make([]byte, message))
}

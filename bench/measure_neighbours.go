package main

import (
	"context"
	"fmt"
)

// neighbours is about what connections that do nothing cost one that does.
func neighbours(s scale) measurement {
	alone := "p50 µs alone"
	beside := fmt.Sprintf("p50 µs beside %d", s.neighbours)
	share := "beside ÷ alone"
	return measurement{
		name:    "neighbours",
		about:   fmt.Sprintf("Round trips of 64 bytes over one connection, alone and beside %d idle ones.", s.neighbours),
		role:    "echo",
		many:    s.neighbours,
		metrics: []string{alone, beside, share},
		targets: []target{{metric: share, most: 1.1}},
		turn: func(ctx context.Context, t turn) (figures, error) {
			before, _, err := t.wires[0].roundTripsAnew(ctx, 1, t.length/2)
			if err != nil {
				return nil, err
			}
			idle, err := t.wires[0].open(ctx, s.neighbours, t.length)
			defer func() {
				reset(idle...)
				pause(ctx, s.settle) // the next contender is not to be measured while this one tidies up
			}()
			if err != nil {
				return nil, err
			}
			if err := pause(ctx, s.settle); err != nil {
				return nil, err
			}
			after, _, err := t.wires[0].roundTripsAnew(ctx, 1, t.length/2)
			if err != nil {
				return nil, err
			}
			f := figures{alone: micros(percentile(before, 50)), beside: micros(percentile(after, 50))}
			f[share] = f[beside] / f[alone]
			return f, nil
		},
	}
}

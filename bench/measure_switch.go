package main

import (
	"context"
	"strconv"
)

// switching is about what a change from nothing to nothing costs a stream.
func switching() measurement {
	const quiet, noisy, share, times = "MB/s without", "MB/s with", "with ÷ without", "switches/s"
	return measurement{
		name:    "switch",
		about:   "One connection sends as fast as it can, without and with both flows being set to nothing 10,000 times a second.",
		role:    "sink",
		who:     []string{"gate"},
		metrics: []string{quiet, noisy, share, times},
		targets: []target{{metric: share, least: 0.9}, {metric: times, least: 9500}},
		turn: func(ctx context.Context, t turn) (figures, error) {
			w := t.wires[0]
			without, err := w.upload(ctx, 1, t.length)
			if err != nil {
				return nil, err
			}
			if _, err := w.ask("switch 10000"); err != nil {
				return nil, err
			}
			with, err := w.upload(ctx, 1, t.length)
			if err != nil {
				return nil, err
			}
			answer, err := w.ask("unswitch")
			if err != nil {
				return nil, err
			}
			f := figures{quiet: rate(without), noisy: rate(with), share: rate(with) / rate(without)}
			f[times], err = strconv.ParseFloat(answer, 64)
			return f, err
		},
	}
}

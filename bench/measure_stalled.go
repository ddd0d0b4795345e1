package main

import (
	"context"
	"errors"
	"os"
	"time"
)

// stalledReader is about how late a writer feels that nobody reads.
func stalledReader() measurement {
	const absorbed = "MB absorbed"
	// A writer that could write nothing for this long has felt it.
	const felt = 300 * time.Millisecond
	return measurement{
		name:    "stalled",
		about:   "The server never reads: what a client can write until it blocks.",
		role:    "stall",
		rounds:  3,
		metrics: []string{absorbed},
		turn: func(ctx context.Context, t turn) (figures, error) {
			c, err := dial(ctx, t.wires[0].addr, 0)
			if err != nil {
				return nil, err
			}
			defer reset(c)
			var bytes int
			for {
				if err := c.SetWriteDeadline(time.Now().Add(felt)); err != nil {
					return nil, err
				}
				n, err := c.Write(payload()[:4<<10])
				bytes += n
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return figures{absorbed: float64(bytes) / 1e6}, ctx.Err()
				} else if err != nil {
					return nil, err
				}
			}
		},
	}
}

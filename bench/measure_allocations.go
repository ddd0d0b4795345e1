package main

import (
	"context"
	"fmt"
	"time"

	"github.com/chaosgate/chaos"
)

// allocations is about garbage.
func allocations() measurement {
	wires := []struct {
		metric string
		fault  fault
	}{
		{"pass", fault{}},
		{"delay", fault{text: "delay by=20ms", way: chaos.ToServer}},
		{"bandwidth", fault{text: "bandwidth rate=1GB/s", way: chaos.ToServer}},
		{"corrupt", fault{text: "corrupt rate=1%", way: chaos.ToServer}},
	}
	m := measurement{
		name:  "allocations",
		about: "Objects that are allocated for each MiB of a stream, in the midst of it. What is to be none is below 0.1: asking costs some, too.",
		role:  "sink",
		who:   []string{"gate"},
		turn: func(ctx context.Context, t turn) (figures, error) {
			f := figures{}
			for i, w := range t.wires {
				var err error
				if f[wires[i].metric], err = w.allocated(ctx, t.length); err != nil {
					return nil, fmt.Errorf("%s: %w", wires[i].metric, err)
				}
			}
			return f, nil
		},
	}
	for _, w := range wires {
		m.faults = append(m.faults, w.fault)
		m.metrics = append(m.metrics, w.metric)
		m.targets = append(m.targets, target{metric: w.metric, most: 0.1})
	}
	return m
}

// allocated returns how many objects a gate allocates for each MiB that it moves.
func (w *wire) allocated(ctx context.Context, length time.Duration) (float64, error) {
	length = max(length, 300*time.Millisecond) // or else what is delayed has not come yet
	ended := make(chan error, 1)               // with the load's end
	go func() {
		_, err := w.upload(ctx, 1, length)
		ended <- err
	}()
	var objects, bytes [2]int64
	for i, wait := range []time.Duration{length / 3, length / 2} {
		if err := pause(ctx, wait); err != nil {
			return 0, err
		}
		answer, err := w.ask("work")
		if err != nil {
			return 0, err
		}
		if _, err := fmt.Sscan(answer, &objects[i], &bytes[i]); err != nil {
			return 0, err
		}
	}
	return float64(objects[1]-objects[0]) / (float64(bytes[1]-bytes[0]) / (1 << 20)), <-ended
}

package main

import (
	"context"
	"fmt"
	"net"
	"time"
)

// idleCost is about connections on which nothing happens.
func idleCost(s scale) measurement {
	memory := func(n int) string { return fmt.Sprintf("KiB/connection at %d", n) }
	files := func(n int) string { return fmt.Sprintf("descriptors/connection at %d", n) }
	cpu := func(n int) string { return fmt.Sprintf("CPU %% at %d", n) }
	m := measurement{
		name: "idle",
		about: fmt.Sprintf("A fresh process, and more and more connections, each of which was used once and is then idle: what they cost in "+
			"memory (the proportional set size, so without the kernel's) and descriptors, and the processor time used while nothing "+
			"happens for %v.", s.rest),
		role:   "echo",
		fresh:  true,
		many:   s.idle[len(s.idle)-1],
		who:    []string{"gate", "chaosgate", "haproxy", "nginx", "drop-in", "toxiproxy"},
		rounds: 3,
		turn: func(ctx context.Context, t turn) (figures, error) {
			w, f := t.wires[0], figures{}
			if err := pause(ctx, s.settle); err != nil {
				return nil, err
			}
			before, fds, err := heldBy(w.pid)
			if err != nil {
				return nil, err
			}
			var all []*net.TCPConn
			defer func() { reset(all...) }()
			for _, n := range s.idle {
				more, err := w.open(ctx, n-len(all), s.rest)
				all = append(all, more...)
				if err != nil {
					return nil, err
				}
				if err := pause(ctx, s.settle); err != nil {
					return nil, err
				}
				used, err := w.spent(func() error { return pause(ctx, s.rest) })
				if err != nil {
					return nil, err
				}
				after, open, err := heldBy(w.pid)
				if err != nil {
					return nil, err
				}
				f[memory(n)] = float64(after-before) / 1024 / float64(n)
				f[files(n)] = float64(open-fds) / float64(n)
				f[cpu(n)] = 100 * used.Seconds() / s.rest.Seconds()
			}
			return f, nil
		},
	}
	for _, n := range s.idle {
		m.metrics = append(m.metrics, memory(n), files(n), cpu(n))
		m.targets = append(m.targets,
			target{metric: memory(n), most: 6}, target{metric: files(n), most: 2.01}, target{metric: cpu(n), most: 0.5})
	}
	return m
}

// pause waits, for it is what happens meanwhile that is measured.
func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(length):
		return nil
	}
}

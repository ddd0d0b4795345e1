package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
)

// changingToxics is about how long those who change something wait, when many connections are open.
func changingToxics(s scale) measurement {
	p50 := func(n int) string { return fmt.Sprintf("p50 ms on %d", n) }
	worst := func(n int) string { return fmt.Sprintf("worst ms on %d", n) }
	m := measurement{
		name: "toxics",
		about: "How long it takes to add a toxic, a latency, over HTTP and how long to remove it, in turns, while so many connections are open " +
			fmt.Sprintf("and idle. Worst is the longest of %d calls.", 2*s.sets),
		role: "echo",
		many: s.live[len(s.live)-1],
		turn: func(ctx context.Context, t turn) (figures, error) {
			f := figures{}
			var all []*net.TCPConn
			defer func() { reset(all...) }()
			for _, n := range s.live {
				more, err := t.wires[0].open(ctx, n-len(all), t.length)
				all = append(all, more...)
				if err != nil {
					return nil, err
				}
				took, err := t.wires[0].changes(ctx, s.sets)
				if err != nil {
					return nil, err
				}
				f[p50(n)], f[worst(n)] = millis(percentile(took, 50)), millis(took[len(took)-1])
			}
			return f, nil
		},
	}
	for _, n := range s.live {
		m.metrics = append(m.metrics, p50(n), worst(n))
		m.targets = append(m.targets, target{metric: p50(n), than: []string{"toxiproxy"}, most: 1})
	}
	return m
}

// changes adds and removes a toxic so many times over Toxiproxy's API, and returns how long each call took, sorted.
func (w *wire) changes(ctx context.Context, times int) (took []time.Duration, err error) {
	for range times {
		for _, call := range []struct{ method, path, body string }{
			{http.MethodPost, "/proxies/bench/toxics", `{"name": "late", "type": "latency", "attributes": {"latency": 1}}`},
			{http.MethodDelete, "/proxies/bench/toxics/late", ""},
		} {
			start := time.Now()
			if _, err := asked(ctx, call.method, w.api+call.path, []byte(call.body)); err != nil {
				return nil, err
			}
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	return took, nil
}

package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setting is about how long a change of a flow takes when many connections must obey it.
func setting(s scale) measurement {
	p50 := func(n int) string { return fmt.Sprintf("p50 ms on %d", n) }
	worst := func(n int) string { return fmt.Sprintf("worst ms on %d", n) }
	m := measurement{
		name: "set",
		about: "How long Set takes, with a Delay and without in turns, until every one of so many live, idle connections obeys it. " +
			"Worst is the longest of " + strconv.Itoa(s.sets) + " calls.",
		role: "echo",
		who:  []string{"gate"},
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
				took, err := t.wires[0].sets(s.sets)
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
	}
	m.targets = []target{{metric: p50(s.live[len(s.live)-1]), most: 50}}
	return m
}

// sets has a gate call Set so many times, and returns how long each call took, sorted.
func (w *wire) sets(n int) ([]time.Duration, error) {
	answer, err := w.ask(fmt.Sprint("set ", n))
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for field := range strings.FieldsSeq(answer) {
		ns, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return nil, err
		}
		took = append(took, time.Duration(ns))
	}
	slices.Sort(took)
	if len(took) == 0 {
		return nil, fmt.Errorf("got no durations of %d calls", n)
	}
	return took, nil
}

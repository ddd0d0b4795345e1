package main

import (
	"context"
	"fmt"
)

// crowd is how many connections share the machine where more than one are measured.
const crowd = 16

func bulkToServer() measurement {
	return bulk("bulk/to_server", "sink", "Clients send as fast as they can", (*wire).upload)
}

func bulkToClient() measurement {
	return bulk("bulk/to_client", "source", "The server sends as fast as it can", (*wire).download)
}

func bulk(name, role, about string, load stream) measurement {
	speed := func(conns int) string { return fmt.Sprintf("MB/s over %d", conns) }
	cost := func(conns int) string { return fmt.Sprintf("CPU s/GB over %d", conns) }
	m := measurement{
		name: name,
		role: role,
		about: about + fmt.Sprintf(", over 1 and over %d connections, in writes of 256 KiB. The rate is what the reader saw, from the first "+
			"byte to the last; the processor time is the proxy's own.", crowd),
		turn: func(ctx context.Context, t turn) (figures, error) {
			f := figures{}
			for _, conns := range []int{1, crowd} {
				spans, cpu, err := t.wires[0].streamed(ctx, load, conns, t.length)
				if err != nil {
					return nil, err
				}
				f[speed(conns)] = rate(spans)
				if t.wires[0].pid != 0 {
					f[cost(conns)] = cpu.Seconds() / (float64(total(spans)) / 1e9)
				}
			}
			return f, nil
		},
	}
	for _, conns := range []int{1, crowd} {
		m.metrics = append(m.metrics, speed(conns), cost(conns))
		m.targets = append(m.targets,
			target{metric: speed(conns), than: []string{"haproxy", "nginx"}, least: 1.25},
			target{metric: speed(conns), than: []string{"toxiproxy"}, least: 3},
			target{metric: cost(conns), than: []string{"haproxy", "nginx"}, most: 0.5})
	}
	m.targets = append(m.targets, target{metric: speed(crowd), own: speed(1), least: 1})
	return m
}

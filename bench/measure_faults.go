package main

import (
	"context"

	"github.com/chaosgate/chaos"
)

// slicing is about many small writes.
func slicing() measurement {
	return underFault("slice", "cut into writes of 64 bytes", 200, fault{
		text:  "slice size=64B",
		toxic: `{"type": "slicer", "attributes": {"average_size": 64, "size_variation": 0, "delay": 0}}`,
	})
}

// limiting is about counting.
func limiting() measurement {
	return underFault("limit", "counted against a limit that is never reached", 0, fault{
		text:  "limit bytes=1TiB",
		toxic: `{"type": "limit_data", "attributes": {"bytes": 1099511627776}}`,
	})
}

// passing is about a fault that does nothing.
func passing() measurement {
	return underFault("noop", "with a fault that does nothing", 0, fault{text: "delay by=0s", toxic: `{"type": "noop"}`})
}

// corrupting is about bytes that are changed, which Toxiproxy cannot do.
func corrupting() measurement {
	return underFault("corrupt", "with one byte in a hundred changed", 500, fault{text: "corrupt rate=1%"})
}

// underFault measures the speed of a stream with a fault. least is what it is to be; if 0 nothing was asked for.
func underFault(name, about string, least float64, f fault) measurement {
	const speed, cost = "MB/s", "CPU s/GB"
	f.way = chaos.ToServer
	m := measurement{
		name:    name,
		about:   "One connection sends as fast as it can, " + about + ": `" + f.text + "`.",
		role:    "sink",
		who:     faultPeers,
		faults:  []fault{f},
		metrics: []string{speed, cost},
		turn: func(ctx context.Context, t turn) (figures, error) {
			spans, cpu, err := t.wires[0].streamed(ctx, (*wire).upload, 1, t.length)
			if err != nil {
				return nil, err
			}
			return figures{speed: rate(spans), cost: cpu.Seconds() / (float64(total(spans)) / 1e9)}, nil
		},
	}
	if least > 0 {
		m.targets = append(m.targets, target{metric: speed, least: least})
	}
	if f.toxic != "" {
		m.targets = append(m.targets, target{metric: speed, than: []string{"toxiproxy"}, least: 1})
	}
	return m
}

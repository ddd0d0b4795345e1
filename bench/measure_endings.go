package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/chaosgate/chaos"
)

// An ending is a fault that ends connections, and how a client sees that.
type ending struct {
	fault
	name, about string
	sends       int           // bytes that the client sends first, and the server sends back
	shuts       bool          // the client then says that no more will come
	gets        int           // bytes that come back
	reset       bool          // the end is a reset
	by          time.Duration // when it comes, from the connect on
}

// endsAfter is when connections are ended, where a time is asked for.
const endsAfter = 20 * time.Millisecond

func slowClose() measurement {
	return ends(ending{
		name: "slow_close", about: "whose end is held back", shuts: true, by: endsAfter,
		fault: fault{text: "slow_close by=20ms", toxic: `{"type": "slow_close", "attributes": {"delay": 20}}`},
	})
}

func timeout() measurement {
	return ends(ending{
		name: "timeout", about: "which loses what the server sends, and ends", sends: message, by: endsAfter,
		fault: fault{text: "idle for=20ms discard", toxic: `{"type": "timeout", "attributes": {"timeout": 20}}`},
	})
}

func resetPeer() measurement {
	return ends(ending{
		name: "reset_peer", about: "which is reset", sends: message, reset: true, by: endsAfter,
		fault: fault{text: "stall close after=20ms reset", toxic: `{"type": "reset_peer", "attributes": {"timeout": 20}}`},
	})
}

func limitReached() measurement {
	return ends(ending{
		name: "limit_data", about: "which ends behind 1000 of 3000 bytes", sends: 3000, gets: 1000,
		fault: fault{text: "limit bytes=1000B", toxic: `{"type": "limit_data", "attributes": {"bytes": 1000}}`},
	})
}

// ends measures how late connections are ended, and how many of them as they should be.
func ends(e ending) measurement {
	const late, p99, right, speed = "late ms p50", "late ms p99", "% as asked", "connections/s"
	const clients = 4
	e.way = chaos.ToClient
	return measurement{
		name: e.name,
		about: fmt.Sprintf("%d clients again and again open a connection, %s: how much later than asked each client sees that. As asked is one "+
			"of which all bytes came that should, and no more, whose end is what it should be, and not early.", clients, e.about),
		role:    "echo",
		who:     faultPeers,
		faults:  []fault{e.fault},
		metrics: []string{late, p99, right, speed},
		targets: []target{{metric: right, least: 100}, {metric: late, than: []string{"toxiproxy"}, most: 1}},
		turn: func(ctx context.Context, t turn) (figures, error) {
			var mu sync.Mutex // guards what follows
			var took []time.Duration
			asked := 0
			start := time.Now()
			err := together(clients, func(int) error {
				for time.Since(start) < t.length {
					d, ok, err := e.meet(ctx, t.wires[0])
					if err != nil {
						return err
					}
					mu.Lock()
					if took = append(took, d-e.by); ok {
						asked++
					}
					mu.Unlock()
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			elapsed := time.Since(start)
			slices.Sort(took)
			return figures{
				late:  millis(percentile(took, 50)),
				p99:   millis(percentile(took, 99)),
				right: 100 * float64(asked) / float64(len(took)),
				speed: float64(len(took)) / elapsed.Seconds(),
			}, nil
		},
	}
}

// meet opens a connection and waits for its end. It returns how long that took and whether the connection was ended as it should be.
func (e ending) meet(ctx context.Context, w *wire) (took time.Duration, ok bool, err error) {
	start := time.Now()
	c, err := dial(ctx, w.addr, 0)
	if err != nil {
		return 0, false, err
	}
	defer reset(c)
	if e.sends > 0 {
		if _, err := c.Write(make([]byte, e.sends)); err != nil {
			return 0, false, err
		}
	}
	if e.shuts {
		if err := c.CloseWrite(); err != nil {
			return 0, false, err
		}
	}
	n, err := io.Copy(io.Discard, c)
	took = time.Since(start)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, false, fmt.Errorf("a connection has not ended after %v", took)
	}
	return took, n == int64(e.gets) && errors.Is(err, syscall.ECONNRESET) == e.reset && took >= e.by, nil
}

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/chaosgate/chaos"
)

// bandwidth is about how exact a rate is.
func bandwidth(asked int) measurement {
	const got, off = "B/s delivered", "% off"
	return measurement{
		name: fmt.Sprintf("bandwidth/%dkBps", asked/1000),
		about: fmt.Sprintf("%d bytes a second are asked for, towards the client; the rate is what the client has read, "+
			"from after its first read to its last.", asked),
		role: "source",
		who:  faultPeers,
		faults: []fault{{
			text:  fmt.Sprintf("bandwidth rate=%dB/s", asked),
			toxic: fmt.Sprintf(`{"type": "bandwidth", "attributes": {"rate": %d}}`, asked/1000), // in units of 1000 B/s
			way:   chaos.ToClient,
		}},
		metrics: []string{got, off},
		targets: []target{{metric: off, most: 1}},
		turn: func(ctx context.Context, t turn) (figures, error) {
			length := max(t.length*3/2, 500*time.Millisecond) // Toxiproxy sends ten times a second
			c, err := dial(ctx, t.wires[0].addr, length)
			if err != nil {
				return nil, err
			}
			defer reset(c) // much of it is under way still, and would be for long
			// The server goes on for longer than anyone looks.
			if _, err := c.Write(binary.BigEndian.AppendUint64(nil, uint64(10*length))); err != nil {
				return nil, err
			}
			s, err := receiveFor(c, length)
			if err != nil {
				return nil, err
			}
			r := float64(s.Bytes-s.Opening) / s.Last.Sub(s.First).Seconds()
			return figures{got: r, off: 100 * math.Abs(r-float64(asked)) / float64(asked)}, ctx.Err()
		},
	}
}

// receiveFor reads for so long.
func receiveFor(c net.Conn, length time.Duration) (span, error) {
	if err := c.SetReadDeadline(time.Now().Add(length)); err != nil {
		return span{}, err
	}
	s := receive(c)
	if s.Bytes == s.Opening {
		return s, fmt.Errorf("got %d bytes in one read within %v, want more", s.Bytes, length)
	}
	return s, nil
}

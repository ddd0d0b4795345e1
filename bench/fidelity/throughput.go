package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/chaosgate/chaos"
)

// The target of the throughput under a delay, and how steady the machine must be to tell.
const (
	throughputShare  = 0.95 // of the lesser of pass-through and window / delay
	throughputNoisy  = 1.4  // the fastest round without a gate over its slowest, at most
	throughputTime   = 2 * time.Second
	throughputRounds = 5
	gateWindow       = 64 << 20 // what a gate holds back if it is not told otherwise
)

var throughputDelays = []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond}

// measureThroughput measures what passes under a delay, beside what passes without.
func measureThroughput(_ context.Context, o options) (*table, error) {
	t := &table{
		title: "Throughput under a delay",
		rule: fmt.Sprintf("One connection that sends all it can; what arrives is counted when the delay has gone by, for %v. The median of %d rounds, in which the delays take turns with the controls: no "+
			"gate, and a gate that imposes nothing (pass-through). Target: %g %% of the lesser of the same round's pass-through and window / delay, the window being %d MiB. Inconclusive: the "+
			"fastest round without a gate is more than %g × its slowest, unless the target is met even beside the fastest round of pass-through.", throughputTime, throughputRounds, 100*throughputShare, gateWindow>>20, throughputNoisy),
		head: []string{"delay, ms", "MB/s", "slowest to fastest round", "window / delay", "of the lesser"},
	}
	straight, pass, delayed := []float64{}, []float64{}, make([][]float64, len(throughputDelays))
	for range o.of(throughputRounds, 1) {
		if err := throughputOf(o, false, 0, &straight); err != nil {
			return nil, err
		}
		if err := throughputOf(o, true, 0, &pass); err != nil {
			return nil, err
		}
		for i, by := range throughputDelays {
			if err := throughputOf(o, true, by, &delayed[i]); err != nil {
				return nil, err
			}
		}
	}
	t.add(none, "no gate", mbs(median(straight)), between(straight), "", "")
	t.add(none, "pass-through", mbs(median(pass)), between(pass), "", "")
	for i, by := range throughputDelays {
		f := throughputFinding{by, straight, pass, delayed[i]}
		t.add(f.judge(), ms(by), mbs(median(f.delayed)), between(f.delayed), mbs(gateWindow/by.Seconds()), fmt.Sprintf("%.1f %%", 100*f.share()))
	}
	return t, nil
}

// A throughputFinding is what passed in each round, in bytes a second.
type throughputFinding struct {
	by                     time.Duration
	control, pass, delayed []float64
}

// share returns what passes under the delay, of the most that could: the median over the rounds, in each of which the machine is about the same.
func (f throughputFinding) share() float64 {
	var shares []float64
	for i := range f.delayed {
		shares = append(shares, f.delayed[i]/min(f.pass[i], gateWindow/f.by.Seconds()))
	}
	return median(shares)
}

func (f throughputFinding) judge() verdict {
	switch {
	case len(f.delayed) == 0:
		return inconclusive
	case median(f.delayed) >= throughputShare*min(slices.Max(f.pass), gateWindow/f.by.Seconds()):
		return ok // noise makes nothing faster
	case spread(f.control) > throughputNoisy:
		return inconclusive
	case f.share() < throughputShare:
		return off
	}
	return ok
}

func mbs(bytesPerSecond float64) string { return fmt.Sprintf("%.0f", bytesPerSecond/1e6) }

// between prints the slowest and the fastest round.
func between(rounds []float64) string {
	low, high := rounds[0], rounds[0]
	for _, r := range rounds {
		low, high = min(low, r), max(high, r)
	}
	return mbs(low) + " to " + mbs(high)
}

// throughputOf adds one round.
func throughputOf(o options, through bool, by time.Duration, to *[]float64) (err error) {
	w, err := newWire("tcp", through, o.seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	client, server, err := w.connectThrough()
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	defer func() {
		w.impose()
		client.Close()
		server.Close()
		<-sent
	}()
	if by > 0 {
		w.impose(chaos.Delay{By: by})
	}
	go func() { sent <- sendOn(client) }()
	rate, err := countFor(server, 100*time.Millisecond+2*by, o.lasting(throughputTime, 50*time.Millisecond))
	*to = append(*to, rate)
	return err
}

// countFor returns how many bytes a second arrive, once bytes have come for a while.
func countFor(c net.Conn, after, lasting time.Duration) (rate float64, err error) {
	buf := make([]byte, 1<<20)
	var first, begin time.Duration
	bytes := 0
	for {
		n, err := c.Read(buf)
		if err != nil {
			return 0, fmt.Errorf("receiving: %w", err)
		}
		switch now := clock(); {
		case first == 0:
			first = now
		case begin == 0 && now > first+after:
			begin = now
		case begin > 0:
			if bytes += n; now > begin+lasting {
				return float64(bytes) / (now - begin).Seconds(), nil
			}
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/chaosgate/chaos"
)

// How the jitter is measured: so many clients send so many messages together.
const (
	jitterLanes = 40
	jitterCount = 2400
)

// The jitters are so wide that a machine's noise is small beside them, and so far from 0 that it cuts nothing off.
var jitters = []jitter{
	{chaos.Uniform, 100 * time.Millisecond, 50 * time.Millisecond},
	{chaos.Normal, 150 * time.Millisecond, 30 * time.Millisecond},
	{chaos.Pareto, 50 * time.Millisecond, 50 * time.Millisecond},
}

// measureJitter compares how delays vary with the distributions that they are to have.
func measureJitter(_ context.Context, o options) (*table, error) {
	t := &table{
		title: "Jitter: Kolmogorov–Smirnov",
		rule: fmt.Sprintf("Single messages of %d clients through a delay with jitter, in turns with the control: the same through the same delay without jitter. D is the largest distance from "+
			"the distribution asked for, which is written down apart from the library's, behind the lateness of the control's messages. Noise is how far that lateness, less its median, moves the distribution. Target: "+
			"D at most the critical value, which a right one exceeds with a chance of %v. Early: shorter than any delay may be. Inconclusive: the noise is above half the critical value.", jitterLanes, ksLevel),
		head: []string{"network", "distribution", "delay", "n", "D", "critical", "noise", "early", "control late p50, ms", "p99"},
	}
	for _, network := range []string{"tcp", "udp"} {
		// The control is a gate as well: it is the distribution that is asked for here, and not how late a delay is.
		control, gate, err := newWires(network, false, o.seed)
		if err != nil {
			return nil, err
		}
		for _, j := range jitters {
			if err = j.measure(t, o, network, control, gate); err != nil {
				break
			}
		}
		if err := errors.Join(err, closeAll(control, gate)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// measure adds one row to the table.
func (j jitter) measure(t *table, o options, network string, control, gate *wire) error {
	prepare := func(w *wire) {
		if w == control {
			w.impose(chaos.Delay{By: j.by})
		} else {
			w.impose(chaos.Delay{By: j.by, Jitter: j.jitter, Distribution: j.distribution})
		}
	}
	took, err := o.inTurns(jitterLanes, control, gate, prepare, func(l *lanes, _ *wire) ([]time.Duration, error) {
		return l.each(func(lane int) ([]time.Duration, error) {
			stagger(lane, jitterLanes, j.by)
			return l.single(lane, o.of(jitterCount/o.rounds()/jitterLanes, 1), pausing(o.seed, lane, 0, time.Millisecond))
		})
	})
	delay := fmt.Sprintf("%v ± %v", j.by, j.jitter)
	if errors.Is(err, errSilent) {
		t.add(off, network, string(j.distribution), delay, "a message never arrived", "", "", "", "", "", "")
		return nil
	} else if err != nil {
		return err
	}
	late, delays := sorted(took[0]).plus(-j.by), sorted(took[1])
	f := j.find(late, delays)
	t.add(f.judge(), network, string(j.distribution), delay, fmt.Sprint(len(delays)), fmt.Sprintf("%.4f", f.d), fmt.Sprintf("%.4f", f.critical),
		fmt.Sprintf("%.4f", f.noise), fmt.Sprint(f.early), ms(late.at(50)), ms(late.at(99)))
	return nil
}

// A jitterFinding is what delays say of a distribution.
type jitterFinding struct {
	d, critical float64
	noise       float64 // by how much the noise moves the distribution
	early       int     // delays that are shorter than any that the distribution has
}

// find compares delays with the distribution, given how late the control's messages are.
func (j jitter) find(late, delays sample) jitterFinding {
	f := jitterFinding{critical: ksCritical(len(delays))}
	f.d = ksStatistic(delays, func(d time.Duration) float64 { return j.behind(late, d) })
	middle := late.at(50)
	for _, d := range delays {
		f.noise = max(f.noise, math.Abs(j.behind(late, d)-j.cdf(d-middle)))
	}
	switch j.distribution {
	case chaos.Uniform:
		f.early = delays.below(j.by - j.jitter)
	case chaos.Pareto:
		f.early = delays.below(j.by)
	}
	return f
}

func (f jitterFinding) judge() verdict {
	switch {
	case f.early > 0:
		return off
	case f.noise > f.critical/2:
		return inconclusive
	case f.d > f.critical:
		return off
	}
	return ok
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chaosgate/chaos"
)

// The targets of a delay, and how quiet the control must be to tell.
const (
	delayLate  = 150 * time.Microsecond // later than the control at the median, at most
	delayNoisy = time.Millisecond       // the 99th percentile of the control, and of the machine's own timer, at most
)

// A delayCase is one way of sending messages through a delay.
type delayCase struct {
	by        time.Duration
	pipelined bool
	count     int // messages of the whole measurement, each way
}

// burst is how many messages are written at once when they are pipelined.
const burst = 8

var delayCases = []delayCase{
	{500 * time.Microsecond, false, 2000},
	{time.Millisecond, false, 2000},
	{5300 * time.Microsecond, false, 1000},
	{20 * time.Millisecond, false, 1000},
	{200 * time.Millisecond, false, 500},
	{500 * time.Microsecond, true, 4000},
	{time.Millisecond, true, 4000},
	{5300 * time.Microsecond, true, 4000},
	{20 * time.Millisecond, true, 4000},
	{200 * time.Millisecond, true, 4000},
}

// lanes is how many clients send side by side, so that long delays do not take the day.
func (c delayCase) lanes() int {
	if c.pipelined {
		return 1
	}
	return int(min(max(c.by/(10*time.Millisecond), 1), 20))
}

// measureDelay measures how late messages are that a delay holds back, and whether any is early.
func measureDelay(_ context.Context, o options) (*table, error) {
	t := &table{
		title: "Delay: how late, in ms",
		rule: fmt.Sprintf("What a message takes from before its write to after its read, less the delay. Single messages: the next is sent when the one before "+
			"has arrived, the control's at the same rhythm. Pipelined: bursts of %d writes, awaited at the end alone. Timer: how late the kernel wakes one who sleeps for 1 to 5 ms, during the control's turns. "+
			"Target: none early, and at the median at most %v ms later than the control's. Inconclusive: it is not, but the control's or the timer's p99 is above %v ms; or it is, but the control's own median "+
			"is above the target. What is early is off however noisy the machine is.",
			burst, ms(delayLate), ms(delayNoisy)),
		head: []string{"network", "messages", "delay", "n", "early", "p50", "p99", "max", "control p50", "p99", "max", "timer p50", "p99", "p50 beyond the control"},
	}
	for _, network := range []string{"tcp", "udp"} {
		control, gate, err := newWires(network, true, o.seed)
		if err != nil {
			return nil, err
		}
		for _, c := range delayCases {
			if err = c.measure(t, o, network, control, gate); err != nil {
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
func (c delayCase) measure(t *table, o options, network string, control, gate *wire) error {
	mode := "single"
	if c.pipelined {
		mode = "pipelined"
	}
	var woken []time.Duration
	took, err := o.inTurns(c.lanes(), control, gate, imposing(chaos.Delay{By: c.by}), func(l *lanes, w *wire) ([]time.Duration, error) {
		if w == gate {
			return c.round(l, o, false)
		}
		s := startSleeper(o.seed)
		took, err := c.round(l, o, true)
		more, serr := s.end()
		woken = append(woken, more...)
		return took, errors.Join(err, serr)
	})
	if errors.Is(err, errSilent) {
		t.add(off, network, mode, ms(c.by), "a message never arrived", "", "", "", "", "", "", "", "", "", "")
		return nil
	} else if err != nil {
		return err
	}
	timer := sorted(woken)
	still, late := sorted(took[0]), sorted(took[1]).plus(-c.by)
	t.add(judgeDelay(still, timer, late), network, mode, ms(c.by), fmt.Sprint(len(late)), fmt.Sprint(late.below(0)), ms(late.at(50)), ms(late.at(99)), ms(late.at(100)),
		ms(still.at(50)), ms(still.at(99)), ms(still.at(100)), ms(timer.at(50)), ms(timer.at(99)), ms(late.at(50)-still.at(50)))
	return nil
}

// round sends a turn's messages. Straight they keep the rhythm that they have through the gate.
func (c delayCase) round(l *lanes, o options, straight bool) ([]time.Duration, error) {
	return l.each(func(lane int) ([]time.Duration, error) {
		if c.pipelined {
			return l.bursts(lane, o.of(c.count/o.rounds(), 2*burst), burst, pausing(o.seed, lane, 0, max(2*time.Millisecond, c.by/25)))
		}
		rest := time.Duration(0)
		if straight {
			rest = c.by
		}
		stagger(lane, c.lanes(), c.by)
		return l.single(lane, o.of(c.count/o.rounds()/c.lanes(), 2), pausing(o.seed, lane, rest, time.Millisecond))
	})
}

// judgeDelay judges how late messages are beside the control's, and beside how late the machine wakes up.
func judgeDelay(control, timer, late sample) verdict {
	beyond := late.at(50) - control.at(50)
	switch {
	case late.below(0) > 0:
		return off // no noise makes a message early
	case len(control) > 0 && control.at(50) <= delayLate && beyond <= delayLate:
		return ok // nor makes it less late
	case len(control) == 0 || control.at(99) > delayNoisy || timer.at(99) > delayNoisy:
		return inconclusive
	case beyond > delayLate:
		return off
	}
	return ok
}

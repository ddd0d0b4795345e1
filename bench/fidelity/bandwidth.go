package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/chaosgate/chaos"
)

// The target of a bandwidth, and how punctual the machine must be to tell.
const (
	rateError = 0.01                  // of the rate, over a second
	rateNoisy = 10 * time.Millisecond // the latest that anybody is woken, at most: it is one write
)

// rateTime is how long each rate is measured, each way.
const rateTime = 10 * time.Second

var rates = []int64{10_000, 1_000_000, 100_000_000}

// grain is the piece in which a rate passes: what is carried in 10 ms. It is one write, and by default the burst as well.
func grain(rate int64) int { return int(rate / 100) }

// measureBandwidth measures how exactly a rate is kept, in windows of the time at the receiver.
func measureBandwidth(_ context.Context, o options) (*table, error) {
	t := &table{
		title: "Bandwidth: error of the rate",
		rule: fmt.Sprintf("A sender that never pauses, and how far the bytes that arrive in windows, one behind the other, are from the rate: the middle window and the worst. Ahead: the most by which "+
			"all bytes since the beginning exceed rate × time. Any window: the same of the worst window of whatever length, which a gate or a receiver that is woken late makes larger. May be: what both may be, the burst and one write. "+
			"Timer: the latest that the kernel has woken one who sleeps for 1 to 5 ms meanwhile. The control is a sender that keeps the rate by itself, a hundredth of a second's bytes at a time, without a gate. "+
			"Target: windows of 1 s within %g %%, and the worst within one write more, which may fall on either side of its edge; ahead and any window at most what they may be. Inconclusive: a window is not, but the "+
			"control's is not either, or a timer was later than %v ms. What is ahead is off however noisy the machine is.", 100*rateError, ms(rateNoisy)),
		head: []string{"rate", "1 s: middle", "worst", "100 ms: middle", "worst", "ahead", "any window", "may be", "timer, ms", "control 1 s: worst", "100 ms: worst", "any window", "timer, ms"},
	}
	for _, rate := range rates {
		still, err := rateOf(rate, false, o)
		if err != nil {
			return nil, err
		}
		f, err := rateOf(rate, true, o)
		if err != nil {
			return nil, err
		}
		t.add(f.judge(still), amount(float64(rate))+"/s", percent(f.long), percent(f.longWorst), percent(f.short), percent(f.shortWorst), amount(f.ahead), amount(f.excess),
			amount(f.bound()), ms(f.timer), percent(still.longWorst), percent(still.shortWorst), amount(still.excess), ms(still.timer))
	}
	return t, nil
}

// A rateFinding is how a rate was kept. Errors are shares of the rate, without their signs.
type rateFinding struct {
	rate              int64
	whole             int // windows of a second
	long, longWorst   float64
	short, shortWorst float64
	ahead, excess     float64 // in bytes
	timer             time.Duration
}

// bound is how many bytes more than rate × time may pass: the burst and one write.
func (f rateFinding) bound() float64 { return 2 * float64(grain(f.rate)) }

// tolerance is what the worst window of a second may be off: one write falls on either side of its edge.
func (f rateFinding) tolerance() float64 { return rateError + float64(grain(f.rate))/float64(f.rate) }

// kept says whether the rate was kept as a whole and in every window.
func (f rateFinding) kept() bool {
	return f.long <= rateError && f.longWorst <= f.tolerance() && f.excess <= f.bound()
}

func (f rateFinding) judge(control rateFinding) verdict {
	switch {
	case f.ahead > f.bound():
		return off
	case f.whole == 0:
		return inconclusive
	case f.kept():
		return ok
	case control.whole == 0 || !control.kept() || max(f.timer, control.timer) > rateNoisy:
		return inconclusive
	}
	return off
}

// findRate says how a rate was kept by what arrived since start.
func findRate(as []arrival, start time.Duration, rate int64) rateFinding {
	r := float64(rate)
	long, short := windows(as, time.Second, r), windows(as, 100*time.Millisecond, r)
	return rateFinding{
		rate: rate, whole: len(long),
		long: math.Abs(median(long)), longWorst: worst(long),
		short: math.Abs(median(short)), shortWorst: worst(short),
		ahead: ahead(as, start, r), excess: excess(as, r),
	}
}

// rateOf sends at a rate, through a gate that limits it or as a sender that limits itself.
func rateOf(rate int64, through bool, o options) (f rateFinding, err error) {
	w, err := newWire("tcp", through, o.seed)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	client, server, err := w.connectThrough()
	if err != nil {
		return f, err
	}
	defer server.Close()
	defer client.Close()
	lasting := o.lasting(rateTime, 300*time.Millisecond)
	end := time.Now().Add(lasting + patience)
	client.SetDeadline(end)
	server.SetDeadline(end)

	start := clock()
	sent := make(chan error, 1) // how sending has ended
	if through {
		w.impose(chaos.Bandwidth{Rate: rate})
		go func() { sent <- sendOn(client) }()
	} else {
		go func() { sent <- sendPaced(client, rate, start) }()
	}
	awake := startSleeper(o.seed)
	as, err := receiveFor(server, lasting)
	late, serr := awake.end()
	// The sender ends when its connection does.
	w.impose()
	client.Close()
	server.Close()
	<-sent
	f = findRate(as, start, rate)
	f.timer = sorted(late).at(100)
	return f, errors.Join(err, serr)
}

// sendOn sends without a pause until the connection ends.
func sendOn(c net.Conn) error {
	block := make([]byte, 64<<10)
	for {
		if _, err := c.Write(block); err != nil {
			return err
		}
	}
}

// sendPaced sends at a rate of its own, by moments that are fixed from the start, until the connection ends.
func sendPaced(c net.Conn, rate int64, start time.Duration) error {
	block := make([]byte, grain(rate))
	for i := 1; ; i++ {
		time.Sleep(start + time.Duration(i)*10*time.Millisecond - clock())
		if _, err := c.Write(block); err != nil {
			return err
		}
	}
}

// receiveFor notes what arrives, and when, for so long after the first.
func receiveFor(c net.Conn, lasting time.Duration) (as []arrival, err error) {
	buf := make([]byte, 256<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return nil, fmt.Errorf("receiving: %w", err)
		}
		as = append(as, arrival{clock(), n})
		if as[len(as)-1].at > as[0].at+lasting {
			return as, nil
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/chaosgate/chaos"
)

// A recoveryCase is a condition that is lifted, again and again.
type recoveryCase struct {
	name, network string
	until         string
	count         int
	bound         time.Duration // later than the control at the median, at most
	// lift makes one trial, or several side by side, and returns how long each took from the moment of lifting.
	lift func(w *wire) ([]time.Duration, error)
}

var recoveryCases = []recoveryCase{
	{"Blackhole", "tcp", "the client's first byte back, less the second after which it asks again", 3, 50 * time.Millisecond, liftBlackhole},
	{"Hold", "tcp", "the first byte back at a client that waited", 200, time.Millisecond, liftHold},
	{"Refuse", "tcp", "the first connect of a client that tries without a pause", 200, time.Millisecond, liftRefuse},
	{"Stall", "tcp", "what waited arrives", 200, time.Millisecond, liftStall},
	{"Vanish, nothing was lost", "tcp", "the next bytes arrive", 200, time.Millisecond, liftIdleVanish},
	{"Vanish, bytes were lost", "tcp", "the receiver is reset", 200, time.Millisecond, liftVanish},
	{"Blackhole", "udp", "the next datagram arrives", 200, time.Millisecond, liftPacketDoor},
	{"Stall", "udp", "what waited arrives", 200, time.Millisecond, liftPacketStall},
}

// measureRecovery measures how soon things work again when a condition is lifted.
func measureRecovery(_ context.Context, o options) (*table, error) {
	t := &table{
		title: "Recovery: how soon after lifting, in ms",
		rule: "From before the call that lifts to what the table says. The control is the nearest there is without a gate: a listener whose queue is full and then grows (Blackhole), that is not accepted from (Hold), that is " +
			"opened (Refuse), a write or a reset (the others). Target, our own: at the median at most the bound later than the control. Inconclusive: it is not, but the control's p99 is above 5 × the bound; " +
			"or the control's own median is above the bound.",
		head: []string{"condition", "network", "until", "n", "p50", "p99", "max", "control p50", "p99", "max", "bound"},
	}
	for _, c := range recoveryCases {
		var took [2][]time.Duration
		for range o.of(c.count, 1) {
			for side, through := range []bool{false, true} {
				more, err := c.once(through, o)
				if err != nil {
					return nil, fmt.Errorf("%s of %s, through a gate %v: %w", c.name, c.network, through, err)
				}
				took[side] = append(took[side], more...)
			}
		}
		control, gate := sorted(took[0]), sorted(took[1])
		t.add(judgeRecovery(control, gate, c.bound), c.name, c.network, c.until, fmt.Sprint(len(gate)), ms(gate.at(50)), ms(gate.at(99)), ms(gate.at(100)),
			ms(control.at(50)), ms(control.at(99)), ms(control.at(100)), ms(c.bound))
	}
	return t, nil
}

// once lifts once, on a wire of its own.
func (c recoveryCase) once(through bool, o options) ([]time.Duration, error) {
	w, err := newWire(c.network, through, o.seed)
	if err != nil {
		return nil, err
	}
	took, err := c.lift(w)
	return took, errors.Join(err, w.close())
}

func judgeRecovery(control, gate sample, bound time.Duration) verdict {
	switch {
	case len(control) == 0 || len(gate) == 0 || control.at(50) > bound:
		return inconclusive
	case gate.at(50)-control.at(50) <= bound:
		return ok
	case control.at(99) > 5*bound:
		return inconclusive
	}
	return off
}

// firstRead returns when a connection is first read from with success, or with the error that is wanted. It must be given time to
// block, because what is measured is how it wakes up.
func firstRead(c net.Conn, want error) <-chan time.Duration {
	when := make(chan time.Duration, 1)
	go func() {
		_, err := c.Read(make([]byte, 64))
		if now := clock(); errors.Is(err, want) {
			when <- now
		}
		close(when)
	}()
	time.Sleep(2 * time.Millisecond)
	return when
}

// since returns how long after a start something was, as one trial's outcome.
func since(start time.Duration, when <-chan time.Duration) ([]time.Duration, error) {
	select {
	case at, came := <-when:
		if !came {
			return nil, errors.New("the reading ended in another way than it should")
		}
		return []time.Duration{at - start}, nil
	case <-time.After(patience):
		return nil, errSilent
	}
}

// patient is a context in which nothing hangs for ever.
func patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// fires waits until a fault, or a door if it is nil, has met something.
func (w *wire) fires(fault *chaos.Imposed) error {
	ctx, cancel := patient()
	defer cancel()
	if fault == nil {
		return w.gate.WaitDoor(ctx, 1)
	}
	return fault.Wait(ctx, 1)
}

// liftStall writes bytes that wait; the control's just arrive.
func liftStall(w *wire) ([]time.Duration, error) { return w.liftFlow(chaos.Stall{}, true, nil) }

// liftIdleVanish writes nothing until the fault is gone.
func liftIdleVanish(w *wire) ([]time.Duration, error) { return w.liftFlow(chaos.Vanish{}, false, nil) }

// liftVanish writes bytes that are lost, for which the receiver is reset; the control's is reset by the sender.
func liftVanish(w *wire) ([]time.Duration, error) {
	return w.liftFlow(chaos.Vanish{}, true, syscall.ECONNRESET)
}

// liftFlow imposes a fault on an open connection, has the client write before or after it is lifted, and waits for
// what the server is to see: bytes, or an error.
func (w *wire) liftFlow(fault chaos.Fault, before bool, want error) ([]time.Duration, error) {
	client, server, err := w.connectThrough()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	defer server.Close()
	when := firstRead(server, want)
	if w.gate == nil {
		start := clock()
		if want != nil {
			err = errors.Join(client.SetLinger(0), client.Close())
		} else {
			_, err = client.Write([]byte{1})
		}
		if err != nil {
			return nil, err
		}
		return since(start, when)
	}
	imposed := w.gate.ToServer.Add(fault)
	if before {
		if _, err := client.Write([]byte{1}); err != nil {
			return nil, err
		}
		if err := w.fires(imposed); err != nil {
			return nil, err
		}
	}
	start := clock()
	imposed.Lift()
	if !before {
		if _, err := client.Write([]byte{1}); err != nil {
			return nil, err
		}
	}
	return since(start, when)
}

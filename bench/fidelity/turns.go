package main

import (
	"errors"
	"time"

	"github.com/chaosgate/chaos"
)

// rounds is how often the control and the gate take turns.
func (o options) rounds() int { return o.of(4, 1) }

// A turn sends messages over the lanes of one wire, the control or the gate, and returns what each took.
type turn func(l *lanes, w *wire) ([]time.Duration, error)

// inTurns has two wires take turns, each with n lanes that stay, and returns what the messages of each took. Before its turn each
// wire is prepared, by imposing faults say.
func (o options) inTurns(n int, first, second *wire, prepare func(*wire), send turn) (took [2][]time.Duration, err error) {
	wires := [2]*wire{first, second}
	var ls [2]*lanes
	for i, w := range wires {
		w.impose() // the lanes are opened without a delay
		if ls[i], err = newLanes(w, n); err != nil {
			return took, err
		}
		defer func() {
			w.impose() // nothing is to be held back when they are closed
			err = errors.Join(err, ls[i].close())
		}()
	}
	for range o.rounds() {
		for i, w := range wires {
			prepare(w)
			more, err := send(ls[i], w)
			if err != nil {
				return took, err
			}
			took[i] = append(took[i], more...)
		}
	}
	return took, nil
}

// imposing prepares a gate with faults.
func imposing(faults ...chaos.Fault) func(*wire) {
	return func(w *wire) { w.impose(faults...) }
}

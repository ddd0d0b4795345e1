package main

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// measureReset tries whether resets pass as resets, behind all data, and whether clean ends stay clean.
func measureReset(_ context.Context, o options) (*table, error) {
	t := &table{
		title: "Resets and clean ends",
		rule: "Nothing is imposed. Reset: up to 4 MiB are written, and when the next kernel has them the connection is reset, by the client or by the server. Wrong is a run in which the " +
			"reader does not get every byte and then ECONNRESET. Clean: one side writes and half-closes, the other reads to the end, answers and half-closes. Wrong is a run in which either does not get every byte and then EOF. " +
			"Readers as above. Target: none wrong. Inconclusive: a control, without a gate, is wrong.",
		head: []string{"end", "runs", "wrong", "the first", "control runs", "wrong"},
	}
	if err := t.addTrials(o, exactRuns, "reset", resetTrial); err != nil {
		return nil, err
	}
	return t, t.addTrials(o, exactRuns, "clean", cleanTrial)
}

// resetTrial has one side write and reset.
func resetTrial(w *wire, rng *rand.Rand) (wrong string, err error) {
	from, to, err := w.connectThrough()
	if err != nil {
		return "", err
	}
	if rng.IntN(2) == 0 {
		from, to = to, from
	}
	defer from.Close()
	defer to.Close()
	n, seed := size(rng), rng.Uint64()
	ended := make(chan error, 1)
	go func() {
		err := writeAll(from, n, seed)
		if err == nil {
			err = endAs(from, true)
		}
		ended <- err
	}()
	got, how := newReader(n, rng).readAll(to)
	to.Close()
	if err := <-ended; err != nil {
		return fmt.Sprintf("the writer: %v", err), nil
	}
	return differs(got, how, n, "RST"), nil
}

// cleanTrial has one side write and half-close, and then the other.
func cleanTrial(w *wire, rng *rand.Rand) (wrong string, err error) {
	one, other, err := w.connectThrough()
	if err != nil {
		return "", err
	}
	defer one.Close()
	defer other.Close()
	if rng.IntN(2) == 0 {
		one, other = other, one
	}
	for range 2 {
		n, seed := size(rng), rng.Uint64()
		ended := make(chan error, 1)
		go func() {
			err := writeAll(one, n, seed)
			if err == nil {
				err = endAs(one, false)
			}
			ended <- err
		}()
		got, how := newReader(n, rng).readAll(other)
		if wrong = differs(got, how, n, "FIN"); wrong != "" {
			other.Close()
			<-ended
			return wrong, nil
		}
		if err := <-ended; err != nil {
			return fmt.Sprintf("the writer: %v", err), nil
		}
		one, other = other, one
	}
	return "", nil
}

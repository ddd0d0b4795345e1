package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"

	"github.com/chaosgate/chaos"
)

// exactRuns is how often what must be exact is tried; the control, which needs no proof, a tenth of that.
const exactRuns = 10_000

// measureCutoff tries whether a limit lets exactly its bytes pass.
func measureCutoff(_ context.Context, o options) (*table, error) {
	t := &table{
		title: "Cut-off: a limit of n bytes",
		rule: "Limits from 1 byte to 4 MiB, in both directions, ended by FIN and by RST; writes of all sizes that go on behind the limit; readers with buffers of all sizes, one of three slow. Wrong is a run in which " +
			"not exactly n bytes arrive, other bytes than were sent, or another end. The control's sender ends by itself, without a gate. Target: none wrong. Inconclusive: a control is wrong.",
		head: []string{"end", "runs", "wrong", "the first", "control runs", "wrong"},
	}
	for _, reset := range []bool{false, true} {
		end := "FIN"
		if reset {
			end = "RST"
		}
		one := func(w *wire, rng *rand.Rand) (string, error) { return cutoff(w, rng, reset, end) }
		if err := t.addTrials(o, exactRuns/2, end, one); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// addTrials makes trials without a gate and through gates, and adds their row.
func (t *table) addTrials(o options, count int, name string, one trial) error {
	control, err := try(o.of(count/10, trialWorkers), false, o.seed, one)
	if err != nil {
		return err
	}
	gate, err := try(o.of(count, trialWorkers), true, o.seed, one)
	if err != nil {
		return err
	}
	t.add(judgeTrials(control, gate), name, fmt.Sprint(gate.run.Load()), fmt.Sprint(gate.wrong.Load()), gate.first,
		fmt.Sprint(control.run.Load()), fmt.Sprint(control.wrong.Load()))
	return nil
}

// cutoff makes one trial: it sends more than passes.
func cutoff(w *wire, rng *rand.Rand, reset bool, end string) (wrong string, err error) {
	limit := size(rng)
	toServer := rng.IntN(2) == 0
	if w.gate != nil {
		flow, other := &w.gate.ToServer, &w.gate.ToClient
		if !toServer {
			flow, other = other, flow
		}
		other.Set()
		flow.Set(chaos.Limit{Bytes: int64(limit), Reset: reset})
	}
	client, server, err := w.connect()
	if err != nil {
		return "", err
	}
	from, to := client, server
	if !toServer {
		from, to = server, client
	}
	defer from.Close()
	defer to.Close()
	send, more, seed := limit, rng.IntN(mostMore), rng.Uint64()
	if w.gate != nil {
		send += more
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		writeAll(from, send, seed) // it fails somewhere behind the limit
		if w.gate == nil {
			endAs(from, reset)
		}
	}()
	got, how := newReader(limit, rng).readAll(to)
	to.Close()
	<-sent
	return differs(got, how, limit, end), nil
}

// differs says what is wrong with what has arrived, if anything is.
func differs(got int, how string, want int, end string) string {
	if got == want && how == end {
		return ""
	}
	return fmt.Sprintf("%d bytes and %s, not %d and %s", got, how, want, end)
}

// endAs ends a connection by FIN, or by RST when the peer's kernel has everything.
func endAs(c *net.TCPConn, reset bool) error {
	if !reset {
		return c.CloseWrite()
	}
	if err := awaitTaken(c); err != nil {
		return err
	}
	c.SetLinger(0)
	return c.Close()
}

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A bench is one run of measurements.
type bench struct {
	options
	dir      string // for what the contenders need
	log      io.Writer
	present  []contender
	versions map[string]string
	absent   []string // those that are left out, with the reason
	results  []result
}

// A result is what a measurement has found.
type result struct {
	measurement
	base       string               // the contender whose figures are divided by the others'
	contenders []contender          // that were measured in every round
	figures    map[string][]figures // by contender, one for each round
	notes      []string
}

// gather finds the contenders.
func (b *bench) gather(ctx context.Context) {
	// Debian has servers where the PATH of others than root does not look.
	os.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+"/usr/sbin"+string(os.PathListSeparator)+"/sbin")
	b.versions = map[string]string{}
	for _, c := range b.contenders {
		if len(b.peers) > 0 && !slices.Contains(b.peers, c.name) {
			continue
		}
		version, err := c.find(ctx, site{dir: b.dir, tree: b.tree})
		if err != nil {
			b.absent = append(b.absent, fmt.Sprintf("%s: %v", c.name, err))
			if os.Getenv(builtVar) == "" { // and so is said once
				fmt.Fprintf(b.log, "left out: %s: %v\n", c.name, err)
			}
			continue
		}
		b.present, b.versions[c.name] = append(b.present, c), version
	}
}

// measure does a measurement, in turns. A contender that fails is left out from then on, and the result says so.
func (b *bench) measure(ctx context.Context, m measurement) result {
	r := result{measurement: m, base: b.gates[0], figures: map[string][]figures{}}
	for _, c := range b.present {
		if m.wants(c) {
			r.contenders = append(r.contenders, c)
		}
	}
	wires := map[string][]*wire{}
	defer func() {
		for _, w := range wires {
			closeAll(w)
		}
	}()
	rounds := b.scale.rounds
	if m.rounds > 0 {
		rounds = min(rounds, m.rounds)
	}
	first := 0
	if !m.fresh {
		first = -1 // the round that warms up and does not count
	}
	for round := first; round < rounds; round++ {
		for _, c := range rotated(r.contenders, max(round, 0)) {
			if ctx.Err() != nil {
				return r
			}
			if err := b.take(ctx, &r, c, round, wires); err != nil {
				note := fmt.Sprintf("%s: %v", c.name, err)
				r.notes = append(r.notes, strings.ReplaceAll(note, "\n", "; "))
				fmt.Fprintf(b.log, "%s: FAILED: %s\n", m.name, note)
				r.contenders = slices.DeleteFunc(slices.Clone(r.contenders), func(other contender) bool { return other.name == c.name })
				closeAll(wires[c.name])
				delete(wires, c.name)
			}
		}
	}
	return r
}

// take gives one contender its turn in a round.
func (b *bench) take(ctx context.Context, r *result, c contender, round int, wires map[string][]*wire) error {
	if wires[c.name] == nil {
		var err error
		if wires[c.name], err = b.wiresOf(ctx, r.measurement, c); err != nil {
			return err
		}
	}
	t := turn{wires[c.name], b.scale.load}
	if round < 0 {
		t.length /= 4
	}
	f, err := r.turn(ctx, t)
	if r.fresh {
		closeAll(wires[c.name])
		delete(wires, c.name)
	}
	if round < 0 {
		return ctx.Err() // what fails in the warm-up fails again
	}
	if err != nil {
		return err
	}
	r.figures[c.name] = append(r.figures[c.name], f)
	fmt.Fprintf(b.log, "%s, round %d: %-9s %s\n", r.name, round+1, c.name, f.text(r.metrics))
	return nil
}

// wiresOf starts a contender, once for each fault of the measurement, and a server for each.
func (b *bench) wiresOf(ctx context.Context, m measurement, c contender) (wires []*wire, err error) {
	defer func() {
		if err != nil {
			closeAll(wires)
			wires = nil
		}
	}()
	faults := m.faults
	if len(faults) == 0 {
		faults = []fault{{}}
	}
	for i, f := range faults {
		server, err := startChild(ctx, m.role)
		if err != nil {
			return wires, err
		}
		s := site{dir: b.dir, tree: b.tree, server: server.addr, fault: f}
		if b.profile != "" && c.gate {
			s.profile = filepath.Join(b.profile, fmt.Sprintf("%s-%d.pprof", strings.ReplaceAll(m.name, "/", "-"), i+1))
		}
		r, err := c.start(ctx, s)
		if err != nil {
			server.stop()
			return wires, fmt.Errorf("starting: %w", err)
		}
		wires = append(wires, &wire{r, server})
	}
	return wires, nil
}

func closeAll(wires []*wire) {
	for _, w := range wires {
		w.close()
	}
}

// rotated returns the contenders with others first in each round.
func rotated(all []contender, round int) []contender {
	if len(all) == 0 {
		return nil
	}
	at := round % len(all)
	return slices.Concat(all[at:], all[:at])
}

// text prints figures in the order of the metrics.
func (f figures) text(metrics []string) string {
	var parts []string
	for _, m := range metrics {
		if v, ok := f[m]; ok {
			parts = append(parts, m+": "+number(v))
		}
	}
	return strings.Join(parts, "; ")
}

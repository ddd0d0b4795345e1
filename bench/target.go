package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A target is what a gate's figures are to reach: a figure itself, or its ratio to another of the same round.
type target struct {
	metric string
	than   []string // divide by the best figure that one of these contenders has
	own    string   // or by another figure of the gate's
	least  float64
	most   float64 // if 0, least is
}

// say prints the target in words.
func (t target) say() string {
	bound := "≥ " + plain(t.least)
	if t.most != 0 {
		bound = "≤ " + plain(t.most)
	}
	switch {
	case len(t.than) > 1:
		return fmt.Sprintf("%s: %s × the better of %s", t.metric, bound, strings.Join(t.than, " and "))
	case len(t.than) == 1:
		return fmt.Sprintf("%s: %s × %s", t.metric, bound, t.than[0])
	case t.own != "":
		return fmt.Sprintf("%s: %s × %s", t.metric, bound, t.own)
	}
	return fmt.Sprintf("%s: %s", t.metric, bound)
}

// plain prints a number as it is written.
func plain(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// judge returns the figure or ratio of a gate that the target is about. It has no value where one that it is to be compared
// with was not measured.
func (t target) judge(r result, gate string) summary {
	var values []float64
	for round, f := range r.figures[gate] {
		values = append(values, t.value(r, round, f))
	}
	return summarize(values)
}

func (t target) value(r result, round int, f figures) float64 {
	v, ok := f[t.metric]
	if !ok {
		return math.NaN()
	}
	if t.own != "" {
		return v / orNaN(f, t.own)
	}
	if len(t.than) == 0 {
		return v
	}
	best := math.NaN()
	for _, name := range t.than {
		if round >= len(r.figures[name]) {
			continue
		}
		other := orNaN(r.figures[name][round], t.metric)
		if math.IsNaN(best) || t.most != 0 && other < best || t.most == 0 && other > best {
			best = other
		}
	}
	return v / best
}

// verdict says what a gate has reached, in words.
func (t target) verdict(r result, gate string) string {
	switch s := t.judge(r, gate); {
	case s.n == 0:
		return "–"
	case t.met(s.median):
		return "✓ met: " + s.String()
	default:
		return "✗ missed: " + s.String()
	}
}

// met reports whether a value reaches the target.
func (t target) met(v float64) bool {
	if t.most != 0 {
		return v <= t.most
	}
	return v >= t.least
}

// orNaN returns a figure, or NaN if it was not measured.
func orNaN(f figures, metric string) float64 {
	if v, ok := f[metric]; ok {
		return v
	}
	return math.NaN()
}

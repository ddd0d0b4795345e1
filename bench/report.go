package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// report prints all that was measured, as Markdown.
func (b *bench) report(out io.Writer, m machine) {
	m.describe(out, b)
	fmt.Fprint(out, "\n## Targets\n\n")
	b.verdicts(out)
	for _, r := range b.results {
		r.print(out)
	}
}

// verdicts prints how the gates do beside the targets.
func (b *bench) verdicts(out io.Writer) {
	rows := [][]string{append([]string{"measurement", "target"}, b.gates...)}
	known := names(b.contenders)
	for _, r := range b.results {
		for _, t := range r.targets {
			if t.than != nil && !slices.ContainsFunc(t.than, func(name string) bool { return slices.Contains(known, name) }) {
				continue // it is about others
			}
			row := []string{r.name, t.say()}
			for _, gate := range b.gates {
				row = append(row, t.verdict(r, gate))
			}
			rows = append(rows, row)
		}
	}
	table(out, rows)
}

// print prints a result: the figures, and the ratios of the base's to all others'.
func (r result) print(out io.Writer) {
	fmt.Fprintf(out, "\n## %s\n\n%s\n\n", r.name, r.about)
	rows := [][]string{append([]string{""}, r.metrics...)}
	for _, c := range r.contenders {
		row := []string{c.name}
		for _, metric := range r.metrics {
			row = append(row, r.summary(c.name, metric, func(int) float64 { return 1 }).String())
		}
		rows = append(rows, row)
	}
	table(out, rows)
	for _, note := range r.notes {
		fmt.Fprintf(out, "\nLeft out, %s\n", note)
	}
	if _, ok := r.figures[r.base]; ok && len(r.contenders) > 1 {
		fmt.Fprint(out, "\nRatios, each of two figures of the same round:\n\n")
		table(out, r.ratios())
	}
}

// ratios is a table of what the base has, divided by what others have.
func (r result) ratios() [][]string {
	rows := [][]string{append([]string{r.base + " ÷"}, r.metrics...)}
	for _, c := range r.contenders {
		if c.name == r.base {
			continue
		}
		row := []string{c.name}
		for _, metric := range r.metrics {
			row = append(row, r.summary(r.base, metric, func(round int) float64 {
				if round >= len(r.figures[c.name]) {
					return 0
				}
				return r.figures[c.name][round][metric]
			}).String())
		}
		rows = append(rows, row)
	}
	return rows
}

// summary sums up a contender's figures, each divided by something. What is divided by 0 does not count.
func (r result) summary(name, metric string, by func(round int) float64) summary {
	var values []float64
	for round, f := range r.figures[name] {
		if d := by(round); d != 0 {
			values = append(values, orNaN(f, metric)/d)
		}
	}
	return summarize(values)
}

// table prints rows, the first of which is the head.
func table(out io.Writer, rows [][]string) {
	for i, row := range rows {
		fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(out, "|%s\n", strings.Repeat(" --- |", len(row)))
		}
	}
}

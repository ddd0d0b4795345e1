package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A verdict is what a figure says about the gate.
type verdict string

const (
	ok           verdict = "ok"           // within the target
	off          verdict = "off"          // not within the target, and the control was quiet enough to tell
	inconclusive verdict = "inconclusive" // the control is so noisy that nothing can be told
	none         verdict = ""             // of a row that is a control itself
)

// A table is what one section of the measurements has found.
type table struct {
	title string
	rule  string   // how it is measured, what is the target, and what makes it inconclusive
	head  []string // the names of the columns, without that of the verdict
	rows  []row
}

// A row is one figure with its verdict.
type row struct {
	cells   []string
	verdict verdict
}

func (t *table) add(v verdict, cells ...string) { t.rows = append(t.rows, row{cells, v}) }

// write writes the table in Markdown.
func (t *table) write(w io.Writer) {
	fmt.Fprintf(w, "\n### %s\n\n%s\n\n", t.title, t.rule)
	fmt.Fprintf(w, "| %s | verdict |\n|%s\n", strings.Join(t.head, " | "), strings.Repeat(" --- |", len(t.head)+1))
	for _, r := range t.rows {
		v := string(r.verdict)
		if r.verdict == off || r.verdict == inconclusive {
			v = "**" + v + "**"
		}
		fmt.Fprintf(w, "| %s | %s |\n", strings.Join(r.cells, " | "), v)
	}
}

// tally tells how many rows have each verdict.
func tally(tables []*table) string {
	count := map[verdict]int{}
	for _, t := range tables {
		for _, r := range t.rows {
			count[r.verdict]++
		}
	}
	return fmt.Sprintf("%d ok, %d off, %d inconclusive", count[ok], count[off], count[inconclusive])
}

// ms prints a duration in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond)) }

// percent prints a share.
func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

// amount prints a number of bytes.
func amount(bytes float64) string {
	switch {
	case bytes >= 1e6 || bytes <= -1e6:
		return fmt.Sprintf("%.2f MB", bytes/1e6)
	case bytes >= 1e4 || bytes <= -1e4:
		return fmt.Sprintf("%.1f KB", bytes/1e3)
	}
	return fmt.Sprintf("%.0f B", bytes)
}

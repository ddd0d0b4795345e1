package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A table is rows of cells that stand beneath one another, under a head.
type table struct {
	columns []column
	rows    [][]cell
}

// A column of a table.
type column struct {
	title    string
	right    bool // numbers stand to the right
	optional bool // it is left out if nothing stands in it
	width    int
}

// A cell of a table.
type cell struct {
	text  string
	paint func(string) string // nil for none
}

// plain returns cells without paint.
func plain(texts ...string) []cell {
	row := make([]cell, len(texts))
	for i, text := range texts {
		row[i].text = text
	}
	return row
}

// fit makes each column as wide as what stands in it, and returns how wide the table is.
func (t *table) fit() int {
	width := 0
	for i := range t.columns {
		c := &t.columns[i]
		c.width = utf8.RuneCountInString(c.title)
		for _, row := range t.rows {
			c.width = max(c.width, utf8.RuneCountInString(row[i].text))
		}
		width += c.width + 2
	}
	return width
}

// writeFit writes the table as wide as what stands in it, without the columns that nobody needs.
func (t *table) writeFit(w io.Writer, p paint) {
	for i := len(t.columns) - 1; i >= 0; i-- {
		if !t.columns[i].optional || slices.ContainsFunc(t.rows, func(row []cell) bool { return row[i].text != "" }) {
			continue
		}
		t.columns = slices.Delete(t.columns, i, i+1)
		for r, row := range t.rows {
			t.rows[r] = slices.Delete(row, i, i+1)
		}
	}
	t.fit()
	t.write(w, p)
}

// write writes the table in the widths that its columns have.
func (t *table) write(w io.Writer, p paint) {
	head := make([]cell, len(t.columns))
	for i, c := range t.columns {
		head[i] = cell{c.title, p.bold}
	}
	t.writeRow(w, head)
	for _, row := range t.rows {
		t.writeRow(w, row)
	}
}

func (t *table) writeRow(w io.Writer, row []cell) {
	var b strings.Builder
	for i, c := range t.columns {
		text := clip(row[i].text, c.width)
		pad := strings.Repeat(" ", c.width-utf8.RuneCountInString(text))
		if text != "" && row[i].paint != nil {
			text = row[i].paint(text)
		}
		if c.right {
			text = pad + text
		} else {
			text += pad
		}
		b.WriteString(text + "  ")
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
}

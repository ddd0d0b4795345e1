package matrix

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Terminal is what [Report.WriteText] writes for.
type Terminal struct {
	Width   int  // in characters; 80 if zero
	Colours bool // it shows colours
}

// WriteText writes the report for a terminal: the grid, what needs attention, and what came of it all, which stands last
// because that is where a reader is.
func (r *Report) WriteText(w io.Writer, t Terminal) error {
	r = r.readable()
	t.Width = max(cmp.Or(t.Width, 80), 40)
	p := &printout{Terminal: t}
	p.grid(r)
	for _, f := range r.findings() {
		places := make([]string, len(f.cells))
		for i, c := range f.cells {
			places[i] = oneLine(c.where(), 60)
		}
		standing := ""
		if !f.worse {
			standing = " as expected"
		}
		name := oneLine(f.condition, t.Width/2)
		p.line("%s %s%s", p.paint(f.verdict, oneLine(f.verdict.Words(), 20)), p.with("1", name), standing)
		p.wrap("    ", oneLine(f.says, 400))
		p.wrap("    ", strings.Join(places, "; "))
	}
	if lines := r.differences(); len(lines) > 0 {
		p.blank()
		p.line("Compared with what is expected:")
		for _, line := range lines {
			p.wrap("  ", line)
		}
	}
	for _, note := range r.Notes {
		p.blank()
		p.wrap("", oneLine(note, 1000))
	}
	p.blank()
	p.wrap("", r.tally())
	p.wrap("", oneLine(r.setting(), 400))
	headline := oneLine(r.headline(), 200)
	switch {
	case r.Failed:
		headline = p.with("1;31", headline)
	case len(r.Cells) > 0 && !r.Interrupted:
		headline = p.with("1;32", headline)
	}
	p.line("%s", headline)
	_, err := io.WriteString(w, p.text.String())
	return err
}

// A printout is what is written to a terminal.
type printout struct {
	Terminal
	text strings.Builder
}

func (p *printout) line(format string, args ...any) {
	line := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	p.text.WriteString(line + "\n")
}

// blank writes an empty line between two that are not.
func (p *printout) blank() {
	if text := p.text.String(); text != "" && !strings.HasSuffix(text, "\n\n") {
		p.line("")
	}
}

// wrap writes words on as many lines as they need.
func (p *printout) wrap(margin, words string) {
	line := margin
	for _, word := range strings.Fields(words) {
		for _, piece := range pieces(word, p.Width-len(margin)) {
			if line != margin && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(piece) > p.Width {
				p.line("%s", line)
				line = margin
			}
			if line != margin {
				line += " "
			}
			line += piece
		}
	}
	if line != margin {
		p.line("%s", line)
	}
}

// pieces cuts a word that is wider than the terminal.
func pieces(word string, width int) (cut []string) {
	runes := []rune(word)
	for len(runes) > width {
		cut, runes = append(cut, string(runes[:width])), runes[width:]
	}
	return append(cut, string(runes))
}

// grid writes a row for each condition and direction, with a column for each moment. Directions that are all alike share
// a row.
func (p *printout) grid(r *Report) {
	g := r.grid()
	if len(g.rows) == 0 {
		return
	}
	var moments []Moment
	for _, c := range g.columns {
		if !slices.Contains(moments, c.moment) {
			moments = append(moments, c.moment)
		}
	}
	head := []string{"condition", "where"}
	for _, m := range moments {
		head = append(head, oneLine(m.Words(), 20))
	}
	var rows [][]textCell
	for _, row := range g.rows {
		rows = append(rows, textRows(g, row, moments)...)
	}
	widths := make([]int, len(head))
	for i, title := range head {
		widths[i] = utf8.RuneCountInString(title)
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].text))
		}
	}
	p.narrow(widths)
	titles := ""
	for i, title := range head {
		titles += pad(oneLine(title, widths[i]), widths[i]) + "  "
	}
	p.line("%s", p.with("1", strings.TrimRight(titles, " ")))
	for _, row := range rows {
		line := ""
		for i, c := range row {
			text := oneLine(c.text, widths[i])
			line += p.paint(c.verdict, text) + pad("", widths[i]-utf8.RuneCountInString(text)) + "  "
		}
		p.line("%s", line)
	}
	p.blank()
}

// narrow makes columns narrower until they fit, the widest first.
func (p *printout) narrow(widths []int) {
	for {
		sum, widest := -2, 0
		for i, width := range widths {
			sum += width + 2
			if width > widths[widest] {
				widest = i
			}
		}
		if sum <= p.Width || widths[widest] <= 4 {
			return
		}
		widths[widest]--
	}
}

// A textCell is a place in the table.
type textCell struct {
	text    string
	verdict Verdict // how it is painted
}

// textRows returns the rows of a condition.
func textRows(g grid, row gridRow, moments []Moment) [][]textCell {
	var directions []Direction
	for i, c := range g.columns {
		if row.cells[i] != nil && !slices.Contains(directions, c.direction) {
			directions = append(directions, c.direction)
		}
	}
	slices.SortStableFunc(directions, func(a, b Direction) int {
		return slices.Index(Directions, a) - slices.Index(Directions, b) // one that there is not comes first
	})
	var rows [][]textCell
	for _, d := range directions {
		cells := []textCell{{text: oneLine(row.condition.Name, 40)}, {text: oneLine(d.Words(), 20)}}
		for _, m := range moments {
			cell := textCell{text: "-"}
			if i := slices.Index(g.columns, column{m, d}); i >= 0 && row.cells[i] != nil {
				v := row.cells[i].Verdict
				cell = textCell{oneLine(v.Words(), 20), v}
			}
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
	}
	alike := func(other []textCell) bool { return slices.Equal(other[2:], rows[0][2:]) }
	if len(rows) == len(Directions) && !slices.ContainsFunc(rows, func(r []textCell) bool { return !alike(r) }) {
		rows[0][1].text = "any way"
		rows = rows[:1]
	}
	for i := range rows[1:] {
		rows[i+1][0].text = "" // it stands above
	}
	return rows
}

// paint paints a verdict's words: what is bad red, what is right green, what proves nothing dim, all else yellow.
func (p *printout) paint(v Verdict, words string) string {
	switch v.tier() {
	case "bad":
		return p.with("1;31", words)
	case "good":
		return p.with("32", words)
	case "fair":
		return p.with("33", words)
	}
	if v == "" {
		return words
	}
	return p.with("2", words)
}

func (p *printout) with(code, words string) string {
	if !p.Colours || words == "" {
		return words
	}
	return "\x1b[" + code + "m" + words + "\x1b[0m"
}

// pad fills text up to a width.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

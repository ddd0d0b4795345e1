package matrix

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the parts of the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"
)

var (
	//go:embed report.html
	pageText string
	//go:embed report.css
	pageStyle string
	//go:embed report.js
	pageScript string
)

// pagePolicy allows the page its own style and script, by their hashes, and nothing else: no request, no form, nothing that
// the output of a probe could bring in.
var pagePolicy = fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'",
	hashOf(pageStyle), hashOf(pageScript))

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

const (
	longestOutput = 2 << 10 // bytes of one output on the page; the JSON has all that was kept
	mostFindings  = 20      // that are listed beneath the grid
)

// pageTemplate is made when it is needed first: whoever wants no page does not wait for it.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{
		"tier":  Verdict.tier,
		"sign":  Verdict.sign,
		"bytes": bytesText,
		"ends":  func(s string) string { return ends(s, longestOutput) },
		"short": func(s string) string { return oneLine(s, 40) },
		"line":  func(s string) string { return oneLine(s, 300) },
		"times": func(n int64) string { return count(n, "time") },
		"below": func(y, by int) int { return y + by },
	}).Parse(pageText))
})

// WriteHTML writes the report as a page: a single file that asks for no other, reads well without JavaScript and lets
// itself be sorted, filtered and walked through by keys with it.
func (r *Report) WriteHTML(w io.Writer) error {
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, pageOf(r.readable())); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// A page is what the template shows of a report.
type page struct {
	*Report
	Style  template.CSS
	Script template.JS
	Policy string

	Title, Headline, Setting string
	Tier                     string
	Differences              []string
	Findings                 []pageFinding
	More                     int // findings that are not listed
	Tally                    []tallied
	Heads                    []head
	Columns                  []Direction
	Groups                   []pageGroup
	Known                    []Direction // to filter by
	When                     []Moment
}

// A pageFinding is cells of one condition with one bad verdict.
type pageFinding struct {
	Verdict   Verdict
	Condition string
	Says      string
	Allowed   bool
	Cells     []*pageCell
}

// A tallied is a verdict and how many cells have it.
type tallied struct {
	Verdict Verdict
	N       int
}

// A head stands above the columns of a moment.
type head struct {
	Moment Moment
	Span   int
}

// A pageGroup is conditions that are alike.
type pageGroup struct {
	Name string
	Rows []pageRow
}

// A pageRow is a row of the grid, and the cells of a condition beneath it.
type pageRow struct {
	ConditionInfo
	Cells []*pageCell // as in the grid: nil where there is none
	All   []*pageCell
}

// A pageCell is a cell as the page shows it.
type pageCell struct {
	*Cell
	Anchor                          string
	Where, Standing, Comes, Carried string
	Drawing                         *drawing
	Rank, Order                     int // by how bad it is; in the report
	Outputs                         []pageOutput
}

// A pageOutput is what one or more attempts wrote.
type pageOutput struct {
	When    string
	Text    string
	Omitted int
	Right   bool // it is the baseline's answer
}

func pageOf(r *Report) *page {
	p := &page{
		Report: r, Style: template.CSS(pageStyle), Script: template.JS(pageScript), Policy: pagePolicy,
		Title: r.title(), Headline: r.headline(), Setting: r.setting(), Tier: "good", Differences: r.differences(),
	}
	if r.Failed {
		p.Tier = "bad"
	} else if r.Interrupted || len(r.Cells) == 0 {
		p.Tier = "none"
	}
	cells := r.pageCells()
	for _, f := range r.findings() {
		if len(p.Findings) == mostFindings {
			p.More += len(f.cells)
			continue
		}
		out := pageFinding{Verdict: f.verdict, Condition: f.condition, Says: f.says, Allowed: !f.worse}
		for _, c := range f.cells {
			out.Cells = append(out.Cells, cells[c])
		}
		p.Findings = append(p.Findings, out)
	}
	for _, v := range slices.Backward(Verdicts) {
		if n := r.Counts[v]; n > 0 {
			p.Tally = append(p.Tally, tallied{v, n})
		}
	}
	g := r.grid()
	for _, c := range g.columns {
		if n := len(p.Heads); n == 0 || p.Heads[n-1].Moment != c.moment {
			p.Heads = append(p.Heads, head{Moment: c.moment})
			p.When = append(p.When, c.moment)
		}
		p.Heads[len(p.Heads)-1].Span++
		p.Columns = append(p.Columns, c.direction)
		if !slices.Contains(p.Known, c.direction) {
			p.Known = append(p.Known, c.direction)
		}
	}
	for _, row := range g.rows {
		out := pageRow{ConditionInfo: row.condition, Cells: make([]*pageCell, len(row.cells))}
		for i, c := range row.cells {
			if c != nil {
				out.Cells[i] = cells[c]
			}
		}
		for i := range r.Cells {
			if c := &r.Cells[i]; c.Condition == row.condition.Name && c.Group == row.condition.Group {
				out.All = append(out.All, cells[c])
			}
		}
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Name != row.condition.Group {
			p.Groups = append(p.Groups, pageGroup{Name: row.condition.Group})
		}
		last := &p.Groups[len(p.Groups)-1]
		last.Rows = append(last.Rows, out)
	}
	return p
}

// pageCells returns the cells as the page shows them, each with a place that a link can lead to.
func (r *Report) pageCells() map[*Cell]*pageCell {
	cells := make(map[*Cell]*pageCell, len(r.Cells))
	taken := map[string]bool{}
	for i := range r.Cells {
		c := &r.Cells[i]
		anchor := anchorOf(c.ID)
		if taken[anchor] {
			anchor = fmt.Sprintf("%s-%d", anchor, i)
		}
		taken[anchor] = true
		p := &pageCell{
			Cell: c, Anchor: anchor, Where: oneLine(c.where(), 80), Standing: c.standing(), Comes: c.Recovery.text(), Carried: c.Seen.text(),
			Drawing: c.drawing(), Rank: slices.Index(Verdicts, c.Verdict), Order: i,
			Outputs: r.outputsOf(c),
		}
		if c.Worse {
			p.Rank += len(Verdicts) // what is not allowed comes before what was expected to be bad
		}
		cells[c] = p
	}
	return cells
}

// outputsOf returns what the probe wrote in a cell, each text once.
func (r *Report) outputsOf(c *Cell) (outputs []pageOutput) {
	for _, a := range c.Attempts {
		if a.Output == "" {
			continue
		}
		when := fmt.Sprintf("%s at %s", oneLine(string(a.Phase), 20), c.when(a))
		same := func(o pageOutput) bool { return o.Text == a.Output && o.Omitted == a.Omitted }
		if i := slices.IndexFunc(outputs, same); i >= 0 {
			outputs[i].When += ", " + when
			continue
		}
		outputs = append(outputs, pageOutput{when, a.Output, a.Omitted, a.Output == r.Baseline.Answer})
	}
	return outputs
}

// when returns when an attempt began: since the condition was lifted, with a plus, if it was, and since the cell's start
// otherwise.
func (c *Cell) when(a Attempt) string {
	if a.Phase == After && a.At >= c.Timeline.Lifted {
		return "+" + (a.At - c.Timeline.Lifted).String()
	}
	return a.At.String()
}

// anchorOf returns a name of a cell that can stand in an address.
func anchorOf(id string) string {
	return "cell-" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '-'
	}, oneLine(id, 100))
}

// When returns when an attempt began, as in Cell.when.
func (c *pageCell) When(a Attempt) string { return c.when(a) }

// RecoveryTime returns the milliseconds until the cell had recovered, for sorting: more than any if it did not.
func (c *pageCell) RecoveryTime() string {
	switch r := c.Recovery; {
	case r == nil:
		return "-1"
	case !r.Recovered:
		return "1e15"
	default:
		return fmt.Sprintf("%.3f", float64(r.Three)/1e6)
	}
}

// tier returns how a verdict looks on the page: good, fair, bad, or none if it proves nothing.
func (v Verdict) tier() string {
	switch {
	case v == OK:
		return "good"
	case v.Bad():
		return "bad"
	case v == NotExercised, v == Skipped, !slices.Contains(Verdicts, v):
		return "none"
	}
	return "fair"
}

// sign returns the name of the page's sign for a verdict.
func (v Verdict) sign() string {
	if !slices.Contains(Verdicts, v) {
		return "s-unknown"
	}
	return "s-" + string(v)
}

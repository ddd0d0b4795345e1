package sweep

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/chaosgate/chaos/matrix"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// weights are how wide a piece of a strip can be, in parts of what the narrowest is: as classes, because a policy that lets no style in but the page's own
// lets no attribute style in either.
const weights = 100

// pageStyle is the page's style with the classes of the widths.
var pageStyle = sync.OnceValue(func() string {
	var b strings.Builder
	b.WriteString(pageCSS)
	for n := range weights {
		fmt.Fprintf(&b, ".g%d{flex-grow:%d}", n+1, n+1)
	}
	return b.String()
})

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("sweep").Funcs(template.FuncMap{
		"tier": tier, "sign": sign, "line": func(text string) string { return clip(oneLine(text), 300) }, "whole": oneLine,
	}).Parse(pageHTML))
})

// A page is a report as the template takes it.
type page struct {
	Report                        *Report
	Policy, Title, Headline, Tier string
	Setting                       string
	Style                         template.CSS
	Tally                         []tallied
	Messages                      []pageMessage
}

type tallied struct {
	Verdict matrix.Verdict
	N       int
}

type pageMessage struct {
	Anchor, Name, Size, Dump string
	Cut                      int // how many bytes the dump has, if not all
	Strips                   []pageStrip
}

type pageStrip struct {
	Action string
	Last   int64
	Pieces []pagePiece
}

type pagePiece struct {
	Range       Range
	Span, Tried string
	Weight      int  // how wide it is drawn
	Wide        bool // there is room for a word
}

// WriteHTML writes the report as a page that needs nothing beside it, and no program in it: for each message strips, which show what has come of each
// action where, and its bytes.
func (r *Report) WriteHTML(w io.Writer) error {
	sum := sha256.Sum256([]byte(pageStyle()))
	p := page{
		Report: r, Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Title: r.title(), Style: template.CSS(pageStyle()), Tier: "good", Headline: "Nothing is dangerous to cut",
	}
	switch {
	case r.Bad > 0:
		p.Tier, p.Headline = "bad", fmt.Sprintf("%d ranges are dangerous to cut", r.Bad)
		if r.Bad == 1 {
			p.Headline = "1 range is dangerous to cut"
		}
	case r.Interrupted:
		p.Tier, p.Headline = "none", "Interrupted"
	}
	toServer, toClient := r.Exchange.Bytes()
	p.Setting = fmt.Sprintf("%d points of %d messages, %d bytes to the server and %d to the client, in %v. Baseline %v, seed %v.",
		r.Runs, len(r.Exchange.Messages), toServer, toClient, r.Took, r.Baseline.Took, r.Seed)
	counts := map[matrix.Verdict]int{}
	for _, s := range r.Strips {
		for _, one := range s.Ranges {
			counts[one.Verdict]++
		}
	}
	for i := len(matrix.Verdicts) - 1; i >= 0; i-- {
		if v := matrix.Verdicts[i]; counts[v] > 0 {
			p.Tally = append(p.Tally, tallied{v, counts[v]})
		}
	}
	for _, m := range r.Exchange.Messages {
		p.Messages = append(p.Messages, r.pageMessage(m))
	}
	return pageTemplate().Execute(w, p)
}

// dumped is how many bytes of a message are shown.
const dumped = 512

func (r *Report) pageMessage(m Message) pageMessage {
	out := pageMessage{
		Anchor: fmt.Sprintf("m-%d-%v-%d", m.Conn, m.Direction, m.Number),
		Name:   fmt.Sprintf("Connection %d, %s, message %d", m.Conn, words(m.Direction), m.Number),
		Size:   fmt.Sprintf("%d bytes", m.Size),
	}
	if m.Most > 0 {
		out.Size = fmt.Sprintf("%d to %d bytes", m.Size, m.Most)
	}
	if m.Steady < m.Size {
		out.Size += fmt.Sprintf(", of which the first %d are the same each time", m.Steady)
	}
	shown := m.Data[:min(len(m.Data), dumped)]
	out.Dump = hex.Dump(shown)
	if int64(len(shown)) < m.Size {
		out.Cut = len(shown)
	}
	for _, s := range r.Strips {
		if s.Conn == m.Conn && s.Direction == m.Direction && s.Message == m.Number {
			out.Strips = append(out.Strips, s.page())
		}
	}
	return out
}

// page returns a strip as it is drawn.
func (s Strip) page() pageStrip {
	out := pageStrip{Action: s.Action, Last: s.Size}
	for _, one := range s.Ranges {
		share := float64(one.To-one.From+1) / float64(s.Size+1)
		piece := pagePiece{
			Range: one, Span: span(one), Weight: max(1, min(weights, int(share*weights))), Wide: share > 0.12,
			Tried: fmt.Sprintf("%d of %d points tried.", one.Tried, one.To-one.From+1),
		}
		out.Pieces = append(out.Pieces, piece)
	}
	return out
}

// tier returns how bad a verdict is, as a class.
func tier(v matrix.Verdict) string {
	switch {
	case v.Bad():
		return "bad"
	case v == matrix.OK:
		return "good"
	case v == matrix.NotExercised || v == matrix.Skipped:
		return "none"
	}
	return "fair"
}

// sign returns a shape for a verdict, so that none is told by its colour alone.
func sign(v matrix.Verdict) string {
	switch v {
	case matrix.OK:
		return "✓"
	case matrix.Slow:
		return "◔"
	case matrix.Error:
		return "△"
	case matrix.Timeout:
		return "◷"
	case matrix.Hang:
		return "‖"
	case matrix.Wrong:
		return "≠"
	case matrix.Crash:
		return "✕"
	case matrix.Storm:
		return "ϟ"
	case matrix.NoRecovery:
		return "↻"
	}
	return "○"
}

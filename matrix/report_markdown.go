package matrix

import (
	"fmt"
	"io"
	"strings"
)

const (
	// longestMarkdown is the size that a report keeps below: GitHub refuses a job summary of more than 1 MiB, and a step
	// may have something else to say.
	longestMarkdown = 900 << 10
	mostListed      = 50 // findings, and differences, that are listed
)

// WriteMarkdown writes the report as Markdown for a job summary: tables, and no HTML. What came from outside stands there
// as it is, whatever signs are in it.
func (r *Report) WriteMarkdown(w io.Writer) error {
	r = r.readable()
	m := &markdown{left: longestMarkdown}
	m.linef("## Resilience of %s", mdText(r.title()))
	m.linef("")
	m.linef("**%s.** %s", mdText(r.headline()), mdText(r.setting()))
	m.linef("")
	if r.Interrupted {
		m.linef("The run was interrupted: what is missing was not tried.")
		m.linef("")
	}
	for _, note := range r.Notes {
		m.linef("> %s", mdText(oneLine(note, 300)))
		m.linef("")
	}
	m.findings(r)
	m.differences(r)
	if len(r.Cells) > 0 {
		m.linef("### The grid")
		m.linef("")
		m.linef("%s.", mdText(r.tally()))
		m.linef("")
		m.grid(r.grid())
	}
	m.linef("Probe %s against %s; seed %s.", mdCode(oneLine(r.Subject.Probe, 300)), mdCode(oneLine(r.Subject.Server, 100)), r.Seed)
	if r.Repeat != "" {
		m.linef("")
		m.linef("Again: %s", mdCode(oneLine(r.Repeat, 2000)))
	}
	if m.cut {
		m.left = 1000
		m.linef("")
		m.linef("The summary is cut short, because it would become too large.")
	}
	_, err := io.WriteString(w, m.text.String())
	return err
}

// A markdown is text that does not become too large: it ends with the last line for which there is room.
type markdown struct {
	text strings.Builder
	left int // bytes
	cut  bool
}

func (m *markdown) linef(format string, args ...any) {
	line := fmt.Sprintf(format, args...) + "\n"
	if len(line) > m.left {
		m.left, m.cut = 0, true
		return
	}
	m.left -= len(line)
	m.text.WriteString(line)
}

func (m *markdown) findings(r *Report) {
	found := r.findings()
	if len(found) == 0 {
		return
	}
	m.linef("### What needs attention")
	m.linef("")
	m.linef("| verdict | condition | where | what happened |")
	m.linef("| --- | --- | --- | --- |")
	for i, f := range found {
		if i == mostListed {
			m.linef("")
			m.linef("And %d more.", len(found)-mostListed)
			break
		}
		var places []string
		for _, c := range f.cells {
			places = append(places, oneLine(c.where(), 60))
		}
		verdict := mdVerdict(f.verdict)
		if !f.worse {
			verdict += ", as expected"
		}
		m.linef("| %s | %s | %s | %s |", verdict, mdCell(oneLine(f.condition, 60)), mdCell(strings.Join(places, "; ")), mdCell(oneLine(f.says, 200)))
	}
	m.linef("")
}

func (m *markdown) differences(r *Report) {
	lines := r.differences()
	if len(lines) == 0 {
		return
	}
	m.linef("### Compared with what is expected")
	m.linef("")
	for i, line := range lines {
		if i == mostListed {
			m.linef("- and %d more", len(lines)-mostListed)
			break
		}
		m.linef("- %s", mdText(line))
	}
	m.linef("")
}

func (m *markdown) grid(g grid) {
	head, rule := "| condition |", "| --- |"
	for _, c := range g.columns {
		head += " " + mdCell(oneLine(c.moment.Words(), 40)+", "+oneLine(c.direction.Words(), 40)) + " |"
		rule += " --- |"
	}
	m.linef("%s", head)
	m.linef("%s", rule)
	for _, row := range g.rows {
		line := "| " + mdCell(oneLine(row.condition.Name, 60)) + " |"
		for _, c := range row.cells {
			if c == nil {
				line += " |"
				continue
			}
			line += " " + mdVerdict(c.Verdict)
			if c.Worse {
				line += " ▲"
			}
			line += " |"
		}
		m.linef("%s", line)
	}
	m.linef("")
	m.linef("▲ marks what is worse than allowed. A condition that was not exercised proves nothing.")
	m.linef("")
}

// mdVerdict returns a verdict, a bad one in bold.
func mdVerdict(v Verdict) string {
	words := mdCell(oneLine(v.Words(), 40))
	if v.Bad() {
		return "**" + words + "**"
	}
	return words
}

// mdText returns text that Markdown shows as it is. What has only signs without a meaning stands there plainly; all else
// stands in code, because no escape keeps GitHub from turning a name, a number or an address into a link.
func mdText(s string) string {
	if s = mdLine(s); mdHarmless(s) {
		return strings.ReplaceAll(s, "_", `\_`)
	}
	return mdCode(s)
}

// mdHarmless reports whether text means nothing to Markdown, and nothing to GitHub.
func mdHarmless(s string) bool {
	beginning := strings.TrimLeft(s, "0123456789")
	if s == "" || strings.HasPrefix(beginning, ".") || strings.HasPrefix(beginning, ")") || strings.ContainsAny(s[:1], "+-=") {
		return false // it would begin a list, or a heading
	}
	if strings.Contains(s, "www.") || strings.Contains(s, "//") {
		return false
	}
	// A colon may begin a picture, unless a space follows.
	return strings.IndexFunc(strings.ReplaceAll(s, ": ", ""), func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0x7f
		return !letter && !strings.ContainsRune(` _,;.()%'"+-=/?`, r)
	}) < 0
}

// mdCode returns text as code.
func mdCode(s string) string {
	if s = mdLine(s); s == "" {
		return "(none)"
	}
	// A run of backquotes is ended by one that is as long, and no sooner.
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// mdLine returns text on one line: an end of a line would end what it stands in.
func mdLine(s string) string { return oneLine(s, 2000) }

// mdCell returns text as it may stand in a table.
func mdCell(s string) string { return strings.ReplaceAll(mdText(s), "|", `\|`) }

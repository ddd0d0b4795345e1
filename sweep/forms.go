package sweep

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/chaosgate/chaos/matrix"
)

// WriteJSON writes the record.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Read reads a record that WriteJSON has written.
func Read(from io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, fmt.Errorf("no report: %w", err)
	}
	switch {
	case r.Version == 0 || r.Strips == nil:
		return nil, fmt.Errorf("no report of a sweep: it has no version or no strips")
	case r.Version != Version:
		return nil, fmt.Errorf("got a report of version %d, want %d", r.Version, Version)
	}
	return &r, nil
}

// tally says how many ranges there are of each verdict, the worst first.
func (r *Report) tally() string {
	counts := map[matrix.Verdict]int{}
	for _, s := range r.Strips {
		for _, one := range s.Ranges {
			counts[one.Verdict]++
		}
	}
	var all []string
	for i := len(matrix.Verdicts) - 1; i >= 0; i-- {
		if v := matrix.Verdicts[i]; counts[v] > 0 {
			all = append(all, fmt.Sprintf("%d %s", counts[v], v.Words()))
		}
	}
	return strings.Join(all, ", ")
}

// place says where a range is: "to the client, message 3, bytes 5–311".
func (s Strip) place(one Range) string {
	where := fmt.Sprintf("%s, message %d", words(s.Direction), s.Message)
	if s.Conn > 1 {
		where = fmt.Sprintf("connection %d, %s", s.Conn, where)
	}
	switch {
	case one.From == one.To && one.From == s.Size:
		return where + ", behind its last byte"
	case one.From == one.To:
		return fmt.Sprintf("%s, behind byte %d", where, one.From)
	case one.To == s.Size:
		return fmt.Sprintf("%s, behind byte %d and on", where, one.From)
	}
	return fmt.Sprintf("%s, behind bytes %d–%d", where, one.From, one.To)
}

// WriteText writes the report as text, for a terminal or a log.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	toServer, toClient := r.Exchange.Bytes()
	fmt.Fprintf(&b, "%d messages, %d bytes to the server and %d to the client\n", len(r.Exchange.Messages), toServer, toClient)
	for _, m := range r.Exchange.Messages {
		fmt.Fprintf(&b, "  %d/%v/%d  %5d B  %s\n", m.Conn, m.Direction, m.Number, m.Size, preview(m.Data, 48))
	}
	for _, s := range r.Strips {
		fmt.Fprintf(&b, "\n%s in %d/%v/%d\n", s.Action, s.Conn, s.Direction, s.Message)
		for _, one := range s.Ranges {
			fmt.Fprintf(&b, "  %11s  %-13s  %s\n", span(one), one.Verdict.Words(), clip(oneLine(one.Says), 160))
			if one.Verdict.Bad() && one.Repeat != "" {
				fmt.Fprintf(&b, "  %11s  again: %s\n", "", oneLine(one.Repeat))
			}
		}
	}
	fmt.Fprintf(&b, "\n%d points in %v, seed %v: %s\n", r.Runs, r.Took, r.Seed, r.tally())
	for _, text := range r.LeftOut {
		fmt.Fprintf(&b, "left out: %s\n", oneLine(text))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// span returns a range's offsets.
func span(one Range) string {
	if one.From == one.To {
		return fmt.Sprint(one.From)
	}
	return fmt.Sprintf("%d–%d", one.From, one.To)
}

// WriteMarkdown writes the report as Markdown, for a job summary.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	toServer, toClient := r.Exchange.Bytes()
	fmt.Fprintf(&b, "## Sweep of %s\n\n", md(r.title()))
	fmt.Fprintf(&b, "%d points of %d messages, %d bytes to the server and %d to the client, in %v: %s. Seed %v.\n\n",
		r.Runs, len(r.Exchange.Messages), toServer, toClient, r.Took, md(r.tally()), r.Seed)
	for _, text := range r.LeftOut {
		fmt.Fprintf(&b, "> left out: %s\n\n", md(oneLine(text)))
	}
	b.WriteString("| action | where | verdict | what happened |\n| --- | --- | --- | --- |\n")
	for _, s := range r.Strips {
		for _, one := range s.Ranges {
			verdict := md(one.Verdict.Words())
			if one.Verdict.Bad() {
				verdict = "**" + verdict + "**"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", md(s.Action), md(s.place(one)), verdict, md(clip(oneLine(one.Says), 200)))
		}
	}
	if strips, ranges := r.BadRanges(); len(ranges) > 0 && ranges[0].Repeat != "" {
		b.WriteString("\nAgain:\n\n")
		for i, one := range ranges {
			fmt.Fprintf(&b, "    # %s\n    %s\n", strips[i].ID(one), oneLine(one.Repeat))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// title names what was swept.
func (r *Report) title() string {
	if r.Subject.Name != "" {
		return oneLine(r.Subject.Name)
	}
	return clip(oneLine(r.Subject.Probe), 80)
}

// md returns text that Markdown shows as it is, also in a table.
func md(text string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "]", `\]`, "#", `\#`, "\n", " ").Replace(text)
}

// oneLine returns a text without what would break a line or a terminal.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == utf8.RuneError {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, " "))
}

// clip returns the beginning of a text.
func clip(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// preview shows bytes as text: those that cannot be seen as dots.
func preview(data []byte, most int) string {
	var b strings.Builder
	for i, c := range data {
		if i == most {
			b.WriteString("…")
			break
		}
		if c < ' ' || c > '~' {
			b.WriteString("·")
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// WriteJUnit writes the report as JUnit XML, as GitLab and Jenkins take it: a range is a test case.
func (r *Report) WriteJUnit(w io.Writer) error { return r.Cells().WriteJUnit(w) }

// Cells returns the report as one of package matrix in which each range is a cell: its name is the range's.
func (r *Report) Cells() *matrix.Report {
	out := &matrix.Report{
		Version: matrix.Version, Tool: r.Tool, Seed: r.Seed, Started: r.Started, Took: r.Took, Machine: r.Machine, Subject: r.Subject, Baseline: r.Baseline,
		Counts: map[matrix.Verdict]int{}, Worse: r.Bad, Failed: r.Bad > 0, Interrupted: r.Interrupted, Notes: append(append([]string(nil), r.Notes...), r.LeftOut...), Repeat: r.Repeat,
	}
	for _, a := range r.Actions {
		out.Conditions = append(out.Conditions, matrix.ConditionInfo{Name: a.Name, Group: "sweep", Help: a.Help, Text: a.Text})
	}
	for _, s := range r.Strips {
		for _, one := range s.Ranges {
			c := one.Sample
			c.ID, c.Condition, c.Group, c.Verdict, c.Says, c.Repeat, c.Worse = s.ID(one), s.Action, s.Action, one.Verdict, s.place(one)+": "+one.Says, one.Repeat, one.Verdict.Bad()
			c.Direction = matrix.Direction(s.Direction.String())
			out.Cells = append(out.Cells, c)
			out.Counts[c.Verdict]++
		}
	}
	out.Planned = len(out.Cells)
	return out
}

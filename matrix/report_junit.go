package matrix

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

const (
	longestCase  = 8 << 10  // bytes of output in a test case
	longestJUnit = 10 << 20 // bytes of output in all: GitLab takes files of up to 30 MB
)

type junitSuites struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Time     string     `xml:"time,attr"`
	Suite    junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// A junitCase has its elements in the order of the schema.
type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	Skipped   string        `xml:"skipped,omitempty"` // Jenkins' schema allows it no attribute
	Failure   *junitFailure `xml:"failure"`
	Output    string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"` // GitLab shows this and not the message
}

// WriteJUnit writes the report as JUnit XML, as GitLab and Jenkins take it. A cell is a test case: its name is the cell's,
// its class the subject's name and the group of conditions. It fails if it is worse than allowed, and is skipped if it
// proves nothing.
func (r *Report) WriteJUnit(w io.Writer) error {
	r = r.readable()
	suite := junitSuite{
		Name: "resilience of " + r.title(), Time: seconds(r.Took), Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"), Hostname: oneLine(r.Machine.Name, 200),
	}
	for _, p := range []junitProperty{
		{"probe", ends(r.Subject.Probe, 1000)},
		{"server", oneLine(r.Subject.Server, 200)},
		{"seed", r.Seed.String()},
		{"baseline", r.Baseline.Took.String()},
		{"interrupted", fmt.Sprint(r.Interrupted)},
		{"repeat", ends(r.Repeat, 2000)},
	} {
		if p.Value != "" {
			suite.Properties = append(suite.Properties, p)
		}
	}
	room := longestJUnit
	for i := range r.Cells {
		suite.add(r.junitCase(&r.Cells[i], &room))
	}
	if r.Failed && r.Worse == 0 || r.Interrupted {
		suite.add(r.junitWhole())
	}
	suites := junitSuites{
		Name: "chaosgate matrix", Tests: suite.Tests, Failures: suite.Failures, Time: suite.Time, Suite: suite,
	}
	text, err := xml.MarshalIndent(suites, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	} else if c.Skipped != "" {
		s.Skipped++
	}
}

// junitCase returns a cell as a test case. Its output comes out of the room that is left.
func (r *Report) junitCase(c *Cell, room *int) junitCase {
	// A dot would be read as the end of a package.
	class := strings.ReplaceAll(r.title(), ".", "_") + "." + strings.ReplaceAll(oneLine(c.Group, 80), ".", "_")
	out := junitCase{Name: cmp.Or(oneLine(c.ID, 200), "a cell without a name"), ClassName: class, Time: seconds(c.Took)}
	verdict := strings.TrimSuffix(c.Verdict.Words()+", "+c.standing(), ", ")
	switch {
	case c.Worse:
		out.Failure = &junitFailure{Type: oneLine(string(c.Verdict), 40), Message: oneLine(verdict+": "+c.Says, 500), Text: ends(c.account(verdict), longestCase)}
	case c.Verdict == NotExercised || c.Verdict == Skipped:
		out.Skipped = oneLine(verdict+": "+c.Says, 500)
	default:
		out.Output = ends(c.account(verdict), longestCase/4)
	}
	if out.Failure != nil {
		out.Output = ends(c.worstOutput(), longestCase)
	}
	if *room -= len(out.Output); *room < 0 {
		out.Output = "The output is left out, because the file would become too large."
	}
	return out
}

// junitWhole returns what is wrong with the run, and with no single cell of it, as a test case.
func (r *Report) junitWhole() junitCase {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n%s\n", r.headline(), r.setting())
	for _, line := range r.differences() {
		fmt.Fprintln(&b, line)
	}
	out := junitCase{Name: "the run as a whole", ClassName: strings.ReplaceAll(r.title(), ".", "_") + ".run", Time: seconds(r.Took)}
	if r.Failed {
		out.Failure = &junitFailure{Type: "expectations", Message: r.headline(), Text: ends(b.String(), longestCase)}
	} else {
		out.Skipped = "interrupted: " + r.setting()
	}
	return out
}

// account returns what there is to say of a cell, on a few lines.
func (c *Cell) account(verdict string) string {
	lines := []string{
		verdict + ": " + ends(c.Says, 2000),
		"imposed: " + ends(c.Imposed, 500) + " (" + c.where() + fmt.Sprintf("; it fired %s)", count(c.Fired, "time")),
		"recovery: " + c.Recovery.text(),
		"the gate saw: " + c.Seen.text(),
	}
	if c.Repeat != "" {
		lines = append(lines, "again: "+ends(c.Repeat, 2000))
	}
	return strings.Join(lines, "\n") + "\n"
}

// worstOutput returns what the probe wrote in its worst attempt.
func (c *Cell) worstOutput() string {
	var worst *Attempt
	for i := range c.Attempts {
		if a := &c.Attempts[i]; a.Output != "" && (worst == nil || a.Outcome.Worse(worst.Outcome)) {
			worst = a
		}
	}
	if worst == nil {
		return ""
	}
	return worst.Output
}

// seconds returns a span as JUnit has it. Jenkins takes no exponent.
func seconds(s Span) string { return fmt.Sprintf("%.3f", float64(s)/1e9) }

package matrix_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chaosgate/chaos/internal/reportsample"
	"github.com/chaosgate/chaos/matrix"
)

func TestJUnitHasTheFormThatJenkinsTakes(t *testing.T) {
	for _, sample := range samples {
		t.Run(sample.name, func(t *testing.T) {
			text := junit(t, sample.report)
			for _, wrong := range againstJUnit(text) {
				t.Error(wrong)
			}
			if !utf8.ValidString(text) || len(text) > 30<<20 {
				t.Errorf("got %d bytes, want at most the 30 MB that GitLab takes, in UTF-8", len(text))
			}
		})
	}
}

// TestJUnitSatisfiesSchemas holds the reports to schemas of others, whose texts are not ours to keep here: CHAOSGATE_JUNIT_XSD
// lists their files. Jenkins' are junit-10.xsd of its xunit plugin, and jenkins-junit.xsd, with which JUnit tests itself.
func TestJUnitSatisfiesSchemas(t *testing.T) {
	schemas := filepath.SplitList(os.Getenv("CHAOSGATE_JUNIT_XSD"))
	if len(schemas) == 0 {
		t.Skip("CHAOSGATE_JUNIT_XSD names no schema")
	}
	for _, sample := range samples {
		file := filepath.Join(t.TempDir(), "junit.xml")
		if err := os.WriteFile(file, []byte(junit(t, sample.report)), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, schema := range schemas {
			if out, err := exec.Command("xmllint", "--huge", "--noout", "--schema", schema, file).CombinedOutput(); err != nil {
				t.Errorf("%s, %s: %v\n%.2000s", sample.name, filepath.Base(schema), err, out)
			}
		}
	}
}

func TestJUnitSaysWhatCameOfCells(t *testing.T) {
	report := reportsample.Every()
	var got struct {
		Suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Name    string  `xml:"name,attr"`
				Class   string  `xml:"classname,attr"`
				Skipped *string `xml:"skipped"`
				Failure *struct {
					Type string `xml:"type,attr"`
					Text string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(junit(t, report)), &got); err != nil {
		t.Fatal(err)
	}
	proveNothing := report.Counts[matrix.NotExercised] + report.Counts[matrix.Skipped]
	if s := got.Suite; s.Tests != len(report.Cells) || s.Failures != report.Worse || s.Skipped != proveNothing {
		t.Fatalf("got %d tests, %d failures and %d skipped, want %d, %d and %d", s.Tests, s.Failures, s.Skipped, len(report.Cells), report.Worse, proveNothing)
	}
	names := map[string]bool{}
	for i, c := range got.Suite.Cases {
		cell := report.Cells[i]
		if c.Name != cell.ID || c.Class != "orders."+cell.Group || names[c.Name] {
			t.Errorf("got the case %s of %s, want %s of orders.%s, once", c.Name, c.Class, cell.ID, cell.Group)
		}
		names[c.Name] = true
		if (c.Failure != nil) != cell.Worse {
			t.Errorf("%s: got the failure %v, want one: %v", c.Name, c.Failure, cell.Worse)
		}
		if f := c.Failure; f != nil && (f.Type != string(cell.Verdict) || !strings.Contains(f.Text, cell.Says) || !strings.Contains(f.Text, cell.Repeat)) {
			t.Errorf("%s: got the failure %q, want one with the sentence and the command", c.Name, f.Text)
		}
	}
}

func TestJUnitSaysWhatIsWrongWithTheWhole(t *testing.T) {
	failed := reportsample.Good()
	failed.Failed = true
	failed.Expected = &matrix.Comparison{Missing: []string{"throttle/both/idle"}}
	if text := junit(t, failed); !strings.Contains(text, `type="expectations"`) || !strings.Contains(text, "throttle/both/idle: expected, and not tried") {
		t.Error("a run whose expectations do not fit has no failure")
	}
	if text := junit(t, reportsample.Interrupted()); !strings.Contains(text, "<skipped>interrupted: 0 of 108 cells") {
		t.Errorf("got %s, want a case that says that the run was interrupted", text)
	}
}

func junit(t *testing.T, r *matrix.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// junitForm is what Jenkins' two schemas and GitLab's parser have in common, as far as anybody uses it: elements with their
// attributes (with an exclamation mark if they must be there) and with their children in order (with a question mark if
// there is one at most).
var junitForm = map[string]struct{ attributes, children string }{
	"":           {"", "testsuites"},
	"testsuites": {"name time tests failures errors", "testsuite"},
	"testsuite":  {"name! tests! failures! errors! time skipped timestamp hostname id package", "properties? testcase system-out? system-err?"},
	"properties": {"", "property"},
	"property":   {"name! value!", ""},
	"testcase":   {"name! classname time", "skipped? error failure system-out system-err"},
	"skipped":    {"", ""},
	"error":      {"type message", ""},
	"failure":    {"type message", ""},
	"system-out": {"", ""},
	"system-err": {"", ""},
}

var (
	decimal = regexp.MustCompile(`^[0-9]{1,9}\.[0-9]{3}$`)
	whole   = regexp.MustCompile(`^[0-9]+$`)
)

// againstJUnit returns what is wrong with a report in JUnit XML.
func againstJUnit(text string) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	type open struct {
		name string
		had  []string // its children so far
	}
	stack := []open{{}}
	for in := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return wrong
		} else if err != nil {
			return append(wrong, err.Error())
		}
		parent := &stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			order := strings.Fields(junitForm[parent.name].children)
			at := func(child string) int {
				return slices.IndexFunc(order, func(o string) bool { return strings.TrimSuffix(o, "?") == child })
			}
			switch last := at(lastOf(parent.had)); {
			case at(name) < 0:
				say("%s has a child %s, want %v", parent.name, name, order)
			case at(name) < last:
				say("%s has a child %s after %s, want %v", parent.name, name, lastOf(parent.had), order)
			case slices.Contains(order, name+"?") && slices.Contains(parent.had, name):
				say("%s has a second child %s", parent.name, name)
			}
			parent.had = append(parent.had, name)
			wrong = append(wrong, againstJUnitAttributes(name, token.Attr)...)
			stack = append(stack, open{name: name})
		case xml.EndElement:
			if parent.name == "properties" && len(parent.had) == 0 {
				say("properties is empty")
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if junitForm[parent.name].children != "" && len(bytes.TrimSpace(token)) > 0 {
				say("%s has text %.40q", parent.name, token)
			}
		}
	}
}

func lastOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// againstJUnitAttributes returns what is wrong with the attributes of an element.
func againstJUnitAttributes(element string, given []xml.Attr) (wrong []string) {
	allowed := strings.Fields(junitForm[element].attributes)
	values := map[string]string{}
	for _, a := range given {
		name := a.Name.Local
		values[name] = a.Value
		if !slices.Contains(allowed, name) && !slices.Contains(allowed, name+"!") {
			wrong = append(wrong, fmt.Sprintf("%s has an attribute %s, want %v", element, name, allowed))
		}
		number := slices.Contains([]string{"tests", "failures", "errors", "skipped"}, name)
		if name == "time" && !decimal.MatchString(a.Value) || number && !whole.MatchString(a.Value) {
			wrong = append(wrong, fmt.Sprintf("%s: %s: got %q, want a number", element, name, a.Value))
		}
	}
	for _, a := range allowed {
		if name, must := strings.CutSuffix(a, "!"); must && values[name] == "" {
			wrong = append(wrong, fmt.Sprintf("%s has no attribute %s", element, name))
		}
	}
	return wrong
}

func TestJUnitCheckFindsWhatIsWrong(t *testing.T) {
	const fine = `<testsuite name="s" tests="1" failures="0" errors="0"><testcase name="c" time="1.000"><skipped>x</skipped></testcase></testsuite>`
	tests := []struct{ name, old, new, want string }{
		{"fine", "", "", ""},
		{"an attribute too many", "<skipped>", `<skipped message="m">`, "skipped has an attribute message"},
		{"an attribute too few", `name="c" `, "", "testcase has no attribute name"},
		{"no number", `tests="1"`, `tests="one"`, `tests: got "one"`},
		{"an exponent", `time="1.000"`, `time="1e3"`, `time: got "1e3"`},
		{"in disorder", "<skipped>", "<failure/><skipped>", "skipped after failure"},
		{"twice", "<skipped>", "<skipped/><skipped>", "second child skipped"},
		{"in the wrong place", "<skipped>x</skipped>", "<property/>", "testcase has a child property"},
		{"no properties", "<testcase", "<properties></properties><testcase", "properties is empty"},
		{"text between", "<testcase", "words<testcase", "testsuite has text"},
		{"an illegal character", "x", "\x01", "illegal character"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Join(againstJUnit("<testsuites>"+strings.Replace(fine, test.old, test.new, 1)+"</testsuites>"), "\n")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

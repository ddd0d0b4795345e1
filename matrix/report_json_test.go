package matrix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos/internal/reportsample"
	"github.com/chaosgate/chaos/matrix"
)

// samples are reports of all sorts.
var samples = []struct {
	name   string
	report *matrix.Report
}{
	{"every verdict", reportsample.Every()},
	{"nothing bad", reportsample.Good()},
	{"interrupted", reportsample.Interrupted()},
	{"200 cells", reportsample.Many(200)},
	{"hostile", reportsample.Nasty()},
	{"empty", &matrix.Report{Version: matrix.Version}},
}

func TestSamplesHaveEveryVerdict(t *testing.T) {
	report := reportsample.Every()
	for _, v := range matrix.Verdicts {
		if report.Counts[v] == 0 {
			t.Errorf("no cell is %s", v)
		}
	}
}

func TestReportsAreReadAsTheyWereWritten(t *testing.T) {
	for _, sample := range samples {
		if sample.name == "empty" {
			continue // Read says that it has no cells
		}
		t.Run(sample.name, func(t *testing.T) {
			want := sample.report
			if sample.name == "hostile" {
				want = throughJSON(t, want) // which has no bytes that are not UTF-8
			}
			if diff := cmp.Diff(want, throughJSON(t, want)); diff != "" {
				t.Errorf("read again, the report differs (-want +got):\n%s", diff)
			}
		})
	}
}

// throughJSON returns a report that was written and read.
func throughJSON(t *testing.T, r *matrix.Report) *matrix.Report {
	t.Helper()
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	got, err := matrix.Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestReportsSatisfyTheSchema(t *testing.T) {
	for _, sample := range samples {
		if sample.name == "hostile" || sample.name == "empty" {
			continue // with verdicts, directions and moments that there are not
		}
		t.Run(sample.name, func(t *testing.T) {
			for _, wrong := range againstSchema(t, sample.report) {
				t.Error(wrong)
			}
		})
	}
}

func TestSchemaRefuses(t *testing.T) {
	tests := []struct {
		name, old, new string // in the JSON
		want           string
	}{
		{"another version", `"version": 1`, `"version": 2`, "version: got 2, want 1"},
		{"no seed", `"seed": 24378,`, ``, "has no seed"},
		{"a verdict that there is not", `"verdict": "hang"`, `"verdict": "fine"`, "verdict: got fine, want one of"},
		{"a span in words", `"took_ms": 151000`, `"took_ms": "2 min"`, "took_ms: got 2 min, want number"},
		{"a count that is not whole", `"planned": `, `"planned": 0.5`, "planned: got 0.5"},
		{"a count of what is no verdict", `"crash": 1`, `"dead": 1`, "dead: got dead, want one of"},
		{"no list", `"notes": [`, `"notes": 7, "x": [`, "notes: got 7, want array or null"},
		{"a bad seed", `"seed": 24378`, `"seed": "5f3a"`, "seed: got 5f3a, want one of 2 forms"},
	}
	var text bytes.Buffer
	if err := reportsample.Every().WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			changed := strings.Replace(text.String(), test.old, test.new, 1)
			var value any
			if err := json.Unmarshal([]byte(changed), &value); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(newValidator(t).check("", nil, value), "\n")
			if !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// againstSchema returns what is wrong with a report as JSON.
func againstSchema(t *testing.T, r *matrix.Report) []string {
	t.Helper()
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	return newValidator(t).check("", nil, value)
}

// A validator holds values of JSON to the schema. It knows the words that the schema uses, and says so if it meets another.
type validator struct{ root map[string]any }

func newValidator(t *testing.T) validator {
	t.Helper()
	var v validator
	if err := json.Unmarshal(matrix.Schema(), &v.root); err != nil {
		t.Fatal(err)
	}
	return v
}

// check returns what is wrong with the value at a path; schema is the root's if it is nil.
func (v validator) check(at string, schema map[string]any, value any) (wrong []string) {
	if schema == nil {
		schema = v.root
	}
	say := func(format string, args ...any) {
		wrong = append(wrong, at+": got "+fmt.Sprint(value)+", want "+fmt.Sprintf(format, args...))
	}
	members, isObject := value.(map[string]any)
	for word, rule := range schema {
		switch word {
		case "$schema", "$defs", "title", "description", "format", "properties", "required":
		case "$ref":
			name := strings.TrimPrefix(rule.(string), "#/$defs/")
			def, ok := v.root["$defs"].(map[string]any)[name].(map[string]any)
			if !ok {
				say("a definition of %s", name)
				continue
			}
			wrong = append(wrong, v.check(at, def, value)...)
		case "type":
			types, ok := rule.([]any)
			if !ok {
				types = []any{rule}
			}
			if !slices.ContainsFunc(types, func(t any) bool { return isOfType(t.(string), value) }) {
				say("%s", strings.Join(strings.Fields(strings.Trim(fmt.Sprint(types), "[]")), " or "))
			}
		case "const":
			if value != rule {
				say("%v", rule)
			}
		case "enum":
			if !slices.Contains(rule.([]any), value) {
				say("one of %v", rule)
			}
		case "minimum":
			if n, ok := value.(float64); ok && n < rule.(float64) {
				say("%v or more", rule)
			}
		case "pattern":
			if s, ok := value.(string); ok && !regexp.MustCompile(rule.(string)).MatchString(s) {
				say("a match of %v", rule)
			}
		case "anyOf":
			forms := rule.([]any)
			if !slices.ContainsFunc(forms, func(form any) bool { return len(v.check(at, form.(map[string]any), value)) == 0 }) {
				say("one of %d forms", len(forms))
			}
		case "items":
			items, _ := value.([]any)
			for i, item := range items {
				wrong = append(wrong, v.check(fmt.Sprintf("%s[%d]", at, i), rule.(map[string]any), item)...)
			}
		case "propertyNames":
			for name := range members {
				wrong = append(wrong, v.check(at+"."+name, rule.(map[string]any), name)...)
			}
		case "additionalProperties":
			for name, member := range members {
				wrong = append(wrong, v.check(at+"."+name, rule.(map[string]any), member)...)
			}
		default:
			say("no word in the schema that this test does not know: %s", word)
		}
	}
	if !isObject {
		return wrong
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		if member, ok := members[name]; ok {
			wrong = append(wrong, v.check(at+"."+name, property.(map[string]any), member)...)
		}
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := members[name.(string)]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: has no %v", at, name))
		}
	}
	return wrong
}

// isOfType reports whether a value of JSON is of a type, in the words of a schema.
func isOfType(name string, value any) bool {
	switch v := value.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == float64(int64(v))
	case string:
		return name == "string"
	case []any:
		return name == "array"
	default:
		return name == "object"
	}
}

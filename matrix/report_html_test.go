package matrix_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chaosgate/chaos/internal/reportsample"
	"github.com/chaosgate/chaos/matrix"
)

var (
	tags       = regexp.MustCompile(`<[a-zA-Z][^>]*>`)
	attributes = regexp.MustCompile(`\s([a-zA-Z:-]+)(?:="([^"]*)")?`)
	policy     = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)
)

// pageParts are the elements of a page that tests look at.
func pageParts(t *testing.T, r *matrix.Report) (text string, elements []element) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	text = b.String()
	for _, part := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(text, "<"+part+">")
		inner, _, _ := strings.Cut(rest, "</"+part+">")
		elements = append(elements, element{name: part, inner: inner})
		text = strings.Replace(text, inner, "", 1)
	}
	for _, tag := range tags.FindAllString(text, -1) {
		name, rest, _ := strings.Cut(strings.Trim(tag, "</>"), " ")
		e := element{name: name, values: map[string]string{}}
		for _, a := range attributes.FindAllStringSubmatch(" "+rest, -1) {
			e.values[a[1]] = html.UnescapeString(a[2])
		}
		elements = append(elements, e)
	}
	return text, elements
}

type element struct {
	name, inner string
	values      map[string]string
}

func TestPageAsksForNothing(t *testing.T) {
	allowed := strings.Fields("a b body button caption circle code dd defs details div dl dt em figcaption figure form h1 h2 h3 head header " +
		"html input kbd label li line main meta ol option p path pattern polygon polyline pre rect script section select span style " +
		"summary svg symbol table tbody td text th thead time title tr ul use")
	known := map[string]bool{}
	for _, name := range allowed {
		known[name] = true
	}
	for _, sample := range samples {
		t.Run(sample.name, func(t *testing.T) {
			text, elements := pageParts(t, sample.report)
			ids := map[string]bool{}
			for _, e := range elements {
				if id := e.values["id"]; id != "" && ids[id] {
					t.Errorf("the id %s stands there twice", id)
				} else {
					ids[id] = true
				}
			}
			for _, e := range elements {
				if !known[e.name] {
					t.Errorf("got an element %.60q, which the page does not have", e.name)
				}
				for name, value := range e.values {
					switch {
					case name == "href" && (!strings.HasPrefix(value, "#") || !ids[value[1:]]):
						t.Errorf("%s leads to %.60q, want a place on the page", e.name, value)
					case name == "src", name == "style", name == "action", strings.HasPrefix(name, "on"), strings.HasSuffix(name, ":href"):
						t.Errorf("%s has the attribute %s=%.60q", e.name, name, value)
					}
				}
			}
			if limit := 4 << 20; len(text) > limit {
				t.Errorf("got %d bytes, want at most %d", len(text), limit)
			}
			if n := strings.Count(text, "<script"); n != 1 {
				t.Errorf("got %d scripts, want the page's own", n)
			}
		})
	}
}

func TestPagePolicyFitsThePage(t *testing.T) {
	text, elements := pageParts(t, reportsample.Every())
	found := policy.FindStringSubmatch(text)
	if found == nil {
		t.Fatal("the page has no policy")
	}
	got := html.UnescapeString(found[1])
	if !strings.HasPrefix(got, "default-src 'none'; ") || strings.Contains(got, "unsafe") {
		t.Errorf("got the policy %q, want one that allows nothing but two hashes", got)
	}
	for _, e := range elements[:2] {
		sum := sha256.Sum256([]byte(e.inner))
		if want := e.name + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; e.inner == "" || !strings.Contains(got, want) {
			t.Errorf("got the policy %q, want %s in it", got, want)
		}
	}
}

func TestPageHasWhatIsKnownOfEachCell(t *testing.T) {
	report := reportsample.Every()
	text, elements := pageParts(t, report)
	byAnchor, inGrid := map[string]bool{}, map[string]bool{}
	for _, e := range elements {
		if e.name == "details" && e.values["data-anchor"] != "" {
			byAnchor[e.values["data-anchor"]] = true
		}
		if e.name == "a" && e.values["data-cell"] != "" {
			inGrid[e.values["data-cell"]] = true
		}
	}
	text = html.UnescapeString(text)
	for _, c := range report.Cells {
		anchor := "cell-" + strings.ReplaceAll(c.ID, "/", "-")
		if !byAnchor[anchor] || !inGrid[anchor] {
			t.Errorf("%s: in the list %v, in the grid %v, want both", c.ID, byAnchor[anchor], inGrid[anchor])
		}
		_, cell, _ := strings.Cut(text, `data-anchor="`+anchor+`"`)
		cell, _, _ = strings.Cut(cell, "data-anchor=")
		for _, want := range []string{c.Verdict.Words(), c.Says, c.Imposed, c.Repeat, c.Seed.String(), `role="img"`} {
			if !strings.Contains(cell, want) {
				t.Errorf("%s: has no %q", c.ID, want)
			}
		}
	}
}

// TestColoursHaveContrast holds what stands on a ground of its own to WCAG's 4.5 to 1, and lines that mean something to 3 to 1.
func TestColoursHaveContrast(t *testing.T) {
	style, err := os.ReadFile("report.css")
	if err != nil {
		t.Fatal(err)
	}
	roots := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(string(style), -1)
	if len(roots) != 3 {
		t.Fatalf("got %d palettes, want light, dark and print", len(roots))
	}
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"text", "page", 7},
		{"text", "panel", 7},
		{"muted", "page", 4.5},
		{"muted", "panel", 4.5},
		{"good", "good-bg", 4.5},
		{"fair", "fair-bg", 4.5},
		{"bad", "bad-bg", 4.5},
		{"none", "page", 4.5},
		{"none", "panel", 4.5},
		{"fair", "panel", 4.5},
		{"good", "panel", 3},
		{"fair-bar", "panel", 3},
		{"bad-text", "panel", 3},
		{"server", "panel", 3},
		{"client", "panel", 3},
		{"band", "panel", 3},
		{"focus", "page", 3},
	}
	light := map[string]string{}
	for i, name := range []string{"light", "dark", "print"} {
		palette := map[string]string{}
		for key, value := range light {
			palette[key] = value // print has the rest from light
		}
		for _, d := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+|transparent)`).FindAllStringSubmatch(roots[i][1], -1) {
			palette[d[1]] = d[2]
		}
		if i == 0 {
			light = palette
		}
		for _, p := range pairs {
			if got := contrast(t, palette[p.front], palette[p.back]); got < p.least {
				t.Errorf("%s: %s on %s: got %.2f to 1, want %v", name, p.front, p.back, got, p.least)
			}
		}
	}
}

// contrast returns the contrast of two colours, as WCAG 2 defines it.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	brighter, darker := luminance(t, a), luminance(t, b)
	if brighter < darker {
		brighter, darker = darker, brighter
	}
	return (brighter + 0.05) / (darker + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(colour, "#")
	if len(digits) == 3 {
		digits = digits[:1] + digits[:1] + digits[1:2] + digits[1:2] + digits[2:] + digits[2:]
	}
	n, err := strconv.ParseUint(digits, 16, 24)
	if err != nil || len(digits) != 6 {
		t.Fatalf("got the colour %q, want six digits", colour)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/chaosgate/chaos/internal/reportsample"
	"github.com/chaosgate/chaos/matrix"
)

// reportPage writes a report as a page and returns its address.
func reportPage(t *testing.T, r *matrix.Report) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return "file:///" + strings.TrimPrefix(filepath.ToSlash(file), "/")
}

func TestReportsAreQuietAndFit(t *testing.T) {
	browser := startBrowser(t)
	looks := []look{{width: 390}, {width: 1280, dark: true}, {width: 760, print: true}, {width: 390, noScripts: true}}
	samples := []struct {
		name   string
		report *matrix.Report
		looks  []look
	}{
		{"every verdict", reportsample.Every(), looks},
		{"interrupted", reportsample.Interrupted(), looks[:1]},
		{"hostile", reportsample.Nasty(), looks},
		{"200 cells", reportsample.Many(200), looks[:1]},
	}
	for _, sample := range samples {
		page := reportPage(t, sample.report)
		for _, l := range sample.looks {
			t.Run(fmt.Sprintf("%s, %v", sample.name, l), func(t *testing.T) {
				tb := open(t, browser, page, l)
				eval[int](tb, `[...document.querySelectorAll("details")].map((d) => { d.open = true; }).length`)
				if over := eval[int](tb, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("the page is %d pixels wider than its window", over)
				}
				if title := eval[string](tb, `document.title`); title == "owned" {
					t.Error("the output of a probe was run as a script")
				}
				if cells := eval[int](tb, `document.querySelectorAll("details.cell").length`); cells != len(sample.report.Cells) {
					t.Errorf("got %d cells, want %d", cells, len(sample.report.Cells))
				}
				tb.quiet()
			})
		}
	}
}

// shownCells are the names of the cells in the list, in their order.
const shownCells = `[...document.querySelectorAll("#list details.cell:not([hidden])")].map((d) => d.dataset.anchor).join(" ")`

// focused is the cell whose head has the focus, or the element that has it.
const focused = `(document.activeElement.closest("details.cell") || {dataset: {}}).dataset.anchor || document.activeElement.id || document.activeElement.dataset.cell || "none"`

func TestReportIsFilteredAndSorted(t *testing.T) {
	report := reportsample.Every()
	tb := open(t, startBrowser(t), reportPage(t, report), look{width: 1280})
	all := eval[string](tb, shownCells)
	if n := len(strings.Fields(all)); n != len(report.Cells) {
		t.Fatalf("got %d cells at first, want all %d", n, len(report.Cells))
	}
	choose := func(field, value string) {
		t.Helper()
		eval[bool](tb, fmt.Sprintf(`(() => { const f = document.getElementById(%q); f.value = %q; f.dispatchEvent(new Event("input", { bubbles: true })); return f.value === %q; })()`,
			field, value, value))
	}
	tests := []struct {
		field, value string
		want         string // the cells, or the first of them
		count        int
	}{
		{"f-verdict", "hang", "cell-stall-both-underway cell-discard-to_server-underway", 2},
		{"f-direction", "to_server", "cell-discard-to_server-underway", 1},
		{"f-verdict", "", "cell-stall-to_server-connecting", 24},
		{"f-moment", "idle", "cell-stall-to_server-idle", 8},
		{"f-text", "Corrupt error", "cell-corrupt-to_server-idle", 1},
		{"f-text", "no such words", "", 0},
	}
	for _, test := range tests {
		choose(test.field, test.value)
		if got := eval[string](tb, shownCells); !strings.HasPrefix(got, test.want) || len(strings.Fields(got)) != test.count {
			t.Errorf("%s = %q: got %q, want %d cells, first %q", test.field, test.value, got, test.count, test.want)
		}
	}
	if got, want := eval[string](tb, `document.getElementById("f-shown").textContent`), fmt.Sprintf("0 of %d cells", len(report.Cells)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	tb.press(kb.Escape)
	if got := eval[string](tb, shownCells); got != all {
		t.Errorf("after Escape: got %q, want all cells in their order", got)
	}
	for order, first := range map[string]string{
		"rank": "cell-cut-to_client-underway", "recovery": "cell-idle_limit-both-idle", "took": "cell-stall-both-underway", "order": "cell-hold-both-connecting",
	} {
		choose("f-sort", order)
		if got := strings.Fields(eval[string](tb, shownCells)); len(got) != len(report.Cells) || got[0] != first {
			t.Errorf("in the order %s: got %d cells, first %q, want %s", order, len(got), got[:1], first)
		}
	}
	choose("f-sort", "order")
	if got := eval[string](tb, shownCells); got != all {
		t.Errorf("sorted and sorted back: got %q, want what was there at first", got)
	}
	tb.quiet()
}

func TestReportObeysKeys(t *testing.T) {
	tb := open(t, startBrowser(t), reportPage(t, reportsample.Every()), look{width: 1280})
	steps := []struct{ name, keys, want string }{
		{"the filter", "/", "f-text"},
		{"in the filter keys are letters", "jn", "f-text"},
		{"away from it", kb.Escape + kb.Tab, "f-verdict"},
	}
	for _, step := range steps {
		tb.press(step.keys)
		if got := eval[string](tb, focused); got != step.want {
			t.Errorf("%s: got the focus on %s, want %s", step.name, got, step.want)
		}
	}
	eval[bool](tb, `(document.activeElement.blur(), true)`)
	steps = []struct{ name, keys, want string }{
		{"the first cell", "j", "cell-hold-both-connecting"},
		{"the next", "j", "cell-hold-both-idle"},
		{"back", "k", "cell-hold-both-connecting"},
		{"the next bad one", "n", "cell-refuse-both-idle"},
		{"and the next", "n", "cell-cut-to_client-underway"},
		{"back to the one before", "p", "cell-refuse-both-idle"},
		{"to the grid", "g", "cell-hold-both-connecting"},
		{"down", kb.ArrowDown, "cell-refuse-both-connecting"},
		{"right, over what has no cell", kb.ArrowRight, "cell-refuse-both-idle"},
		{"up", kb.ArrowUp, "cell-hold-both-idle"},
		{"and no further", kb.ArrowUp, "cell-hold-both-idle"},
		{"into the cell", kb.Enter, "cell-hold-both-idle"},
	}
	for _, step := range steps {
		tb.press(step.keys)
		if got := eval[string](tb, focused); got != step.want {
			t.Errorf("%s: got the focus on %s, want %s", step.name, got, step.want)
		}
	}
	isOpen := `document.querySelector("[data-anchor=cell-hold-both-idle]").open`
	if !eval[bool](tb, isOpen) {
		t.Error("the cell to which a link of the grid leads is not open")
	}
	tb.press("o")
	if eval[bool](tb, isOpen) {
		t.Error("the key o did not close the cell")
	}
	eval[bool](tb, `(document.getElementById("f-keys").checked = false, true)`)
	tb.press("j")
	if got, want := eval[string](tb, focused), "cell-hold-both-idle"; got != want {
		t.Errorf("with single keys off: got the focus on %s, want %s still", got, want)
	}
	tb.quiet()
}

func TestReportLeadsToCells(t *testing.T) {
	browser := startBrowser(t)
	page := reportPage(t, reportsample.Every()) + "#cell-discard-to_server-underway"
	for _, l := range []look{{width: 390}, {width: 1280, noScripts: true}} {
		t.Run(l.String(), func(t *testing.T) {
			tb := open(t, browser, page, l)
			if l.noScripts && eval[bool](tb, `document.querySelector(".tools").checkVisibility()`) {
				t.Error("what does nothing without scripts is shown")
			}
			if !eval[bool](tb, `document.querySelector("[data-anchor=cell-discard-to_server-underway]").open`) {
				t.Error("the cell of the address is not open")
			}
			if !eval[bool](tb, `document.querySelector("table.grid").checkVisibility()`) {
				t.Error("the grid is not shown")
			}
			tb.quiet()
		})
	}
}

func TestReportPrintsWhatIsBad(t *testing.T) {
	browser := startBrowser(t)
	page := reportPage(t, reportsample.Every())
	for _, l := range []look{{width: 760, print: true}, {width: 760, print: true, noScripts: true}} {
		t.Run(l.String(), func(t *testing.T) {
			tb := open(t, browser, page, l)
			if eval[bool](tb, `document.querySelector(".tools").checkVisibility()`) {
				t.Error("the tools are printed")
			}
			visible := `document.getElementById(%q).checkVisibility({ contentVisibilityAuto: true })`
			if !eval[bool](tb, fmt.Sprintf(visible, "cell-discard-to_server-underway")) {
				t.Error("what is known of a cell that is worse than allowed is not printed")
			}
			if eval[bool](tb, fmt.Sprintf(visible, "cell-discard-to_client-underway")) {
				t.Error("what is known of a cell as it should be is printed")
			}
		})
	}
}

// TestReportIsAccessible asks Chromium what it tells assistive technology: whatever has a role to play has a name.
func TestReportIsAccessible(t *testing.T) {
	tb := open(t, startBrowser(t), reportPage(t, reportsample.Every()), look{width: 1280})
	eval[int](tb, `[...document.querySelectorAll("details")].map((d) => { d.open = true; }).length`)
	ctx, cancel := context.WithTimeout(tb.ctx, endsWithin)
	defer cancel()
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]int{}
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		role := strings.Trim(string(node.Role.Value), `"`)
		roles[role]++
		switch role {
		case "link", "button", "image", "textbox", "searchbox", "combobox", "checkbox", "heading", "columnheader", "rowheader", "table", "DisclosureTriangle":
			if node.Name == nil || strings.Trim(string(node.Name.Value), `" `) == "" {
				t.Errorf("got a %s without a name", role)
			}
		}
	}
	for _, role := range []string{"link", "image", "combobox", "heading", "rowheader", "main", "status"} {
		if roles[role] == 0 {
			t.Errorf("got no %s, want some: %v", role, roles)
		}
	}
}

// TestReportSatisfiesAxe holds reports to the rules of axe-core.
func TestReportSatisfiesAxe(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "console", "browser", "testdata", "axe.min.js")) // with its licence beside it
	if err != nil {
		t.Fatal(err)
	}
	browser := startBrowser(t)
	for name, report := range map[string]*matrix.Report{"every verdict": reportsample.Every(), "interrupted": reportsample.Interrupted()} {
		page := reportPage(t, report)
		for _, l := range []look{{width: 390}, {width: 1280, dark: true}} {
			t.Run(fmt.Sprintf("%s, %v", name, l), func(t *testing.T) {
				tb := open(t, browser, page, l)
				eval[int](tb, `[...document.querySelectorAll("details")].slice(0, 60).map((d) => { d.open = true; }).length`)
				eval[bool](tb, string(axe)+"; true")
				ctx, cancel := context.WithTimeout(tb.ctx, endsWithin)
				defer cancel()
				found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](
					`axe.run().then((r) => r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes[0].html))`, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatal(err)
				}
				for _, violation := range found {
					t.Error(violation)
				}
			})
		}
	}
}

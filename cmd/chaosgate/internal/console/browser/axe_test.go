package browser

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
)

//go:embed testdata/axe.min.js
var axe string

// A violation is what axe-core finds wrong.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// TestAccessible has axe-core look at everything that the console shows, in light and dark, wide and narrow.
func TestAccessible(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	p := open(t, d.url)
	p.sees("body", "No gates yet")
	look(t, p, "nothing")
	g := d.gate(t, spec.Gate{Name: "echo", Server: echo(t)})
	d.gate(t, spec.Gate{Name: "other", Server: echo(t)})
	exchange(t, dial(t, g.Listen))
	for _, way := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		if _, err := d.Add(t.Context(), client.Where{Gate: "echo", Direction: way}, spec.Entries{{Fault: chaos.Delay{By: time.Millisecond}, For: time.Hour}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.SetDoor(t.Context(), "other", client.DoorSetting{Door: chaos.Hold}); err != nil {
		t.Fatal(err)
	}
	views := []struct{ name, hash, selector, text, press string }{
		{"gates", "", ".gate-row", "echo", ""},
		{"nothing found", "#find=nowhere", ".gates", "No gate has all", ""},
		{"faults", "#gate=echo&kind=sometimes", ".fault", "delay", ""},
		{"connections", "#gate=echo&tab=conns", ".conn-row", "established", ""},
		{"events", "#gate=echo&tab=events&events=is:all", ".gate .event", "imposed", ""},
		{"keys", "#gate=echo", "dialog", "Keys", "?"},
		{"new gate", "#gate=echo", "dialog", "New gate", "n"},
		{"no such gate", "#gate=nobody", ".gate", "There is no gate", ""},
	}
	for _, width := range []int64{390, 1024, 1600} {
		for _, scheme := range []string{"light", "dark"} {
			p.size(width, 900)
			call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			for _, v := range views {
				p.show(v.hash)
				if v.press != "" {
					p.do(keys(v.press))
				}
				p.sees(v.selector, v.text)
				look(t, p, fmt.Sprintf("%s, %d pixels, %s", v.name, width, scheme))
				if v.press != "" {
					p.do(keys(escape))
				}
			}
		}
	}
	p.show("#gate=echo")
	p.click("#impose", "Impose")
	p.sees(".last", "Imposed")
	p.click(".last .copy", "")
	p.sees("dialog", "Copy as")
	look(t, p, "copy as")
}

// look reports what axe-core finds that is serious.
func look(t *testing.T, p *page, where string) {
	t.Helper()
	if !eval[bool](p, "!!window.axe") {
		eval[bool](p, axe+"\n;true")
	}
	found := eval[string](p, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
	var all []violation
	if err := json.Unmarshal([]byte(found), &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Impact == "serious" || v.Impact == "critical" {
			for _, n := range v.Nodes {
				t.Errorf("%s: %s (%s): %s\n%s\n%s", where, v.Help, v.ID, v.Impact, n.HTML, n.FailureSummary)
			}
		} else {
			t.Logf("%s: %s (%s): %s", where, v.Help, v.ID, v.Impact)
		}
	}
}

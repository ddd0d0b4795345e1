package browsertest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// endsWithin is how long a page may take to do something, on a machine that is busy with other things.
const endsWithin = 2 * time.Minute

// startBrowser starts Chromium, which ends with the test. Without one the test is skipped.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("no browser is started with -short")
	}
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("chromium is not there")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("ending the browser: %v", err)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", filepath.Base(program), err)
	}
	return ctx
}

// A look is how a page is looked at.
type look struct {
	width     int64
	dark      bool
	print     bool
	noScripts bool
}

func (l look) String() string {
	text := fmt.Sprintf("%d wide", l.width)
	if l.dark {
		text += ", dark"
	}
	if l.print {
		text += ", printed"
	}
	if l.noScripts {
		text += ", without scripts"
	}
	return text
}

// A tab shows a page, and notes what should not happen.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex // guards what follows
	noted  []string   // errors, and what was written to the console
	loaded []string   // addresses of requests
}

// open opens a tab with a page.
func open(t *testing.T, browser context.Context, address string, l look) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	tb := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // it lives as long as this context, so it begins without a deadline
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, tb.note); err != nil {
		t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "light"}}}
	if l.dark {
		media.Features[0].Value = "dark"
	}
	if l.print {
		media.Media = "print"
	}
	tb.do(
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
			return err
		}),
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media)
			return err
		}),
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScripts})
			return err
		}),
		chromedp.EmulateViewport(l.width, 900),
		chromedp.Navigate(address),
	)
	return tb
}

// note notes an event.
func (tb *tab) note(event any) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tb.noted = append(tb.noted, fmt.Sprintf("an exception: %s", e.ExceptionDetails.Text))
	case *runtime.EventConsoleAPICalled:
		tb.noted = append(tb.noted, fmt.Sprintf("the console: %s", e.Type))
	case *log.EventEntryAdded:
		tb.noted = append(tb.noted, fmt.Sprintf("the log: %s", e.Entry.Text))
	case *network.EventRequestWillBeSent:
		tb.loaded = append(tb.loaded, e.Request.URL)
	}
}

// do does some steps, each of which must work.
func (tb *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, endsWithin)
	defer cancel()
	for i, step := range steps {
		if err := chromedp.Do(ctx, step); err != nil {
			tb.t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

// press presses keys, one after another.
func (tb *tab) press(keys string) {
	tb.t.Helper()
	tb.do(chromedp.KeyEvent(keys))
}

// eval returns the value of an expression.
func eval[T any](tb *tab, expression string) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, endsWithin)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tb.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

// quiet fails the test if the page has asked for something else than itself, or has said something.
func (tb *tab) quiet() {
	tb.t.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, what := range tb.noted {
		tb.t.Errorf("got %s", what)
	}
	if len(tb.loaded) != 1 {
		tb.t.Errorf("got the requests %q, want that for the page alone", tb.loaded)
	}
}

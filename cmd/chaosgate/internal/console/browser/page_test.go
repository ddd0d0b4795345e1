package browser

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A page is the console in a browser.
type page struct {
	ctx context.Context
	t   *testing.T

	mu        sync.Mutex
	complaint []string // what the browser has said against the page
	asked     []string // addresses that were asked
	expects   []string // what the browser may say
}

// open starts a browser, which ends with the test.
func open(t *testing.T, at string) *page {
	t.Helper()
	if testing.Short() {
		t.Skip("no browser is started with -short")
	}
	binary := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			binary = found
			break
		}
	}
	if binary == "" {
		t.Skip("Chromium is missing (Debian package chromium): the console is not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(binary), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancelBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(ctx)
	p := &page{ctx: ctx, t: t}
	t.Cleanup(func() {
		p.judge()
		chromedp.Cancel(ctx)
		cancel()
		cancelBrowser()
	})
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	call(p, log.Enable, cdp.Empty{})
	call(p, network.Enable, network.EnableParams{})
	p.size(1280, 900)
	p.do(chromedp.Navigate(at))
	return p
}

// hear notes what the browser says of the page.
func (p *page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, a := range e.Args {
			words = append(words, string(a.Value)+a.Description)
		}
		p.complaint = append(p.complaint, fmt.Sprintf("console %s: %s", e.Type, strings.Join(words, " ")))
	case *runtime.EventExceptionThrown:
		what := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			what += " " + e.ExceptionDetails.Exception.Description
		}
		p.complaint = append(p.complaint, "exception: "+what)
	case *log.EventEntryAdded: // a violation of the policy is one
		p.complaint = append(p.complaint, fmt.Sprintf("%s %s: %s %s", e.Entry.Level, e.Entry.Source, e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		p.asked = append(p.asked, e.Request.URL)
	}
}

// expect says of what a browser may complain: requests that a test makes fail.
func (p *page) expect(complaint string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expects = append(p.expects, complaint)
}

// judge reports what the browser has complained of, and requests to others than the daemon.
func (p *page) judge() {
	p.mu.Lock()
	defer p.mu.Unlock()
next:
	for _, c := range p.complaint {
		for _, e := range p.expects {
			if strings.Contains(c, e) {
				continue next
			}
		}
		p.t.Errorf("the browser complains: %s", c)
	}
	if len(p.asked) == 0 {
		p.t.Error("the browser has asked for nothing")
	}
	for _, a := range p.asked {
		if u, err := url.Parse(a); err != nil || u.Hostname() != "127.0.0.1" {
			p.t.Errorf("the page has asked %s, want nobody but the daemon", a)
		}
	}
}

// do has the browser do something.
func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("in the browser: %v", err)
	}
}

// call has the browser do something by its protocol.
func call[P, R any](p *page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	got, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.t.Fatalf("in the browser: %v", err)
	}
	return got
}

// size makes the window as large as that.
func (p *page) size(width, height int64) {
	p.t.Helper()
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
}

// eval evaluates an expression in the page.
func eval[T any](p *page, script string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("in the browser: %v: %s", err, script)
	}
	return got
}

// sees waits until a text is to be seen in the first element of a selector.
func (p *page) sees(selector, text string) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s shows %q", selector, text), func() bool {
		return eval[bool](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.innerText.includes(%q))`, selector, text))
	})
}

// click clicks on the first element of a selector that has a text, once it is there and can be.
func (p *page) click(selector, text string) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s has %q to click on", selector, text), func() bool {
		return eval[bool](p, fmt.Sprintf(`(() => {
			const e = [...document.querySelectorAll(%q)].find(e => e.innerText.includes(%q) || e.title.includes(%q) || (e.ariaLabel || "").includes(%q));
			if (!e || e.disabled) return false;
			e.scrollIntoView({block: "center"});
			e.click();
			return true;
		})()`, selector, text, text, text))
	})
}

// write writes into an input as somebody does who types.
func (p *page) write(selector, text string) {
	p.t.Helper()
	eventually(p.t, selector+" can be written to", func() bool {
		return eval[bool](p, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e?.focus(); e?.select?.(); return !!e && document.activeElement === e })()`, selector))
	})
	p.do(chromedp.KeyEvent(text))
}

// choose chooses an option of a select.
func (p *page) choose(selector, value string) {
	p.t.Helper()
	eventually(p.t, selector+" has "+value, func() bool {
		return eval[bool](p, fmt.Sprintf(`(() => {
			const e = document.querySelector(%q);
			if (![...(e?.options || [])].some(o => o.value === %q)) return false;
			e.value = %q;
			e.dispatchEvent(new Event("change", {bubbles: true}));
			return true;
		})()`, selector, value, value))
	})
}

// show shows another part of the console.
func (p *page) show(hash string) {
	p.t.Helper()
	eval[string](p, fmt.Sprintf(`location.hash = %q`, hash))
}

// navigate opens another address.
func (p *page) navigate(at string) {
	p.t.Helper()
	p.do(chromedp.Navigate(at))
}

const escape = kb.Escape

// keys presses keys.
func keys(text string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(text) }

package browser

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// hostile are texts of somebody who wants the page to be other than it is.
var hostile = []string{
	`<img src=x onerror=document.title='owned'>`,
	`<script>document.title='owned'</script>`,
	`"><svg onload=document.title='owned'>`,
	`</code><h1>gone</h1>`,
	`javascript:document.title='owned'`,
	`{{constructor.constructor('document.title=1')()}}`,
	"\u202eevil\u202c\u2066x\u2069\u200b",
	strings.Repeat("W", 128),
}

// bidi is the text that the daemon itself takes for no name.
const bidi = 6

// TestHostile has gates, faults and those who ask go by names full of markup, and a server and its client that send it, with what commands a
// terminal. All of it is text on the screen, and nothing else.
func TestHostile(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	for i, text := range hostile {
		name := strings.NewReplacer("/", "\u2215", `"`, "", "'", "").Replace(text) // else it is no name
		if i == bidi {
			name = "bidi"
		}
		body := fmt.Sprintf(`{"name": %s, "server": %q, "to_client": [{"fault": {"substitute": {"pattern": "a", "with": %s}}, "id": %s}]}`, quoted(name), banner(t, text), quoted(text), quoted(name))
		r, err := http.NewRequestWithContext(t.Context(), "POST", d.url+"/v1/gates", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Chaosgate-By", text)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			t.Fatalf("text %d: got %s %s, want a gate", i, answer.Status, said)
		}
	}
	gates, err := d.Gates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gates {
		c := dial(t, g.Listen)
		c.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n", hostile[0], hostile[1])
		c.Read(make([]byte, 100))
	}
	p := open(t, d.url+"/#events=is:all")
	p.size(1600, 950)
	p.sees(".gates", "img src=x onerror")
	for _, g := range gates {
		for _, tab := range []string{"", "conns", "events"} {
			p.show("#gate=" + escaped(g.Name) + "&events=is:all&tab=" + tab)
			eventually(t, "the gate is shown", func() bool {
				return eval[bool](p, fmt.Sprintf(`new URLSearchParams(location.hash.slice(1)).get("gate") === %s && !!document.querySelector(".gate header h2")`, quoted(g.Name)))
			})
			time.Sleep(50 * time.Millisecond) // for a frame, in which what must not happen would
		}
	}
	p.show("")
	p.sees(".event", "img src=x")
	if got := eval[string](p, "document.title"); got != "chaosgate" {
		t.Errorf("got the title %q, want it left alone", got)
	}
	if got := eval[int](p, `document.querySelectorAll("img, #app script, #app iframe, #app [onload], #app [onerror], #app a[href^='javascript:']").length`); got > 0 {
		t.Errorf("got %d elements that a text has made, want none", got)
	}
	if got := eval[bool](p, `/[\u202a-\u202e\u2066-\u2069]/.test(document.getElementById("app").innerText)`); got {
		t.Error("a text on the screen changes the direction of what follows")
	}
	if wide := eval[bool](p, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("a long name makes the page wider than its window")
	}
	eval[string](p, fmt.Sprintf(`location.hash = "#find=" + encodeURIComponent(%s)`, quoted(hostile[0])))
	p.sees("body", "img src=x")
	if got := eval[string](p, "document.title"); got != "chaosgate" {
		t.Errorf("from the address: got the title %q, want it left alone", got)
	}
}

// banner starts a server that greets with a text, between what commands a terminal, and returns its address.
func banner(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "\x1b]0;owned\x07\x1b[2J"+text+"\x1b[31m\r\n")
			c.Close()
		}
	}()
	return l.Addr().String()
}

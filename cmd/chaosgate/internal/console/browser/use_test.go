package browser

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
)

// TestSlowARedis does what somebody does who looks at how their service takes a slow Redis, and measures from outside whether it is so.
func TestSlowARedis(t *testing.T) {
	server := redis(t)
	d := serve(t, "127.0.0.1:0")
	p := open(t, d.url)
	p.sees("body", "chaosgate gate add redis") // what to do where there is nothing yet

	p.click("button", "New gate")
	p.write("#gate-name", "redis")
	p.write("#gate-server", server)
	p.click("#create", "Create")
	p.sees(".gate h2", "redis")
	g, err := d.Gate(t.Context(), "redis")
	if err != nil || g.Server != server || g.By != "console" {
		t.Fatalf("got %+v, %v, want a gate before %s, made by console", g, err, server)
	}
	c := dial(t, g.Listen)
	ping(t, c)
	p.sees(".wire", "1")

	p.choose("#kind", "delay")
	p.write("#new-by", "150ms")
	p.sees(".preview", "delay by=150ms")
	p.click(".impose .submit .segments button", "2 min")
	p.click("#impose", "Impose")
	p.sees(".fault", "delay by=150ms")
	p.sees(".fault .till", "left")
	if took := ping(t, c); took < 150*time.Millisecond {
		t.Errorf("Redis took %v, want 150 ms at least", took)
	}
	p.sees(".fault .hits", "1 hit")
	p.sees(".last", "Imposed delay by=150ms on redis, to the client, for 2m")
	fault, err := d.Fault(t.Context(), client.Where{Gate: "redis", Direction: chaos.ToClient}, "delay")
	if err != nil || fault.By != "console" || fault.Hits != 1 || time.Until(fault.Till) > 2*time.Minute || time.Until(fault.Till) < time.Minute {
		t.Errorf("got %+v, %v, want a hit, and that it ends in two minutes", fault, err)
	}

	p.click(".fault button", "Adjust")
	p.write("#edit-delay-by", "60ms")
	p.click(".fault .edit button", "Change")
	p.sees(".fault", "delay by=60ms")
	if took := ping(t, c); took < 60*time.Millisecond {
		t.Errorf("Redis took %v, want 60 ms at least", took)
	}
	p.do(keys("u"))
	p.sees(".fault", "delay by=150ms")

	p.click("#heal", "Heal everything")
	p.sees(".last", "1 fault lifted")
	p.sees(".faults", "Nothing is imposed")
	if faults := imposed(t, d, "redis"); len(faults) > 0 {
		t.Errorf("got %v, want nothing imposed", faults)
	}
	p.click(".last button", "Undo")
	p.sees(".fault", "delay by=150ms")
	if took := ping(t, c); took < 150*time.Millisecond {
		t.Errorf("after undoing, Redis took %v, want 150 ms at least", took)
	}
	p.do(keys("H"))
	p.sees(".faults", "Nothing is imposed")
	ping(t, c)

	p.show("#gate=redis&tab=events")
	p.sees(".gate .event", "delay by=150ms")
	p.sees(".gate .event", "by console")
}

// imposed returns what is imposed at a gate, as lines.
func imposed(t *testing.T, d *daemon, gate string) (lines []string) {
	t.Helper()
	faults, err := d.AllFaults(t.Context(), gate)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		lines = append(lines, f.Text)
	}
	return lines
}

// TestConnections closes one connection, resets another, and imposes a fault on a third, each of which shows at its client alone.
func TestConnections(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	g := d.gate(t, spec.Gate{Name: "echo", Server: echo(t)})
	clients := []net.Conn{dial(t, g.Listen), dial(t, g.Listen), dial(t, g.Listen)}
	for _, c := range clients {
		exchange(t, c)
	}
	byAddr := map[string]uint64{}
	list, err := d.Conns(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		byAddr[c.Client] = c.N
	}
	number := func(c net.Conn) string { return plain(byAddr[c.LocalAddr().String()]) }

	p := open(t, d.url+"/#gate=echo&tab=conns")
	p.sees(".conn-row", clients[0].LocalAddr().String())
	p.write("#find-conns", clients[0].LocalAddr().String())
	eventually(t, "one connection is found", func() bool { return eval[int](p, `document.querySelectorAll(".conn-row").length`) == 1 })
	p.click(".conn-row button", "Close connection "+number(clients[0]))
	clients[0].SetDeadline(time.Now().Add(patience))
	if _, err := clients[0].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the first client got %v, want EOF", err)
	}
	p.write("#find-conns", clients[1].LocalAddr().String())
	p.click(".conn-row button", "Reset connection "+number(clients[1]))
	clients[1].SetDeadline(time.Now().Add(patience))
	if _, err := clients[1].Read(make([]byte, 1)); !isReset(err) {
		t.Errorf("the second client got %v, want a reset", err)
	}
	p.write("#find-conns", clients[2].LocalAddr().String())
	p.click(".conn-row button", "Impose a fault on connection "+number(clients[2]))
	p.sees(".impose h3", "on connection "+number(clients[2]))
	p.choose("#kind", "delay")
	p.write("#new-by", "80ms")
	p.click("#impose", "Impose")
	p.sees(".fault", "of connection "+number(clients[2]))
	if took := exchange(t, clients[2]); took < 80*time.Millisecond {
		t.Errorf("the third client was answered in %v, want 80 ms at least", took)
	}
	if faults := imposed(t, d, "echo"); !slices.Equal(faults, []string{"delay by=80ms"}) {
		t.Errorf("got %v, want the delay", faults)
	}
	p.show("#gate=echo&tab=conns&conns=is:ended")
	p.sees(".conn-row.ended", "by gate, close")
	p.sees(".conn-row.ended", "by gate, RST")
}

// TestDoorAndSelectors sets a door for a time, and imposes faults that others carry.
func TestDoorAndSelectors(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	d.gate(t, spec.Gate{Name: "echo", Server: echo(t)})
	p := open(t, d.url+"/#gate=echo")
	p.click(".doors button", "refuse")
	p.sees(".doors", "left")
	g, err := d.Gate(t.Context(), "echo")
	if err != nil || g.Door != chaos.Refuse || g.DoorTill.IsZero() {
		t.Errorf("got %v till %v, %v, want refuse for a time", g.Door, g.DoorTill, err)
	}
	p.do(keys("u"))
	eventually(t, "the door is open", func() bool {
		g, err = d.Gate(t.Context(), "echo")
		return err == nil && g.Door == chaos.Open
	})

	p.choose("#kind", "sometimes")
	p.write("#new-chance", "25%")
	p.choose("#new-fault", "only")
	p.write("#new-fault-in-first", "3")
	p.choose("#new-fault-in-fault", "substitute")
	p.write("#new-fault-in-fault-in-pattern", `a "b" [<c`)
	p.click(".impose .segments button", "to server")
	p.expect("status of 422")
	p.click("#impose", "Impose")
	p.sees(".impose [role=alert]", "substitute")
	p.write("#new-fault-in-fault-in-pattern", `a "b" <c>`)
	want := []string{`sometimes chance=25% only first=3 substitute pattern="a \"b\" <c>"`}
	p.click("#impose", "Impose")
	p.sees(".fault", want[0])
	if got := imposed(t, d, "echo"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// What is imposed is read back into the same form.
	p.click(".fault button", "Adjust")
	p.write("#edit-sometimes-fault-in-first", "4")
	p.click(".fault .edit button", "Change")
	p.sees(".fault", "only first=4")
}

// TestEveryKind chooses every kind that the daemon knows and fits the gate, and finds an input for each parameter.
func TestEveryKind(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	d.gate(t, spec.Gate{Name: "tcp", Server: echo(t)})
	d.gate(t, spec.Gate{Name: "udp", Network: "udp", Server: "127.0.0.1:9"})
	kinds, err := d.Kinds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, d.url+"/#gate=tcp")
	for _, network := range []string{"tcp", "udp"} {
		p.show("#gate=" + network)
		p.sees(".gate h2", network)
		for _, k := range kinds {
			if !slices.Contains(k.Networks, network) {
				continue
			}
			p.choose("#kind", k.Name)
			p.sees(".about", k.Help)
			for _, param := range k.Params {
				if !eval[bool](p, `!!document.getElementById("new-`+param.Name+`")`) {
					t.Errorf("%s at a gate for %s: there is no input for %s", k.Name, network, param.Name)
				}
			}
		}
	}
}

// TestTimeline follows the curves and the band of a fault.
func TestTimeline(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	g := d.gate(t, spec.Gate{Name: "echo", Server: echo(t)})
	go chat(t.Context(), dial(t, g.Listen), 5*time.Millisecond, 20_000)
	p := open(t, d.url+"/#gate=echo")
	p.expect("willReadFrequently") // of what this test does
	p.sees(".legend", "1 connection")
	eventually(t, "throughput is told", func() bool {
		return eval[bool](p, `/to server [1-9][\d.]* [kM]B\/s/.test(document.querySelector(".gate .legend").innerText.replace(/\n/g, " "))`)
	})
	// ink is how much of the plot has the colour of what goes to the client, or is near it.
	const ink = `(() => {
		const c = document.querySelector(".gate canvas"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		let n = 0;
		for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 0 && d[i] > d[i + 2] + 12) n++;
		return n;
	})()`
	before := eval[int](p, ink)
	where := client.Where{Gate: "echo", Direction: chaos.ToClient}
	if _, err := d.Add(t.Context(), where, spec.EntriesOf(chaos.Delay{By: 20 * time.Millisecond})); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a band is drawn behind the curves", func() bool { return eval[int](p, ink) > before+1500 })
	p.show("#gate=echo&tab=events")
	p.sees(".gate .event", "by "+t.Name())
}

// TestRestart ends the daemon and starts another at its address: the page says so, and goes on with the new one.
func TestRestart(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	d.gate(t, spec.Gate{Name: "old", Server: echo(t)})
	p := open(t, d.url)
	p.expect("ERR_CONNECTION_REFUSED")
	p.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
	p.expect("ERR_CONNECTION_RESET")
	p.expect("ERR_EMPTY_RESPONSE")
	p.expect("status of 403") // the cookie of the one before
	p.sees(".gate-row", "old")
	p.click(".gate-row", "old")
	p.click("#impose", "Impose")
	p.sees(".last", "Undo")
	d.end()
	p.sees(".say", "does not answer")
	p.sees(".link", "no answer")
	again := serve(t, d.url[len("http://"):])
	p.sees("#restarted", "was restarted")
	p.sees("#restarted", d.boot[:8])
	p.sees("#restarted", again.boot[:8])
	p.sees(".gate", "There is no gate old")
	if eval[bool](p, `[...document.querySelectorAll(".last button")].some(b => b.innerText.includes("Undo"))`) {
		t.Error("what the daemon before did can be undone at this one")
	}
	again.gate(t, spec.Gate{Name: "new", Server: echo(t)})
	p.show("")
	p.sees(".gate-row", "new")
	p.click(".gate-row", "new")
	p.click("#impose", "Impose")
	p.sees(".fault", "delay by=200ms")
	p.show("#gate=new&tab=events")
	p.sees(".gate .event", "the daemon was restarted")
}

// TestToken is let in by a link, once.
func TestToken(t *testing.T) {
	t.Setenv("CHAOSGATE_TOKEN", "s3cret")
	d := serve(t, "127.0.0.1:0")
	let, err := client.New(d.url, client.Options{Token: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	link, till, err := let.Console(t.Context())
	if err != nil || till.IsZero() {
		t.Fatalf("got %q, %v, %v, want a link that ends", link, till, err)
	}
	p := open(t, d.url)
	p.expect("status of 401")
	p.sees("body", "chaosgate console")
	p.navigate(link)
	p.sees("body", "No gates yet")
	if got := eval[string](p, "location.search"); got != "" {
		t.Errorf("got %q in the address, want the code gone", got)
	}
	p.click("button", "New gate")
	p.write("#gate-name", "echo")
	p.write("#gate-server", "127.0.0.1:9")
	p.click("#create", "Create")
	p.sees(".gate h2", "echo")
}

// TestKeys goes through the gates without a pointer.
func TestKeys(t *testing.T) {
	d := serve(t, "127.0.0.1:0")
	for _, name := range []string{"a", "b", "c"} {
		d.gate(t, spec.Gate{Name: name, Server: echo(t)})
	}
	p := open(t, d.url)
	p.sees(".gate-row", "a")
	steps := []struct {
		key, script string
		want        string
	}{
		{"j", "location.hash", "#gate=a"},
		{"j", "location.hash", "#gate=b"},
		{"k", "location.hash", "#gate=a"},
		{"2", "location.hash", "#gate=a&tab=conns"},
		{"i", "document.activeElement.id", "kind"},
		{escape, "document.activeElement.tagName", "BODY"},
		{escape, "location.hash", ""},
		{"?", `document.querySelector("dialog h2").innerText`, "Keys"},
		{escape, `String(document.querySelector("dialog"))`, "null"},
		{"n", `document.querySelector("dialog h2").innerText`, "New gate"},
		{escape, `String(document.querySelector("dialog"))`, "null"},
		{"/", "document.activeElement.id", "find"},
		{"b", `[...document.querySelectorAll(".gate-row .name .strong")].map(e => e.innerText).join()`, "b"},
		{"j", `document.getElementById("find").value`, "bj"},
	}
	for _, s := range steps {
		if eval[bool](p, `document.activeElement.matches("input, select")`) {
			p.do(keys(s.key))
		} else { // the browser itself takes back the letter that a key would write, but not what writes it here
			call(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "rawKeyDown", Key: strings.ReplaceAll(s.key, escape, "Escape")})
		}
		got := ""
		deadline := time.Now().Add(patience)
		for got = eval[string](p, s.script); got != s.want && time.Now().Before(deadline); got = eval[string](p, s.script) {
			time.Sleep(20 * time.Millisecond) // the page does not tell when it has changed
		}
		if got != s.want {
			t.Fatalf("behind key %q: got %q of %s, want %q", s.key, got, s.script, s.want)
		}
	}
}

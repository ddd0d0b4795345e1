package chaos_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

var update = flag.Bool("update", false, "rewrite what the golden scripts expect")

// TestGolden runs the scripts of testdata/faults, in which each fault's behaviour is written down. A file holds any number of them,
// apart by blank lines: first a comment that says what the script shows, then its settings, then its steps, and behind a
// line of dashes what leaves a line on which nothing but the faults is at work, and when.
//
//	fault delay by=1s        imposes faults, in the text form of package spec; a bar parts faults that one line cannot hold
//	seed 2                   the gate's; 1 if it is not said
//	conn 3                   the connection's number; 1 if it is not said
//	client 10.0.0.1:999      the client's address
//	window 100000            the gate's
//	datagrams                each read is a datagram
//	at 2s read "ab"          bytes arrive; 100*"a" are a hundred
//	at 2s eof                the source has finished; reset: it has reset the connection
//	at 2s set …              sets other faults, or none
//	at 2s lift 2             lifts the second fault; 1 if no number is said
//	at 2s change 2 …         changes the second fault
//	at 2s lasts              nothing happens, but time goes on until then
//
// What is expected shows writes and ends with their moments, when a session gets a new socket to the server, whether the reading is held, how
// often each fault has fired, and how many datagrams were thrown away.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d scripts and the error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScripts(t, file) })
	}
}

// runScripts runs the scripts of one file.
func runScripts(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		script, want, ok := strings.Cut(block, "\n----")
		if !ok && !*update {
			t.Fatalf("no line of dashes in the script\n%s", block)
		}
		title, ok := strings.CutPrefix(strings.SplitN(script, "\n", 2)[0], "# ")
		if !ok {
			t.Fatalf("no comment says what is shown by the script\n%s", block)
		}
		t.Run(title, func(t *testing.T) {
			got := runScript(t, script)
			if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got)); diff != "" && !*update {
				t.Errorf("%s\n(-want +got):\n%s", script, diff)
			}
			out = append(out, script+"\n----\n"+got)
		})
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A scriptRun is a script that is being run.
type scriptRun struct {
	t       *testing.T
	line    *chaos.BareLine
	start   time.Time
	out     strings.Builder
	imposed []*chaos.Imposed // all that ever were
	unread  [][]byte         // what has arrived and is not read yet
	end     chaos.End        // what comes behind it
	held    time.Time
	over    bool
}

// runScript runs a script and returns what it shows.
func runScript(t *testing.T, script string) (out string) {
	synctest.Test(t, func(t *testing.T) {
		r := &scriptRun{t: t, start: time.Now()}
		gate := &chaos.Gate{Seed: 1}
		defer detours(t, gate)()
		ordinal, client, datagrams, faults := uint64(1), "", false, ""
		var steps []string
		for line := range strings.Lines(script) {
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch word {
			case "#":
			case "fault":
				faults = rest
			case "seed":
				gate.Seed = r.number(rest)
			case "conn":
				ordinal = r.number(rest)
			case "client":
				client = rest
			case "datagrams":
				datagrams = true
			case "window":
				gate.Window = int(r.number(rest))
			case "at":
				steps = append(steps, rest)
			default:
				t.Fatalf("unknown line %q", line)
			}
		}
		r.line = chaos.NewBareLine(gate, ordinal, client, datagrams, r.start)
		r.line.Rebind = func() { r.show("rebind") }
		r.set(faults)
		for _, step := range steps {
			at, do, _ := strings.Cut(step, " ")
			d, err := time.ParseDuration(at)
			if err != nil {
				t.Fatalf("step %q: %v", step, err)
			}
			r.until(r.start.Add(d))
			r.step(do)
		}
		r.look()
		r.line.Close()
		if cost, n := r.line.Held(); cost != 0 || n != 0 {
			t.Errorf("after the end: got %d bytes held, and %d counted, want none", n, cost)
		}
		time.Sleep(2 * time.Hour) // in virtual time: a script may have code that does not return for long
		for _, i := range r.imposed {
			fmt.Fprintf(&r.out, "hits %s %d\n", chaos.KindOf(i.Fault()), i.Hits())
		}
		if n := r.line.Lost(); n > 0 {
			fmt.Fprintf(&r.out, "lost %d\n", n)
		}
		out = r.out.String()
	})
	return out
}

func (r *scriptRun) number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// show prints something that happens now.
func (r *scriptRun) show(format string, args ...any) {
	fmt.Fprintf(&r.out, "%v %s\n", time.Since(r.start), fmt.Sprintf(format, args...))
}

// set imposes faults in place of those that are.
func (r *scriptRun) set(text string) {
	var faults []chaos.Fault
	for part := range strings.SplitSeq(text, " | ") {
		if part == "" {
			continue
		}
		more, err := spec.ParseFaults(part)
		if err != nil {
			r.t.Fatal(err)
		}
		faults = append(faults, more...)
	}
	for _, i := range r.line.Flow.Set(faults...) {
		if !slices.Contains(r.imposed, i) {
			r.imposed = append(r.imposed, i)
		}
	}
	r.line.Obey()
}

// step does one thing.
func (r *scriptRun) step(do string) {
	word, rest, _ := strings.Cut(do, " ")
	switch word {
	case "read":
		r.unread = append(r.unread, r.bytes(rest))
	case "eof":
		r.end = chaos.FIN
	case "reset":
		r.end = chaos.RST
	case "set":
		r.set(rest)
	case "lift", "change":
		n, fault, _ := strings.Cut(rest, " ")
		k, err := strconv.Atoi(n)
		if err != nil {
			k, fault = 1, rest
		}
		i := r.imposed[k-1]
		if word == "lift" {
			i.Lift()
		} else if f, err := spec.ParseFault(fault); err == nil {
			i.Change(f)
		} else {
			r.t.Fatal(err)
		}
		r.line.Obey()
	case "lasts":
	default:
		r.t.Fatalf("unknown step %q", do)
	}
	r.look()
}

// bytes reads what arrives: "ab", or 100*"a".
func (r *scriptRun) bytes(text string) []byte {
	n := 1
	if times, rest, ok := strings.Cut(text, "*"); ok {
		n, text = int(r.number(times)), rest
	}
	s, err := strconv.Unquote(text)
	if err != nil {
		r.t.Fatalf("bytes %s: %v", text, err)
	}
	return bytes.Repeat([]byte(s), n)
}

// until lets time go on.
func (r *scriptRun) until(t time.Time) {
	for r.look(); time.Now().Before(t); r.look() {
		next := t
		if n := r.line.Next(); !r.over && !n.IsZero() && n.Before(t) {
			next = n
		}
		select {
		case <-r.line.Posted:
		case <-time.After(time.Until(next)):
		}
	}
}

// look does all that a pump does at one moment.
func (r *scriptRun) look() {
	for again := true; again && !r.over; {
		synctest.Wait()
		again = r.line.RunPosts()
		r.line.Advance(time.Now())
		if r.end == chaos.RST && r.line.Holds() == chaos.Never {
			r.line.Push(nil, chaos.RST)
			r.end, r.unread = chaos.More, nil
		}
		if how, by, err := r.line.Ending(); how != chaos.More {
			r.finish(how, by, err)
			return
		}
		for data, end, by, ok := r.line.Due(); ok && !r.over; data, end, by, ok = r.line.Due() {
			r.leave(data, end, by)
			again = true
		}
		if held := r.line.Holds(); held != r.held && !r.over {
			r.held = held
			switch {
			case held.IsZero():
				r.show("release")
			case held == chaos.Never:
				r.show("hold")
			default:
				r.show("hold until %v", held.Sub(r.start))
			}
		}
		if len(r.unread) > 0 && !r.held.IsZero() {
			r.line.BytesWait()
		}
		if r.held.IsZero() && !r.over {
			again = r.read() || again
		}
		if n := r.line.Next(); !n.IsZero() && !n.After(time.Now()) {
			again = true
		}
	}
}

// read takes what has arrived, and then its end.
func (r *scriptRun) read() bool {
	switch {
	case len(r.unread) > 0:
		data := r.unread[0]
		r.unread = r.unread[1:]
		r.line.Push(data, chaos.More)
		for i := range data { // it is the gate's buffer, which is used again
			data[i] = '#'
		}
	case r.end != chaos.More:
		r.line.Push(nil, r.end)
		r.end = chaos.More
	default:
		return false
	}
	return true
}

// leave shows what leaves.
func (r *scriptRun) leave(data []byte, end chaos.End, by string) {
	if len(data) > 0 || end == chaos.More {
		r.show("%s", quoted(data))
	}
	r.line.Sent()
	if by != "" {
		by = " by " + by
	}
	if end != chaos.More {
		r.show("%v%s", end, by)
	}
	r.over = end > chaos.FIN
}

// finish ends the connection: what is due leaves before.
func (r *scriptRun) finish(how chaos.End, by string, err error) {
	for data, end, _, ok := r.line.Due(); ok && end == chaos.More; data, end, _, ok = r.line.Due() {
		r.leave(data, end, "")
	}
	text := ""
	if err != nil {
		text, _, _ = strings.Cut(": "+err.Error(), " (") // where it panicked
	}
	r.show("%v by %s%s", how, by, text)
	if _, n := r.line.Held(); n > 0 {
		r.show("dropped %d bytes", n)
	}
	r.over = true
}

// quoted writes bytes as a script does: long runs of one byte as their number.
func quoted(data []byte) string {
	var parts []string
	for rest := data; len(data) > 20 && len(rest) > 0; {
		n := len(rest) - len(bytes.TrimLeft(rest, string(rest[:1])))
		parts = append(parts, fmt.Sprintf("%d*%q", n, rest[:1]))
		rest = rest[n:]
	}
	if n := len(parts); n == 0 || n > 4 {
		return strconv.Quote(string(data))
	}
	return strings.Join(parts, " + ")
}

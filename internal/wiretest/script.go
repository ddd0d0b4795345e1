//go:build linux

package wiretest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The verbs of a script. A step is one line (or is ended by a semicolon): who, what, and with what.
//
//	client connect              connects to the server, or to what stands before it
//	server accept               accepts one connection
//	open                        both of the above
//	greet                       a byte each way: what stands between has connected to the server by then, too
//	X send SIZE                 sends that many bytes of an offset-stamped pattern
//	X say TEXT                  sends TEXT
//	X oob C                     sends one urgent byte
//	X read SIZE, X read all     reads so many bytes, or to the end, and compares them with what the other side sent
//	X quiet DURATION            expects to become neither readable nor failed for so long
//	X hears                     waits until a reset has arrived, without reading or consuming it
//	X drain                     waits until the peer's kernel has taken everything
//	X shut, X shutrd            shuts its sending side (FIN) or its receiving side
//	X close, X reset            closes, or resets (linger 0)
//	X inline                    takes urgent bytes in line
//	X nagle                     turns Nagle's algorithm on
//	X rcvbuf SIZE               sets the receive buffer; before connecting, so that the window can grow that far
//	X wait                      waits for the actor's steps in the background
//	pause DURATION              waits
//
// After a verb: "by 4096" or "by 1,7,4096" gives the sizes of single reads or writes, in turn; "gap 1ms" a pause between two;
// "loose" leaves counts out of the trace, where the kernel does not promise them; "within 20ms" is a limit on the step's time;
// "&" leaves the step in the background. Every other step starts when the one before it has finished.
type step struct {
	text       string // as written, without what only concerns time
	actor      string // "client", "server" or ""
	verb       string
	size       int64 // of send and read; -1 reads to the end
	data       string
	offset     int64 // of what is sent, in the actor's source
	by         []int
	gap        time.Duration
	pause      time.Duration
	within     time.Duration
	loose      bool
	background bool
}

// A Script is a parsed script.
type Script struct {
	steps  []step
	source map[string]*source
}

// Parse reads a script.
func Parse(text string) (*Script, error) {
	s := &Script{source: map[string]*source{"client": {seed: 1}, "server": {seed: 2}}}
	for macro, steps := range macros {
		text = strings.ReplaceAll(text, macro, steps)
	}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		st, err := s.parseStep(words)
		if err != nil {
			return nil, fmt.Errorf("step %q: %w", strings.TrimSpace(line), err)
		}
		s.steps = append(s.steps, st)
	}
	return s, nil
}

// macros are written for several steps.
var macros = map[string]string{
	"open":  "client connect; server accept",
	"greet": "client say ?; server read 1; server say !; client read 1",
}

// Mirror swaps the actors of a script, except for who connects and who accepts.
func Mirror(text string) string {
	swap := strings.NewReplacer("client connect", "client connect", "server accept", "server accept",
		"client", "server", "server", "client")
	return swap.Replace(text)
}

var bareVerbs = []string{
	"connect", "accept", "shut", "shutrd", "close", "reset", "drain", "hears", "inline", "nagle", "wait",
}

func (s *Script) parseStep(words []string) (step, error) {
	var st step
	if words[0] == "pause" {
		st.verb, words = "pause", words[1:]
	} else {
		if s.source[words[0]] == nil || len(words) < 2 {
			return st, fmt.Errorf("want an actor and a verb")
		}
		st.actor, st.verb, words = words[0], words[1], words[2:]
	}
	st.text = strings.TrimSpace(st.actor + " " + st.verb)
	word := func() string {
		if len(words) == 0 {
			return ""
		}
		w := words[0]
		words = words[1:]
		return w
	}
	var err error
	switch {
	case slices.Contains(bareVerbs, st.verb):
	case st.verb == "pause" || st.verb == "quiet":
		st.pause, err = time.ParseDuration(word())
	case st.verb == "say" || st.verb == "oob":
		st.data = word()
		st.size = int64(len(st.data))
		st.offset = s.source[st.actor].literal(st.data)
		st.text += " " + st.data
	case st.verb == "send":
		st.size, err = ParseSize(word())
		st.offset = s.source[st.actor].pattern(st.size)
		st.text += fmt.Sprintf(" %d", st.size)
	case st.verb == "read" && words != nil && words[0] == "all":
		st.size, words = -1, words[1:]
		st.text += " all"
	case st.verb == "read" || st.verb == "rcvbuf":
		st.size, err = ParseSize(word())
		st.text += fmt.Sprintf(" %d", st.size)
	default:
		err = fmt.Errorf("unknown verb")
	}
	for err == nil && len(words) > 0 {
		switch w := word(); w {
		case "by":
			st.by, err = parseSizes(word())
		case "gap":
			st.gap, err = time.ParseDuration(word())
		case "within":
			st.within, err = time.ParseDuration(word())
		case "loose":
			st.loose = true
		case "&":
			st.background = true
		default:
			err = fmt.Errorf("unknown word %q", w)
		}
	}
	return st, err
}

func parseSizes(text string) ([]int, error) {
	var sizes []int
	for f := range strings.SplitSeq(text, ",") {
		n, err := ParseSize(f)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, int(n))
	}
	return sizes, nil
}

// ParseSize reads a size such as 4096, 64KiB, 2MiB or 1GiB.
func ParseSize(text string) (int64, error) {
	unit := int64(1)
	for suffix, u := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if t, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = t, u
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("size %q: want a number, with KiB, MiB or GiB if need be", text)
	}
	return n * unit, nil
}

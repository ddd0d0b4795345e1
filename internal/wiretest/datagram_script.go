//go:build linux

package wiretest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A datagramStep is one line of a script of datagrams. Its actors are a server and two clients, client and other, each with a
// connected socket, as most programs have:
//
//	X connect                 opens the client's socket
//	X send SIZES [to PEER]    sends one datagram of each size, such as 0,1,508; "x20" sends them all twenty times, "largest" is
//	                          the most that the network takes. The server says to whom: its peers are A, B, … in the order
//	                          in which it has seen their addresses
//	X read N                  receives N datagrams and says which they are, by number from 0 among what their sender has sent
//	X quiet DURATION          expects to become neither readable nor failed for so long
//	X hears                   waits for a datagram or an error, and takes it
//	X close                   closes the socket; a client may connect again, from another port
//	server listen             opens the server's socket again, on the port that it had
//	door refuse, door hold, door blackhole, door open
//	                          directly the server's socket is closed, not read, or read and thrown away, until the door opens;
//	                          for the thing under test Env.Door does what it has for this
//	pause DURATION            waits
//	settle                    waits until what was sent has been taken by whatever the clients send to, and a little longer, so that
//	                          it is where it goes
//
// After a verb: "gap 1ms" is a pause between two datagrams; "stubborn" tries again when an error of an earlier datagram is told
// in place of what was asked for, as every program over UDP must.
type datagramStep struct {
	text        string
	actor, verb string
	sizes       []int
	times       int
	count       int
	to          string
	gap, pause  time.Duration
	stubborn    bool
}

// MostBytes returns how many bytes a datagram has at most: what 16 bits can say, less the headers that the length counts in.
func MostBytes(network string) int {
	if network == "udp6" {
		return 65527 // RFC 8200, section 3: the payload length leaves the IPv6 header out
	}
	return 65507 // RFC 791, section 3.1: the total length has the IPv4 header in it
}

// parseDatagrams reads a script.
func parseDatagrams(e *Env, text string) ([]datagramStep, error) {
	text = strings.ReplaceAll(text, "largest", strconv.Itoa(MostBytes(e.Network)))
	var steps []datagramStep
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		st, err := parseDatagramStep(words)
		if err != nil {
			return nil, fmt.Errorf("step %q: %w", strings.TrimSpace(line), err)
		}
		steps = append(steps, st)
	}
	return steps, nil
}

func parseDatagramStep(words []string) (datagramStep, error) {
	st := datagramStep{times: 1, text: strings.Join(words, " ")}
	word := func() (w string) {
		if len(words) > 0 {
			w, words = words[0], words[1:]
		}
		return w
	}
	var err error
	switch st.actor = word(); st.actor {
	case "settle":
	case "pause":
		st.pause, err = time.ParseDuration(word())
	case "door":
		if st.verb = word(); !slices.Contains([]string{"refuse", "hold", "blackhole", "open"}, st.verb) {
			err = fmt.Errorf("unknown door")
		}
	case "client", "other", "server":
		switch st.verb = word(); st.verb {
		case "send":
			st.sizes, err = parseSizes(word())
		case "read":
			st.count, err = strconv.Atoi(word())
		case "quiet":
			st.pause, err = time.ParseDuration(word())
		case "connect", "listen", "close", "hears":
		default:
			err = fmt.Errorf("unknown verb")
		}
	default:
		err = fmt.Errorf("want an actor and a verb")
	}
	for err == nil && len(words) > 0 {
		switch w := word(); {
		case w == "to":
			st.to = word()
		case w == "gap":
			st.gap, err = time.ParseDuration(word())
		case w == "stubborn":
			st.stubborn = true
		case strings.HasPrefix(w, "x"):
			st.times, err = strconv.Atoi(w[1:])
		default:
			err = fmt.Errorf("unknown word %q", w)
		}
	}
	if err == nil && (st.verb == "connect" && st.actor == "server" || st.verb == "listen" && st.actor != "server" ||
		st.verb == "send" && (st.to != "") != (st.actor == "server")) {
		err = fmt.Errorf("clients connect and send, the server listens and sends to somebody")
	}
	return st, err
}

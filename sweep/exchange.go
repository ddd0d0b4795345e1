package sweep

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/chaosgate/chaos"
)

// An Exchange is what a probe and its server say to one another, as far as it is the same each time.
type Exchange struct {
	Messages []Message `json:"messages"`        // in the order in which they have begun
	Notes    []string  `json:"notes,omitempty"` // what differs from time to time, in sentences
}

// A Message is what goes one way on one connection until something goes the other, or nothing for a time.
type Message struct {
	Conn      int             `json:"conn"`               // counted from 1
	Direction chaos.Direction `json:"direction"`          //
	Number    int             `json:"number"`             // counted from 1 in its direction
	Size      int64           `json:"size"`               // its length; the least if it varies
	Most      int64           `json:"most,omitempty"`     // its greatest length, if it varies
	Data      []byte          `json:"data"`               // of one recording: the first bytes
	Steady    int64           `json:"steady"`             // how many bytes from the first are the same each time
	Segments  []int           `json:"segments,omitempty"` // how its bytes came, in one recording: at most 64
	After     time.Duration   `json:"after_ns"`           // in one recording: how long after the message before it it began
}

// shownData is how many bytes of a message are kept to be shown.
const shownData = 4 << 10

// at returns a point in the message.
func (m Message) at(offset int64) Point { return Point{m.Conn, m.Direction, m.Number, offset} }

// message returns the message in which a point is.
func (x Exchange) message(p Point) (Message, bool) {
	i := slices.IndexFunc(x.Messages, func(m Message) bool { return m.Conn == p.Conn && m.Direction == p.Direction && m.Number == p.Message })
	if i < 0 {
		return Message{}, false
	}
	return x.Messages[i], true
}

// Check says why a point is none of the exchange, if so.
func (x Exchange) Check(p Point) error {
	m, ok := x.message(p)
	switch {
	case !ok:
		return fmt.Errorf("point %v: there is no such message", p)
	case p.Offset > m.Size:
		return fmt.Errorf("point %v: the message has %d bytes", p, m.Size)
	}
	return nil
}

// Bytes returns how many bytes go each way.
func (x Exchange) Bytes() (toServer, toClient int64) {
	for _, m := range x.Messages {
		if m.Direction == chaos.ToServer {
			toServer += m.Size
		} else {
			toClient += m.Size
		}
	}
	return toServer, toClient
}

// compareRecordings returns what is the same in all recordings of an exchange, of which there is one at least.
//
// Which messages there are has to be the same each time, or nobody could say where in an exchange something is to happen: from where it is not
// the exchange is left out. Lengths and bytes may differ.
func compareRecordings(all []*recorder) Exchange {
	var x Exchange
	first := byConn(all[0])
	last := Moment(0)
	for _, m := range all[0].messages {
		same := Message{Conn: m.Conn, Direction: m.Direction, Number: m.Message, Size: int64(len(m.data)), Steady: int64(len(m.data))}
		most := same.Size
		steady := true
		for _, r := range all[1:] {
			other := byConn(r)
			if len(other) != len(first) && m.Conn > len(other) {
				steady = false
				break
			}
			o := find(r, m.Point)
			if o == nil || !sameBefore(first[m.Conn], other[m.Conn], m.Point) {
				steady = false
				break
			}
			same.Size, most = min(same.Size, int64(len(o.data))), max(most, int64(len(o.data)))
			same.Steady = min(same.Steady, int64(common(m.data, o.data)))
		}
		if !steady {
			x.note("connection %d has other messages from time to time, from message %d %s on: that part is left out", m.Conn, m.Message, words(m.Direction))
			continue
		}
		if most > same.Size {
			same.Most = most
			x.note("connection %d, %s, message %d has %d to %d bytes: only the first %d are tried", m.Conn, words(m.Direction), m.Message, same.Size, most, same.Size)
		}
		same.Data = bytes.Clone(m.data[:min(len(m.data), shownData)])
		same.Segments = slices.Clone(m.segments[:min(len(m.segments), 64)])
		same.After = m.at - last
		last = m.last
		x.Messages = append(x.Messages, same)
	}
	for i, r := range all {
		if r.full {
			x.note("recording %d has more than %d bytes: the rest is left out", i+1, mostKept)
		}
		if conns := len(byConn(r)); conns != len(first) {
			x.note("the probe opens %d connections, and another time %d", len(first), conns)
		}
	}
	return x
}

// note adds a note, once.
func (x *Exchange) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(x.Notes, text) {
		x.Notes = append(x.Notes, text)
	}
}

// byConn returns the messages of each connection.
func byConn(r *recorder) map[int][]*message {
	all := map[int][]*message{}
	for _, m := range r.messages {
		all[m.Conn] = append(all[m.Conn], m)
	}
	return all
}

// find returns the message at a point; nil if there is none.
func find(r *recorder, at Point) *message {
	for _, m := range r.messages {
		if m.Conn == at.Conn && m.Direction == at.Direction && m.Message == at.Message {
			return m
		}
	}
	return nil
}

// sameBefore reports whether two recordings of a connection have the same messages, in the same order, up to one.
func sameBefore(a, b []*message, until Point) bool {
	for i := range a {
		if i >= len(b) || a[i].Direction != b[i].Direction || a[i].Message != b[i].Message {
			return false
		}
		if a[i].Direction == until.Direction && a[i].Message == until.Message {
			return true
		}
	}
	return false
}

// common returns how many bytes two texts begin with that are the same.
func common(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// words returns a direction as people say it.
func words(d chaos.Direction) string {
	if d == chaos.ToServer {
		return "to the server"
	}
	return "to the client"
}

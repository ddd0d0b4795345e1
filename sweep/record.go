package sweep

import (
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

// Version is that of the record. It changes when something is renamed, is removed, or means something else; not when
// something is added.
const Version = 1

// A Report is the record of a sweep. All else that people or machines read is a pure function of it.
type Report struct {
	Version     int             `json:"version"`
	Tool        string          `json:"tool,omitempty"` // what made it, such as "chaosgate 1.2.0"
	Seed        spec.Seed       `json:"seed"`
	Started     time.Time       `json:"started"`
	Took        matrix.Span     `json:"took_ms"`
	Machine     matrix.Machine  `json:"machine"`
	Subject     matrix.Subject  `json:"subject"`
	Baseline    matrix.Baseline `json:"baseline"`
	Exchange    Exchange        `json:"exchange"`              // what was recorded
	Actions     []ActionInfo    `json:"actions"`               // what was done at the points
	EveryByte   bool            `json:"every_byte,omitempty"`  // all points were to be tried
	Strips      []Strip         `json:"strips"`                // what has come of each action in each message
	Runs        int             `json:"runs"`                  // how many points were tried
	LeftOut     []string        `json:"left_out,omitempty"`    // what was not tried, in sentences
	Bad         int             `json:"bad"`                   // how many ranges have failed the sweep
	Interrupted bool            `json:"interrupted,omitempty"` // it was ended before its end
	Notes       []string        `json:"notes,omitempty"`       // what a reader has to know, in sentences
	Repeat      string          `json:"repeat,omitempty"`      // the command that repeats the sweep
}

// An ActionInfo tells what an action is.
type ActionInfo struct {
	Name string `json:"name"`
	Help string `json:"help"`
	Text string `json:"text"` // the fault, as on a command line
}

// A Strip is what has come of one action in one message.
type Strip struct {
	Action    string          `json:"action"`
	Conn      int             `json:"conn"`
	Direction chaos.Direction `json:"direction"`
	Message   int             `json:"message"`
	Size      int64           `json:"size"` // of the message
	Ranges    []Range         `json:"ranges"`
}

// A Range is neighbouring points of which the same has come.
type Range struct {
	From    int64          `json:"from"`  // the first offset
	To      int64          `json:"to"`    // the last
	Tried   int            `json:"tried"` // how many of its points were
	Verdict matrix.Verdict `json:"verdict"`
	Says    string         `json:"says"`             // of the first that was tried, as a sentence
	Sample  matrix.Cell    `json:"sample"`           // what was seen of it
	Repeat  string         `json:"repeat,omitempty"` // the command that repeats it
}

// ID names a range among all.
func (s Strip) ID(r Range) string {
	return s.Action + "/" + Point{s.Conn, s.Direction, s.Message, r.From}.String()
}

// BadRanges returns the ranges that have failed the sweep, with their strips, in order.
func (r *Report) BadRanges() (strips []Strip, ranges []Range) {
	for _, s := range r.Strips {
		for _, one := range s.Ranges {
			if one.Verdict.Bad() {
				strips, ranges = append(strips, s), append(ranges, one)
			}
		}
	}
	return strips, ranges
}

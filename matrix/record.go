package matrix

import (
	"time"

	"github.com/chaosgate/chaos/spec"
)

// Version is that of the record. It changes when something is renamed, is removed, or means something else; not when
// something is added.
const Version = 1

// A Report is the record of a run. All else that people or machines read is a pure function of it.
type Report struct {
	Version     int             `json:"version"`
	Tool        string          `json:"tool,omitempty"`     // what made it, such as "chaosgate 1.2.0"
	Seed        spec.Seed       `json:"seed"`               // of the run; each cell has its own from it
	Started     time.Time       `json:"started"`            //
	Took        Span            `json:"took_ms"`            //
	Machine     Machine         `json:"machine"`            // on which it ran
	Subject     Subject         `json:"subject"`            // what was tried
	Choice      Choice          `json:"choice"`             // which cells were tried
	Baseline    Baseline        `json:"baseline"`           // what the probe does with nothing imposed
	Planned     int             `json:"planned"`            // how many cells there are to try; fewer were if it was interrupted
	Cells       []Cell          `json:"cells"`              // in the order of conditions, directions and moments
	Counts      map[Verdict]int `json:"counts"`             // of the cells, by verdict
	Worse       int             `json:"worse"`              // how many cells are worse than allowed: the run has failed if there is one
	Expected    *Comparison     `json:"expected,omitempty"` // with the expectations, if there were any
	Interrupted bool            `json:"interrupted"`        // it was ended before its end
	Notes       []string        `json:"notes,omitempty"`    // what a reader has to know, in sentences
	Repeat      string          `json:"repeat,omitempty"`   // the command that repeats the run
	Conditions  []ConditionInfo `json:"conditions"`         // those of the cells, in their order
	Failed      bool            `json:"failed"`             // a cell is worse than allowed, or the expectations do not fit
}

// A Machine is where a run took place.
type Machine struct {
	Name string `json:"name,omitempty"`
	OS   string `json:"os"`   // such as "linux"
	Arch string `json:"arch"` // such as "amd64"
	CPUs int    `json:"cpus"` // that the run could use
	Go   string `json:"go"`   // such as "go1.26.0"
}

// A Subject is what a run has tried.
type Subject struct {
	Name    string `json:"name,omitempty"` // as people call it
	Probe   string `json:"probe"`          // a command line, a URL, a script, or the name of a function
	Kind    string `json:"kind"`           // "command", "url", "script" or "go"
	Network string `json:"network"`        // "tcp" or "unix"
	Server  string `json:"server"`         // the address behind the gates
	Gate    string `json:"gate,omitempty"` // the address of the one gate, if there is one; otherwise each worker has its own
	Workers int    `json:"workers"`        // how many cells were tried at once
}

// A Choice tells which cells of all were to be tried.
type Choice struct {
	Quick bool     `json:"quick,omitempty"` // a choice in which each pair of condition, direction and moment is
	Only  []string `json:"only,omitempty"`  // patterns of cells' names
	File  string   `json:"file,omitempty"`  // the name of the file that the conditions are from
	Cell  string   `json:"cell,omitempty"`  // this one alone
}

// A Baseline is what the probe does with nothing imposed. What is slow, how long a deadline is and how strong some
// conditions are follows from it.
type Baseline struct {
	Attempts   []Attempt `json:"attempts"`         //
	Took       Span      `json:"took_ms"`          // the median of an attempt
	Worst      Span      `json:"worst_ms"`         // the longest
	SlowAfter  Span      `json:"slow_after_ms"`    // what takes longer is slow
	Deadline   Span      `json:"deadline_ms"`      // what takes longer hangs, and is killed
	Patience   Span      `json:"patience_ms"`      // how long it may take to recover
	ToServer   int64     `json:"to_server"`        // bytes that an attempt sends, of an attempt that is not the first
	ToClient   int64     `json:"to_client"`        // bytes that it is sent
	Conns      int64     `json:"conns"`            // connections that it opens
	Kept       int       `json:"kept"`             // connections that it leaves open
	Alive      Span      `json:"alive_ms"`         // how long a connection lives that is not left open; as long as an attempt if all are
	Answer     string    `json:"answer"`           // what it answers: the first 4 KiB
	AnswerSize int       `json:"answer_size"`      // its length
	Varies     bool      `json:"varies,omitempty"` // it answers something else each time, so that a wrong answer cannot be told
}

// A ConditionInfo tells what a condition is.
type ConditionInfo struct {
	Name  string `json:"name"`  // such as "reset_all"
	Group string `json:"group"` // such as "endings"
	Help  string `json:"help"`  // a sentence: what it is and who does it
	Text  string `json:"text"`  // as in a conditions file: "stall", "door: hold", "end: reset"
}

// A Cell is one condition in one direction at one moment, and what came of it.
type Cell struct {
	ID        string    `json:"id"`        // condition/direction/moment
	Condition string    `json:"condition"` // its name
	Group     string    `json:"group"`     // of conditions
	Direction Direction `json:"direction"` //
	Moment    Moment    `json:"moment"`    //
	Imposed   string    `json:"imposed"`   // what exactly: "delay by=3ms", "door hold", "reset of all connections"
	Seed      spec.Seed `json:"seed"`      // the gate's, which follows from the run's and the ID

	Verdict  Verdict `json:"verdict"`            //
	Says     string  `json:"says"`               // the verdict as a sentence: what happened, with figures
	Met      Verdict `json:"met,omitempty"`      // the worst of what the probe met under the condition; none if skipped
	Expected Verdict `json:"expected,omitempty"` // from the expectations
	Worse    bool    `json:"worse,omitempty"`    // it is worse than expected, or bad if nothing is

	Began Span  `json:"began_ms"` // since the run's start
	Took  Span  `json:"took_ms"`  // all of it
	Fired int64 `json:"fired"`    // how often the condition made a difference

	Attempts []Attempt `json:"attempts"`           // of the probe: before, under the condition, and after
	LeftOut  int       `json:"left_out,omitempty"` // attempts that are not listed, of many after the condition
	Recovery *Recovery `json:"recovery,omitempty"` // nil if skipped or interrupted
	Seen     Seen      `json:"seen"`               // what the gate saw
	Timeline Timeline  `json:"timeline"`           //
	Repeat   string    `json:"repeat,omitempty"`   // the command that repeats it
}

// A Phase is the part of a cell in which an attempt was made.
type Phase string

// The phases of a cell.
const (
	Before Phase = "before" // nothing was imposed yet
	Under  Phase = "under"  // under the condition
	After  Phase = "after"  // the condition was lifted
)

// An Attempt is one call of the probe.
type Attempt struct {
	ID      string  `json:"id,omitempty"` // which no other attempt has; the probe is told
	Phase   Phase   `json:"phase"`
	At      Span    `json:"at_ms"`             // when it began, since the cell's (or the baseline's) start
	Took    Span    `json:"took_ms"`           //
	Outcome Verdict `json:"outcome"`           // OK, Slow, Error, Timeout, Hang, Crash or Wrong
	Says    string  `json:"says,omitempty"`    // the error, or what is wrong
	Output  string  `json:"output,omitempty"`  // the beginning and the end of what it wrote
	Omitted int     `json:"omitted,omitempty"` // how many bytes of that are not there
	Conns   int64   `json:"conns"`             // connections that were opened meanwhile
	Fired   bool    `json:"fired,omitempty"`   // the condition had fired by its end
}

// A Recovery is what came after the condition.
type Recovery struct {
	Recovered bool  `json:"recovered"`          // three attempts in a row were right
	First     Span  `json:"first_ms,omitempty"` // from lifting until the first attempt that was right had its answer
	Three     Span  `json:"three_ms,omitempty"` // until three in a row were
	Once      bool  `json:"once"`               // an attempt was right at all: First counts
	Attempts  int   `json:"attempts"`           //
	Failed    int   `json:"failed"`             // of them
	Conns     int64 `json:"conns"`              // connections that were opened meanwhile
	Patience  Span  `json:"patience_ms"`        // how long it could have taken
}

// Seen is what the gate saw of a cell, from its first attempt to its last.
type Seen struct {
	ToServer   int64        `json:"to_server"`          // bytes delivered
	ToClient   int64        `json:"to_client"`          // bytes delivered
	Accepted   int64        `json:"accepted"`           // connections, in all
	Under      int64        `json:"under"`              // connections accepted under the condition
	Rate       float64      `json:"rate"`               // of those, in a second
	DialErrors int64        `json:"dial_errors"`        // connections for which the server could not be reached
	Closed     []Closing    `json:"closed"`             // who has ended how many, and how
	Conns      []Connection `json:"conns"`              // the connections, the oldest first
	LeftOut    int          `json:"left_out,omitempty"` // connections that are not listed, of very many
}

// A Closing counts connections that have ended in one way.
type Closing struct {
	By    string `json:"by"`    // "client", "server", "gate", "dial" or a kind of fault
	How   string `json:"how"`   // "FIN", "close", "RST" or "abort"
	Count int64  `json:"count"` //
}

// A Connection is one that the gate has carried.
type Connection struct {
	Ordinal  uint64 `json:"ordinal"`       // its number at the gate
	Opened   Span   `json:"opened_ms"`     // since the cell's start; below zero if it was open before
	Ended    Span   `json:"ended_ms"`      // 0 if it is open still
	ToServer int64  `json:"to_server"`     // bytes delivered
	ToClient int64  `json:"to_client"`     // bytes delivered
	By       string `json:"by,omitempty"`  // who ended it
	How      string `json:"how,omitempty"` // how
	Err      string `json:"err,omitempty"` // what went wrong
}

// A Timeline is what happened when, since the cell's start.
type Timeline struct {
	Imposed Span    `json:"imposed_ms"` // the condition holds from here: the fault band
	Lifted  Span    `json:"lifted_ms"`  // to here
	Until   Span    `json:"until_ms"`   // the end of the cell
	Points  []Point `json:"points"`     // at most 240
}

// A Point is a moment of a timeline. Bytes and connections are counted since the cell's start.
type Point struct {
	At       Span  `json:"at_ms"`
	ToServer int64 `json:"to_server"` // bytes delivered so far
	ToClient int64 `json:"to_client"` // bytes delivered so far
	Accepted int64 `json:"accepted"`  // connections accepted so far
	Live     int   `json:"live"`      // connections open now
}

// A Comparison is that of a run with committed expectations.
type Comparison struct {
	File    string       `json:"file,omitempty"` // where they are from
	Cells   int          `json:"cells"`          // how many were compared
	Changed []Difference `json:"changed"`        // for the worse or for the better
	Missing []string     `json:"missing"`        // cells that are expected and were to be tried, and were not
	New     []string     `json:"new"`            // cells for which nothing is expected
	Updated bool         `json:"updated"`        // the file was written anew
}

// A Difference is a cell whose verdict is not what was expected.
type Difference struct {
	ID   string  `json:"id"`
	Want Verdict `json:"want"`
	Got  Verdict `json:"got"`
}

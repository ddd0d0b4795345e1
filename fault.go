package chaos

import "time"

// A Fault is something that can go wrong with the traffic going one way.
//
// A Fault is configuration: an immutable value that is imposed on any number of connections at once.
// What it must remember about one connection lives in the Sink that Impose returns or in [Stage.State].
//
// Faults stamp, they do not wait: a fault moves the Due of a segment, cuts it, changes or drops its bytes,
// or sets its End. It never starts a goroutine, arms a timer, takes a lock or sleeps.
type Fault interface {
	// Impose puts the fault to work on one direction of one connection. The Sink it returns receives the segments
	// that reach the fault, and passes on to next whatever is to go further. Impose, the Sink and every function
	// given to the Stage run on one goroutine, so a fault needs no locks.
	Impose(st *Stage, next Sink) Sink
}

// A FaultFunc is a function used as a Fault.
type FaultFunc func(st *Stage, next Sink) Sink

// Impose calls f.
func (f FaultFunc) Impose(st *Stage, next Sink) Sink { return f(st, next) }

// A Sink receives segments, in order. It may modify s.Data, and must not retain it.
type Sink func(s Segment)

// A Segment is a run of bytes on its way through a gate (or one datagram, or the end of a stream). A datagram may be empty;
// the end of a session of datagrams is a Segment of its own, which has no Data.
type Segment struct {
	Data []byte    // may be modified, must not be retained
	Due  time.Time // the earliest moment at which it may leave the gate
	End  End       // how the stream ends after Data, if it does

	at   int64  // position of Data[0] in the source's stream, plus one; zero if not known yet
	twin uint64 // tells the copies of a datagram apart; zero if it is none
	by   *Stage // the stage that set End, nil if the source did
}

// An End tells how a stream, or its whole connection, ends.
type End uint8

// The ways in which a stream can end.
const (
	More      End = iota // it goes on
	FIN                  // the sender has finished: the half-close is passed on
	FullClose            // the connection is closed both ways, with FIN
	RST                  // the connection is reset both ways, after what the peers' kernels take
	Abort                // the connection is reset both ways at once; what is unsent is destroyed
)

var endNames = [...]string{"more", "FIN", "close", "RST", "abort"}

// String returns the end's usual name.
func (e End) String() string { return endNames[e] }

// MarshalText returns the end's usual name.
func (e End) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText sets the end from its name.
func (e *End) UnmarshalText(text []byte) error { return setNamed(e, text, endNames[:]) }

// closing returns how a fault with a Reset parameter ends a connection.
func closing(reset bool) End {
	if reset {
		return RST
	}
	return FullClose
}

// A Direction tells which way bytes go.
type Direction uint8

// The two directions, named by where the bytes go.
const (
	ToServer Direction = iota // from the client to the server
	ToClient                  // from the server to the client
)

var directionNames = [...]string{"to_server", "to_client"}

// String returns "to_server" or "to_client".
func (d Direction) String() string { return directionNames[d] }

// MarshalText returns what String does.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText sets the direction from its name.
func (d *Direction) UnmarshalText(text []byte) error { return setNamed(d, text, directionNames[:]) }

// Reverse returns the other direction.
func (d Direction) Reverse() Direction { return d ^ 1 }

// Never is a time that does not come, for [Stage.Hold].
var Never = time.Unix(1<<40, 0)

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

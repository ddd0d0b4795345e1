package chaos

import "fmt"

// A Door is how a gate receives new connections. Connections that are already
// through the gate are not touched by it.
type Door uint8

// The positions of a door. The zero Door is Open.
const (
	// Open accepts new connections at once.
	Open Door = iota

	// Hold accepts nothing: clients connect and wait in the kernel's queue, and are
	// served in their order when the door opens. The server sees none of them
	// meanwhile. It is an overloaded server that no longer calls accept.
	Hold

	// Refuse answers new connections with ECONNREFUSED, and clients that wait in the
	// queue with ECONNRESET. The gate keeps its address. It is a server that is not
	// running.
	Refuse

	// Blackhole leaves a new connection without any answer, so that only the client's
	// own timeout ends the attempt. It is a host that has vanished, or a firewall that
	// drops. A client that still waits when the door opens gets in at its next SYN,
	// about a second later.
	Blackhole
)

var doorNames = [...]string{Open: "open", Hold: "hold", Refuse: "refuse", Blackhole: "blackhole"}

// String returns the door's name in lower case.
func (d Door) String() string {
	if int(d) < len(doorNames) {
		return doorNames[d]
	}
	return fmt.Sprintf("Door(%d)", uint8(d))
}

// MarshalText returns the door's name, as String does, or an error if it has none.
func (d Door) MarshalText() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	return []byte(d.String()), nil
}

// UnmarshalText sets the door from its name.
func (d *Door) UnmarshalText(text []byte) error { return setNamed(d, text, doorNames[:]) }

// check says why d is not a door, or nothing.
func (d Door) check() error {
	if int(d) < len(doorNames) {
		return nil
	}
	return fmt.Errorf("%v is unknown: it is Open, Hold, Refuse or Blackhole", d)
}

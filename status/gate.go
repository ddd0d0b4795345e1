package status

import (
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// A Gate is a gate as it is at one moment.
type Gate struct {
	Name     string        `json:"name" doc:"what the gate is called"`
	Network  string        `json:"network" doc:"tcp, tcp4, tcp6, udp, udp4, udp6 or unix"`
	Listen   string        `json:"listen" doc:"where clients connect: the address that is bound, once it is"`
	Server   string        `json:"server" doc:"the address that the gate connects to"`
	Seed     spec.Seed     `json:"seed" doc:"what all randomness comes from"`
	Stopped  bool          `json:"stopped" doc:"whether it does not listen"`
	Door     chaos.Door    `json:"door" doc:"how new connections are received"`
	DoorHits int64         `json:"door_hits" doc:"how many connections the door has met that is not open"`
	DoorTill time.Time     `json:"door_till,omitzero" doc:"when the door opens by itself"`
	Window   spec.Size     `json:"window,omitzero" doc:"bytes that one direction of one connection may hold back"`
	Memory   spec.Size     `json:"memory,omitzero" doc:"bytes that all queues may hold back together"`
	Sessions int           `json:"sessions,omitzero" doc:"sessions of datagrams that there may be"`
	Expire   spec.Duration `json:"expire,omitzero" doc:"how long a session of datagrams may be silent"`
	By       string        `json:"by,omitempty" doc:"who has asked for it"`
	Since    time.Time     `json:"since" doc:"when it was created"`
	Lease    string        `json:"lease,omitempty" doc:"the lease that it is removed with"`
	ToServer []Fault       `json:"to_server" doc:"what is imposed on the traffic to the server, in order"`
	ToClient []Fault       `json:"to_client" doc:"what is imposed on the traffic to the client, in order"`
	Stats    Stats         `json:"stats" doc:"its figures"`
}

// Stats are a gate's figures. They are those of [chaos.Stats].
type Stats struct {
	Accepted     int64            `json:"accepted" doc:"connections accepted"`
	Opened       int64            `json:"opened" doc:"connections open through to the server"`
	Live         int              `json:"live" doc:"connections that there are now"`
	Closed       map[string]int64 `json:"closed" doc:"connections that have ended, by who ended them"`
	DialErrors   int64            `json:"dial_errors" doc:"connections for which the server could not be reached"`
	AcceptErrors int64            `json:"accept_errors" doc:"connections that could not be accepted"`
	ToServer     int64            `json:"to_server" doc:"bytes delivered to the server"`
	ToClient     int64            `json:"to_client" doc:"bytes delivered to the client"`
	Dropped      int64            `json:"dropped" doc:"bytes that were under way when their connection ended"`
	Held         int64            `json:"held" doc:"what the queues hold back now"`
	WindowFull   int64            `json:"window_full" doc:"how often reading has stopped because window or memory was full"`
	EventsLost   int64            `json:"events_lost" doc:"events that were lost before they were told"`

	DatagramsToServer int64 `json:"datagrams_to_server,omitempty" doc:"datagrams delivered to the server"`
	DatagramsToClient int64 `json:"datagrams_to_client,omitempty" doc:"datagrams delivered to the client"`
	Lost              int64 `json:"lost,omitempty" doc:"datagrams that faults or a door have thrown away"`
	Overflowed        int64 `json:"overflowed,omitempty" doc:"datagrams thrown away because window or memory was full"`
	KernelDrops       int64 `json:"kernel_drops,omitempty" doc:"datagrams that the kernel has dropped because a receive buffer was full"`
	Refused           int64 `json:"refused,omitempty" doc:"how often the server's host has said that nobody listens"`
	SendErrors        int64 `json:"send_errors,omitempty" doc:"datagrams that the kernel has refused to send"`
}

// A Fault is a fault that is imposed.
type Fault struct {
	ID        string          `json:"id" doc:"names it at its gate"`
	Direction chaos.Direction `json:"direction" doc:"to_server or to_client"`
	Conn      uint64          `json:"conn,omitempty" doc:"the connection that it is imposed on, if on just one"`
	Kind      string          `json:"kind" doc:"its kind, such as delay"`
	Fault     spec.Fault      `json:"fault" doc:"the fault as an object"`
	Text      string          `json:"text" doc:"the fault as a line"`
	Ordinal   int             `json:"ordinal" doc:"its number in its flow, on which its randomness depends"`
	Hits      int64           `json:"hits" doc:"how often it has changed what would have happened"`
	LastHit   *Hit            `json:"last_hit,omitempty" doc:"where it did so last"`
	By        string          `json:"by,omitempty" doc:"who has asked for it"`
	Since     time.Time       `json:"since" doc:"when it was imposed"`
	Till      time.Time       `json:"till,omitzero" doc:"when it is lifted by itself"`
	Lease     string          `json:"lease,omitempty" doc:"the lease that it is lifted with"`
	Offsets   []Offset        `json:"offsets,omitempty" doc:"from where it holds on each live connection; in answers about this fault alone"`
}

// A Hit is evidence that a fault fired.
type Hit struct {
	Conn   uint64    `json:"conn" doc:"the connection's number"`
	Offset int64     `json:"offset" doc:"the first byte concerned, by its position in what the source has sent; of datagrams the number"`
	Bytes  int64     `json:"bytes" doc:"how many bytes were concerned"`
	Time   time.Time `json:"time"`
}

// An Offset is a position in the stream of a connection.
type Offset struct {
	Conn   uint64 `json:"conn" doc:"the connection's number"`
	Offset int64  `json:"offset" doc:"the position in what the source has sent; of datagrams the number"`
}

// A Conn is a connection through a gate.
type Conn struct {
	N                 uint64      `json:"n" doc:"its number at its gate, in the order of acceptance"`
	State             chaos.State `json:"state" doc:"dialing, established, half-closed, closing or closed"`
	Client            string      `json:"client" doc:"the client's own address"`
	Front             string      `json:"front" doc:"the gate's address on the client's side"`
	Back              string      `json:"back,omitempty" doc:"the gate's address on the server's side"`
	Server            string      `json:"server,omitempty" doc:"the server's address"`
	Opened            time.Time   `json:"opened" doc:"when it was accepted"`
	Age               float64     `json:"age" doc:"how old it is, in seconds"`
	BytesToServer     int64       `json:"bytes_to_server" doc:"bytes delivered to the server"`
	BytesToClient     int64       `json:"bytes_to_client" doc:"bytes delivered to the client"`
	DatagramsToServer int64       `json:"datagrams_to_server,omitempty" doc:"datagrams delivered to the server"`
	DatagramsToClient int64       `json:"datagrams_to_client,omitempty" doc:"datagrams delivered to the client"`
	ToServer          []Fault     `json:"to_server" doc:"what is imposed on this connection alone"`
	ToClient          []Fault     `json:"to_client" doc:"what is imposed on this connection alone"`
}

// A Diff tells what a change of the whole desired state has changed: names of gates.
type Diff struct {
	Created   []string `json:"created" doc:"gates that were not there before"`
	Changed   []string `json:"changed" doc:"gates that were changed in place"`
	Replaced  []string `json:"replaced" doc:"gates whose addresses or bounds differ: they were closed and made anew"`
	Removed   []string `json:"removed" doc:"gates that are not wanted any more"`
	Unchanged []string `json:"unchanged" doc:"gates that were as they are wanted"`
}

// Healed tells what was lifted, and which doors were opened.
type Healed struct {
	Faults []GateFault `json:"faults" doc:"what was lifted"`
	Doors  []GateDoor  `json:"doors" doc:"doors that were not open"`
}

// A GateFault is a fault at a gate.
type GateFault struct {
	Gate string `json:"gate"`
	Fault
}

// A GateDoor is a door of a gate.
type GateDoor struct {
	Gate string     `json:"gate"`
	Door chaos.Door `json:"door"`
}

// Ended tells how many connections were ended.
type Ended struct {
	Ended int `json:"ended" doc:"how many connections were ended"`
}

// A Lease is what keeps gates, faults and doors as they are. What hangs on it goes with it when it is not renewed in time.
type Lease struct {
	Name   string        `json:"name"`
	TTL    spec.Duration `json:"ttl" doc:"how long it lasts without being renewed"`
	Till   time.Time     `json:"till" doc:"when it ends unless it is renewed"`
	Held   int           `json:"held,omitempty" doc:"how many streams of events hold it; it does not end while one does"`
	By     string        `json:"by,omitempty" doc:"who has asked for it"`
	Gates  []string      `json:"gates" doc:"gates that hang on it"`
	Faults []string      `json:"faults" doc:"faults that hang on it, as GATE/ID"`
	Doors  []string      `json:"doors" doc:"gates whose door hangs on it"`
}

// A Version tells what a daemon is.
type Version struct {
	Version string    `json:"version" doc:"the program's version"`
	Go      string    `json:"go" doc:"the version of Go that it was built with"`
	System  string    `json:"system" doc:"the operating system and the processor"`
	Boot    string    `json:"boot" doc:"names this run of the daemon: another after each start"`
	Started time.Time `json:"started" doc:"when it was started"`
}

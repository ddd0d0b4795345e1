package status

import (
	"time"

	"github.com/chaosgate/chaos"
)

// What happens at a daemon beside what happens at its gates, which goes by the names of [chaos.EventType].
const (
	EventCreated chaos.EventType = "created" // a gate was created
	EventRemoved chaos.EventType = "removed" // a gate was removed
	EventLeased  chaos.EventType = "leased"  // a lease was made
	EventExpired chaos.EventType = "expired" // a lease has ended because it was not renewed
	EventEnded   chaos.EventType = "ended"   // a lease was ended
	EventLost    chaos.EventType = "lost"    // events were lost, because whom they are told was slow, or a gate had too many at once
)

// An Event is something that happened. What does not belong to its type is left out.
type Event struct {
	ID                uint64           `json:"id" doc:"counts the daemon's events from 1"`
	Time              time.Time        `json:"time"`
	Type              chaos.EventType  `json:"type" doc:"such as imposed, fired, lifted, opened, closed"`
	Gate              string           `json:"gate,omitempty" doc:"the gate's name"`
	Conn              uint64           `json:"conn,omitempty" doc:"the connection's number"`
	Direction         *chaos.Direction `json:"direction,omitempty" doc:"of faults"`
	Fault             string           `json:"fault,omitempty" doc:"the fault's id"`
	Kind              string           `json:"kind,omitempty" doc:"the fault's kind"`
	Text              string           `json:"text,omitempty" doc:"imposed, changed: the fault as a line"`
	Hits              *int64           `json:"hits,omitempty" doc:"fired: since the last such event; lifted: in all"`
	Offset            *int64           `json:"offset,omitempty" doc:"fired: where the last hit was"`
	Bytes             *int64           `json:"bytes,omitempty" doc:"fired: bytes concerned by the last hit"`
	ToServer          *int64           `json:"to_server,omitempty" doc:"closed: bytes delivered to the server"`
	ToClient          *int64           `json:"to_client,omitempty" doc:"closed: bytes delivered to the client"`
	DatagramsToServer int64            `json:"datagrams_to_server,omitempty" doc:"closed: datagrams delivered to the server"`
	DatagramsToClient int64            `json:"datagrams_to_client,omitempty" doc:"closed: datagrams delivered to the client"`
	Dropped           *int64           `json:"dropped,omitempty" doc:"closed: bytes that were dropped"`
	Ended             string           `json:"ended,omitempty" doc:"closed: who has ended it: client, server, gate, dial or a kind of fault"`
	How               *chaos.End       `json:"how,omitempty" doc:"closed: how"`
	Age               float64          `json:"age,omitempty" doc:"closed: how old the connection was, in seconds"`
	Took              float64          `json:"took,omitempty" doc:"opened, dial_error: how long it took to reach the server, in seconds"`
	Door              *chaos.Door      `json:"door,omitempty" doc:"door: which"`
	Addr              string           `json:"addr,omitempty" doc:"started: where clients connect; opened, closed: the client's address"`
	Server            string           `json:"server,omitempty" doc:"created: the server's address"`
	Lease             string           `json:"lease,omitempty" doc:"the lease that it is about, or that something hung on"`
	Lost              int64            `json:"lost,omitempty" doc:"lost: how many events were"`
	By                string           `json:"by,omitempty" doc:"who has asked for it"`
	Because           string           `json:"because,omitempty" doc:"lifted, removed, door, expired: why, if nobody has asked for just that: its time was over, or its lease, or all was healed"`
	Err               string           `json:"error,omitempty" doc:"what went wrong"`
}

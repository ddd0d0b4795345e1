package chaos

import "time"

// Rebind has the server see the client come from another port from now on, as when a NAT has forgotten a client that goes on. What the server
// still sends to the port of before is lost.
//
// It happens when the fault is imposed on a session, unless nothing was sent to the server yet: a session that begins later has just one port. With
// Every it happens again each time so much time has gone by in which something was sent. It is the same on either flow.
type Rebind struct {
	Every time.Duration `json:"every" default:"only once" help:"how long the client has each port"`
}

func init() {
	Register("rebind", "The server sees the client come from another port.", Rebind{})
}

// Check implements [Checker].
func (Rebind) Check(network string) error {
	return DatagramsOnly(network, "a connection cannot move to another port")
}

// Impose implements [Fault].
func (f Rebind) Impose(st *Stage, next Sink) Sink {
	fresh := false
	b := st.State(func() any { fresh = true; return new(binding) }).(*binding)
	if fresh {
		b.change(st)
	}
	var ring func()
	ring = func() {
		b.change(st)
		st.At(b.since.Add(f.Every), ring)
	}
	if f.Every > 0 {
		st.At(b.since.Add(f.Every), ring)
	}
	return next
}

// A binding is how long the client has had its port, and what was sent until then. It is a State.
type binding struct {
	since time.Time
	sent  int64
}

// change has the client get another port if it has used the one that it has.
func (b *binding) change(st *Stage) {
	sent := st.sent()
	if sent > b.sent {
		st.Hit(0)
		st.rebind()
	}
	b.since, b.sent = st.Now(), sent
}

// sent returns how many datagrams were sent to the server in the session.
func (st *Stage) sent() int64 { return st.line.conn.datagrams[ToServer].Load() }

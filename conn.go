package chaos

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Conn is one connection through a gate: a client's leg, a server's leg and the two flows between them.
type Conn struct {
	// ToServer and ToClient are the connection's own flows. Bytes pass the gate's flow first, then these.
	ToServer, ToClient Flow

	gate      *Gate
	ordinal   uint64
	nth       int64 // which of all that the gate has accepted it is; unlike the ordinal it never begins anew
	seed      uint64
	opened    time.Time
	client    leg
	server    leg
	moved     [2]atomic.Int64 // bytes delivered, by direction
	datagrams [2]atomic.Int64 // datagrams delivered, by direction
	dropped   atomic.Int64    // bytes that were under way when it ended
	moving    atomic.Int32    // pumps that run
	over      atomic.Bool     // the connection is to end; how says how

	mu       sync.Mutex // guards what follows; held shortly
	state    State
	how      End
	finished [2]bool // which directions have passed their FIN on
	by       string
	err      error
	age      time.Duration      // once it is closed
	lines    [2]*follower       // nil until the server is reached
	giveUp   context.CancelFunc // ends the dialling
}

// A State is where a connection is in its life.
type State uint8

// The states of a connection.
const (
	Dialing     State = iota // accepted; the server is being dialled
	Established              // open through to the server
	HalfClosed               // one direction has ended
	Closing                  // it has ended, its last bytes are being delivered
	Closed                   // nothing is left of it
)

var stateNames = [...]string{"dialing", "established", "half-closed", "closing", "closed"}

// String returns the state's name.
func (s State) String() string { return stateNames[s] }

// MarshalText returns the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets the state from its name.
func (s *State) UnmarshalText(text []byte) error { return setNamed(s, text, stateNames[:]) }

// A ConnInfo tells about a connection at one moment.
type ConnInfo struct {
	Ordinal                              uint64
	Client                               string // the client's own address
	Front                                string // the gate's address on the client's leg
	Back                                 string // the gate's address on the server's leg, empty until the server is reached
	Server                               string // the server's address, empty until it is reached
	Opened                               time.Time
	Age                                  time.Duration // up to its end
	ToServer                             int64         // bytes delivered to the server
	ToClient                             int64         // bytes delivered to the client
	DatagramsToServer, DatagramsToClient int64         // of datagrams, how many
	Dropped                              int64         // bytes that were under way when it ended and were not delivered
	State                                State
	By                                   string // who ended it: "client", "server", "gate", "dial" or a kind of fault
	How                                  End    // how it ended: FIN (both sides finished), FullClose, RST or Abort
	Err                                  string // what went wrong, such as a dial error
}

// Ordinal returns the connection's number at its gate, from 1 in the order of acceptance.
func (c *Conn) Ordinal() uint64 { return c.ordinal }

// Info tells about the connection.
func (c *Conn) Info() ConnInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.tally()
	i.Front, i.Client = text(c.client.own), text(c.client.peer)
	i.Back, i.Server = text(c.server.own), text(c.server.peer)
	return i
}

// tally is Info without the addresses, whose texts must be made. c.mu guards it.
func (c *Conn) tally() ConnInfo {
	i := ConnInfo{
		Ordinal: c.ordinal, Opened: c.opened, State: c.state, By: c.by, How: c.how,
		ToServer: c.moved[ToServer].Load(), ToClient: c.moved[ToClient].Load(), Dropped: c.dropped.Load(),
		DatagramsToServer: c.datagrams[ToServer].Load(), DatagramsToClient: c.datagrams[ToClient].Load(),
	}
	if i.Age = c.age; c.state != Closed {
		i.Age = time.Since(c.opened)
	}
	if c.err != nil {
		i.Err = c.err.Error()
	}
	return i
}

// String returns the connection's ordinal and addresses.
func (c *Conn) String() string {
	i := c.Info()
	return fmt.Sprintf("conn %d (%s to %s, %v)", i.Ordinal, i.Client, i.Server, i.State)
}

// Close ends the connection with FIN on both legs. It does not wait for the peers.
func (c *Conn) Close() { c.end(FullClose, "gate", nil) }

// Reset ends the connection with RST on both legs. It does not wait for the peers. It panics with a [*FaultError] on a
// unix socket, which has no RST.
func (c *Conn) Reset() {
	c.gate.mustReset()
	c.end(RST, "gate", nil)
}

// end makes the connection end, once, and reports whether this did. It returns at once: the connection leaves its gate's
// Conns, and its own goroutines do the rest.
func (c *Conn) end(how End, by string, err error) bool {
	c.mu.Lock()
	if c.how != More {
		c.mu.Unlock()
		return false
	}
	if how != FIN && !c.gate.resets() && how != FullClose {
		how = FullClose
	}
	c.how, c.by, c.err, c.state = how, by, err, Closing
	giveUp := c.giveUp
	c.mu.Unlock()
	c.over.Store(true)
	c.gate.leaves(c)
	giveUp()
	c.kick()
	return true
}

// aborted reports whether the connection ends without waiting for anything.
func (c *Conn) aborted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.how == Abort
}

// unfinished tells what keeps the connection from ending.
func (c *Conn) unfinished() string {
	i := c.Info()
	return fmt.Sprintf("ended by %s with %v, faults at work: %v to the server, %v to the client",
		i.By, i.How, kinds(&c.gate.ToServer, &c.ToServer), kinds(&c.gate.ToClient, &c.ToClient))
}

// kinds names what is imposed on flows.
func kinds(flows ...*Flow) (names []string) {
	for _, f := range flows {
		for _, i := range f.Imposed() {
			names = append(names, KindOf(i.Fault()))
		}
	}
	return names
}

// passedFIN notes that one direction has ended. When both have, so has the connection.
func (c *Conn) passedFIN(d Direction, by string) {
	c.mu.Lock()
	c.finished[d] = true
	both := c.finished[d.Reverse()]
	if !both && c.how == More {
		c.state, c.by = HalfClosed, by
	}
	by = c.by
	c.mu.Unlock()
	if both {
		c.end(FIN, by, nil)
	}
}

// heard is called when a leg was reset, by whoever notices first.
func (c *Conn) heard(l *leg) {
	if l.reset.Swap(true) {
		return
	}
	c.mu.Lock()
	dialling := c.lines[0] == nil
	c.mu.Unlock()
	if dialling { // the client is gone before the server was reached: nobody is left to tell
		c.end(RST, l.name(), nil)
		return
	}
	c.kick()
}

func (c *Conn) kick() {
	c.mu.Lock()
	lines := c.lines
	c.mu.Unlock()
	for _, f := range lines {
		if f != nil {
			f.nudge()
		}
	}
}

// serve reaches the server, and has both pumps move bytes until the connection has ended.
func (c *Conn) serve(ctx context.Context) {
	c.client.watch()
	server, err := c.gate.dial(ctx)
	if err == nil {
		c.connected(server)
		return
	}
	if c.end(RST, "dial", err) {
		c.gate.dialFailed(c, err)
	}
	c.finish()
	c.gate.gone(c)
}

// connected starts both pumps. Each has a goroutine of its own, and that of the dial ends: its stack has grown.
func (c *Conn) connected(server net.Conn) {
	g := c.gate
	c.mu.Lock()
	if g.DialContext == nil { // a test's own may not have done with its context
		c.giveUp()
		c.giveUp = func() {}
	}
	c.server.open(c, server)
	up, down := newPump(c, ToServer), newPump(c, ToClient)
	c.lines = [2]*follower{&up.follower, &down.follower}
	if c.how == More {
		c.state = Established
	}
	c.mu.Unlock()
	c.server.watch()
	g.established(c)
	c.moving.Store(2)
	g.conns.Add(2)
	go c.move(up)
	go c.move(down)
}

// move runs a pump until it rests or has ended. The one that ends last leaves nothing of the connection.
func (c *Conn) move(p *pump) {
	if !p.run() {
		return
	}
	if c.moving.Add(-1) == 0 {
		c.finish()
		c.gate.gone(c)
	}
	c.gate.conns.Done()
}

package chaos

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// An EventType tells what an [Event] is about.
type EventType string

// What happens at a gate.
const (
	EventStarted     EventType = "started"      // the gate listens
	EventStopped     EventType = "stopped"      // the gate has stopped; its port is kept
	EventDoor        EventType = "door"         // the door was set
	EventImposed     EventType = "imposed"      // a fault was imposed
	EventChanged     EventType = "changed"      // a fault's parameters were changed
	EventLifted      EventType = "lifted"       // a fault was lifted
	EventFired       EventType = "fired"        // a fault has fired, Hits times since the last such event
	EventOpened      EventType = "opened"       // a connection is open through to the server
	EventClosed      EventType = "closed"       // a connection has ended
	EventDialError   EventType = "dial_error"   // the server could not be reached
	EventAcceptError EventType = "accept_error" // a connection could not be accepted
	EventFailed      EventType = "failed"       // a test's own code (Edit, Through, Detour) failed
)

// An Event is something that happened at a gate.
type Event struct {
	Seq       uint64 // counts the gate's events from 1; a gap is what a slow observer has lost
	Time      time.Time
	Type      EventType
	Conn      uint64    // the connection's ordinal, 0 if it is not about one
	Direction Direction // of faults
	Fault     string    // the kind of fault, for Imposed, Changed, Lifted, Fired, Failed
	Ordinal   int       // the fault's number in its flow
	Imposed   *Imposed  // the fault's handle
	Hits      int64     // Fired: since the last such event; Lifted: in all
	Offset    int64     // Fired: the position of the last hit: a byte's, or a datagram's number
	Bytes     int64     // Fired: bytes concerned by the last hit; Closed: bytes that were dropped
	ToServer  int64     // Closed: bytes delivered to the server
	ToClient  int64     // Closed: bytes delivered to the client

	DatagramsToServer int64 // Closed: datagrams delivered to the server
	DatagramsToClient int64 // Closed: datagrams delivered to the client

	By   string        // Closed: who ended it: "client", "server", "gate", "dial" or a kind of fault
	How  End           // Closed: how
	Door Door          // Door: which
	Took time.Duration // Opened, DialError: how long after the client the server was reached, or was not
	Age  time.Duration // Closed: how old the connection was
	Addr string        // Started: where clients connect; Opened, Closed: the client's address
	Err  string
}

// String returns the event as a line for people.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(string(e.Type))
	if e.Conn != 0 {
		fmt.Fprintf(&b, " conn=%d", e.Conn)
	}
	switch e.Type {
	case EventStarted, EventOpened:
		fmt.Fprintf(&b, " addr=%s", e.Addr)
	case EventDoor:
		fmt.Fprintf(&b, " %v", e.Door)
	case EventImposed, EventChanged, EventFailed:
		fmt.Fprintf(&b, " %s on %v", e.Fault, e.Direction)
	case EventLifted:
		fmt.Fprintf(&b, " %s on %v hits=%d", e.Fault, e.Direction, e.Hits)
	case EventFired:
		fmt.Fprintf(&b, " %s on %v hits=%d offset=%d bytes=%d", e.Fault, e.Direction, e.Hits, e.Offset, e.Bytes)
	case EventClosed:
		fmt.Fprintf(&b, " by %s with %v to_server=%d to_client=%d", e.By, e.How, e.ToServer, e.ToClient)
		if e.DatagramsToServer+e.DatagramsToClient > 0 {
			fmt.Fprintf(&b, " datagrams=%d,%d", e.DatagramsToServer, e.DatagramsToClient)
		}
		if e.Bytes > 0 {
			fmt.Fprintf(&b, " dropped=%d", e.Bytes)
		}
	}
	if e.Err != "" {
		fmt.Fprintf(&b, " error=%q", e.Err)
	}
	return b.String()
}

const (
	// maxEvents bounds what a slow observer keeps waiting.
	maxEvents = 4096
	// firedEvery is how often hits are told: they are collected in between.
	firedEvery = 100 * time.Millisecond
	// fewEvents is how many leave their room to those that come next.
	fewEvents = 32
)

// events is the queue between a gate and its observer. The oldest are lost when it is full. A nil *events takes
// everything and tells nobody.
type events struct {
	observe func(Event)
	wake    chan struct{} // capacity 1
	end     chan struct{} // closed when no more will come
	done    chan struct{} // closed when all were told

	mu    sync.Mutex // guards what follows
	queue []Event
	hot   []*Imposed // have hits that were not told
	seq   uint64
	lost  int64
}

func newEvents(observe func(Event)) *events {
	if observe == nil {
		return nil
	}
	ev := &events{observe: observe, wake: make(chan struct{}, 1), end: make(chan struct{}), done: make(chan struct{})}
	go ev.run()
	return ev
}

// add tells an event.
func (ev *events) add(e Event) {
	if ev == nil {
		return
	}
	ev.mu.Lock()
	ev.seq++
	e.Seq, e.Time = ev.seq, time.Now()
	if len(ev.queue) == maxEvents {
		ev.queue = ev.queue[1:]
		ev.lost++
	}
	ev.queue = append(ev.queue, e)
	ev.mu.Unlock()
	ev.kick()
}

// fire says that a fault has hits that were not told.
func (ev *events) fire(i *Imposed) {
	if ev == nil {
		return
	}
	ev.mu.Lock()
	ev.hot = append(ev.hot, i)
	ev.mu.Unlock()
	ev.kick()
}

// fired tells the hits of a fault that were not told yet.
func (ev *events) fired(i *Imposed) {
	n, h := i.takeUnreported()
	if n == 0 {
		return
	}
	ev.add(Event{Type: EventFired, Conn: h.Conn, Direction: h.Direction, Fault: KindOf(i.Fault()), Ordinal: i.ordinal, Imposed: i, Hits: n, Offset: h.Offset, Bytes: h.Bytes})
}

func (ev *events) kick() {
	select {
	case ev.wake <- struct{}{}:
	default:
	}
}

// run tells events until there are no more to come.
func (ev *events) run() {
	defer close(ev.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var told time.Time // when hits were last told
	var batch []Event
	for ended := false; !ended; {
		select {
		case <-ev.wake:
		case <-timer.C:
		case <-ev.end:
			ended = true
		}
		if wait := firedEvery - time.Since(told); wait > 0 && !ended {
			timer.Reset(wait)
		} else if ev.cool() {
			told = time.Now()
		}
		batch = ev.take(batch)
		for _, e := range batch {
			ev.observe(e)
		}
	}
}

// cool tells the hits of every fault that has some.
func (ev *events) cool() bool {
	ev.mu.Lock()
	hot := ev.hot
	ev.hot = nil
	ev.mu.Unlock()
	for _, i := range hot {
		ev.fired(i)
	}
	return len(hot) > 0
}

// take returns what is to be told, and has the room of what was told taken by what comes next.
func (ev *events) take(told []Event) []Event {
	clear(told)
	if cap(told) > fewEvents {
		told = nil
	}
	ev.mu.Lock()
	defer ev.mu.Unlock()
	q := ev.queue
	ev.queue = told[:0]
	return q
}

// close waits until everything was told, but no longer than Close waits for anything.
func (ev *events) close() error {
	if ev == nil {
		return nil
	}
	close(ev.end)
	late := time.NewTimer(closePatience)
	defer late.Stop()
	select {
	case <-ev.done:
		return nil
	case <-late.C:
		return fmt.Errorf("the observer had not returned after %v", closePatience)
	}
}

func (ev *events) lostCount() int64 {
	if ev == nil {
		return 0
	}
	ev.mu.Lock()
	defer ev.mu.Unlock()
	return ev.lost
}

package chaos

import (
	"cmp"
	"maps"
	"sync"
	"sync/atomic"
)

// Stats are a gate's figures at one moment. All but Live and Held only grow, save that bytes count as delivered until
// their connection ends by a reset before the peer has taken them.
type Stats struct {
	Accepted     int64            // connections accepted
	Opened       int64            // connections open through to the server
	Live         int              // connections in Conns
	Closed       map[string]int64 // connections that have ended, by who ended them
	DialErrors   int64            // connections for which the server could not be reached
	AcceptErrors int64            // connections that could not be accepted, for want of descriptors say
	ToServer     int64            // bytes delivered to the server, those of live connections too
	ToClient     int64            // bytes delivered to the client
	Dropped      int64            // bytes that were under way when their connection ended
	Held         int64            // what the queues hold back now, with what it costs to keep it
	WindowFull   int64            // how often reading has stopped because Window or Memory was full
	EventsLost   int64            // events that a slow observer has lost

	// Of datagrams. What was lost is told by who has lost it, so that a fault is never taken for a gate or a network that loses.
	DatagramsToServer int64 // delivered to the server
	DatagramsToClient int64 // delivered to the client
	Lost              int64 // thrown away by faults, by a door that is Blackhole, or with the session that a fault has ended
	Overflowed        int64 // thrown away because Window or Memory was full
	KernelDrops       int64 // dropped by the kernel because a receive buffer of the gate's was full
	Refused           int64 // how often the server's host has said that nobody listens
	SendErrors        int64 // that the kernel has refused to send
}

type stats struct {
	accepted, opened, dialErrors, acceptErrors, windowFull atomic.Int64
	lostDatagrams, overflowed, refused, sendErrors         atomic.Int64

	mu     sync.Mutex // guards what follows: the sums of connections that are gone
	closed map[string]int64
	moved  [2]int64
	lost   int64

	datagrams [2]int64
}

// gone adds the figures of a connection that has ended, and by whom.
func (s *stats) gone(c *Conn, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		s.closed = make(map[string]int64)
	}
	s.closed[cmp.Or(by, "gate")]++
	s.lost += c.dropped.Load()
	for way := range s.moved {
		s.moved[way] += c.moved[way].Load()
		s.datagrams[way] += c.datagrams[way].Load()
	}
}

// Stats returns the gate's figures.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	x := g.exchange
	g.mu.Unlock()
	drops := x.kernelDrops() // with no lock held: it may wait for the exchange
	g.mu.Lock()
	defer g.mu.Unlock()
	s := &g.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Accepted: s.accepted.Load(), Opened: s.opened.Load(), Live: len(g.live), Closed: maps.Clone(s.closed),
		DialErrors: s.dialErrors.Load(), AcceptErrors: s.acceptErrors.Load(), WindowFull: s.windowFull.Load(),
		ToServer: s.moved[ToServer], ToClient: s.moved[ToClient], Dropped: s.lost,
		Held: g.memory.used.Load(), EventsLost: g.events.lostCount(),
		DatagramsToServer: s.datagrams[ToServer], DatagramsToClient: s.datagrams[ToClient], Lost: s.lostDatagrams.Load(),
		Overflowed: s.overflowed.Load(), KernelDrops: drops, Refused: s.refused.Load(), SendErrors: s.sendErrors.Load(),
	}
	for _, conns := range []map[*Conn]struct{}{g.live, g.ending} {
		for c := range conns {
			st.ToServer += c.moved[ToServer].Load()
			st.ToClient += c.moved[ToClient].Load()
			st.Dropped += c.dropped.Load()
			st.DatagramsToServer += c.datagrams[ToServer].Load()
			st.DatagramsToClient += c.datagrams[ToClient].Load()
		}
	}
	return st
}

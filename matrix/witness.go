package matrix

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/chaosgate/chaos"
)

const (
	mostPoints = 240 // of a timeline
	mostConns  = 50  // of a cell that are listed one by one
)

// A witness notes what a gate does during one cell after another.
type witness struct {
	handles bool // the gate tells nobody else what happens: its connections are looked at

	mu     sync.Mutex // guards what follows
	gate   *chaos.Gate
	began  time.Time // of the cell, zero if there is none
	base   chaos.Stats
	points []Point
	every  time.Duration // between two points
	conns  []Connection
	closed map[Closing]int64 // without their counts
	left   int               // connections that are not listed
	live   map[*chaos.Conn]bool

	stop chan struct{} // closed when the cell is over
	over sync.WaitGroup
}

// begin begins a cell.
func (w *witness) begin(g *chaos.Gate, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate, w.began, w.base = g, now, g.Stats()
	w.points, w.every, w.conns, w.left = nil, 5*time.Millisecond, nil, 0
	w.closed, w.live, w.stop = map[Closing]int64{}, map[*chaos.Conn]bool{}, make(chan struct{})
	for _, c := range g.Conns() {
		i := c.Info()
		w.live[c] = true
		if !w.handles {
			w.list(Connection{Ordinal: i.Ordinal, Opened: Span(i.Opened.Sub(now))})
		}
	}
	stop := w.stop
	w.over.Go(func() { w.sample(stop) })
}

// sample notes a point again and again, until the cell is over.
func (w *witness) sample(stop chan struct{}) {
	for {
		w.mu.Lock()
		w.point(time.Now())
		wait := time.NewTimer(w.every)
		w.mu.Unlock()
		select {
		case <-wait.C:
		case <-stop:
			wait.Stop()
			return
		}
	}
}

// point notes how things are, if something has changed. When there is no room every other point goes, and the next ones
// are farther apart.
func (w *witness) point(now time.Time) {
	st := w.gate.Stats()
	p := Point{
		At: Span(now.Sub(w.began)), ToServer: st.ToServer - w.base.ToServer, ToClient: st.ToClient - w.base.ToClient,
		Accepted: st.Accepted - w.base.Accepted, Live: st.Live,
	}
	if w.handles {
		for _, c := range w.gate.Conns() {
			w.live[c] = true
		}
	}
	if n := len(w.points); n >= 2 && same(w.points[n-1], p) && same(w.points[n-2], p) {
		w.points[n-1].At = p.At // a level line needs two ends
		return
	}
	if len(w.points) >= mostPoints-2 {
		kept := w.points[:0]
		for i := 0; i < len(w.points); i += 2 {
			kept = append(kept, w.points[i])
		}
		w.points, w.every = kept, w.every*2
	}
	w.points = append(w.points, p)
}

// same reports whether two points differ by their moments alone.
func same(a, b Point) bool {
	a.At = b.At
	return a == b
}

// mark notes a point right now, for what is about to change.
func (w *witness) mark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.point(time.Now())
}

// list adds a connection, if there is room.
func (w *witness) list(c Connection) {
	if len(w.conns) < mostConns {
		w.conns = append(w.conns, c)
	} else {
		w.left++
	}
}

// observe is what a gate of our own tells.
func (w *witness) observe(e chaos.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began.IsZero() {
		return
	}
	at := Span(e.Time.Sub(w.began))
	switch e.Type {
	case chaos.EventOpened:
		w.list(Connection{Ordinal: e.Conn, Opened: at - Span(e.Took)})
	case chaos.EventDialError:
		w.list(Connection{Ordinal: e.Conn, Opened: at - Span(e.Took), Err: e.Err})
	case chaos.EventClosed:
		w.closed[Closing{By: cmp.Or(e.By, "gate"), How: e.How.String()}]++
		i := slices.IndexFunc(w.conns, func(c Connection) bool { return c.Ordinal == e.Conn && c.Ended == 0 })
		if i < 0 {
			return // one of very many, or one that the gate closed before its server was reached
		}
		c := &w.conns[i]
		c.Ended, c.ToServer, c.ToClient = max(at, 1), e.ToServer, e.ToClient
		c.By, c.How, c.Err = cmp.Or(e.By, "gate"), e.How.String(), cmp.Or(e.Err, c.Err)
	}
}

// end ends a cell and returns what was seen of it.
func (w *witness) end(now time.Time) (Seen, []Point) {
	w.mu.Lock()
	w.point(now)
	close(w.stop)
	w.mu.Unlock()
	w.over.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	st := w.gate.Stats()
	seen := Seen{
		ToServer: st.ToServer - w.base.ToServer, ToClient: st.ToClient - w.base.ToClient,
		Accepted: st.Accepted - w.base.Accepted, DialErrors: st.DialErrors - w.base.DialErrors,
		Closed: []Closing{}, Conns: slices.Clone(w.conns), LeftOut: w.left,
	}
	if seen.Conns == nil {
		seen.Conns = []Connection{}
	}
	for c, n := range w.closed {
		c.Count = n
		seen.Closed = append(seen.Closed, c)
	}
	slices.SortFunc(seen.Closed, func(a, b Closing) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.By, b.By), cmp.Compare(a.How, b.How))
	})
	w.began = time.Time{}
	return seen, slices.Clone(w.points)
}

// look takes down the connections that were looked at, and the bytes of those that are open.
func (w *witness) look() {
	for _, c := range slices.SortedFunc(maps.Keys(w.live), func(a, b *chaos.Conn) int { return cmp.Compare(a.Ordinal(), b.Ordinal()) }) {
		i := c.Info()
		opened := Span(i.Opened.Sub(w.began))
		conn := Connection{Ordinal: i.Ordinal, Opened: opened, ToServer: i.ToServer, ToClient: i.ToClient, By: i.By, Err: i.Err}
		if i.State == chaos.Closed || i.State == chaos.Closing {
			conn.Ended, conn.How = max(opened+Span(i.Age), 1), i.How.String()
		}
		if w.handles {
			w.list(conn)
			if conn.Ended != 0 {
				w.closed[Closing{By: cmp.Or(i.By, "gate"), How: conn.How}]++
			}
		}
	}
	if w.handles {
		return
	}
	for _, c := range w.gate.Conns() {
		i := c.Info()
		at := slices.IndexFunc(w.conns, func(listed Connection) bool { return listed.Ordinal == i.Ordinal && listed.Ended == 0 })
		if at >= 0 {
			w.conns[at].ToServer, w.conns[at].ToClient = i.ToServer, i.ToClient
		}
	}
}

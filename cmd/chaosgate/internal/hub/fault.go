package hub

import (
	"fmt"
	"sync"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A fault is a fault that is imposed, with what the library does not know of it. The mutex of its gate guards it.
type fault struct {
	id, by, lease string
	since, till   time.Time     // till is zero if nothing lifts it
	lasting       time.Duration // how long it was to last when that was asked for; 0 is for good
	imposed       *chaos.Imposed
	flow          *chaos.Flow
	dir           chaos.Direction
	conn          *chaos.Conn   // nil if it is imposed on all
	timer         *time.Timer   // lifts it at till
	why           cause         // why it is being lifted
	given         bool          // its id was given to another, as it is about to be replaced
	lifted        bool          // it was: only its event is still to come
	over          chan struct{} // closed when it is lifted, or its gate or connection is gone
	changing      sync.Mutex    // held by who changes it; taken before the gate's
}

// A cause is who has something lifted, and because of what if they have not asked for just that.
type cause struct{ by, because string }

func newFault(by, id string, e spec.Entry, imposed *chaos.Imposed, flow *chaos.Flow, dir chaos.Direction, conn *chaos.Conn) *fault {
	f := &fault{id: id, by: by, lease: e.Lease, since: time.Now(), imposed: imposed, flow: flow, dir: dir, conn: conn, over: make(chan struct{})}
	f.lasts(e.For)
	return f
}

// lasts sets how long the fault is imposed from now on; for good if that is zero.
func (f *fault) lasts(d time.Duration) {
	f.lasting, f.till = d, time.Time{}
	if d > 0 {
		f.till = time.Now().Add(d)
	}
}

// end notes that the fault is not imposed any more.
func (f *fault) end() {
	if f.lifted {
		return
	}
	f.lifted = true
	close(f.over)
	if f.timer != nil {
		f.timer.Stop()
	}
}

// entry returns the fault as one would ask for it now.
func (f *fault) entry() spec.Entry {
	e := spec.Entry{Fault: f.imposed.Fault(), ID: f.id, Lease: f.lease}
	if !f.till.IsZero() {
		e.For = max(time.Until(f.till), time.Millisecond)
	}
	return e
}

// number returns the number of the connection that the fault is imposed on, 0 if it is on all.
func (f *fault) number() uint64 {
	if f.conn == nil {
		return 0
	}
	return f.conn.Ordinal()
}

// status returns the fault as it is now.
func (f *fault) status(offsets bool) status.Fault {
	is := f.imposed.Fault()
	s := status.Fault{
		ID: f.id, Direction: f.dir, Conn: f.number(), Kind: chaos.KindOf(is), Fault: spec.Fault{Fault: is}, Text: spec.Text(is), Ordinal: f.imposed.Ordinal(),
		Hits: f.imposed.Hits(), By: f.by, Since: f.since, Till: f.till, Lease: f.lease,
	}
	if hit, ok := f.imposed.LastHit(); ok {
		s.LastHit = &status.Hit{Conn: hit.Conn, Offset: hit.Offset, Bytes: hit.Bytes, Time: hit.Time}
	}
	if offsets {
		for _, p := range f.imposed.Offsets() {
			s.Offsets = append(s.Offsets, status.Offset{Conn: p.Conn, Offset: p.Offset})
		}
	}
	return s
}

// free returns a name that is not taken: the one that is wanted, or that with a number.
func free(wanted string, taken func(string) bool) string {
	name := wanted
	for n := 2; taken(name); n++ {
		name = fmt.Sprintf("%s-%d", wanted, n)
	}
	return name
}

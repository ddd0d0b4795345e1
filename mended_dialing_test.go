package chaos_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// TestEndBeforeTheServerIsReached ends sessions behind what is under way while their server is yet to be reached. The gate took that for due,
// again and again, and did nothing else any more.
func TestEndBeforeTheServerIsReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.DialContext = slowly(g.DialContext, time.Minute) })
		limit := v.ToServer.Add(chaos.Limit{Bytes: 100, Shared: true})
		cs := v.clients(t, 2)
		cs[0].says(t, "twenty bytes of data")
		v.till(time.Minute)
		wants(t, "the server", v.server.texts(), "twenty bytes of data")
		v.conn(t).Close()
		cs[1].says(t, "is kept while the server is dialled")
		v.till(90 * time.Second)
		limit.Change(chaos.Limit{Bytes: 10, Shared: true}) // which more were delivered already
		v.till(time.Hour)
		if got := v.Stats(); got.Live != 0 || got.Closed["limit"] != 1 || got.Closed["gate"] != 1 {
			t.Errorf("got %+v, want the second ended by limit", got)
		}
	})
	inBubble(t, "what a fault makes waits for the server", func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.DialContext = slowly(g.DialContext, time.Minute) })
		v.ToServer.Set(chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
			st.At(st.Now().Add(time.Second), func() { next(chaos.Segment{Data: []byte("made"), Due: st.Now()}) })
			return next
		}))
		v.client(t).says(t, "x")
		v.till(time.Minute)
		wants(t, "the server", v.server.texts(), "made", "x")
	})
}

package chaos_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// TestChangeOfASharedFaultWhileItIsImposed changes a fault that shares a value to one of another type, while a session that has just begun
// is about to impose the first: what that shares was taken for what the second shares, and the process went down.
func TestChangeOfASharedFaultWhileItIsImposed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t)
		slow := chaos.FaultFunc(func(_ *chaos.Stage, next chaos.Sink) chaos.Sink {
			time.Sleep(time.Second) // in virtual time, so that there is time for a change
			return next
		})
		shared := v.ToServer.Set(chaos.Bandwidth{Rate: 1000, Shared: true}, slow)[0] // the last is imposed first
		c := v.client(t)
		go func() {
			time.Sleep(time.Second / 2)
			shared.Change(chaos.Limit{Bytes: 3, Shared: true})
		}()
		c.says(t, "one")
		time.Sleep(time.Minute)
		wants(t, "the server", v.server.texts(), "one")
		if got := v.Stats().Closed["limit"]; got != 1 {
			t.Errorf("got %d sessions ended by limit, want 1", got)
		}
	})
}

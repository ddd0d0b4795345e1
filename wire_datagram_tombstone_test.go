//go:build linux

package chaos_test

import (
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// TestWireDatagramTombstone holds what comes of a session that a fault has ended: the client's next datagram is lost with it, as one
// that was on its way to a socket that was closed, or a while passes; then a new session begins.
func TestWireDatagramTombstone(t *testing.T) {
	leavesNothing(t)
	p := newDatagramPair(t, nil)
	// Each client has a session; the first datagram of each ends it.
	next, late, early := p.client, p.connect(t), p.connect(t)
	p.greet(t, next)
	was := p.seen.String()
	p.greet(t, late)
	p.greet(t, early)
	first := p.gate.Conns()
	imposed := p.gate.ToServer.Set(chaos.CloseOnData{})
	write(t, next, []byte("ends the session"))
	soon(t, "the session ends", func() bool { return len(p.gate.Conns()) == 2 })
	buried := time.Now()
	write(t, late, []byte("ends the session"))
	write(t, early, []byte("ends the session"))
	soon(t, "the sessions end", func() bool { return len(p.gate.Conns()) == 0 })
	if imposed[0].Hits() != 3 {
		t.Errorf("got %d hits, want 3", imposed[0].Hits())
	}
	p.gate.ToServer.Set()
	if st := p.gate.Stats(); st.Lost != 3 || st.Closed["close_on_data"] != 3 {
		t.Errorf("got %+v, want 3 lost with 3 sessions", st)
	}
	wantNothing(t, p.server)

	// The server's late answer finds nobody, and is not taken for the next session's.
	p.answers(t, "too late")

	write(t, next, []byte("lost with the tombstone"))
	soon(t, "it is lost", func() bool { return p.gate.Stats().Lost == 4 })
	wantNothing(t, p.server)
	if n := len(p.gate.Conns()); n != 0 {
		t.Errorf("%d sessions are live, want none", n)
	}
	p.greet(t, next)
	if p.seen.String() == was {
		t.Logf("the new session has the old one's port by chance")
	}
	if live := p.gate.Conns(); len(live) != 1 || live[0].Ordinal() != 4 || live[0] == first[0] {
		t.Errorf("live are %v, want a fourth session", live)
	}
	p.greet(t, next) // and nothing more is lost

	if !soak {
		return // for how long a tombstone stands is held exactly in virtual time
	}
	time.Sleep(time.Until(buried.Add(4 * time.Second))) // the time that a tombstone stands is what is looked at
	if time.Since(buried) < 4800*time.Millisecond {
		write(t, early, []byte("lost with the tombstone"))
		soon(t, "it is lost", func() bool { return p.gate.Stats().Lost == 5 })
		p.greet(t, early)
	}
	time.Sleep(time.Until(buried.Add(5500 * time.Millisecond)))
	p.greet(t, late)
	if lost := p.gate.Stats().Lost; lost > 5 {
		t.Errorf("%d were lost, want 5", lost)
	}
}

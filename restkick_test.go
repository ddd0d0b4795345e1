//go:build linux

package chaos

import (
	"testing"
	"time"
)

// TestNoRestAfterAKick has a kick come between a pump's look at everything and its rest, and in the midst of the rest.
func TestNoRestAfterAKick(t *testing.T) {
	if err := shareProcess(); err != nil {
		t.Fatal(err)
	}
	defer unshareProcess()
	a, _ := socketPair(t, "tcp")
	b, _ := socketPair(t, "tcp")
	c := &Conn{gate: new(Gate), opened: time.Now().Add(-time.Hour), giveUp: func() {}}
	c.client.open(c, a)
	c.server.open(c, b)
	c.client.watch()
	defer c.client.watched.end()
	p := newPump(c, ToServer)
	c.lines = [2]*follower{&p.follower, nil}
	p.line.now = time.Now()

	if p.rests() {
		t.Fatal("before it has waited: got a rest, want none")
	}
	p.rest.at = time.Second // long over
	p.kick()
	if p.rests() {
		t.Fatal("kicked before it could rest: got a rest, want none")
	}
	if p.rest.now.Load() || p.rest.heeds {
		t.Errorf("after no rest: at rest %v, listened to %v, want neither", p.rest.now.Load(), p.rest.heeds)
	}
	p.seen = p.kicks.Load()
	p.rest.at = time.Second
	p.line.offset++
	if p.rests() {
		t.Fatal("bytes have come: got a rest, want none")
	}
	p.line.offset--
	c.client.reset.Store(true)
	if p.rests() {
		t.Fatal("the source was reset: got a rest, want none")
	}
	c.client.reset.Store(false)
	if !p.rests() {
		t.Fatal("nothing has come: got no rest, want one")
	}
	if first, second := p.rest.ends(), p.rest.ends(); !first || second {
		t.Errorf("two end the rest: got %v and %v, want true for the first only", first, second)
	}
}

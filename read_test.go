//go:build linux

package chaos

import (
	"testing"
	"time"
)

// TestReadsOfAStreamAllocateNothing has a pump read while something is under way, without a deadline and without an error that
// says that one has passed: each such error is an allocation.
func TestReadsOfAStreamAllocateNothing(t *testing.T) {
	tests := []struct {
		name string
		due  time.Duration // of what is under way
		take int64         // bytes that each read takes of those that have arrived
	}{
		{"it falls due later", time.Hour, 1},
		{"it has fallen due meanwhile", -time.Hour, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			own, peer := socketPair(t, "tcp")
			to, _ := socketPair(t, "tcp")
			c := &Conn{gate: new(Gate), giveUp: func() {}}
			c.client.open(c, own)
			c.server.open(c, to)
			p := newPump(c, ToServer)
			p.wakeUp()
			p.line.now = time.Now().Add(tt.due)
			p.line.add(p.line.queue.push(Segment{Data: []byte("x"), Due: p.line.now}, nil, true))
			was := p.readBy
			read, data := p.line.offset, make([]byte, 1)
			const runs = 100
			if got := testing.AllocsPerRun(runs, func() {
				peer.Write(data) // arrives within the call
				p.read()
			}); got != 0 {
				t.Errorf("allocations of a read: got %v, want 0", got)
			}
			if got, want := p.line.offset-read, tt.take*(runs+1); got != want {
				t.Errorf("bytes read: got %d, want %d", got, want)
			}
			if p.readBy != was {
				t.Errorf("deadline: got %v, want %v as before", p.readBy, was)
			}
		})
	}
}

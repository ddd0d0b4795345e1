package chaos

import (
	"net"
	"testing"
	"time"
)

// TestLongQueueMovesLittle counts how many items a queue moves while it stays long: it must not be all of them for each that comes.
func TestLongQueueMovesLittle(t *testing.T) {
	for _, length := range []int{100, 100_000} {
		var q queue
		moved, pushed := 0, 0
		push := func() {
			head, capacity := q.head, cap(q.items)
			q.push(Segment{Data: []byte("x"), Due: time.Unix(int64(pushed), 0)}, nil, true)
			pushed++
			if q.head < head || cap(q.items) != capacity { // it was compacted, or has grown
				moved += q.len() - 1
			}
		}
		for range length {
			push()
		}
		for q.len() < cap(q.items) { // or there would be room for those that come
			push()
		}
		length := q.len()
		for range 4 * length {
			q.pop()
			push()
		}
		if q.len() != length {
			t.Fatalf("got %d items, want %d", q.len(), length)
		}
		if most := 4 * pushed; moved > most {
			t.Errorf("with %d under way: %d pushes have moved %d items, want at most %d", length, pushed, moved, most)
		}
		for want := int64(pushed - length); q.len() > 0; want++ {
			if got := q.front().leave.Unix(); got != want {
				t.Fatalf("with %d under way: got item %d, want %d", length, got, want)
			}
			q.pop()
		}
	}
}

// TestLateFINDoesNotRewriteTheEnd has a direction end that has not heard yet that its connection was ended.
func TestLateFINDoesNotRewriteTheEnd(t *testing.T) {
	g := &Gate{live: map[*Conn]struct{}{}, ending: map[*Conn]struct{}{}}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	c := &Conn{gate: g, giveUp: func() {}}
	c.client.open(c, a)
	g.live[c] = struct{}{}
	c.end(FullClose, "gate", nil)
	for _, d := range []Direction{ToServer, ToClient} {
		c.passedFIN(d, "client")
		if i := c.Info(); i.By != "gate" || i.State != Closing || i.How != FullClose {
			t.Errorf("%v: got %v by %s with %v, want %v by gate with %v", d, i.State, i.By, i.How, Closing, FullClose)
		}
	}
}

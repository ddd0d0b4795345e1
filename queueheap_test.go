package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQueueOfDatagrams holds a queue of datagrams to a list of them that is sorted anew each time.
func TestQueueOfDatagrams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type datagram struct {
			data        string
			n           int
			came, leave int
			delayed     int // by the stage that is lifted
			ends        bool
		}
		start := time.Unix(0, 0)
		at := func(n int) time.Time { return start.Add(time.Duration(n)) }
		var q queue
		var want []datagram
		sum := int64(0) // of the costs that were told
		stage := &Stage{line: &line{datagrams: true}}
		order := func() {
			last := 0
			for _, d := range want {
				last = max(last, d.leave)
			}
			for i := range want {
				if want[i].ends {
					want[i].leave = last
				}
			}
			slices.SortFunc(want, func(a, b datagram) int { return cmp.Or(a.leave-b.leave, a.n-b.n) })
		}
		check := func() {
			if q.len() != len(want) {
				t.Fatalf("got %d under way, want %d", q.len(), len(want))
			}
			if len(want) == 0 {
				return
			}
			if it := q.front(); string(it.data) != want[0].data || !it.leave.Equal(at(want[0].leave)) || (it.end != More) != want[0].ends {
				t.Fatalf("got %q at %v next, want %+v", it.data, it.leave.Sub(start), want[0])
			}
		}
		n := 0
		push := func(ends bool) {
			n++
			d := datagram{data: fmt.Sprint(n), n: n, came: rapid.IntRange(0, 20).Draw(t, "came"), delayed: rapid.IntRange(0, 20).Draw(t, "delayed"), ends: ends}
			if big := rapid.IntRange(0, 9).Draw(t, "size"); big == 0 {
				d.data += string(make([]byte, 30_000)) // in a chunk
			}
			if ends {
				d.data = ""
			}
			d.leave = d.came + d.delayed
			s := Segment{Data: []byte(d.data), Due: at(d.leave)}
			if ends {
				s.End = FullClose
			}
			sum += q.push(s, []step{{stage, time.Duration(d.delayed)}}, false)
			want = append(want, d)
			order()
		}
		lift := func() {
			q.takeBack(stage, start)
			for i := range want {
				want[i].leave, want[i].delayed = want[i].came, 0
			}
			order()
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) { push(false) },
			"pop": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("nothing is under way")
				}
				sum -= q.pop()
				want = want[1:]
			},
			"lift": func(*rapid.T) { lift() },
			"":     func(*rapid.T) { check() },
		})
		push(true)
		if rapid.Bool().Draw(t, "lifted behind the end") {
			lift()
		}
		for len(want) > 0 {
			check()
			sum -= q.pop()
			want = want[1:]
		}
		if q.len() != 0 || sum != 0 || q.cost != 0 || q.chunk != nil {
			t.Errorf("got %d under way, a cost of %d, counted %d, when all have left; want none", q.len(), q.cost, sum)
		}
	})
}

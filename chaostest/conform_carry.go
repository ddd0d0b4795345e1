package chaostest

import (
	"bytes"
	"time"

	"github.com/chaosgate/chaos"
)

// A carry is a selector that always has its fault imposed. Changed to one of another N, it imposes the same fault anew.
type carry struct {
	N     int
	Fault chaos.Fault
}

// Impose implements [chaos.Fault].
func (c carry) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	in, _ := st.Sub(c.Fault, next)
	return in
}

func (c *trial) tryChange() {
	for _, s := range c.shapes() {
		// Imposed anew with the same parameters, all that it remembers must be as it was.
		want := c.run(run{fault: carry{0, c.fault}, shape: s})
		n := 0
		got := c.run(run{fault: carry{0, c.fault}, shape: s, halt: func(r *rig, moment int) {
			if moment == halfway || moment == sent {
				n++
				r.imposed.Change(carry{n, c.fault})
			}
		}})
		if why := got.differs(want, false); why != "" {
			c.fails(RuleChange, "changed to itself amid the stream: %s", why)
		}
	}
	if c.traits.Variant == nil {
		return
	}
	for _, s := range c.shapes() {
		out := c.run(run{shape: s, halt: func(r *rig, moment int) {
			if moment != halfway {
				return
			}
			hits := r.imposed.Hits()
			r.imposed.Change(c.traits.Variant)
			if now := r.imposed.Hits(); now < hits {
				c.fails(RuleChange, "%d hits became %d", hits, now)
			}
		}})
		if out.end == "" && !c.datagrams() {
			c.fails(RuleChange, "changed to %+v amid the stream, and then lifted: the stream did not end", c.traits.Variant)
		}
	}
}

// tryConns compares what happens on a connection when others are silent with what happens when all are busy.
func (c *trial) tryConns() {
	const n = 4
	last := func(busy bool) outcome {
		r := c.newRig(run{})
		defer r.close()
		streams := make([]*stream, n)
		for i := range streams {
			streams[i] = r.connect()
			streams[i].start = streams[0].start
		}
		data := c.traits.Data
		for i := 0; len(data) > 0; i++ {
			k := min(len(data), uneven(i))
			for j, s := range streams {
				if busy || j == n-1 {
					s.send(data[:k], nil, nil)
				}
			}
			data = data[k:]
		}
		s := streams[n-1]
		for j, other := range streams {
			if busy || j == n-1 {
				other.finish()
			}
		}
		s.collect(c.traits.Wait)
		r.lift()
		s.collect(c.traits.Wait)
		s.settle()
		c.judge(s)
		return s.outcome
	}
	alone, among := last(false), last(true)
	if why := among.differs(alone, true); why != "" {
		c.fails(RuleConns, "among %d busy connections, instead of alone: %s", n, why)
	}
}

func (c *trial) tryCarried() {
	plain := c.run(run{fault: carry{0, c.fault}, shape: mixed})
	for _, carrier := range []chaos.Fault{chaos.Sometimes{Chance: 1, Fault: c.fault}, chaos.Only{Every: 1, Fault: c.fault}} {
		got := c.run(run{fault: carrier, shape: mixed})
		if why := got.differs(plain, true); why != "" {
			c.fails(RuleCarried, "carried by %s: %s", chaos.KindOf(carrier), why)
		} else if got.hits != plain.hits {
			c.fails(RuleCarried, "carried by %s: got %d hits, want %d", chaos.KindOf(carrier), got.hits, plain.hits)
		}
	}
	if c.datagrams() {
		c.trySecondSession()
		c.tryAfterDatagram()
		return
	}
	c.trySecond()
	c.tryAfter()
}

// trySecond looks at a connection that does not meet the fault.
func (c *trial) trySecond() {
	r := c.newRig(run{fault: chaos.Only{First: 1, Fault: c.fault}})
	defer r.close()
	first, second := r.connect(), r.connect()
	first.send(c.traits.Data, uneven, nil)
	second.send(c.traits.Data, uneven, nil)
	second.finish()
	second.collect(time.Millisecond)
	if second.settle(); !bytes.Equal(second.bytes(), c.traits.Data) || second.end != "EOF" || second.endAt > 0 {
		c.fails(RuleCarried, "carried by only, on a connection that is not meant: %s, then %s", firstDifference(second.bytes(), c.traits.Data), second.ending())
	}
}

// tryAfter has a few bytes go by before the fault is imposed.
func (c *trial) tryAfter() {
	const n = 3
	for _, s := range shapes {
		out := c.run(run{fault: chaos.After{Bytes: n, Fault: c.fault}, shape: s})
		got, want := out.bytes(), c.traits.Data[:n]
		switch {
		case !bytes.HasPrefix(got, want) && !out.cutShort, len(got) > 0 && out.pieces[0].at > 0:
			c.fails(RuleCarried, "carried by after: the bytes before it came late or changed: %s", firstDifference(got[:min(n, len(got))], want))
		case out.hits == 0 && c.run(run{shape: s}).hits > 0:
			c.fails(RuleCarried, "carried by after it never fires")
		}
	}
}

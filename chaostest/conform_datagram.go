package chaostest

import (
	"bytes"
	"time"

	"github.com/chaosgate/chaos"
)

// datagramRules are those for datagrams. They are tried in this order.
var datagramRules = []ruling{
	{RuleImposed, (*trial).tryImposed},
	{RuleWhole, (*trial).tryWhole},
	{RuleLossless, (*trial).tryEachShape},
	{RuleSeeds, (*trial).trySeeds},
	{RuleEarly, (*trial).tryEarly},
	{RuleStamps, (*trial).tryEachShape},
	{RuleRetains, (*trial).tryRetains},
	{RuleLift, (*trial).tryLiftDatagrams},
	{RuleChange, (*trial).tryChange},
	{RuleHits, (*trial).tryHits},
	{RuleConns, (*trial).trySessions},
	{RuleDirection, (*trial).tryAnswers},
	{RuleClose, (*trial).tryClose},
	{RuleCarried, (*trial).tryCarried},
}

// datagramShapes are the paces at which datagrams are sent: all before the gate has seen the first, one by one without a pause, and with pauses.
var datagramShapes = []shape{{}, {pace: evenly(0)}, {pace: evenly(time.Millisecond)}, {pace: hesitant}}

func evenly(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// hesitant makes pauses of many lengths.
func hesitant(i int) time.Duration { return time.Duration(i*i*7%13) * time.Millisecond }

// tryEachShape looks at datagrams at every pace; what is looked at in them is said in judgeDatagrams and in the probes.
func (c *trial) tryEachShape() {
	for _, s := range datagramShapes {
		c.run(run{shape: s})
	}
}

func (c *trial) tryWhole() {
	for _, s := range datagramShapes {
		c.run(run{shape: s})
		c.run(run{shape: s, lift: true})
	}
}

func (c *trial) trySeeds() {
	oneByOne := c.run(run{shape: datagramShapes[1]})
	for i, s := range datagramShapes {
		first, again := c.run(run{shape: s}), c.run(run{shape: s})
		if why := again.differs(first, true); why != "" {
			c.fails(RuleSeeds, "the same seed and datagrams a second time: %s", why)
		}
		if c.traits.Timed || i == 0 && first.cutShort { // what has come before a session ended is a matter of time, if all come at once
			continue
		}
		if why := first.differs(oneByOne, false); why != "" {
			c.fails(RuleSeeds, "at another pace (%d) than one by one: %s", i, why)
		} else if c.traits.SameHits && first.hits != oneByOne.hits {
			c.fails(RuleSeeds, "at another pace (%d) than one by one: got %d hits, want %d", i, first.hits, oneByOne.hits)
		}
	}
}

func (c *trial) tryLiftDatagrams() {
	for _, r := range []run{{lift: true}, {lift: true, shape: mixed}, {lift: true, shape: mixed, after: 10 * time.Millisecond}} {
		out := c.run(r)
		if out.cutShort {
			continue
		}
		var since [][]byte
		for _, p := range out.pieces {
			if p.at >= out.lifted {
				since = append(since, p.data)
			}
			if p.at > out.lifted+soon {
				c.fails(RuleLift, "lifted after %v, and it held %d bytes back until %v", out.lifted, len(p.data), p.at)
			}
		}
		counts := countsOf(since)
		for _, d := range datagramsOf(afterLift) {
			if counts[string(d)] == 0 {
				c.fails(RuleLift, "of what was sent when it was lifted, %.16q of %d bytes arrived changed, or not at all", d, len(d))
			}
		}
	}
}

// trySessions compares what happens to a session when others are silent with what happens when all are busy.
func (c *trial) trySessions() {
	const n = 4
	last := func(busy bool) outcome {
		r := c.newRig(run{})
		defer r.close()
		clients := make([]*session, n)
		for i := range clients {
			clients[i] = r.enter()
		}
		for i, d := range datagramsOf(c.traits.Data) {
			for j, s := range clients {
				// A session begins with its first datagram, and has its number then. That of one which follows another depends on the others.
				if i == 0 || (busy || j == n-1) && !s.ended() {
					s.send([][]byte{d}, nil, nil)
				}
			}
		}
		s := clients[n-1]
		s.collect(c.traits.Wait)
		r.lift()
		s.collect(c.traits.Wait)
		s.settle()
		c.judgeDatagrams(s, datagramsOf(c.traits.Data))
		return s.outcome
	}
	alone, among := last(false), last(true)
	if why := among.differs(alone, true); why != "" {
		c.fails(RuleConns, "among %d busy sessions, instead of alone: %s", n, why)
	}
}

// tryAnswers looks at the other direction.
func (c *trial) tryAnswers() {
	r := c.newRig(run{})
	defer r.close()
	s := r.enter()
	s.send(datagramsOf(c.traits.Data), hesitant, nil)
	before := time.Since(s.start)
	answers := datagramsOf(afterLift)
	for _, d := range answers {
		s.say(c.dir.Reverse(), d)
	}
	s.collect(time.Millisecond)
	if s.settle(); s.cutShort {
		return
	}
	if why := countDifference(s.other.datagrams(), answers); why != "" {
		c.fails(RuleDirection, "in the other direction %s", why)
	}
	for _, p := range s.other.pieces {
		if p.at > before {
			c.fails(RuleDirection, "in the other direction %d bytes came %v late", len(p.data), p.at-before)
		}
	}
}

// trySecondSession looks at a session that does not meet the fault.
func (c *trial) trySecondSession() {
	r := c.newRig(run{fault: chaos.Only{First: 1, Fault: c.fault}})
	defer r.close()
	first := r.enter()
	all := datagramsOf(c.traits.Data)
	first.send(all[:1], nil, nil) // so that it is the first
	second := r.enter()
	first.send(all[1:], nil, nil)
	for _, d := range all {
		second.say(c.dir, d)
	}
	second.collect(time.Millisecond)
	second.settle()
	if why := countDifference(second.datagrams(), all); why != "" || second.cutShort {
		c.fails(RuleCarried, "carried by only, in a session that is not meant: cut short: %v; %s", second.cutShort, why)
	}
	for _, p := range second.pieces {
		if p.at > 0 {
			c.fails(RuleCarried, "carried by only, in a session that is not meant: %d bytes came after %v", len(p.data), p.at)
		}
	}
}

// tryAfterDatagram has one datagram go by before the fault is imposed.
func (c *trial) tryAfterDatagram() {
	first := datagramsOf(c.traits.Data)[0]
	for _, s := range datagramShapes {
		out := c.run(run{fault: chaos.After{Bytes: int64(len(first)), Fault: c.fault}, shape: s})
		switch {
		case len(out.pieces) == 0 && !out.cutShort, len(out.pieces) > 0 && (!bytes.Equal(out.pieces[0].data, first) || out.pieces[0].at > 0):
			c.fails(RuleCarried, "carried by after: the datagram before it came late, changed or not at all: first came %s", countDifference(out.datagrams(), [][]byte{first}))
		case out.hits == 0 && c.run(run{shape: s}).hits > 0:
			c.fails(RuleCarried, "carried by after it never fires")
		}
	}
}

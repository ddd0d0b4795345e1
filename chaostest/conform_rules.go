package chaostest

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// A ruling is how a rule is tried, in one direction.
type ruling struct {
	rule Rule
	what func(c *trial)
}

// rules are tried in this order.
var rules = []ruling{
	{RuleImposed, (*trial).tryImposed},
	{RuleOrder, (*trial).tryOrder},
	{RuleLossless, (*trial).tryLossless},
	{RuleChunking, (*trial).tryChunking},
	{RuleEarly, (*trial).tryEarly},
	{RuleStamps, (*trial).tryStamps},
	{RuleRetains, (*trial).tryRetains},
	{RuleEnd, (*trial).tryEnd},
	{RuleLift, (*trial).tryLift},
	{RuleHole, (*trial).tryHole},
	{RuleChange, (*trial).tryChange},
	{RuleHits, (*trial).tryHits},
	{RuleConns, (*trial).tryConns},
	{RuleDirection, (*trial).tryDirection},
	{RuleClose, (*trial).tryClose},
	{RuleCarried, (*trial).tryCarried},
}

// try holds a fault to the rule, both ways. It is called in a bubble of testing/synctest.
func (r ruling) try(t testing.TB, fault chaos.Fault, traits Traits, lossless bool) {
	t.Helper()
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		r.what(&trial{TB: t, fault: fault, traits: traits, lossless: lossless, dir: dir})
	}
}

func (c *trial) tryImposed() {
	isFunc := reflect.TypeOf(c.fault).Kind() == reflect.Func
	again := run{bare: true, cut: every(100), each: func(r *rig) {
		if got := r.imposed.Fault(); !isFunc && !reflect.DeepEqual(got, c.fault) {
			c.fails(RuleImposed, "Imposed.Fault: got %v, want %v", got, c.fault)
		} else if isFunc && reflect.ValueOf(got).Pointer() != reflect.ValueOf(c.fault).Pointer() {
			c.fails(RuleImposed, "Imposed.Fault: got another function")
		}
		if isFunc {
			return // functions are never equal, so each Set imposes it anew
		}
		if got := r.flow.Set(r.faults...); len(got) != 1 || got[0] != r.imposed {
			c.fails(RuleImposed, "set again: got another Imposed, want that of the first Set")
		}
	}}
	once := c.run(run{bare: true, cut: every(100), each: func(*rig) {}})
	twice := c.run(again)
	if why := twice.differs(once, true); why != "" {
		c.fails(RuleImposed, "set again and again, instead of once: %s", why)
	} else if once.hits != twice.hits {
		c.fails(RuleImposed, "set again and again: got %d hits, want %d", twice.hits, once.hits)
	}
}

// tryOrder looks at streams of several shapes; what is looked at in them is said in judge.
func (c *trial) tryOrder() {
	for _, cut := range cuts {
		c.run(run{cut: cut})
		c.run(run{cut: cut, lift: true})
	}
}

func (c *trial) tryLossless() { c.run(run{cut: uneven}) }

func (c *trial) tryStamps() { c.run(run{cut: every(100)}) }

// every cuts pieces of one size.
func every(n int) func(int) int { return func(int) int { return n } }

// uneven cuts pieces of many sizes.
func uneven(i int) int { return 1 + i*i*7%97 }

// cuts are the ways in which a stream is cut.
var cuts = []func(int) int{nil, tiny, uneven, every(1000)}

// tiny cuts single bytes first, which is where most goes wrong, and then hardly longer pieces.
func tiny(i int) int {
	if i < 100 {
		return 1
	}
	return 2 + i%53
}

func (c *trial) tryChunking() {
	whole := c.run(run{})
	again := c.run(run{})
	if why := again.differs(whole, true); why != "" {
		c.fails(RuleChunking, "the same seed and bytes a second time: %s", why)
	}
	for i, cut := range cuts[1:] {
		got := c.run(run{cut: cut})
		if why := got.differs(whole, false); why != "" {
			c.fails(RuleChunking, "cut into other pieces (%d) than one: %s", i+1, why)
		} else if c.traits.SameHits && got.hits != whole.hits {
			c.fails(RuleChunking, "cut into other pieces (%d) than one: got %d hits, want %d", i+1, got.hits, whole.hits)
		}
	}
}

func (c *trial) tryEarly() {
	const due = time.Second
	late := chaos.Delay{By: due}
	for _, r := range []run{{}, {cut: uneven}, {cut: uneven, lift: true}, {lift: true, after: due / 2}} {
		r.before = late
		out := c.run(r)
		if len(out.pieces) > 0 && out.pieces[0].at < due {
			c.fails(RuleEarly, "behind a delay of %v, and %v: %d bytes left after %v", due, r.lifting(), len(out.pieces[0].data), out.pieces[0].at)
		}
	}
}

func (r run) lifting() string {
	if !r.lift {
		return "not lifted"
	}
	return fmt.Sprintf("lifted after %v", r.after)
}

func (c *trial) tryRetains() {
	for _, r := range []run{{}, {cut: uneven}, {cut: uneven, lift: true}} {
		clean := c.run(r)
		r.scribble = true
		if spoilt := c.run(r); spoilt.differs(clean, false) != "" {
			c.fails(RuleRetains, "when Data is spoilt after use: %s", spoilt.differs(clean, false))
		}
	}
}

func (c *trial) tryEnd() {
	for _, cut := range cuts {
		if out := c.run(run{cut: cut}); out.end == "" {
			c.fails(RuleEnd, "the source has ended the stream, the fault was lifted %v later, and no end has arrived", c.traits.Wait)
		}
	}
}

// soon is how long what is sent behind a fault that was lifted may take: as long as a test's own code may be waited for.
const soon = time.Second

func (c *trial) tryLift() {
	for _, r := range []run{{lift: true}, {lift: true, cut: uneven}, {lift: true, cut: uneven, after: 10 * time.Millisecond}} {
		out := c.run(r)
		got := out.bytes()
		switch {
		case out.cutShort:
		case !bytes.HasSuffix(got, afterLift):
			c.fails(RuleLift, "what was sent when it was lifted arrived changed, or not at all: %s", firstDifference(got[max(0, len(got)-len(afterLift)):], afterLift))
		case out.end != "EOF":
			c.fails(RuleLift, "lifted, then the source ended the stream: got %s, want EOF", out.ending())
		case out.endAt > out.lifted+soon:
			c.fails(RuleLift, "lifted after %v, and it held things back until %v", out.lifted, out.endAt)
		}
	}
}

func (c *trial) tryHole() {
	for _, after := range []time.Duration{0, time.Second} {
		out := c.run(run{lift: true, cut: uneven, after: after})
		got, goesOn := bytes.CutSuffix(out.bytes(), afterLift)
		if goesOn && len(got) < len(c.traits.Data) && subsequence(got, c.traits.Data) {
			c.fails(RuleHole, "%d bytes of %d are lost, and when it was lifted the stream went on", len(c.traits.Data)-len(got), len(c.traits.Data))
		}
	}
}

func (c *trial) tryHits() {
	for _, cut := range cuts {
		plain := c.run(run{none: true, cut: cut})
		out := c.run(run{cut: cut})
		if why := out.differs(plain, true); why != "" && out.hits == 0 {
			c.fails(RuleHits, "it has not fired, and yet (wanted is what comes without it) %s", why)
		}
	}
}

func (c *trial) tryDirection() {
	r := c.newRig(run{})
	defer r.close()
	s := r.connect()
	other := &stream{rig: r, from: s.to, to: s.from, conn: s.conn, outcome: outcome{start: time.Now()}}
	s.send(c.traits.Data, uneven, nil)
	other.send(afterLift, nil, nil)
	other.collect(time.Millisecond)
	if other.settle(); !other.cutShort && (!bytes.Equal(other.bytes(), afterLift) || other.pieces[0].at > 0) {
		c.fails(RuleDirection, "in the other direction %s", firstDifference(other.bytes(), afterLift))
	}
}

// tryClose closes the gate at each moment of a stream.
func (c *trial) tryClose() {
	for at := range moments {
		for _, delay := range []time.Duration{0, 1, 100 * time.Millisecond} {
			c.run(run{cut: uneven, halt: func(r *rig, moment int) {
				if moment != at {
					return
				}
				time.Sleep(delay) // virtual
				start := time.Now()
				r.close()
				if took := time.Since(start); took > 2*time.Second {
					c.fails(RuleClose, "Close took %v", took)
				}
				if n := len(r.gate.Conns()); n > 0 {
					c.fails(RuleClose, "%d connections are left", n)
				}
				synctest.Wait()
			}})
		}
	}
}

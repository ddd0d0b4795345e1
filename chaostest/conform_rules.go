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

// rules are those for streams. They are tried in this order.
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
func (r ruling) try(t testing.TB, network string, fault chaos.Fault, traits Traits, lossless bool) {
	t.Helper()
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		r.what(&trial{TB: t, network: network, fault: fault, traits: traits, lossless: lossless, dir: dir})
	}
}

// surveyed returns those in which the first run is made: what a fault loses of datagrams may be a matter of when they come.
func (c *trial) surveyed() []shape {
	if c.datagrams() {
		return datagramShapes
	}
	return shapes[:1]
}

func (c *trial) tryImposed() {
	isFunc := reflect.TypeOf(c.fault).Kind() == reflect.Func
	again := run{bare: true, shape: shape{cut: every(100)}, each: func(r *rig) {
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
	once := c.run(run{bare: true, shape: again.shape, each: func(*rig) {}})
	twice := c.run(again)
	if why := twice.differs(once, true); why != "" {
		c.fails(RuleImposed, "set again and again, instead of once: %s", why)
	} else if once.hits != twice.hits {
		c.fails(RuleImposed, "set again and again: got %d hits, want %d", twice.hits, once.hits)
	}
}

// tryOrder looks at streams of several shapes; what is looked at in them is said in judge.
func (c *trial) tryOrder() {
	for _, s := range shapes {
		c.run(run{shape: s})
		c.run(run{shape: s, lift: true})
	}
}

func (c *trial) tryLossless() { c.run(run{shape: shape{cut: uneven}}) }

func (c *trial) tryStamps() { c.run(run{shape: shape{cut: every(100)}}) }

// every cuts pieces of one size.
func every(n int) func(int) int { return func(int) int { return n } }

// uneven cuts pieces of many sizes.
func uneven(i int) int { return 1 + i*i*7%97 }

// A shape is how Data is sent.
type shape struct {
	cut  func(i int) int           // how long the i-th write of a stream is; all at once if nil
	pace func(i int) time.Duration // how long the i-th datagram is waited behind; all at once if nil
}

// shapes are those of streams.
var shapes = []shape{{}, {cut: tiny}, {cut: uneven}, {cut: every(1000)}}

// shapes returns the ways in which Data is sent on the trial's network.
func (c *trial) shapes() []shape {
	if c.datagrams() {
		return datagramShapes
	}
	return shapes
}

// mixed is a shape of many sizes and, for datagrams, of many pauses.
var mixed = shape{cut: uneven, pace: hesitant}

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
	for i, s := range shapes[1:] {
		got := c.run(run{shape: s})
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
	for _, r := range []run{{}, {shape: mixed}, {shape: mixed, lift: true}, {lift: true, after: due / 2}} {
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
	for _, r := range []run{{}, {shape: mixed}, {shape: mixed, lift: true}} {
		clean := c.run(r)
		r.scribble = true
		if spoilt := c.run(r); spoilt.differs(clean, false) != "" {
			c.fails(RuleRetains, "when Data is spoilt after use: %s", spoilt.differs(clean, false))
		}
	}
}

func (c *trial) tryEnd() {
	for _, s := range shapes {
		if out := c.run(run{shape: s}); out.end == "" {
			c.fails(RuleEnd, "the source has ended the stream, the fault was lifted %v later, and no end has arrived", c.traits.Wait)
		}
	}
}

// soon is how long what is sent behind a fault that was lifted may take: as long as a test's own code may be waited for.
const soon = time.Second

func (c *trial) tryLift() {
	for _, r := range []run{{lift: true}, {lift: true, shape: mixed}, {lift: true, shape: mixed, after: 10 * time.Millisecond}} {
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
		out := c.run(run{lift: true, shape: mixed, after: after})
		got, goesOn := bytes.CutSuffix(out.bytes(), afterLift)
		if goesOn && len(got) < len(c.traits.Data) && subsequence(got, c.traits.Data) {
			c.fails(RuleHole, "%d bytes of %d are lost, and when it was lifted the stream went on", len(c.traits.Data)-len(got), len(c.traits.Data))
		}
	}
}

func (c *trial) tryHits() {
	for _, s := range c.shapes() {
		plain := c.run(run{none: true, shape: s})
		out := c.run(run{shape: s})
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
			c.run(run{shape: mixed, halt: func(r *rig, moment int) {
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

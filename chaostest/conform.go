package chaostest

import (
	"cmp"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// A Rule is one of the rules that [TestFault] holds a fault to.
type Rule string

// What every fault keeps to, unless its [Traits] say otherwise. Some rules are for streams only, some for datagrams only.
const (
	RuleImposed   Rule = "imposed"   // its Imposed says what it is, and to set it again changes nothing
	RuleOrder     Rule = "order"     // streams: no byte overtakes another, and none arrives twice
	RuleWhole     Rule = "whole"     // datagrams: none is cut, and none is joined to another
	RuleLossless  Rule = "lossless"  // if it loses and changes nothing, then never: not when lifted, changed or carried either
	RuleChunking  Rule = "chunking"  // streams: the same seed and the same bytes give the same, however the stream is read
	RuleSeeds     Rule = "seeds"     // datagrams: the same seed gives each of them the same fate, whenever it comes
	RuleEarly     Rule = "early"     // nothing leaves before it is due
	RuleStamps    Rule = "stamps"    // it stamps and does not wait: no time goes by while it works
	RuleRetains   Rule = "retains"   // it neither keeps Data that it was given nor uses what it has passed on
	RuleEnd       Rule = "end"       // streams: their end passes, at the latest when it is lifted, and nothing after it
	RuleLift      Rule = "lift"      // lifted, it holds nothing back, and what is sent then passes untouched
	RuleHole      Rule = "hole"      // streams: lifted, one that has lost bytes does not go on: no real network does that
	RuleChange    Rule = "change"    // changed, it forgets neither what it holds nor what it has counted
	RuleHits      Rule = "hits"      // when it changes something, it counts a hit
	RuleConns     Rule = "conns"     // connections, or sessions of datagrams, do not influence each other
	RuleDirection Rule = "direction" // the other direction is left alone
	RuleClose     Rule = "close"     // the gate can be closed at any moment, and nothing is left
	RuleCarried   Rule = "carried"   // selectors can carry it
)

// Traits say what a fault does on purpose, and how it is to be tested. The zero Traits fit most faults.
type Traits struct {
	// Lossless says that every byte arrives, as it was sent, unless the fault ends the connection. If it is not set, TestFault
	// finds out by a first run.
	Lossless bool
	// SameHits says that the number of hits, too, does not depend on how the stream is read, or when datagrams come.
	SameHits bool
	// Resizes says that datagrams get other sizes on purpose.
	Resizes bool
	// Timed says that it depends on when a datagram comes what becomes of it, as with a rate or a lifetime.
	Timed bool
	// Except names rules that the fault breaks on purpose, and why.
	Except map[Rule]string
	// Variant is the fault with another parameter, for RuleChange. If nil, one of the fault's numbers is changed.
	Variant chaos.Fault
	// Data is what is sent, 32 KiB at most, also as datagrams. If nil, it is 2 KiB of noise.
	Data []byte
	// Wait is how long, in virtual time, is waited for what a fault holds back; an hour if zero.
	Wait time.Duration
	// Start starts, on the network of the test, what the fault needs, such as a server. It is called for each run, and what
	// it starts is to end with t.Cleanup.
	Start func(t testing.TB, network *Network)
}

// TestFault checks that a fault keeps the rules of the trade, in virtual time over a [Network], both ways: it is the conformance test for a
// fault of one's own, in one line.
//
//	func TestBurst(t *testing.T) {
//		chaostest.TestFault(t, Burst{Period: time.Second, Open: 100 * time.Millisecond})
//	}
//
// A fault that [chaos.Check] accepts for "tcp" is tried on streams, where each rule is a subtest. One that it accepts for "udp"
// is tried on datagrams, in the subtests of "datagrams". A fault that makes no sense for one of them says so as a
// [chaos.Checker], and is tried on the other only.
//
// At most one Traits is given, if the fault does on purpose what would look like a mistake.
func TestFault(t *testing.T, fault chaos.Fault, traits ...Traits) {
	t.Helper()
	var all Traits
	switch len(traits) {
	case 0:
	case 1:
		all = traits[0]
	default:
		t.Fatalf("got %d Traits, want one at most", len(traits))
	}
	streams, datagrams := chaos.Check("tcp", fault), chaos.Check("udp", fault)
	switch {
	case streams == nil:
		holds(t, "tcp", rules, fault, all)
	case datagrams != nil:
		t.Fatalf("the fault is refused: %v", streams)
	}
	if datagrams == nil {
		t.Run("datagrams", func(t *testing.T) { holds(t, "udp", datagramRules, fault, all) })
	}
}

// holds holds a fault to rules on a network.
func holds(t *testing.T, network string, rules []ruling, fault chaos.Fault, traits Traits) {
	t.Helper()
	traits.complete(network, fault)
	lossless := traits.Lossless
	if !lossless {
		synctest.Test(t, func(t *testing.T) { lossless = survey(t, network, fault, traits) })
	}
	for _, r := range rules {
		if traits.Except[r.rule] != "" {
			continue
		}
		t.Run(string(r.rule), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { r.try(t, network, fault, traits, lossless) })
		})
	}
}

// complete puts in what zero values stand for.
func (traits *Traits) complete(network string, fault chaos.Fault) {
	traits.Wait = cmp.Or(traits.Wait, time.Hour)
	if traits.Data == nil {
		traits.Data = noise(1, 2<<10)
	}
	if traits.Variant == nil || chaos.Check(network, traits.Variant) != nil {
		traits.Variant = vary(network, fault)
	}
}

// survey reports whether a fault seems to lose and to change nothing.
func survey(t testing.TB, network string, fault chaos.Fault, traits Traits) bool {
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		c := &trial{TB: t, network: network, fault: fault, traits: traits, dir: dir, silent: true}
		for _, s := range c.surveyed() {
			if out := c.run(run{shape: s}); !out.unharmed(traits.Data) {
				return false
			}
		}
	}
	return true
}

// vary returns the fault with one of its numbers changed, or itself, if it is a function, which is never equal to another.
// It returns nil if it finds nothing to change.
func vary(network string, fault chaos.Fault) chaos.Fault {
	v := reflect.ValueOf(fault)
	if v.Kind() == reflect.Func {
		return fault
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		other := reflect.New(v.Type()).Elem()
		other.Set(v)
		switch f := other.Field(i); {
		case f.CanInt() && f.Int() != 0:
			f.SetInt(2 * f.Int())
		case f.CanFloat() && f.Float() != 0:
			f.SetFloat(f.Float() / 2)
		default:
			continue
		}
		if varied, ok := other.Interface().(chaos.Fault); ok && chaos.Check(network, varied) == nil {
			return varied
		}
	}
	return nil
}

// noise returns n bytes that repeat nowhere.
func noise(seed uint64, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		if i%8 == 0 {
			seed += 0x9e3779b97f4a7c15
		}
		x := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		data[i] = byte((x ^ x>>31) >> (i % 8 * 8))
	}
	return data
}

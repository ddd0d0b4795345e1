package chaostest

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// Faults that are broken deliberately, as datagrams see it. Those of streams are broken for datagrams, too.
type (
	joins       struct{}                     // makes one datagram of two
	cuts        struct{}                     // makes two of one
	swallows    struct{ Every int64 }        // loses some
	rushed      struct{}                     // loses what comes together with another
	counts      struct{ Every int }          // loses every so many, and counts them outside of its State
	needsFirst  struct{}                     // does nothing unless it has seen the session's first datagram
	keepsLonger struct{ For time.Duration }  // lifted, it lets what it has kept go in a minute
	together    struct{ last *atomic.Int64 } // loses what comes together with a datagram of another session
	loseUntold  struct{}                     // loses every second and says that nothing has happened
)

func (joins) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	kept := st.State(func() any { return new([]byte) }).(*[]byte)
	return func(s chaos.Segment) {
		if st.Hit(len(s.Data)); len(*kept) == 0 {
			*kept = bytes.Clone(s.Data)
			return
		}
		s.Data = append(*kept, s.Data...)
		*kept = nil
		next(s)
	}
}

func (cuts) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		st.Hit(len(s.Data))
		half, all := len(s.Data)/2, s.Data
		s.Data = all[:half]
		next(s)
		s.Data = all[half:]
		next(s)
	}
}

func (f swallows) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		if st.Offset()%f.Every == f.Every-1 {
			st.Hit(len(s.Data))
			return
		}
		next(s)
	}
}

func (rushed) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	last := st.State(func() any { return new(time.Time) }).(*time.Time)
	return func(s chaos.Segment) {
		if last.Equal(st.Now()) {
			st.Hit(len(s.Data))
			return
		}
		*last = st.Now()
		next(s)
	}
}

func (f counts) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	n := 0
	return func(s chaos.Segment) {
		if n++; n%f.Every == 0 {
			st.Hit(len(s.Data))
			return
		}
		next(s)
	}
}

func (needsFirst) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	seen := st.State(func() any { return new(bool) }).(*bool)
	return func(s chaos.Segment) {
		if *seen {
			s.Due = s.Due.Add(time.Second)
			st.Hit(len(s.Data))
		}
		*seen = *seen || st.Offset() == 0
		next(s)
	}
}

func (f keepsLonger) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	kept := st.State(func() any { return new([][]byte) }).(*[][]byte)
	st.Cleanup(func() {
		for _, data := range *kept {
			next(chaos.Segment{Data: data, Due: st.Now().Add(f.For)})
		}
		*kept = nil
	})
	return func(s chaos.Segment) {
		st.Hit(len(s.Data))
		*kept = append(*kept, bytes.Clone(s.Data))
	}
}

func (f together) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		if mine := int64(st.Conn().Ordinal()); f.last.Swap(mine) != mine && st.Offset() > 0 {
			st.Hit(len(s.Data))
			return
		}
		next(s)
	}
}

func (loseUntold) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		if st.Offset()%2 == 0 {
			next(s)
		}
	}
}

// TestBrokenDatagramFaults shows that TestFault finds what is wrong with a fault of datagrams, and says under which rule.
func TestBrokenDatagramFaults(t *testing.T) {
	tests := []struct {
		name   string
		fault  chaos.Fault
		traits Traits
		rule   Rule
	}{
		{"is not equal to itself", unequal{math.NaN()}, Traits{}, RuleImposed},
		{"joins", joins{}, Traits{}, RuleWhole},
		{"cuts", cuts{}, Traits{}, RuleWhole},
		{"truncates, and is not said to", chaos.Truncate{Size: 10}, Traits{}, RuleWhole},
		{"loses, and is said not to", swallows{10}, Traits{Lossless: true}, RuleLossless},
		{"loses at another pace only, and is said not to", rushed{}, Traits{Lossless: true}, RuleLossless},
		{"passes datagrams twice, and is said not to", doubles{}, Traits{Lossless: true}, RuleLossless},
		{"corrupts, and is said to lose nothing", chaos.Corrupt{Rate: 0.1}, Traits{Lossless: true}, RuleLossless},
		{"depends on the pace", rushed{}, Traits{}, RuleSeeds},
		{"is not the same twice", fickle{new(int64)}, Traits{}, RuleSeeds},
		{"is not the same twice, whenever datagrams come", fickle{new(int64)}, Traits{Timed: true}, RuleSeeds},
		{"is early", hurries{}, Traits{}, RuleEarly},
		{"sleeps", sleeps{}, Traits{}, RuleStamps},
		{"retains data", retains{}, Traits{Resizes: true}, RuleRetains},
		{"uses what it passed on", reuses{}, Traits{Resizes: true}, RuleRetains},
		{"releases late when it is lifted", keepsLonger{time.Minute}, Traits{}, RuleLift},
		{"forgets what it has counted when it is changed", counts{Every: 7}, Traits{}, RuleChange},
		{"does not count its hits", silent{By: time.Second}, Traits{}, RuleHits},
		{"loses without a hit", loseUntold{}, Traits{}, RuleHits},
		{"shares between sessions", together{new(atomic.Int64)}, Traits{}, RuleConns},
		{"meddles with the other direction", meddles{}, Traits{}, RuleDirection},
		{"does not let go", clings{}, Traits{}, RuleClose},
		{"needs the first datagram", needsFirst{}, Traits{}, RuleCarried},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := verdict(t, "udp", test.fault, test.traits)
			if got[test.rule] == "" {
				t.Errorf("got %q, want the rule %q to be broken", got, test.rule)
			}
		})
	}
}

// A picky fault fits only some networks, and takes down on which it was tried.
type picky struct {
	Networks           string
	Streams, Datagrams *atomic.Bool
}

func (f picky) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	if st.Datagrams() {
		f.Datagrams.Store(true)
	} else {
		f.Streams.Store(true)
	}
	return next
}

// Check implements [chaos.Checker].
func (f picky) Check(network string) error {
	if !strings.Contains(f.Networks, network) {
		return fmt.Errorf("got %s, want one of %s", network, f.Networks)
	}
	return nil
}

func TestNetworksOfAFault(t *testing.T) {
	for _, networks := range []string{"tcp", "udp", "tcp udp"} {
		t.Run(networks, func(t *testing.T) {
			fault := picky{networks, new(atomic.Bool), new(atomic.Bool)}
			TestFault(t, fault)
			if got, want := fault.Streams.Load(), strings.Contains(networks, "tcp"); got != want {
				t.Errorf("tried on streams: got %v, want %v", got, want)
			}
			if got, want := fault.Datagrams.Load(), strings.Contains(networks, "udp"); got != want {
				t.Errorf("tried on datagrams: got %v, want %v", got, want)
			}
		})
	}
}

func TestDatagramsOf(t *testing.T) {
	data := noise(1, 2<<10)
	all := datagramsOf(data)
	var joined []byte
	empty := 0
	sizes := map[int]int{}
	for _, d := range all {
		joined = append(joined, d...)
		if sizes[len(d)]++; len(d) == 0 {
			empty++
		}
	}
	if !bytes.Equal(joined, data) || empty != 1 {
		t.Errorf("got %d bytes and %d empty datagrams, want all of the data and one empty", len(joined), empty)
	}
	for i, a := range all[1:] {
		if n := len(all[i]) + len(a); len(all[i]) > 0 && len(a) > 0 && n%2 == 0 && sizes[n] > 0 && n != len(all[len(all)-1]) {
			t.Errorf("datagrams %d and %d joined have %d bytes, as another has", i, i+1, n)
		}
	}
	if countDifference(all, all) != "" || countDifference(all[1:], all) == "" {
		t.Error("got no difference where there is one, or one where there is none")
	}
}

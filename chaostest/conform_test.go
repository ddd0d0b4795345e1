package chaostest

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// A notebook is a testing.TB that takes failures down instead of failing.
type notebook struct {
	testing.TB
	mu    *sync.Mutex // guards notes
	notes *[]string
}

func (n notebook) Errorf(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	*n.notes = append(*n.notes, fmt.Sprintf(format, args...))
}

var namesRule = regexp.MustCompile(`breaks the rule "(\w+)" to_(server|client): .`)

// verdict returns the rules that a fault breaks, and what is said about each of them first.
func verdict(t *testing.T, network string, fault chaos.Fault, traits Traits) map[Rule]string {
	t.Helper()
	traits.complete(network, fault)
	lossless := traits.Lossless
	if !lossless {
		synctest.Test(t, func(t *testing.T) { lossless = survey(t, network, fault, traits) })
	}
	broken := map[Rule]string{}
	rules := rules
	if network == "udp" {
		rules = datagramRules
	}
	for _, r := range rules {
		notes := notebook{TB: t, mu: new(sync.Mutex), notes: new([]string)}
		synctest.Test(t, func(t *testing.T) {
			notes.TB = t
			r.try(notes, network, fault, traits, lossless)
		})
		for _, note := range *notes.notes {
			names := namesRule.FindStringSubmatch(note)
			if names == nil {
				t.Fatalf("%q names no rule", note)
			}
			if broken[Rule(names[1])] == "" {
				broken[Rule(names[1])] = note
			}
		}
	}
	return broken
}

// Faults that are broken deliberately.
type (
	retains   struct{}                   // passes the last segment's data once more instead of the current
	reuses    struct{}                   // looks at what it has passed on
	reorders  struct{ Every int }        // lets one segment overtake another
	dropsFIN  struct{}                   // forgets the end of the stream
	chunks    struct{}                   // drops every third segment, however long it is
	goesOn    struct{}                   // ends the stream at its 100th byte and lets the rest pass
	hoards    struct{}                   // holds all back, for good
	shares    struct{ n *int64 }         // counts the bytes of all connections in one place
	forgets   struct{ Size int }         // holds bytes back outside of its State
	silent    struct{ By time.Duration } // delays, and does not count it
	hurries   struct{}                   // takes all that comes for due
	sleeps    struct{}                   // waits instead of stamping
	doubles   struct{}                   // passes everything twice
	losesHeld struct{}                   // loses what it holds when it is lifted
	fickle    struct{ n *int64 }         // is not the same twice
	meddles   struct{}                   // imposes something on the connection's other direction
	lags      struct{}                   // lifted, it releases what it held a minute later
	unequal   struct{ F float64 }        // is not equal to itself
	clings    struct{}                   // does not let go of a connection that ends
)

func (retains) Impose(_ *chaos.Stage, next chaos.Sink) chaos.Sink {
	var last []byte
	return func(s chaos.Segment) {
		if s.End != chaos.More {
			next(chaos.Segment{Data: last, Due: s.Due})
			last = nil
		}
		last, s.Data = s.Data, last
		next(s)
	}
}

func (reuses) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		half := len(s.Data) / 2
		first := s
		first.Data, first.End = s.Data[:half], chaos.More
		next(first)
		s.Data = append(first.Data[:0:0], s.Data[half:]...)
		for i := range min(half, len(s.Data)) {
			s.Data[i] ^= first.Data[i]
		}
		st.Hit(1)
		next(s)
	}
}

func (r reorders) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	var kept []byte
	return func(s chaos.Segment) {
		if kept == nil && s.End == chaos.More && len(s.Data) >= r.Every {
			kept = bytes.Clone(s.Data)
			return
		}
		next(chaos.Segment{Data: s.Data, Due: s.Due})
		if kept != nil {
			st.Hit(len(kept))
			next(chaos.Segment{Data: kept, Due: s.Due})
			kept = nil
		}
		next(chaos.Segment{Due: s.Due, End: s.End})
	}
}

func (dropsFIN) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		if s.End == chaos.FIN {
			s.End = chaos.More
			st.Hit(0)
		}
		next(s)
	}
}

func (chunks) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	n := st.State(func() any { return new(int) }).(*int)
	return func(s chaos.Segment) {
		if *n++; *n%3 == 0 && s.End == chaos.More {
			for i := range s.Data {
				s.Data[i] = 'x'
			}
			st.Hit(len(s.Data))
		}
		next(s)
	}
}

func (goesOn) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	n := st.State(func() any { return new(int) }).(*int)
	return func(s chaos.Segment) {
		left := 100 - *n
		*n += len(s.Data)
		if 0 < left && left <= len(s.Data) {
			st.Hit(1)
			next(chaos.Segment{Data: s.Data[:left], Due: s.Due, End: chaos.FIN})
			s.Data = s.Data[left:]
		}
		next(s)
	}
}

func (hoards) Impose(st *chaos.Stage, _ chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) { st.Hit(len(s.Data)) }
}

func (f shares) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		if n := atomic.AddInt64(f.n, int64(len(s.Data))); n/1000 != (n-int64(len(s.Data)))/1000 {
			s.Data[0] ^= 1
			st.Hit(1)
		}
		next(s)
	}
}

func (f forgets) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	var kept []byte
	release := func(due time.Time) {
		next(chaos.Segment{Data: kept, Due: due})
		kept = nil
	}
	st.Cleanup(func() { release(st.Now()) })
	return func(s chaos.Segment) {
		if kept = append(kept, s.Data...); len(kept) >= f.Size || s.End != chaos.More {
			release(s.Due)
		} else {
			st.Hit(len(s.Data))
		}
		next(chaos.Segment{Due: s.Due, End: s.End})
	}
}

func (f silent) Impose(_ *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		s.Due = s.Due.Add(f.By)
		next(s)
	}
}

func (hurries) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		s.Due = st.Now()
		next(s)
	}
}

func (sleeps) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		time.Sleep(time.Millisecond) // virtual, and just what is forbidden
		st.Hit(len(s.Data))
		next(s)
	}
}

func (doubles) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		st.Hit(len(s.Data))
		next(chaos.Segment{Data: bytes.Clone(s.Data), Due: s.Due})
		next(s)
	}
}

func (losesHeld) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	kept := st.State(func() any { return new([]byte) }).(*[]byte)
	return func(s chaos.Segment) {
		*kept = append(*kept, s.Data...)
		if s.End == chaos.More {
			st.Hit(len(s.Data))
			return
		}
		next(chaos.Segment{Data: *kept, Due: s.Due, End: s.End})
		*kept = nil
	}
}

func (f fickle) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	at := atomic.AddInt64(f.n, 1) % 50
	return func(s chaos.Segment) {
		if st.Offset() <= at && at < st.Offset()+int64(len(s.Data)) {
			s.Data[at-st.Offset()] ^= 1
			st.Hit(1)
		}
		next(s)
	}
}

func (meddles) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	conn, dir := st.Conn(), st.Direction()
	return func(s chaos.Segment) {
		// It imposes something itself, on a goroutine of its own, where a fault must not.
		go func() {
			flow := &conn.ToClient
			if dir == chaos.ToClient {
				flow = &conn.ToServer
			}
			flow.Set(chaos.Corrupt{})
		}()
		next(s)
	}
}

func (clings) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	st.Cleanup(func() { time.Sleep(10 * time.Second) }) // virtual, and just what is forbidden
	return next
}

func (lags) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	kept := st.State(func() any { return new([]byte) }).(*[]byte)
	st.Cleanup(func() {
		next(chaos.Segment{Data: *kept, Due: st.Now().Add(time.Minute)})
	})
	return func(s chaos.Segment) {
		*kept = append(*kept, s.Data...)
		st.Hit(len(s.Data))
		if s.End != chaos.More {
			next(chaos.Segment{Data: *kept, Due: s.Due, End: s.End})
			*kept = nil
		}
	}
}

func (unequal) Impose(_ *chaos.Stage, next chaos.Sink) chaos.Sink { return next }

// TestBrokenFaults shows that TestFault finds what is wrong with a fault, and says under which rule.
func TestBrokenFaults(t *testing.T) {
	tests := []struct {
		name   string
		fault  chaos.Fault
		traits Traits
		rule   Rule
	}{
		{"retains data", retains{}, Traits{}, RuleRetains},
		{"uses what it passed on", reuses{}, Traits{}, RuleRetains},
		{"reorders", reorders{Every: 10}, Traits{}, RuleOrder},
		{"drops FIN", dropsFIN{}, Traits{}, RuleEnd},
		{"depends on the chunking", chunks{}, Traits{}, RuleChunking},
		{"passes data after the end", goesOn{}, Traits{}, RuleEnd},
		{"holds for good after it was lifted", hoards{}, Traits{}, RuleHole},
		{"shares between connections", shares{new(int64)}, Traits{}, RuleConns},
		{"forgets bytes when it is changed", forgets{Size: 700}, Traits{}, RuleChange},
		{"does not count its hits", silent{By: time.Second}, Traits{}, RuleHits},
		{"is early", hurries{}, Traits{}, RuleEarly},
		{"sleeps", sleeps{}, Traits{}, RuleStamps},
		{"passes bytes twice", doubles{}, Traits{}, RuleOrder},
		{"loses what it holds when it is lifted", losesHeld{}, Traits{}, RuleHole},
		{"loses what it holds, and is said not to", losesHeld{}, Traits{Lossless: true}, RuleLossless},
		{"is not the same twice", fickle{new(int64)}, Traits{}, RuleChunking},
		{"meddles with the other direction", meddles{}, Traits{}, RuleDirection},
		{"corrupts, and is said to lose nothing", chaos.Corrupt{Rate: 0.1}, Traits{Lossless: true}, RuleLossless},
		{"counts segments, and is said to count bytes", chaos.Delay{By: time.Second}, Traits{SameHits: true}, RuleChunking},
		{"makes a hole", chaos.Discard{Resume: true}, Traits{}, RuleHole},
		{"releases late when it is lifted", lags{}, Traits{}, RuleLift},
		{"is not equal to itself", unequal{math.NaN()}, Traits{}, RuleImposed},
		{"does not let go", clings{}, Traits{}, RuleClose},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := verdict(t, "tcp", test.fault, test.traits)
			if got[test.rule] == "" {
				t.Errorf("got %q, want the rule %q to be broken", got, test.rule)
			}
		})
	}
}

func TestExceptions(t *testing.T) {
	got := verdict(t, "tcp", chaos.Discard{Resume: true}, Traits{Except: map[Rule]string{RuleHole: "Resume asks for it"}})
	if len(got) > 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

// A burst is the fault that the library's manual shows: it lets bytes through only during the first Open of every Period.
type burst struct{ Period, Open time.Duration }

func (b burst) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	start := st.Now()
	return func(s chaos.Segment) {
		if into := s.Due.Sub(start) % b.Period; into >= b.Open {
			s.Due = s.Due.Add(b.Period - into)
			st.Hit(len(s.Data))
		}
		next(s)
	}
}

func TestFaultOfOnesOwn(t *testing.T) {
	TestFault(t, burst{Period: time.Second, Open: 100 * time.Millisecond})
}

func TestFaultThatIsAFunction(t *testing.T) {
	TestFault(t, chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
		return func(s chaos.Segment) {
			s.Due = s.Due.Add(time.Second)
			st.Hit(len(s.Data))
			next(s)
		}
	}), Traits{Lossless: true})
}

func TestVary(t *testing.T) {
	tests := []struct {
		fault, want chaos.Fault
	}{
		{chaos.Delay{By: time.Second}, chaos.Delay{By: 2 * time.Second}},
		{chaos.Corrupt{Rate: 0.5}, chaos.Corrupt{Rate: 0.25}},
		{chaos.Delay{By: 300 * 24 * time.Hour}, nil}, // the double is refused
		{chaos.Stall{}, nil},
		{chaos.Substitute{Pattern: "x"}, nil},
		{shares{}, nil},
	}
	for _, test := range tests {
		if got := vary("tcp", test.fault); got != test.want {
			t.Errorf("%+v: got %+v, want %+v", test.fault, got, test.want)
		}
	}
}

func TestDisorder(t *testing.T) {
	sent := noise(1, 64)
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"all", sent, ""},
		{"nothing", nil, ""},
		{"a hole", slices.Concat(sent[:16], sent[40:]), ""},
		{"something else between", slices.Concat(sent[:16], noise(5, 99), sent[24:]), ""},
		{"twice", slices.Concat(sent[:16], sent[8:]), "bytes 8 to 16 have arrived twice"},
		{"the other way round", slices.Concat(sent[32:], sent[:32]), "bytes 0 to 8 have arrived behind byte 56"},
	}
	for _, test := range tests {
		if got := disorder(sent, test.got); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

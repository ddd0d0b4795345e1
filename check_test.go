package chaos

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// picky is a fault with values that only it can judge.
type picky struct {
	Pattern string        `json:"pattern" need:"true" help:"What."`
	For     time.Duration `json:"for" need:"true" help:"How long."`
	Reset   bool          `json:"reset" help:"Whether."`
}

func (picky) Impose(_ *Stage, next Sink) Sink { return next }

func (f picky) Check(network string) error {
	if err := StreamsOnly(network, "it is picky"); err != nil {
		return err
	}
	if f.Pattern == "sentinel" {
		return errPicky
	}
	if _, err := regexp.Compile(f.Pattern); err != nil {
		return &FaultError{Param: "pattern", Given: f.Pattern, Allowed: "a regular expression"}
	}
	return noReset(network, f.Reset)
}

var errPicky = errors.New("this one is not liked")

// datagramOnly is a fault for datagrams.
type datagramOnly struct{}

func (datagramOnly) Impose(_ *Stage, next Sink) Sink { return next }

func (datagramOnly) Check(network string) error {
	return DatagramsOnly(network, "it is one")
}

// pickyDatagrams is a fault with a Reset.
type pickyDatagrams struct {
	Reset bool `json:"reset" help:"Whether."`
}

func (pickyDatagrams) Impose(_ *Stage, next Sink) Sink { return next }

func (f pickyDatagrams) Check(network string) error { return noReset(network, f.Reset) }

// byPointer is a fault that only its pointer implements.
type byPointer struct{ Fault }

func (*byPointer) Impose(_ *Stage, next Sink) Sink { return next }

// fine is an everyParam with nothing wrong, but for what change does.
func fine(change func(*everyParam)) everyParam {
	f := everyParam{Total: 1, Fault: inert{}}
	change(&f)
	return f
}

func registerAll(t *testing.T) {
	registerFor(t, "test_every", everyParam{})
	registerFor(t, "test_picky", picky{})
	registerFor(t, "test_datagrams", datagramOnly{})
	registerFor(t, "test_picky_datagrams", pickyDatagrams{})
}

func TestCheckAllows(t *testing.T) {
	registerAll(t)
	tests := []struct {
		name, network string
		fault         Fault
	}{
		{"least", "", fine(func(*everyParam) {})},
		{"longest", "", fine(func(f *everyParam) { f.Wait = longest })},
		{"largest", "", fine(func(f *everyParam) { f.Total, f.Rate, f.Count = largest, largest, largest })},
		{"certain", "", fine(func(f *everyParam) { f.Chance = 1 })},
		{"choice", "", fine(func(f *everyParam) { f.Mood = "bad" })},
		{"function", "", FaultFunc(func(_ *Stage, next Sink) Sink { return next })},
		{"unregistered", "", inert{}},
		{"unregistered pointer", "", &byPointer{}},
		{"carried", "", fine(func(f *everyParam) { f.Fault = picky{Pattern: "a", For: 1} })},
		{"reset on tcp", "tcp", picky{Pattern: "a", For: 1, Reset: true}},
		{"no reset on unix", "unix", picky{Pattern: "a", For: 1}},
		{"datagrams", "udp", datagramOnly{}},
		{"datagrams over IPv6", "udp6", datagramOnly{}},
		{"no reset on udp", "udp", pickyDatagrams{}},
		{"deepest", "", nested(deepest)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := Check(tt.network, inert{}, tt.fault); err != nil {
				t.Errorf("got %v, want nil", err)
			}
		})
	}
	if err := Check("tcp"); err != nil {
		t.Errorf("no fault: got %v, want nil", err)
	}
}

// nested returns a fault with n selectors around it.
func nested(n int) Fault {
	fault := Fault(inert{})
	for range n {
		fault = everyParam{Total: 1, Fault: fault}
	}
	return fault
}

func TestCheckRefuses(t *testing.T) {
	registerAll(t)
	tests := []struct {
		name, network string
		fault         Fault
		want          string
	}{
		{"negative duration", "", fine(func(f *everyParam) { f.Wait = -time.Second }), "test_every: wait: got -1s, want a duration of at least 0s"},
		{"duration of 290 years", "", fine(func(f *everyParam) { f.Wait = 290 * longest }), "test_every: wait: got 2540400h0m0s, want a duration of at most 8760h"},
		{"least duration of all", "", fine(func(f *everyParam) { f.Wait = math.MinInt64 }), "test_every: wait: got -2562047h47m16.854775808s, want a duration of at least 0s"},
		{"missing duration", "", picky{Pattern: "a"}, "test_picky: for: got 0s, want a duration above 0s"},
		{"negative duration that is needed", "", picky{Pattern: "a", For: -1}, "test_picky: for: got -1ns, want a duration above 0s"},
		{"negative size", "", fine(func(f *everyParam) { f.Size = -1 }), "test_every: size: got -1B, want a size of at least 0B"},
		{"missing size", "", fine(func(f *everyParam) { f.Total = 0 }), "test_every: total: got 0B, want a size above 0B"},
		{"size that overflows", "", fine(func(f *everyParam) { f.Total = math.MaxInt64 }), "test_every: total: got 9223372036854775807B, want a size of at most 1024TiB"},
		{"negative rate", "", fine(func(f *everyParam) { f.Rate = -5 }), "test_every: rate: got -5B/s, want a rate of at least 0B/s"},
		{"rate that overflows", "", fine(func(f *everyParam) { f.Rate = largest + 1 }), "test_every: rate: got 1125899906842625B/s, want a rate of at most 1024TiB/s"},
		{"negative count", "", fine(func(f *everyParam) { f.Count = -2 }), "test_every: count: got -2, want a count of at least 0"},
		{"chance below 0", "", fine(func(f *everyParam) { f.Chance = -0.1 }), "test_every: chance: got -0.1, want a chance from 0 to 1"},
		{"chance above 1", "", fine(func(f *everyParam) { f.Chance = 10 }), "test_every: chance: got 10, want a chance from 0 to 1"},
		{"chance not a number", "", fine(func(f *everyParam) { f.Chance = math.NaN() }), "test_every: chance: got NaN, want a chance from 0 to 1"},
		{"choice", "", fine(func(f *everyParam) { f.Mood = "ugly" }), "test_every: mood: got ugly, want one of good, bad"},
		{"missing text", "", picky{For: 1}, "test_picky: pattern: got nothing, want a text"},
		{"its own check", "", picky{Pattern: "(", For: 1}, "test_picky: pattern: got (, want a regular expression"},
		{"control characters", "", picky{Pattern: "(\x1b[", For: 1}, `test_picky: pattern: got "(\x1b[", want a regular expression`},
		{"its own error", "", picky{Pattern: "sentinel", For: 1}, "test_picky: this one is not liked"},
		{"nil", "", nil, "got nil, want a fault"},
		{"nil carried", "", fine(func(f *everyParam) { f.Fault = nil }), "test_every: fault: got nil, want a fault"},
		{"nil function", "", FaultFunc(nil), "chaos.FaultFunc: got nil, want a function"},
		{"nil pointer", "", (*byPointer)(nil), "*chaos.byPointer: got nil, want a fault"},
		{"pointer to a kind", "", &picky{Pattern: "a", For: 1}, "test_picky: got a pointer, want the chaos.picky itself"},
		{"nil pointer to a kind", "", (*picky)(nil), "test_picky: got a pointer, want the chaos.picky itself"},
		{"carried", "", fine(func(f *everyParam) { f.Fault = picky{Pattern: "a", For: -1} }), "test_every: fault: test_picky: for: got -1ns, want a duration above 0s"},
		{"carried by its own check", "unix", fine(func(f *everyParam) { f.Fault = picky{Pattern: "a", For: 1, Reset: true} }), "test_every: fault: test_picky: reset: got true, want false, because a unix socket has no RST"},
		{"carried pointer", "", fine(func(f *everyParam) { f.Fault = &picky{} }), "test_every: fault: test_picky: got a pointer, want the chaos.picky itself"},
		{"reset on unix", "unix", picky{Pattern: "a", For: 1, Reset: true}, "test_picky: reset: got true, want false, because a unix socket has no RST"},
		{"reset on udp", "udp4", pickyDatagrams{Reset: true}, "test_picky_datagrams: reset: got true, want false, because udp has no RST"},
		{"streams only", "udp", picky{Pattern: "a", For: 1}, "test_picky: got udp, want a network of streams, because it is picky"},
		{"datagrams only", "", datagramOnly{}, "test_datagrams: got tcp, want a network of datagrams, because it is one"},
		{"datagrams only, unix", "unix", datagramOnly{}, "test_datagrams: got unix, want a network of datagrams, because it is one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(tt.network, inert{}, tt.fault)
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if _, ok := errors.AsType[*FaultError](err); !ok {
				t.Errorf("got an error of type %T, want *FaultError", err)
			}
		})
	}
}

func TestCheckTellsTheParts(t *testing.T) {
	registerAll(t)
	err := Check("", fine(func(f *everyParam) { f.Fault = fine(func(f *everyParam) { f.Wait = -1 }) }))
	want := &FaultError{
		Path: []string{"test_every", "fault"}, Kind: "test_every",
		Param: "wait", Given: "-1ns", Allowed: "a duration of at least 0s",
	}
	if diff := cmp.Diff(error(want), err); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if err := Check("", picky{Pattern: "sentinel", For: 1}); !errors.Is(err, errPicky) {
		t.Errorf("got %v, want an error that is errPicky", err)
	}
}

func TestCheckLimitsNesting(t *testing.T) {
	registerAll(t)
	err := Check("", nested(deepest+1))
	if want := "got 33 selectors around it, want at most 32"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want an error that ends in %q", err, want)
	}
}

func TestNetworksOfKinds(t *testing.T) {
	registerAll(t)
	kinds := Kinds()
	tests := []struct {
		name                       string
		noDatagrams, onlyDatagrams bool
	}{
		{"test_every", false, false},
		{"test_picky", true, false},
		{"test_datagrams", false, true},
		{"test_picky_datagrams", false, false},
		{"lose", false, true},
		{"rebind", false, true},
		{"bandwidth", false, false},
		{"slice", true, false},
	}
	for _, tt := range tests {
		kind := kinds[slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == tt.name })]
		if kind.NoDatagrams != tt.noDatagrams || kind.OnlyDatagrams != tt.onlyDatagrams {
			t.Errorf("%s: got NoDatagrams %v and OnlyDatagrams %v, want %v and %v",
				tt.name, kind.NoDatagrams, kind.OnlyDatagrams, tt.noDatagrams, tt.onlyDatagrams)
		}
	}
}

func TestSameFault(t *testing.T) {
	function := FaultFunc(func(_ *Stage, next Sink) Sink { return next })
	tests := []struct {
		name string
		a, b Fault
		want bool
	}{
		{"equal", picky{Pattern: "a"}, picky{Pattern: "a"}, true},
		{"another value", picky{Pattern: "a"}, picky{Pattern: "b"}, false},
		{"another type", inert{}, inert2{}, false},
		{"carried, equal", everyParam{Fault: picky{For: 1}}, everyParam{Fault: picky{For: 1}}, true},
		{"carried, another", everyParam{Fault: picky{For: 1}}, everyParam{Fault: picky{For: 2}}, false},
		{"value and pointer", picky{}, &picky{}, false},
		{"the same function", function, function, false},
		{"carried function", everyParam{Fault: function}, everyParam{Fault: function}, false},
	}
	for _, tt := range tests {
		if got := sameFault(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

package spec_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/google/go-cmp/cmp"
)

// forms are faults in all three forms: at least one of every kind, and every parameter.
var forms = []struct {
	fault chaos.Fault
	text  string
	json  string
}{
	{chaos.Delay{By: 200 * time.Millisecond}, `delay by=200ms`, `{"delay":{"by":"200ms"}}`},
	{
		chaos.Delay{By: 90 * time.Second, Jitter: time.Hour, Distribution: "pareto"},
		`delay by=1m30s jitter=1h distribution=pareto`, `{"delay":{"by":"1m30s","jitter":"1h","distribution":"pareto"}}`,
	},
	{chaos.Delay{By: time.Second, Ordered: true}, `delay by=1s ordered`, `{"delay":{"by":"1s","ordered":true}}`},
	{chaos.Delay{Distribution: "uniform"}, `delay distribution=uniform`, `{"delay":{"distribution":"uniform"}}`},
	{chaos.Delay{}, `delay`, `{"delay":{}}`},
	{chaos.Bandwidth{Rate: 65536}, `bandwidth rate=64KiB/s`, `{"bandwidth":{"rate":"64KiB/s"}}`},
	{
		chaos.Bandwidth{Rate: 1e6, Burst: 1536, Shared: true},
		`bandwidth rate=1MB/s burst=1536B shared`, `{"bandwidth":{"rate":"1MB/s","burst":"1536B","shared":true}}`,
	},
	{chaos.Bandwidth{Rate: 1e6, Queue: 3000}, `bandwidth rate=1MB/s queue=3KB`, `{"bandwidth":{"rate":"1MB/s","queue":"3KB"}}`},
	{chaos.Slice{Size: 64, Vary: 16, Gap: time.Millisecond}, `slice size=64B vary=16B gap=1ms`, `{"slice":{"size":"64B","vary":"16B","gap":"1ms"}}`},
	{chaos.Concat{Size: 4096, Within: time.Second}, `concat size=4KiB within=1s`, `{"concat":{"size":"4KiB","within":"1s"}}`},
	{chaos.Corrupt{Rate: 0.001, Flip: "bits"}, `corrupt rate=0.1% flip=bits`, `{"corrupt":{"rate":0.001,"flip":"bits"}}`},
	{chaos.Substitute{Pattern: `\d+`, With: "n", Max: 1024}, `substitute pattern=\d+ with=n max=1KiB`, `{"substitute":{"pattern":"\\d+","with":"n","max":"1KiB"}}`},
	{chaos.Substitute{Pattern: "<a b>", With: `"`}, `substitute pattern="<a b>" with="\""`, `{"substitute":{"pattern":"<a b>","with":"\""}}`},
	{chaos.Substitute{Pattern: "a=b", With: "\xff\n"}, `substitute pattern=a=b with="\xff\n"`, `"substitute pattern=a=b with=\"\\xff\\n\""`},
	{chaos.Stall{}, `stall`, `{"stall":{}}`},
	{chaos.Discard{Resume: true}, `discard resume`, `{"discard":{"resume":true}}`},
	{chaos.Vanish{}, `vanish`, `{"vanish":{}}`},
	{chaos.Close{Reset: true, After: 1500 * time.Millisecond, Abrupt: true}, `close reset after=1.5s abrupt`, `{"close":{"reset":true,"after":"1.5s","abrupt":true}}`},
	{chaos.CloseOnData{Reset: true}, `close_on_data reset`, `{"close_on_data":{"reset":true}}`},
	{chaos.Limit{Bytes: 10000, Shared: true, Reset: true}, `limit bytes=10KB shared reset`, `{"limit":{"bytes":"10KB","shared":true,"reset":true}}`},
	{
		chaos.Lifetime{For: time.Minute, Jitter: time.Second, From: "data", Reset: true},
		`lifetime for=1m jitter=1s from=data reset`, `{"lifetime":{"for":"1m","jitter":"1s","from":"data","reset":true}}`,
	},
	{chaos.Idle{For: time.Hour + 30*time.Minute, Reset: true}, `idle for=1h30m reset`, `{"idle":{"for":"1h30m","reset":true}}`},
	{chaos.SlowClose{By: time.Microsecond}, `slow_close by=1µs`, `{"slow_close":{"by":"1µs"}}`},
	{chaos.Lose{Chance: 0.05, Burst: 3}, `lose chance=5% burst=3`, `{"lose":{"chance":0.05,"burst":3}}`},
	{chaos.Lose{P: 0.01, R: 0.3, H: 0.5, K: 0.999}, `lose p=1% r=30% h=50% k=99.9%`, `{"lose":{"p":0.01,"r":0.3,"h":0.5,"k":0.999}}`},
	{chaos.Lose{Every: 10}, `lose every=10`, `{"lose":{"every":10}}`},
	{chaos.Lose{List: "1,4,7-9"}, `lose list=1,4,7-9`, `{"lose":{"list":"1,4,7-9"}}`},
	{chaos.Duplicate{Chance: 0.02, Copies: 2}, `duplicate chance=2% copies=2`, `{"duplicate":{"chance":0.02,"copies":2}}`},
	{chaos.Reorder{Chance: 0.1, Gap: 3, Within: time.Second}, `reorder chance=10% gap=3 within=1s`, `{"reorder":{"chance":0.1,"gap":3,"within":"1s"}}`},
	{chaos.Truncate{Size: 512}, `truncate size=512B`, `{"truncate":{"size":"512B"}}`},
	{chaos.MTU{Size: 1200}, `mtu size=1200B`, `{"mtu":{"size":"1200B"}}`},
	{chaos.Rebind{Every: 30 * time.Second}, `rebind every=30s`, `{"rebind":{"every":"30s"}}`},
	{chaos.Detour{Address: "[::1]:80", Ends: true}, `detour address=[::1]:80 ends`, `{"detour":{"address":"[::1]:80","ends":true}}`},
	{chaos.Detour{Address: "[::1]:80"}, `detour address=[::1]:80`, `{"detour":{"address":"[::1]:80"}}`},
	{chaos.Sometimes{Chance: 0.1, Fault: chaos.Stall{}}, `sometimes chance=10% stall`, `{"sometimes":{"chance":0.1,"fault":{"stall":{}}}}`},
	{
		chaos.Sometimes{Chance: 0.1, Group: "bad", Fault: chaos.Vanish{}},
		`sometimes chance=10% group=bad vanish`, `{"sometimes":{"chance":0.1,"group":"bad","fault":{"vanish":{}}}}`,
	},
	{chaos.After{Time: time.Second, Fault: chaos.Stall{}}, `after time=1s stall`, `{"after":{"time":"1s","fault":{"stall":{}}}}`},
	{
		chaos.During{Start: time.Second, For: time.Minute, Every: time.Hour, Fault: chaos.Stall{}},
		`during start=1s for=1m every=1h stall`, `{"during":{"start":"1s","for":"1m","every":"1h","fault":{"stall":{}}}}`,
	},
	{chaos.Only{First: 3, Fault: chaos.Stall{}}, `only first=3 stall`, `{"only":{"first":3,"fault":{"stall":{}}}}`},
	{chaos.Only{Nth: 2, Fault: chaos.Stall{}}, `only nth=2 stall`, `{"only":{"nth":2,"fault":{"stall":{}}}}`},
	{chaos.Only{Every: 10, Fault: chaos.Stall{}}, `only every=10 stall`, `{"only":{"every":10,"fault":{"stall":{}}}}`},
	{chaos.Only{From: "10.0.0.0/8", Fault: chaos.Stall{}}, `only from=10.0.0.0/8 stall`, `{"only":{"from":"10.0.0.0/8","fault":{"stall":{}}}}`},
	{
		chaos.After{Bytes: 1024, Fault: chaos.Sometimes{Chance: 0.1, Fault: chaos.Delay{By: 200 * time.Millisecond}}},
		`after bytes=1KiB sometimes chance=10% delay by=200ms`,
		`{"after":{"bytes":"1KiB","fault":{"sometimes":{"chance":0.1,"fault":{"delay":{"by":"200ms"}}}}}}`,
	},
	{
		chaos.After{Bytes: 1, Fault: chaos.Close{After: time.Second, Reset: true}},
		`after bytes=1B close reset after=1s`, `{"after":{"bytes":"1B","fault":{"close":{"reset":true,"after":"1s"}}}}`,
	},
}

func TestForms(t *testing.T) {
	for _, tt := range forms {
		t.Run(tt.text, func(t *testing.T) {
			if got := spec.Text(tt.fault); got != tt.text {
				t.Errorf("Text: got %s, want %s", got, tt.text)
			}
			if got, err := spec.MarshalFault(tt.fault); err != nil || string(got) != tt.json {
				t.Errorf("MarshalFault: got %s and %v, want %s", got, err, tt.json)
			}
			got, err := spec.ParseFault(tt.text)
			if diff := cmp.Diff(tt.fault, got); err != nil || diff != "" {
				t.Errorf("ParseFault: got %v (-want +got):\n%s", err, diff)
			}
			got, err = spec.UnmarshalFault([]byte(tt.json))
			if diff := cmp.Diff(tt.fault, got); err != nil || diff != "" {
				t.Errorf("UnmarshalFault: got %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestFormsAreComplete(t *testing.T) {
	for _, kind := range chaos.Kinds() {
		if strings.HasPrefix(kind.Name, "test_") {
			continue
		}
		seen := map[string]bool{}
		for _, tt := range forms {
			rest, ok := strings.CutPrefix(" "+tt.text, " "+kind.Name)
			if !ok {
				continue
			}
			seen[""] = true
			for word := range strings.FieldsSeq(rest) {
				key, _, _ := strings.Cut(word, "=")
				seen[key] = true
			}
		}
		if !seen[""] {
			t.Errorf("got no form of %s", kind.Name)
		}
		for _, p := range kind.Params {
			if !seen[p.Name] && p.Type != "fault" {
				t.Errorf("got no form of %s %s", kind.Name, p.Name)
			}
		}
	}
}

func TestParseFaultIsLenient(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"blanks", " \t delay\n  by=200ms\r\n", "delay by=200ms"},
		{"hyphen in a kind", "slow-close by=1s", "slow_close by=1s"},
		{"hyphen in two", "close-on-data reset", "close_on_data reset"},
		{"flag written out", "discard resume=true", "discard resume"},
		{"flag denied", "discard resume=false", "discard"},
		{"zero", "delay by=0s jitter=0ms", "delay"},
		{"order of keys", "delay jitter=1s by=2s", "delay by=2s jitter=1s"},
		{"duration in parts", "delay by=1h0m0.5s", "delay by=1h0m0.5s"},
		{"fraction of a second", "delay by=.5s", "delay by=500ms"},
		{"fraction of a size", "limit bytes=1.5KiB", "limit bytes=1536B"},
		{"small fraction of a size", "limit bytes=0.0009765625KiB", "limit bytes=1B"},
		{"terabytes", "limit bytes=2TB", "limit bytes=2TB"},
		{"rate in bits", "bandwidth rate=10Mbit/s", "bandwidth rate=1250KB/s"},
		{"rate in kilobits", "bandwidth rate=56kbit/s", "bandwidth rate=7KB/s"},
		{"rate in bits alone", "bandwidth rate=8bit/s", "bandwidth rate=1B/s"},
		{"rate in gigabits", "bandwidth rate=2.5Gbit/s", "bandwidth rate=312500KB/s"},
		{"chance as a fraction", "corrupt rate=.25", "corrupt rate=25%"},
		{"chance with an exponent", "corrupt rate=1e-3", "corrupt rate=0.1%"},
		{"tiny chance", "corrupt rate=1e-9", "corrupt rate=1e-09"},
		{"certain", "corrupt rate=1", "corrupt rate=100%"},
		{"percent that division would round", "corrupt rate=0.7%", "corrupt rate=0.7%"},
		{"model of a wire with its defaults", "lose p=1% r=30% h=0 k=1", "lose p=1% r=30% k=100%"},
		{"text in quotes", `substitute pattern="abc"`, `substitute pattern=abc`},
		{"text in back quotes", "substitute pattern=`a \"b\" \\d`", `substitute pattern="a \"b\" \\d"`},
		{"quoted number", `delay by="200ms"`, `delay by=200ms`},
		{"empty text", `substitute pattern=a with=`, `substitute pattern=a`},
		{"empty text in quotes", `substitute pattern=a with=""`, `substitute pattern=a`},
		{"key called like a kind", "close after=1s", "close after=1s"},
		{"text with an equals sign", "substitute pattern=a=b=c", "substitute pattern=a=b=c"},
		{"text in another script", "substitute pattern=größe", "substitute pattern=größe"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fault, err := spec.ParseFault(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := spec.Text(fault); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestParseFaultRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		column     int
		want       string
	}{
		{"nothing", "", 1, "got nothing, want a fault such as delay by=200ms"},
		{"blanks", " \n", 1, "got nothing, want a fault such as delay by=200ms"},
		{"two faults", "stall vanish", 1, "got 2 faults, want one"},
		{"key first", "by=200ms", 1, "got by=200ms, want a fault before its keys, such as delay by=200ms"},

		{"kind misspelt", "dealy by=1s", 1, `unknown fault "dealy", did you mean delay?`},
		{"kind in capitals", "Delay by=1s", 1, `unknown fault "Delay", did you mean delay?`},
		{"kind cut short", "band rate=1KB/s", 1, `unknown fault "band", did you mean bandwidth?`},
		{"kind of another tool", "latency by=1s", 1, `unknown fault "latency", did you mean delay?`},
		{"kind of another tool, near to one here", "Slicer size=1B", 1, `unknown fault "Slicer", did you mean slice?`},
		{"kind of another tool with a hyphen", "reset-peer", 1, `unknown fault "reset-peer", did you mean close reset?`},
		{"kind of another tool that is two here", "timeout", 1, `unknown fault "timeout", did you mean idle or discard?`},
		{"kind of another tool in a selector", "after bytes=1B reset_peer", 16, `after: unknown key or fault "reset_peer", did you mean close reset?`},
		{"kind of another tool behind a fault", "stall limit_data", 7, `stall: unknown key or fault "limit_data", did you mean limit?`},
		{"carried kind misspelt", "after bytes=1B dealy", 16, `after: unknown key or fault "dealy", did you mean delay?`},
		{"key misspelt", "delay  jiter=1s", 8, `delay: unknown key "jiter", did you mean jitter?`},
		{"key unlike any", "delay speed=1s", 7, `delay: unknown key "speed", want by, jitter, distribution or ordered`},
		{"key of a kind without any", "stall by=1s", 7, "stall: takes no keys, got by"},
		{"flag misspelt", "close rset", 7, `close: unknown key or fault "rset", did you mean reset?`},
		{"word unlike any", "delay by=1s xyzzy", 13, `delay: unknown key "xyzzy", want by, jitter, distribution or ordered`},
		{"word behind a kind without keys", "stall xyzzy", 7, "stall: takes no keys, and xyzzy is no fault"},
		{"value without key", "delay 200ms", 7, "delay: got 200ms without a key, such as by=200ms"},
		{"key of a selector behind its fault", "after stall bytes=1KiB", 13, `after: fault: stall: unknown key "bytes": it is one of after, whose keys stand before the fault it carries`},

		{"duration without unit", "delay by=200", 10, "delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"zero without unit", "delay by=0", 10, "delay: by: got 0, want a duration with its unit, such as 200ms"},
		{"duration with another unit", "delay by=2days", 10, "delay: by: got 2days, want a duration with its unit, such as 200ms"},
		{"negative duration", "delay by=-1s", 10, "delay: by: got -1s, want a duration of at least 0s"},
		{"duration of 300 years", "delay by=2628000h", 10, "delay: by: got 2628000h, want a duration of at most 8760h"},
		{"duration of two years", "delay by=17520h", 10, "delay: by: got 17520h, want a duration of at most 8760h"},
		{"key without value", "delay by", 7, "delay: by: got nothing, want a duration with its unit, such as 200ms"},
		{"key with empty value", "delay by= jitter=1s", 7, "delay: by: got nothing, want a duration with its unit, such as 200ms"},
		{"key given twice", "delay by=1s by=1s", 13, "delay: by is given twice"},
		{"flag given twice", "close reset reset=false", 13, "close: reset is given twice"},
		{"size without unit", "limit bytes=64", 13, "limit: bytes: got 64, want a size with its unit, such as 64KiB"},
		{"size with another unit", "limit bytes=64kb", 13, "limit: bytes: got 64kb, want 64KB"},
		{"size with the unit of 1024s in small letters", "limit bytes=1kib", 13, "limit: bytes: got 1kib, want 1KiB"},
		{"size in bits", "limit bytes=64kbit", 13, "limit: bytes: got 64kbit, want a size in B, KB, MB, GB, TB, KiB, MiB, GiB or TiB"},
		{"size in parts of a byte", "limit bytes=1.0001KB", 13, "limit: bytes: got 1.0001KB, want a whole number of bytes"},
		{"size of nothing", "limit bytes=0B", 13, "limit: bytes: got 0B, want a size above 0B"},
		{"negative size", "limit bytes=-1KiB", 13, "limit: bytes: got -1KiB, want a size above 0B"},
		{"size beyond all bounds", "limit bytes=99999999TiB", 13, "limit: bytes: got 99999999TiB, want a size of at most 1024TiB"},
		{"size left out", "stall limit shared", 7, "limit: bytes: got nothing, want a size with its unit, such as 64KiB"},
		{"rate without unit", "bandwidth rate=64", 16, "bandwidth: rate: got 64, want a rate with its unit, such as 64KiB/s or 10Mbit/s"},
		{"rate without time", "bandwidth rate=64KiB", 16, "bandwidth: rate: got 64KiB, want a rate with its unit, such as 64KiB/s or 10Mbit/s"},
		{"rate in another case", "bandwidth rate=1.5mib/s", 16, "bandwidth: rate: got 1.5mib/s, want 1.5MiB/s"},
		{"rate in bits or bytes", "bandwidth rate=64kb/s", 16, "bandwidth: rate: got 64kb/s, want 64KB/s or 64kbit/s"},
		{"rate in parts of a byte", "bandwidth rate=100bit/s", 16, "bandwidth: rate: got 100bit/s, want a whole number of bytes"},
		{"chance above 1", "corrupt rate=150%", 14, "corrupt: rate: got 150%, want a chance from 0 to 1"},
		{"chance above 1 within a selector", "after bytes=1B corrupt rate=150%", 29, "after: fault: corrupt: rate: got 150%, want a chance from 0 to 1"},
		{"chance above 1 behind another fault", "corrupt rate=50% sometimes chance=2.0 stall", 35, "sometimes: chance: got 2.0, want a chance from 0 to 1"},
		{"chance below 0", "corrupt rate=-10%", 14, "corrupt: rate: got -10%, want a chance from 0 to 1"},
		{"chance not a number", "corrupt rate=NaN", 14, "corrupt: rate: got NaN, want a chance such as 10% or 0.1"},
		{"chance in hexadecimal", "corrupt rate=0x1p-2", 14, "corrupt: rate: got 0x1p-2, want a chance such as 10% or 0.1"},
		{"count with fraction", "only first=1.5 stall", 12, "only: first: got 1.5, want a whole number such as 3"},
		{"flag neither true nor false", "close reset=yes", 13, "close: reset: got yes, want true or false"},
		{"choice", "delay distribution=zipf", 20, "delay: distribution: got zipf, want uniform, normal or pareto"},
		{"quote not closed", `substitute pattern="a b`, 20, `substitute: pattern: got "\"a b", want quotes as in Go`},
		{"quote inside", `substitute pattern=a"b"`, 20, `substitute: pattern: got "a\"b\"", want quotes around the whole value`},
		{"word behind a quote", `substitute pattern="a"b`, 20, `substitute: pattern: got "\"a\"b", want a blank behind the quotes`},
		{"text left out", "substitute with=b", 1, "substitute: pattern: got nothing, want a text"},

		{"selector without fault", "after bytes=1KiB", 1, "after: fault: got nothing, want the fault that it carries, such as delay by=200ms"},
		{"selector with fault as a key", "after bytes=1KiB fault=stall", 18, "after: fault: got stall, want the fault behind the keys of after, without fault="},
		{"second fault behind a selector", "after bytes=1KiB stall vanish", 24, "after: carries one fault, stall, and takes the rest of the line: vanish must stand before after or apart"},
		{"carried fault", "after bytes=1KiB delay by=200", 27, "after: fault: delay: by: got 200, want a duration with its unit, such as 200ms"},
		{"carried fault by its check", "after bytes=1KiB delay by=-1s", 27, "after: fault: delay: by: got -1s, want a duration of at least 0s"},
		{"its check of two keys, one missing", "lose p=10%", 1, "lose: r: got nothing, want a chance above 0, of at most 1, because there is p"},
		{"its check of all keys", "lose chance=10% every=2", 1, "lose: got chance and every, want just one of chance, p, every and list"},
		{"fault that fits no network", "bandwidth rate=1B/s queue=-1B", 27, "bandwidth: queue: got -1B, want a size of at least 0B"},
		{"its check of two keys", "close abrupt", 7, "close: abrupt: "},
		{"long value", "delay by=" + strings.Repeat("9", 100), 10, "delay: by: got " + strings.Repeat("9", 60) + "…, want a duration with its unit, such as 200ms"},
		{"control characters", "delay by=\x1b[31m", 10, `delay: by: got "\x1b[31m", want a duration with its unit, such as 200ms`},
		{"too deep", strings.Repeat("after bytes=1B ", 33) + "stall", 496, "stall: got 33 selectors around it, want at most 32"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			faults, err := spec.ParseFaults(tt.text)
			if err == nil {
				_, err = spec.ParseFault(tt.text)
			} else if faults != nil {
				t.Errorf("got faults %v beside an error", faults)
			}
			// What a fault says of itself is its own to word.
			if err == nil || err.Error() != tt.want && !(strings.HasSuffix(tt.want, ": ") && strings.HasPrefix(err.Error(), tt.want)) {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			where, ok := errors.AsType[*spec.Error](err)
			if !ok {
				t.Fatalf("got an error of type %T, want *spec.Error", err)
			}
			if where.Column != tt.column {
				t.Errorf("got column %d, want %d", where.Column, tt.column)
			}
		})
	}
}

func TestUnknownFaultListsAll(t *testing.T) {
	_, err := spec.ParseFault("xyzzy")
	for _, kind := range chaos.Kinds() {
		if !strings.Contains(err.Error(), kind.Name) {
			t.Errorf("got %v, want an error that lists %s", err, kind.Name)
		}
	}
}

func TestParseFaults(t *testing.T) {
	tests := []struct {
		text string
		want []chaos.Fault
	}{
		{"stall", []chaos.Fault{chaos.Stall{}}},
		{"delay by=1s delay by=1s", []chaos.Fault{chaos.Delay{By: time.Second}, chaos.Delay{By: time.Second}}},
		{"close reset stall", []chaos.Fault{chaos.Close{Reset: true}, chaos.Stall{}}},
		{"stall after bytes=1B vanish", []chaos.Fault{chaos.Stall{}, chaos.After{Bytes: 1, Fault: chaos.Vanish{}}}},
	}
	for _, tt := range tests {
		got, err := spec.ParseFaults(tt.text)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: got %v (-want +got):\n%s", tt.text, err, diff)
		}
	}
}

func TestTextOfWhatCannotBeRead(t *testing.T) {
	edit := chaos.Edit(func(b []byte) []byte { return b })
	tests := []struct {
		fault chaos.Fault
		want  string
	}{
		{edit, "chaos.Edit"},
		{chaos.After{Bytes: 1, Fault: edit}, "after bytes=1B chaos.Edit"},
		{chaos.After{Bytes: 1}, "after bytes=1B nil"},
		{nil, "nil"},
		{chaos.Delay{By: -time.Second}, "delay by=-1s"},
	}
	for _, tt := range tests {
		if got := spec.Text(tt.fault); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

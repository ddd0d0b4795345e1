package chaos_test

import (
	"context"
	"io"
	"net"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

// TestFaults holds every fault of the catalogue to the rules that faults have.
func TestFaults(t *testing.T) {
	type traits = chaostest.Traits
	shared := map[chaostest.Rule]string{chaostest.RuleConns: "it counts all connections together"}
	tests := []struct {
		name   string
		fault  chaos.Fault
		traits traits
	}{
		{"delay", chaos.Delay{By: 100 * time.Millisecond}, traits{Lossless: true}},
		{"delay of an hour", chaos.Delay{By: time.Hour}, traits{Lossless: true, Wait: 3 * time.Hour}},
		{"jitter", chaos.Delay{By: 20 * time.Millisecond, Jitter: 50 * time.Millisecond, Distribution: chaos.Normal}, traits{Lossless: true}},
		{"bandwidth", chaos.Bandwidth{Rate: 1000}, traits{Lossless: true}},
		{"bandwidth shared", chaos.Bandwidth{Rate: 10_000, Burst: 500, Shared: true}, traits{Lossless: true, Except: shared}},
		{"slice", chaos.Slice{Size: 10, Vary: 5}, traits{Lossless: true}},
		{"slice with a gap", chaos.Slice{Size: 100, Gap: 3 * time.Millisecond}, traits{Lossless: true}},
		{"concat", chaos.Concat{Size: 1500}, traits{Lossless: true}},
		{"concat within", chaos.Concat{Size: 1500, Within: 5 * time.Millisecond}, traits{Lossless: true}},
		{"corrupt", chaos.Corrupt{Rate: 0.01}, traits{SameHits: true}},
		{"corrupt everything", chaos.Corrupt{Flip: chaos.FlipBits}, traits{SameHits: true}},
		{"substitute", chaos.Substitute{Pattern: "[a-f]+([0-9])?", With: "<$1>"}, traits{SameHits: true}},
		{"substitute by nothing", chaos.Substitute{Pattern: "(?s)[a-f].{1,100}z"}, traits{
			SameHits: true, Except: map[chaostest.Rule]string{chaostest.RuleHole: "what it takes out looks lost"},
		}},
		{"substitute what is not there", chaos.Substitute{Pattern: "no(thing)+like this", With: "x"}, traits{Lossless: true, SameHits: true}},
		{"stall", chaos.Stall{}, traits{Lossless: true}},
		{"discard", chaos.Discard{}, traits{}},
		{"discard and resume", chaos.Discard{Resume: true}, traits{Except: map[chaostest.Rule]string{chaostest.RuleHole: "Resume asks for it"}}},
		{"vanish", chaos.Vanish{}, traits{}},
		{"close", chaos.Close{}, traits{Lossless: true, SameHits: true}},
		{"close by reset", chaos.Close{Reset: true, After: 5 * time.Millisecond}, traits{Lossless: true, SameHits: true}},
		{"close abruptly", chaos.Close{Reset: true, Abrupt: true, After: time.Minute}, traits{Lossless: true, SameHits: true}},
		{"close_on_data", chaos.CloseOnData{}, traits{Lossless: true, SameHits: true}},
		{"close_on_data by reset", chaos.CloseOnData{Reset: true}, traits{Lossless: true, SameHits: true}},
		{"limit", chaos.Limit{Bytes: 1234}, traits{Lossless: true, SameHits: true}},
		{"limit by reset", chaos.Limit{Bytes: 1, Reset: true}, traits{Lossless: true, SameHits: true}},
		{"limit not reached", chaos.Limit{Bytes: 1 << 20}, traits{Lossless: true, SameHits: true}},
		{"limit shared", chaos.Limit{Bytes: 1234, Shared: true}, traits{Lossless: true, SameHits: true, Except: shared}},
		{"lifetime", chaos.Lifetime{For: 5 * time.Millisecond}, traits{Lossless: true}},
		{"lifetime from data", chaos.Lifetime{For: time.Minute, Jitter: time.Second, From: chaos.FromData, Reset: true}, traits{Lossless: true}},
		{"idle", chaos.Idle{For: time.Second}, traits{Lossless: true}},
		{"slow_close", chaos.SlowClose{By: time.Second}, traits{Lossless: true, SameHits: true}},
		{"sometimes", chaos.Sometimes{Chance: 0.5, Fault: chaos.Delay{By: time.Second}}, traits{Lossless: true}},
		{"sometimes never", chaos.Sometimes{Fault: chaos.Corrupt{}}, traits{Lossless: true, SameHits: true}},
		{"after bytes", chaos.After{Bytes: 100, Fault: chaos.Corrupt{Rate: 0.1}}, traits{SameHits: true}},
		{"after time", chaos.After{Time: time.Second, Fault: chaos.Stall{}}, traits{Lossless: true}},
		{"during", chaos.During{For: time.Second, Every: 2 * time.Second, Fault: chaos.Stall{}}, traits{Lossless: true}},
		{"during, a fault that loses", chaos.During{Start: time.Millisecond, For: time.Second, Fault: chaos.Discard{}}, traits{}},
		{"only", chaos.Only{Every: 2, Fault: chaos.Limit{Bytes: 100}}, traits{Lossless: true, SameHits: true}},
		{"selectors in selectors", chaos.Sometimes{Chance: 1, Fault: chaos.After{Bytes: 7, Fault: chaos.Only{First: 9, Fault: chaos.Concat{Size: 300, Within: time.Second}}}}, traits{Lossless: true}},
		{"edit", chaos.Edit(shout), traits{SameHits: false}},
		{"edit of nothing", chaos.Edit(func(data []byte) []byte { return data }), traits{Lossless: true, SameHits: true}},
		{"through", chaos.Through(func(dst io.Writer, src io.Reader) error { _, err := io.Copy(dst, src); return err }), traits{Lossless: true}},
		{"detour", chaos.Detour{Address: "127.0.0.1:7"}, traits{Lossless: true, Start: startEchoService}},
	}
	named := map[string]bool{}
	for _, test := range tests {
		named[chaos.KindOf(test.fault)] = true
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			chaostest.TestFault(t, test.fault, test.traits)
		})
	}
	for _, kind := range catalogue() {
		if !named[kind.Name] {
			t.Errorf("%s is not in the table", kind.Name)
		}
	}
}

// catalogue returns the library's own kinds; tests may have registered others.
func catalogue() []chaos.Kind {
	return slices.DeleteFunc(chaos.Kinds(), func(kind chaos.Kind) bool { return reflect.TypeOf(kind.Fault).PkgPath() != modulePath })
}

// shout changes bytes one by one, so that it does not matter how they were read.
func shout(data []byte) []byte {
	for i, b := range data {
		if 'a' <= b && b <= 'z' {
			data[i] = b - 'a' + 'A'
		}
	}
	return data
}

// startEchoService sends everything back, at the echo port of a network.
func startEchoService(t testing.TB, network *chaostest.Network) {
	ln, err := network.Listen(context.Background(), "tcp", "127.0.0.1:7")
	if err != nil {
		t.Fatal(err)
	}
	var services sync.WaitGroup
	services.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			services.Go(func() { echoUntilEnd(conn) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		services.Wait()
	})
}

// echoUntilEnd sends back what comes, and passes a half-close on.
func echoUntilEnd(conn net.Conn) {
	defer conn.Close()
	if _, err := io.Copy(conn, conn); err == nil {
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}
}

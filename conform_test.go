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
		{"ordered", chaos.Delay{By: 20 * time.Millisecond, Jitter: 50 * time.Millisecond, Ordered: true}, traits{Lossless: true}},
		{"jitter of pareto", chaos.Delay{Jitter: 50 * time.Millisecond, Distribution: chaos.Pareto}, traits{Lossless: true}},
		{"jitter", chaos.Delay{By: 20 * time.Millisecond, Jitter: 50 * time.Millisecond, Distribution: chaos.Normal}, traits{Lossless: true}},
		{"bandwidth", chaos.Bandwidth{Rate: 1000}, traits{Lossless: true}},
		{"bandwidth shared", chaos.Bandwidth{Rate: 10_000, Burst: 500, Shared: true}, traits{Lossless: true, Except: shared}},
		{"bandwidth with a queue", chaos.Bandwidth{Rate: 1000, Queue: 400}, traits{Timed: true}},
		{"bandwidth with a queue, shared", chaos.Bandwidth{Rate: 2000, Queue: 100, Shared: true}, traits{Timed: true, Except: shared}},
		{"slice", chaos.Slice{Size: 10, Vary: 5}, traits{Lossless: true}},
		{"slice with a gap", chaos.Slice{Size: 100, Gap: 3 * time.Millisecond}, traits{Lossless: true}},
		{"concat", chaos.Concat{Size: 1500}, traits{Lossless: true}},
		{"concat within", chaos.Concat{Size: 1500, Within: 5 * time.Millisecond}, traits{Lossless: true}},
		{"corrupt", chaos.Corrupt{Rate: 0.01}, traits{SameHits: true}},
		{"corrupt everything", chaos.Corrupt{Flip: chaos.FlipBits}, traits{SameHits: true}},
		{"substitute", chaos.Substitute{Pattern: "[a-f]+([0-9])?", With: "<$1>"}, traits{SameHits: true, Resizes: true}},
		{"substitute by nothing", chaos.Substitute{Pattern: "(?s)[a-f].{1,100}z"}, traits{
			SameHits: true, Resizes: true, Except: map[chaostest.Rule]string{chaostest.RuleHole: "what it takes out looks lost"},
		}},
		{"substitute what is not there", chaos.Substitute{Pattern: "no(thing)+like this", With: "x"}, traits{Lossless: true, SameHits: true}},
		{"stall", chaos.Stall{}, traits{Lossless: true}},
		{"discard", chaos.Discard{}, traits{}},
		{"discard and resume", chaos.Discard{Resume: true}, traits{Except: map[chaostest.Rule]string{chaostest.RuleHole: "Resume asks for it"}}},
		{"vanish", chaos.Vanish{}, traits{}},
		{"close", chaos.Close{}, traits{Lossless: true, SameHits: true}},
		{"close later", chaos.Close{After: 5 * time.Millisecond}, traits{Lossless: true, Timed: true}},
		{"close by reset", chaos.Close{Reset: true, After: 5 * time.Millisecond}, traits{Lossless: true, SameHits: true}},
		{"close abruptly", chaos.Close{Reset: true, Abrupt: true, After: time.Minute}, traits{Lossless: true, SameHits: true}},
		{"close_on_data", chaos.CloseOnData{}, traits{Lossless: true, SameHits: true}},
		{"close_on_data by reset", chaos.CloseOnData{Reset: true}, traits{Lossless: true, SameHits: true}},
		{"limit", chaos.Limit{Bytes: 1234}, traits{Lossless: true, SameHits: true}},
		{"limit by reset", chaos.Limit{Bytes: 1, Reset: true}, traits{Lossless: true, SameHits: true}},
		{"limit not reached", chaos.Limit{Bytes: 1 << 20}, traits{Lossless: true, SameHits: true}},
		{"limit shared", chaos.Limit{Bytes: 1234, Shared: true}, traits{Lossless: true, SameHits: true, Except: shared}},
		{"lifetime", chaos.Lifetime{For: 5 * time.Millisecond}, traits{Lossless: true, Timed: true}},
		{"lifetime of a datagram", chaos.Lifetime{For: 5 * time.Millisecond, From: chaos.FromData}, traits{Lossless: true, Timed: true}},
		{"lifetime from data", chaos.Lifetime{For: time.Minute, Jitter: time.Second, From: chaos.FromData, Reset: true}, traits{Lossless: true}},
		{"idle soon", chaos.Idle{For: 3 * time.Millisecond}, traits{Lossless: true, Timed: true}},
		{"idle", chaos.Idle{For: time.Second}, traits{Lossless: true}},
		{"slow_close", chaos.SlowClose{By: time.Second}, traits{Lossless: true, SameHits: true}},
		{"sometimes", chaos.Sometimes{Chance: 0.5, Fault: chaos.Delay{By: time.Second}}, traits{Lossless: true}},
		{"sometimes never", chaos.Sometimes{Fault: chaos.Corrupt{}}, traits{Lossless: true, SameHits: true}},
		{"after bytes", chaos.After{Bytes: 100, Fault: chaos.Corrupt{Rate: 0.1}}, traits{SameHits: true}},
		{"after time", chaos.After{Time: time.Second, Fault: chaos.Stall{}}, traits{Lossless: true}},
		{"during", chaos.During{For: time.Second, Every: 2 * time.Second, Fault: chaos.Stall{}}, traits{Lossless: true}},
		{"during, a fault that loses", chaos.During{Start: time.Millisecond, For: time.Second, Fault: chaos.Discard{}}, traits{Timed: true}},
		{"only", chaos.Only{Every: 2, Fault: chaos.Limit{Bytes: 100}}, traits{Lossless: true, SameHits: true}},
		{"selectors in selectors", chaos.Sometimes{Chance: 1, Fault: chaos.After{Bytes: 7, Fault: chaos.Only{First: 9, Fault: chaos.Concat{Size: 300, Within: time.Second}}}}, traits{Lossless: true}},
		{"edit", chaos.Edit(shout), traits{SameHits: false}},
		{"edit of nothing", chaos.Edit(func(data []byte) []byte { return data }), traits{Lossless: true, SameHits: true}},
		{"through", chaos.Through(relay), traits{Lossless: true}},
		{"lose", chaos.Lose{Chance: 0.3}, traits{SameHits: true}},
		{"lose little", chaos.Lose{Chance: 0.001}, traits{SameHits: true}},
		{"lose everything", chaos.Lose{Chance: 1}, traits{SameHits: true}},
		{"lose in bursts", chaos.Lose{Chance: 0.3, Burst: 4}, traits{SameHits: true}},
		{"lose, a wire that goes bad", chaos.Lose{P: 0.2, R: 0.4}, traits{SameHits: true}},
		{"lose, a wire that goes worse", chaos.Lose{P: 0.3, R: 0.3, H: 0.5, K: 0.9}, traits{SameHits: true}},
		{"lose every", chaos.Lose{Every: 3}, traits{SameHits: true}},
		{"lose a list", chaos.Lose{List: "1,4,7-9,40-1000"}, traits{SameHits: true}},
		{"duplicate", chaos.Duplicate{Chance: 0.5}, traits{SameHits: true}},
		{"duplicate everything", chaos.Duplicate{Chance: 1, Copies: 3}, traits{SameHits: true}},
		{"reorder", chaos.Reorder{Chance: 0.3}, traits{Lossless: true, SameHits: true}},
		{"reorder far", chaos.Reorder{Chance: 0.1, Gap: 5}, traits{Lossless: true, SameHits: true}},
		{"reorder shortly", chaos.Reorder{Chance: 0.5, Gap: 3, Within: time.Millisecond}, traits{Lossless: true, SameHits: true}},
		{"reorder everything", chaos.Reorder{Chance: 1, Gap: 2, Within: time.Minute}, traits{Lossless: true, SameHits: true}},
		{"truncate", chaos.Truncate{Size: 20}, traits{SameHits: true, Resizes: true}},
		{"truncate to a byte", chaos.Truncate{Size: 1}, traits{SameHits: true, Resizes: true}},
		{"truncate nothing", chaos.Truncate{Size: 1000}, traits{Lossless: true, SameHits: true}},
		{"mtu", chaos.MTU{Size: 50}, traits{SameHits: true}},
		{"mtu of a byte", chaos.MTU{Size: 1}, traits{SameHits: true}},
		{"mtu of enough", chaos.MTU{Size: 1472}, traits{Lossless: true, SameHits: true}},
		{"rebind", chaos.Rebind{}, traits{Lossless: true, SameHits: true}},
		{"rebind again and again", chaos.Rebind{Every: 10 * time.Millisecond}, traits{Lossless: true, Wait: time.Second}},
		{"lose in selectors", chaos.Sometimes{Chance: 1, Fault: chaos.After{Bytes: 50, Fault: chaos.Only{First: 9, Fault: chaos.Lose{Chance: 0.5}}}}, traits{SameHits: true}},
		{"reorder for a while", chaos.During{For: 20 * time.Millisecond, Every: 30 * time.Millisecond, Fault: chaos.Reorder{Chance: 0.5, Gap: 3}}, traits{Lossless: true, Wait: time.Second}},
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

// relay passes on what comes as it comes. Unlike io.Copy it does not lose an empty datagram.
func relay(dst io.Writer, src io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = dst.Write(buf[:n])
		}
		if err != nil {
			return err
		}
	}
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

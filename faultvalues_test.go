package chaos_test

import (
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

func TestBadValuesOfFaults(t *testing.T) {
	delay := chaos.Delay{By: time.Second}
	tests := []struct {
		name    string
		network string
		fault   chaos.Fault
		want    string
	}{
		{"delay", "", chaos.Delay{By: -1}, "delay: by: got -1ns, want a duration of at least 0s"},
		{"delay distribution", "", chaos.Delay{Distribution: "flat"}, "delay: distribution: got flat, want one of uniform, normal, pareto"},
		{"bandwidth", "", chaos.Bandwidth{}, "bandwidth: rate: got 0B/s, want a rate above 0B/s"},
		{"bandwidth rate -1", "", chaos.Bandwidth{Rate: -1}, "bandwidth: rate: got -1B/s, want a rate above 0B/s"},
		{"bandwidth burst", "", chaos.Bandwidth{Rate: 1, Burst: -1}, "bandwidth: burst: got -1B, want a size of at least 0B"},
		{"slice", "", chaos.Slice{}, "slice: size: got 0B, want a size above 0B"},
		{"slice vary", "", chaos.Slice{Size: 3, Vary: 3}, "slice: vary: got 3B, want a size below 3B, the piece's"},
		{"slice of datagrams", "udp", chaos.Slice{Size: 3}, "slice: got udp, want a network of streams, because a datagram is never cut"},
		{"concat", "", chaos.Concat{}, "concat: size: got 0B, want a size above 0B"},
		{"concat too much", "", chaos.Concat{Size: 64<<20 + 1}, "concat: size: got 67108865B, want a size of at most 64MiB"},
		{"concat datagrams", "udp", chaos.Concat{Size: 3}, "concat: got udp, want a network of streams, because datagrams are never joined"},
		{"corrupt", "", chaos.Corrupt{Rate: 1.5}, "corrupt: rate: got 1.5, want a chance from 0 to 1"},
		{"corrupt flip", "", chaos.Corrupt{Flip: "words"}, "corrupt: flip: got words, want one of bytes, bits"},
		{"substitute nothing", "", chaos.Substitute{}, "substitute: pattern: got nothing, want a text"},
		{"substitute", "", chaos.Substitute{Pattern: "("}, "substitute: pattern: error parsing regexp: missing closing ): `(`"},
		{"close abruptly", "", chaos.Close{Abrupt: true}, "close: abrupt: got true, want false without reset: only a reset can be abrupt"},
		{"close unix", "unix", chaos.Close{Reset: true}, "close: reset: got true, want false, because a unix socket has no RST"},
		{"close_on_data unix", "unix", chaos.CloseOnData{Reset: true}, "close_on_data: reset: got true, want false, because a unix socket has no RST"},
		{"limit", "", chaos.Limit{}, "limit: bytes: got 0B, want a size above 0B"},
		{"limit unix", "unix", chaos.Limit{Bytes: 1, Reset: true}, "limit: reset: got true, want false, because a unix socket has no RST"},
		{"lifetime", "", chaos.Lifetime{}, "lifetime: for: got 0s, want a duration above 0s"},
		{"lifetime from", "", chaos.Lifetime{For: 1, From: "birth"}, "lifetime: from: got birth, want one of accept, data"},
		{"lifetime unix", "unix", chaos.Lifetime{For: 1, Reset: true}, "lifetime: reset: got true, want false, because a unix socket has no RST"},
		{"idle", "", chaos.Idle{For: -1}, "idle: for: got -1ns, want a duration above 0s"},
		{"idle unix", "unix", chaos.Idle{For: 1, Reset: true}, "idle: reset: got true, want false, because a unix socket has no RST"},
		{"slow_close", "", chaos.SlowClose{}, "slow_close: by: got 0s, want a duration above 0s"},
		{"slow_close of datagrams", "udp", chaos.SlowClose{By: 1}, "slow_close: got udp, want a network of streams, because datagrams have no end of the stream"},
		{"bandwidth queue", "", chaos.Bandwidth{Rate: 1, Queue: 5}, "bandwidth: queue: got 5B, want none, because a stream waits at its sender"},
		{"bandwidth queue of datagrams", "udp", chaos.Bandwidth{Rate: 1, Queue: -5}, "bandwidth: queue: got -5B, want a size of at least 0B"},
		{"close udp", "udp", chaos.Close{Reset: true}, "close: reset: got true, want false, because udp has no RST"},
		{"close udp abruptly", "udp4", chaos.Close{Reset: true, Abrupt: true}, "close: reset: got true, want false, because udp has no RST"},
		{"close_on_data udp", "udp6", chaos.CloseOnData{Reset: true}, "close_on_data: reset: got true, want false, because udp has no RST"},
		{"limit udp", "udp", chaos.Limit{Bytes: 1, Reset: true}, "limit: reset: got true, want false, because udp has no RST"},
		{"lifetime udp", "udp", chaos.Lifetime{For: 1, Reset: true}, "lifetime: reset: got true, want false, because udp has no RST"},
		{"idle udp", "udp", chaos.Idle{For: 1, Reset: true}, "idle: reset: got true, want false, because udp has no RST"},
		{"lose bytes", "", chaos.Lose{Chance: 0.1}, "lose: got tcp, want a network of datagrams, because a stream loses nothing"},
		{"lose on unix", "unix", chaos.Lose{Chance: 0.1}, "lose: got unix, want a network of datagrams, because a stream loses nothing"},
		{"lose nothing", "udp", chaos.Lose{}, "lose: got nothing, want just one of chance, p, every and list"},
		{"lose too much", "udp", chaos.Lose{Chance: 0.1, Every: 2, List: "1"}, "lose: got chance and every and list, want just one of chance, p, every and list"},
		{"lose chance", "udp", chaos.Lose{Chance: 1.1}, "lose: chance: got 1.1, want a chance from 0 to 1"},
		{"lose burst", "udp", chaos.Lose{Every: 2, Burst: 3}, "lose: burst: got 3, want none without chance"},
		{"lose p", "udp", chaos.Lose{P: 0.1}, "lose: r: got nothing, want a chance above 0, of at most 1, because there is p"},
		{"lose r", "udp", chaos.Lose{Chance: 0.1, R: 0.5}, "lose: r: got 0.5, want none without p"},
		{"lose h", "udp", chaos.Lose{Chance: 0.1, H: 0.5}, "lose: h: got 0.5, want none without p"},
		{"lose k", "udp", chaos.Lose{Every: 1, K: 0.5}, "lose: k: got 0.5, want none without p"},
		{"lose every", "udp", chaos.Lose{Every: -1}, "lose: every: got -1, want a count of at least 0"},
		{"lose list", "udp", chaos.Lose{List: "1,x"}, "lose: list: got 1,x, want a number from 1 to 1125899906842624 at column 3, as in 1,4,7-9"},
		{"duplicate bytes", "", chaos.Duplicate{Chance: 1}, "duplicate: got tcp, want a network of datagrams, because a stream has every byte once"},
		{"duplicate nothing", "udp", chaos.Duplicate{}, "duplicate: chance: got 0, want a chance above 0, of at most 1"},
		{"duplicate copies", "udp", chaos.Duplicate{Chance: 1, Copies: 1001}, "duplicate: copies: got 1001, want a count of at most 1000"},
		{"reorder bytes", "", chaos.Reorder{Chance: 1}, "reorder: got tcp, want a network of datagrams, because a stream stays in order"},
		{"reorder nothing", "udp", chaos.Reorder{}, "reorder: chance: got 0, want a chance above 0, of at most 1"},
		{"reorder gap", "udp", chaos.Reorder{Chance: 1, Gap: -1}, "reorder: gap: got -1, want a count of at least 0"},
		{"reorder within", "udp", chaos.Reorder{Chance: 1, Within: -1}, "reorder: within: got -1ns, want a duration of at least 0s"},
		{"truncate bytes", "", chaos.Truncate{Size: 1}, "truncate: got tcp, want a network of datagrams, because a stream has nothing that could be cut short"},
		{"truncate", "udp", chaos.Truncate{}, "truncate: size: got 0B, want a size above 0B"},
		{"mtu of bytes", "", chaos.MTU{Size: 1}, "mtu: got tcp, want a network of datagrams, because a stream finds out by itself what passes"},
		{"mtu", "udp", chaos.MTU{Size: -1}, "mtu: size: got -1B, want a size above 0B"},
		{"rebind a connection", "", chaos.Rebind{}, "rebind: got tcp, want a network of datagrams, because a connection cannot move to another port"},
		{"rebind", "udp", chaos.Rebind{Every: -1}, "rebind: every: got -1ns, want a duration of at least 0s"},
		{"carried by a selector", "", chaos.After{Bytes: 1, Fault: chaos.MTU{Size: 1}}, "after: fault: mtu: got tcp, want a network of datagrams, because a stream finds out by itself what passes"},
		{"sometimes", "", chaos.Sometimes{Chance: -0.1, Fault: delay}, "sometimes: chance: got -0.1, want a chance from 0 to 1"},
		{"sometimes nothing", "", chaos.Sometimes{Chance: 0.1}, "sometimes: fault: got nil, want a fault"},
		{"after nothing", "", chaos.After{Fault: delay}, "after: got nothing, want either bytes or time"},
		{"after both", "", chaos.After{Bytes: 1, Time: 1, Fault: delay}, "after: got both, want either bytes or time"},
		{"during", "", chaos.During{Fault: delay}, "during: for: got 0s, want a duration above 0s"},
		{"during every", "", chaos.During{For: 2, Every: 1, Fault: delay}, "during: every: got 1ns, want a duration of at least 2ns, as long as it lasts"},
		{"during start", "", chaos.During{For: 2, Start: -1, Fault: delay}, "during: start: got -1ns, want a duration of at least 0s"},
		{"only", "", chaos.Only{Fault: delay}, "only: got nothing, want one of first, nth, every and from at least"},
		{"only from", "", chaos.Only{From: "10.0.0.0/33", Fault: delay}, "only: from: got 10.0.0.0/33, want an IP address or a prefix, such as 10.1.0.0/16"},
		{"only first", "", chaos.Only{First: -1, Fault: delay}, "only: first: got -1, want a count of at least 0"},
		{"edit", "", chaos.Edit(nil), "chaos.Edit: got nil, want a function"},
		{"through", "", chaos.Through(nil), "chaos.Through: got nil, want a function"},
		{"detour nowhere", "", chaos.Detour{}, "detour: address: got nothing, want a text"},
		{"detour", "", chaos.Detour{Address: "localhost"}, "detour: address: got localhost, want host:port"},
		{"carried", "unix", chaos.After{Bytes: 1, Fault: chaos.Close{Reset: true}}, "after: fault: close: reset: got true, want false, because a unix socket has no RST"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := chaos.Check(tt.network, tt.fault)
			if err == nil {
				t.Fatalf("got no error, want %q", tt.want)
			}
			if got := err.Error(); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestARefusedChangeChangesNothing holds that the faults which were there stay.
func TestARefusedChangeChangesNothing(t *testing.T) {
	b := chaos.NewBareLine(&chaos.Gate{Seed: 1}, 1, "", false, time.Unix(0, 0))
	was := b.Flow.Set(chaos.Delay{By: time.Second})
	for name, change := range map[string]func(){
		"Set":    func() { b.Flow.Set(chaos.Discard{}, chaos.Bandwidth{}) },
		"Add":    func() { b.Flow.Add(chaos.Substitute{Pattern: "["}) },
		"Change": func() { was[0].Change(chaos.Slice{}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if _, ok := recover().(*chaos.FaultError); !ok {
					t.Error("got no panic with a FaultError")
				}
				if now := b.Flow.Imposed(); len(now) != 1 || now[0] != was[0] || now[0].Fault() != (chaos.Delay{By: time.Second}) {
					t.Errorf("got %v imposed, want the delay that was", now)
				}
			}()
			change()
		})
	}
}

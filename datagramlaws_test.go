package chaos_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// A delivery is a datagram that has left a line.
type delivery struct {
	data string
	at   time.Duration
}

// playDatagrams sends datagrams through faults, each at its moment, and returns what comes out.
func playDatagrams(t *testing.T, faults []chaos.Fault, seed uint64, data [][]byte, moments []time.Duration) (out []delivery) {
	t.Helper()
	start := time.Unix(0, 0)
	now := start
	b := chaos.NewBareLine(&chaos.Gate{Seed: seed}, 1, "10.0.0.1:1", true, now)
	b.Flow.Set(faults...)
	b.Obey()
	until := func(end time.Time) {
		for {
			b.Advance(now)
			for data, _, _, ok := b.Due(); ok; data, _, _, ok = b.Due() {
				out = append(out, delivery{string(data), now.Sub(start)})
				b.Sent()
			}
			next := b.Next()
			if next.IsZero() || next.After(end) {
				break
			}
			now = later(now, next)
		}
		now = later(now, end)
	}
	for i, d := range data {
		until(start.Add(moments[i]))
		b.Advance(now)
		buf := bytes.Clone(d)
		b.Push(buf, chaos.More)
		for k := range buf { // it is the gate's buffer, which is used again
			buf[k] = '#'
		}
	}
	until(start.Add(1000 * time.Hour))
	b.Close()
	if cost, n := b.Held(); cost != 0 || n != 0 {
		t.Errorf("after the end: got %d bytes held, and %d counted, want none", n, cost)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// numbered returns datagrams of so many bytes that begin with their numbers.
func numbered(n, size int) (data [][]byte) {
	for i := range n {
		d := bytes.Repeat([]byte{'a'}, size)
		binary.BigEndian.PutUint32(d, uint32(i))
		data = append(data, d)
	}
	return data
}

// TestTimingDoesNotMatter holds the promise that the same seed gives the same fate to the n-th datagram of the n-th session, whenever it comes.
func TestTimingDoesNotMatter(t *testing.T) {
	for _, faults := range []string{
		"lose chance=30%",
		"lose chance=30% burst=4",
		"lose p=10% r=30% h=20% k=95%",
		"lose every=3 lose list=1,5-7 mtu size=30B truncate size=20B",
		"duplicate chance=40% copies=2 lose chance=50% corrupt rate=10%",
		"delay by=10ms jitter=10ms lose chance=20% burst=3",
		"delay jitter=30ms distribution=normal ordered corrupt rate=5% flip=bits",
		"delay jitter=30ms reorder chance=30% gap=2 lose chance=50% duplicate chance=50%",
		"delay jitter=30ms bandwidth rate=10KB/s queue=1MB lose chance=50% delay jitter=10ms distribution=pareto corrupt rate=1%",
		"reorder chance=50% within=10ms edit_by code=upper lose chance=40%",
		"duplicate chance=30% substitute pattern=a with=bc lose chance=40%",
		"after bytes=600B lose chance=50% | sometimes chance=50% duplicate chance=50%",
		"limit bytes=1000B delay by=1s jitter=1s",
	} {
		t.Run(faults, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 2))
			data := numbered(100, 25)
			data[7] = data[7][:0]
			var want []string
			for round := range 10 {
				moments := make([]time.Duration, len(data))
				for i := 1; i < len(moments) && round > 0; i++ { // at once at first
					moments[i] = moments[i-1] + time.Duration(rng.Int64N(int64(20*time.Millisecond)))*time.Duration(rng.IntN(2))
				}
				var got []string
				for _, d := range playDatagrams(t, parse(t, faults), seed, data, moments) {
					got = append(got, d.data)
				}
				slices.Sort(got)
				if round == 0 {
					want = got
				} else if !slices.Equal(got, want) {
					t.Fatalf("at %v: got\n%q\nwant what came out when all came at once\n%q", moments, got, want)
				}
			}
		})
	}
}

// TestDatagramsAreNotLostByWhatLosesNone imposes such faults, changes them and lifts them while datagrams come. Each comes out once, as it was.
func TestDatagramsAreNotLostByWhatLosesNone(t *testing.T) {
	faults := parse(t, "delay by=10ms jitter=20ms delay by=10ms jitter=20ms ordered bandwidth rate=100KB/s queue=1GB stall "+
		"reorder chance=50% gap=2 reorder chance=100% within=5ms lose p=0.0000001% r=1% mtu size=64KB truncate size=64KB rebind every=1ms "+
		"after bytes=100B delay by=5ms | after bytes=50B stall | after time=30ms reorder chance=50% within=1h | "+
		"during for=20ms every=50ms stall | during for=20ms every=50ms reorder chance=70% | during for=20ms every=50ms bandwidth rate=1KB/s queue=1GB | "+
		"sometimes chance=50% delay jitter=50ms distribution=pareto | bandwidth rate=50KB/s shared queue=1GB | idle for=8760h | limit bytes=1GB | "+
		"substitute pattern=xyzzy with=z | corrupt rate=0.0000000001%")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	for range 300 {
		now := time.Unix(0, 0)
		b := chaos.NewBareLine(&chaos.Gate{Seed: seed}, 1, "", true, now)
		got := map[string]int{}
		var script []string
		did := func(format string, args ...any) {
			script = append(script, fmt.Sprintf("%v: ", now.Sub(time.Unix(0, 0)))+fmt.Sprintf(format, args...))
		}
		leave := func() {
			for data, end, by, ok := b.Due(); ok; data, end, by, ok = b.Due() {
				if end != chaos.More {
					t.Fatalf("got %v by %s", end, by)
				}
				got[string(data)]++
				b.Sent()
			}
		}
		data := numbered(rng.IntN(200), 40)
		for n := 0; n < len(data); {
			switch rng.IntN(6) {
			case 0:
				for _, i := range b.Flow.Imposed() {
					if rng.IntN(3) == 0 {
						i.Lift()
						did("lift %s", spec.Text(i.Fault()))
					}
				}
				for range rng.IntN(3) {
					i := b.Flow.Add(faults[rng.IntN(len(faults))])
					did("add %s", spec.Text(i.Fault()))
				}
				b.Obey()
			case 1:
				if set := b.Flow.Imposed(); len(set) > 0 {
					k := rng.IntN(len(set))
					set[k].Change(faults[rng.IntN(len(faults))])
					did("change %d %s", k, spec.Text(set[k].Fault()))
					b.Obey()
				}
			case 2:
				now = now.Add(time.Duration(rng.IntN(int(20 * time.Millisecond))))
				b.Advance(now)
			default:
				did("read %d", n)
				b.Push(bytes.Clone(data[n]), chaos.More) // held or not: what reaches a fault must not be lost
				n++
			}
			leave()
		}
		b.Flow.Set()
		b.Obey()
		b.Advance(now)
		leave()
		for n, d := range data {
			if got[string(d)] != 1 {
				t.Fatalf("got datagram %d of %d %d times, want it once, after\n%s", n, len(data), got[string(d)], strings.Join(script, "\n"))
			}
		}
		if cost, n := b.Held(); cost != 0 || n != 0 || b.Lost() != 0 {
			t.Fatalf("with nothing imposed: got %d bytes held, %d counted, %d lost, want none", n, cost, b.Lost())
		}
	}
}

// losses returns which of n datagrams a fault loses.
func losses(t *testing.T, fault chaos.Lose, seed uint64, n int) []bool {
	t.Helper()
	lost := make([]bool, n)
	for i := range lost {
		lost[i] = true
	}
	for _, d := range playDatagrams(t, []chaos.Fault{fault}, seed, numbered(n, 4), make([]time.Duration, n)) {
		lost[binary.BigEndian.Uint32([]byte(d.data))] = false
	}
	return lost
}

// runs returns how long the runs of losses are that end before the last datagram.
func runs(lost []bool) (lengths []int) {
	n := 0
	for _, l := range lost {
		if l {
			n++
		} else if n > 0 {
			lengths = append(lengths, n)
			n = 0
		}
	}
	return lengths
}

// TestLossesByChance compares the share of datagrams that are lost, and the length of the runs, with what they must be. The seeds are fixed:
// what holds today holds tomorrow. That the bounds are 99 of 100 is why there are some.
func TestLossesByChance(t *testing.T) {
	const n = 40_000
	tests := []struct {
		fault chaos.Lose
		share float64
		run   float64 // the mean length of a run, 0 if it is not looked at
		wider float64 // by how much losses that come in runs make the share vary more
	}{
		{chaos.Lose{Chance: 0.05}, 0.05, 1 / 0.95, 1},
		{chaos.Lose{Chance: 0.5}, 0.5, 2, 1},
		{chaos.Lose{Chance: 0.05, Burst: 4}, 0.05, 0, 2},
		{chaos.Lose{Chance: 0.4, Burst: 10}, 0.4, 0, 3.2},
		{chaos.Lose{P: 0.02, R: 0.25}, 0.02 / 0.27, 4, 2.7},
		{chaos.Lose{P: 0.1, R: 0.4, H: 0.3, K: 0.99}, 0.2*0.7 + 0.8*0.01, 0, 2},
		{chaos.Lose{Chance: 1, Burst: 3}, 1, 0, 1},
	}
	for _, tt := range tests {
		t.Run(spec.Text(tt.fault), func(t *testing.T) {
			for seed := range uint64(3) {
				lost := losses(t, tt.fault, seed+1, n)
				count := 0
				for _, l := range lost {
					if l {
						count++
					}
				}
				// The normal approximation of the 99 % interval, which is as good as any for so many.
				within := 2.576 * math.Sqrt(tt.share*(1-tt.share)/n) * tt.wider
				if got := float64(count) / n; math.Abs(got-tt.share) > within {
					t.Errorf("seed %d: got a share of %.4f lost, want %.4f ± %.4f", seed+1, got, tt.share, within)
				}
				lengths := runs(lost)
				sum := 0
				for _, length := range lengths {
					sum += length
					if b := max(1, tt.fault.Burst); length%b != 0 {
						t.Errorf("seed %d: got a run of %d, want multiples of %d", seed+1, length, b)
					}
				}
				if tt.run > 0 {
					// A run's length is geometric: its variance is run·(run-1).
					within := 2.576 * math.Sqrt(tt.run*(tt.run-1)/float64(len(lengths)))
					if got := float64(sum) / float64(len(lengths)); math.Abs(got-tt.run) > within {
						t.Errorf("seed %d: got runs of %.3f, want %.3f ± %.3f", seed+1, got, tt.run, within)
					}
				}
			}
		})
	}
}

// TestBandwidthBehindJitter sends faster than the rate, through a delay that reorders. In no time more passes than may, and the line is never idle
// while something waits.
func TestBandwidthBehindJitter(t *testing.T) {
	const rate, burst, size = 10_000, 100, 50
	const n = 2000
	moments := make([]time.Duration, n)
	for i := range moments {
		moments[i] = time.Duration(i) * time.Millisecond
	}
	faults := []chaos.Fault{
		chaos.Delay{By: 50 * time.Millisecond, Jitter: 50 * time.Millisecond},
		chaos.Bandwidth{Rate: rate, Queue: 3000},
		chaos.Delay{By: time.Second},
	}
	out := playDatagrams(t, faults, 1, numbered(n, size), moments)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			passed, most := (j-i)*size, float64(out[j].at-out[i].at)/float64(time.Second)*rate+burst+1
			if float64(passed) > most {
				t.Fatalf("from %v to %v: got %d bytes, want at most %.0f", out[i].at, out[j].at, passed, most)
			}
		}
	}
	first, last := out[0].at, out[len(out)-1].at
	// Half of what arrives does not fit: the line is busy all the time, and at the end the queue of 3000 bytes leaves.
	if got, want := float64(len(out)-1)*size, float64(last-first)/float64(time.Second)*rate; math.Abs(got-want) > 0.02*want {
		t.Errorf("got %.0f bytes in %v, want %.0f", got, last-first, want)
	}
	if got := last - moments[n-1]; got < 1200*time.Millisecond || got > 1500*time.Millisecond {
		t.Errorf("got the last %v after it was sent, want the queue's 300ms and the delays", got)
	}
}

// TestQueueNeverHoldsMore has a datagram leave no later than the queue lets it wait.
func TestQueueNeverHoldsMore(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	moments := make([]time.Duration, 1000)
	for i := 1; i < len(moments); i++ {
		moments[i] = moments[i-1] + time.Duration(rng.Int64N(int64(8*time.Millisecond)))
	}
	out := playDatagrams(t, []chaos.Fault{chaos.Bandwidth{Rate: 10_000, Queue: 500}}, 1, numbered(1000, 50), moments)
	if len(out) == 1000 || len(out) < 700 {
		t.Errorf("got %d of 1000 datagrams, want some lost and most passed", len(out))
	}
	for _, d := range out {
		// 500 bytes and the datagram itself take 55 ms.
		if waited := d.at - moments[binary.BigEndian.Uint32([]byte(d.data))]; waited > 55*time.Millisecond {
			t.Fatalf("got a datagram that waited %v, want at most 55ms", waited)
		}
	}
}

func TestDatagramsAllocateNothing(t *testing.T) {
	for _, faults := range []string{
		"delay by=10ms jitter=9ms",
		"delay by=10ms jitter=9ms ordered",
		"bandwidth rate=100KB/s",
		"delay by=10ms jitter=9ms bandwidth rate=100KB/s",
		"lose chance=10% burst=2",
		"lose p=1% r=30%",
		"lose list=1,4,7-9",
		"duplicate chance=50%",
		"reorder chance=30%",
		"delay by=10ms jitter=9ms reorder chance=30% gap=3",
		"truncate size=50B mtu size=60B",
	} {
		t.Run(faults, func(t *testing.T) {
			now := time.Unix(0, 0)
			b := chaos.NewBareLine(&chaos.Gate{Seed: 1}, 1, "", true, now)
			b.Flow.Set(parse(t, faults)...)
			b.Obey()
			data := make([]byte, 100)
			step := func() {
				now = now.Add(time.Millisecond)
				b.Advance(now)
				b.Push(data, chaos.More)
				for _, _, _, ok := b.Due(); ok; _, _, _, ok = b.Due() {
					b.Sent()
				}
			}
			for range 20_000 {
				step()
			}
			if n := testing.AllocsPerRun(10_000, step); n != 0 {
				t.Errorf("got %v allocations for a datagram, want none", n)
			}
		})
	}
}

// BenchmarkUnderWay has 10,000 segments under way, of which one leaves when another comes.
func BenchmarkUnderWay(b *testing.B) {
	for _, bb := range []struct {
		name      string
		datagrams bool
		jitter    time.Duration
	}{{"stream", false, 0}, {"datagrams in order", true, 0}, {"datagrams out of order", true, 90 * time.Millisecond}} {
		b.Run(bb.name, func(b *testing.B) {
			now := time.Unix(0, 0)
			l := chaos.NewBareLine(&chaos.Gate{Seed: 1}, 1, "", bb.datagrams, now)
			l.Flow.Set(chaos.Delay{By: 100 * time.Millisecond, Jitter: bb.jitter})
			l.Obey()
			data := make([]byte, 100)
			step := func() {
				now = now.Add(10 * time.Microsecond)
				l.Advance(now)
				l.Push(data, chaos.More)
				for _, _, _, ok := l.Due(); ok; _, _, _, ok = l.Due() {
					l.Sent()
				}
			}
			for range 20_000 {
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}

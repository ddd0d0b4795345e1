package chaos_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// parse reads faults as a script does.
func parse(t *testing.T, text string) (faults []chaos.Fault) {
	t.Helper()
	for part := range strings.SplitSeq(text, " | ") {
		more, err := spec.ParseFaults(part)
		if err != nil {
			t.Fatal(err)
		}
		faults = append(faults, more...)
	}
	return faults
}

// An outcome is what has become of a stream, however it was read.
type outcome struct {
	data string
	ends string
	hits string
}

// play sends a stream through faults in chunks and returns what comes out, however long that takes. Each chunk is
// overwritten when it was pushed: it is the gate's buffer, which is used again.
func play(t *testing.T, faults []chaos.Fault, seed uint64, chunks [][]byte) (out outcome) {
	t.Helper()
	now := time.Unix(0, 0)
	b := chaos.NewBareLine(&chaos.Gate{Seed: seed}, 1, "10.0.0.1:1", false, now)
	imposed := b.Flow.Set(faults...)
	b.Obey()
	var data bytes.Buffer
	over := false
	leave := func() {
		for got, end, by, ok := b.Due(); ok && !over; got, end, by, ok = b.Due() {
			data.Write(got)
			b.Sent()
			if end != chaos.More {
				out.ends += fmt.Sprint(end, " ", by)
				over = true
			}
		}
	}
	push := func(chunk []byte, end chaos.End) {
		b.Push(chunk, end)
		for i := range chunk {
			chunk[i] = '#'
		}
		leave()
	}
	for _, chunk := range chunks {
		push(bytes.Clone(chunk), chaos.More)
	}
	push(nil, chaos.FIN)
	for range 1_000_000 {
		next := b.Next()
		if how, _, _ := b.Ending(); next.IsZero() || over || how != chaos.More {
			break
		}
		if next.After(now) {
			now = next
		}
		b.Advance(now)
		leave()
	}
	if how, by, _ := b.Ending(); how != chaos.More {
		out.ends += fmt.Sprint(how, " ", by)
	}
	b.Close()
	if cost, n := b.Held(); cost != 0 || n != 0 {
		t.Errorf("after the end: got %d bytes held, and %d counted, want none", n, cost)
	}
	for _, i := range imposed {
		out.hits += fmt.Sprint(i.Hits(), " ")
	}
	out.data = data.String()
	return out
}

// cut cuts a stream into chunks, many of them short.
func cut(rng *rand.Rand, stream []byte) (chunks [][]byte) {
	for len(stream) > 0 {
		n := 1 + rng.IntN(8)
		if rng.IntN(4) == 0 {
			n = 1 + rng.IntN(len(stream))
		}
		n = min(n, len(stream))
		chunks = append(chunks, stream[:n])
		stream = stream[n:]
	}
	return chunks
}

// TestChunkingDoesNotMatter holds the promise that the same seed and the same bytes give the same faults: what is delivered, how the stream
// ends and, where a hit is one of a byte and not of a read, how often a fault fires.
func TestChunkingDoesNotMatter(t *testing.T) {
	tests := []struct {
		faults string
		hits   bool // they are the same as well
	}{
		{"delay by=10ms jitter=20ms", false},
		{"delay by=10ms jitter=20ms distribution=pareto slice size=3B delay jitter=1s distribution=normal", false},
		{"bandwidth rate=100KB/s", false},
		{"bandwidth rate=1KB/s burst=2KB delay by=1s jitter=1s", false},
		{"slice size=7B vary=6B gap=1ms", false},
		{"concat size=100B", false},
		{"concat size=100B within=5ms slice size=9B gap=1ms concat size=30B within=2ms", false},
		{"corrupt rate=1%", true},
		{"corrupt rate=30% flip=bits", true},
		{"corrupt", true},
		{"slice size=5B corrupt rate=10% delay jitter=1ms", false},
		{"substitute pattern=ab+c with=<$0>", true},
		{"substitute pattern=a.*?a with=- corrupt rate=10%", true},
		{"discard", false},
		{"vanish", false},
		{"close_on_data", false},
		{"limit bytes=1000B", true},
		{"limit bytes=500B shared reset delay by=1s jitter=1s", false},
		{"bandwidth rate=1KB/s limit bytes=700B corrupt rate=10%", false},
		{"idle for=1s lifetime for=10s slow_close by=100ms", true},
		{"sometimes chance=50% corrupt rate=10%", true},
		{"after bytes=333B corrupt rate=10%", true},
		{"after bytes=333B limit bytes=333B", true},
		{"after bytes=333B close", true},
		{"after bytes=100B after bytes=100B close_on_data reset", false},
		{"during for=1h corrupt rate=10%", true},
		{"only first=1 corrupt rate=10%", true},
	}
	rounds := 1000 / len(tests)
	for _, tt := range tests {
		t.Run(tt.faults, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			for range rounds + 1 {
				stream := make([]byte, rng.IntN(3000))
				for i := range stream {
					stream[i] = "abcdef"[rng.IntN(6)]
				}
				want := play(t, parse(t, tt.faults), seed, [][]byte{stream})
				chunks := cut(rng, stream)
				got := play(t, parse(t, tt.faults), seed, chunks)
				if !tt.hits {
					got.hits, want.hits = "", ""
				}
				if got != want {
					t.Fatalf("in chunks %q:\ngot  %v\nwant %v as in one", chunks, got, want)
				}
			}
		})
	}
}

// TestLosslessFaultsLoseNothing imposes faults that lose nothing, changes them and lifts them in the midst of a stream, at moments of no meaning.
func TestLosslessFaultsLoseNothing(t *testing.T) {
	faults := parse(t, "delay by=10ms jitter=20ms bandwidth rate=100KB/s slice size=7B vary=6B gap=1ms concat size=100B stall "+
		"substitute pattern=ab+c with=$0 slow_close by=100ms after bytes=100B delay by=5ms | after bytes=50B stall | "+
		"after time=30ms concat size=99B | during for=20ms every=50ms stall | during for=20ms every=50ms concat size=1KB within=3ms | "+
		"sometimes chance=50% delay jitter=50ms distribution=pareto | only nth=1 slice size=2B | corrupt rate=0.0000000001% | "+
		"concat size=50B within=10ms | bandwidth rate=50KB/s shared | idle for=8760h | limit bytes=1GB")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		now := time.Unix(0, 0)
		b := chaos.NewBareLine(&chaos.Gate{Seed: seed}, 1, "", false, now)
		stream := make([]byte, rng.IntN(3000))
		for i := range stream {
			stream[i] = "abcdef"[rng.IntN(6)]
		}
		var got []byte
		var script []string
		did := func(format string, args ...any) {
			script = append(script, fmt.Sprintf("%v: ", now.Sub(time.Unix(0, 0)))+fmt.Sprintf(format, args...))
		}
		ended := false
		leave := func() {
			for data, end, _, ok := b.Due(); ok; data, end, _, ok = b.Due() {
				if ended {
					t.Fatalf("got %q behind the end", data)
				}
				got = append(got, data...)
				b.Sent()
				ended = end == chaos.FIN
			}
		}
		chunks := cut(rng, stream)
		for len(chunks) > 0 {
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
				data := bytes.Clone(chunks[0])
				did("read %q", data)
				b.Push(data, chaos.More) // held or not: what reaches a fault must not be lost
				for i := range data {
					data[i] = '#'
				}
				chunks = chunks[1:]
			}
			leave()
		}
		b.Push(nil, chaos.FIN)
		b.Flow.Set()
		b.Obey()
		b.Advance(now)
		leave()
		if string(got) != string(stream) || !ended {
			t.Fatalf("got %d bytes of %d, ended %v:\ngot  %q\nwant %q\nafter\n%s", len(got), len(stream), ended, got, stream, strings.Join(script, "\n"))
		}
		if cost, n := b.Held(); cost != 0 || n != 0 {
			t.Fatalf("with nothing imposed: got %d bytes held, and %d counted, want none", n, cost)
		}
	}
}

func TestDelayAllocatesNothing(t *testing.T) {
	now := time.Unix(0, 0)
	b := chaos.NewBareLine(&chaos.Gate{Seed: 1}, 1, "", false, now)
	b.Flow.Set(chaos.Delay{By: 10 * time.Millisecond, Jitter: time.Millisecond})
	b.Obey()
	data := make([]byte, 100)
	step := func() { // ten messages are under way at any time
		now = now.Add(time.Millisecond)
		b.Advance(now)
		b.Push(data, chaos.More)
		for _, _, _, ok := b.Due(); ok; _, _, _, ok = b.Due() {
			b.Sent()
		}
	}
	for range 1000 {
		step()
	}
	if n := testing.AllocsPerRun(10_000, step); n != 0 {
		t.Errorf("got %v allocations for a message, want none", n)
	}
}

// TestBandwidthIsExact asks for the moments of a long backlog, which are the bytes before divided by the rate, rounded up.
func TestBandwidthIsExact(t *testing.T) {
	for _, rate := range []int64{1, 3, 7, 999, 1_000_003, 123_456_789} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			now := time.Unix(0, 0)
			b := chaos.NewBareLine(&chaos.Gate{Seed: 1}, 1, "", true, now) // datagrams are not cut
			b.Flow.Set(chaos.Bandwidth{Rate: rate, Queue: 1 << 30})
			b.Obey()
			sent := int64(0)
			for n := range int64(500) {
				size := 1 + n*37%1400
				b.Push(make([]byte, size), chaos.More)
				sent += size
			}
			for left := int64(0); left < sent; {
				last := b.Next() // a datagram is due, or a hold ends
				b.Advance(last)
				for data, _, _, ok := b.Due(); ok; data, _, _, ok = b.Due() {
					left += int64(len(data))
					b.Sent()
					// Nanoseconds for left bytes, in two parts so that nothing overflows.
					want := time.Duration(left/rate)*time.Second + time.Duration((left%rate*1e9+rate-1)/rate)
					if got := last.Sub(now); got != want {
						t.Fatalf("%d bytes at %d B/s: got %v, want %v", left, rate, got, want)
					}
				}
			}
		})
	}
}

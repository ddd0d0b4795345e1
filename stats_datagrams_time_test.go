package chaos_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// kolmogorov returns the largest distance of a sample's distribution from another.
func kolmogorov(sample []float64, distribution func(x float64) float64) (most float64) {
	slices.Sort(sample)
	n := float64(len(sample))
	for i, x := range sample {
		f := distribution(x)
		most = max(most, math.Abs(f-float64(i)/n), math.Abs(float64(i+1)/n-f))
	}
	return most
}

// TestJitterIsDistributed looks at the delays of many datagrams by a test of Kolmogorov and Smirnov, at the level of 1 %.
func TestJitterIsDistributed(t *testing.T) {
	const by, jitter = 500 * time.Millisecond, 80 * time.Millisecond
	scaled := func(f func(z float64) float64) func(float64) float64 { // z is in units of jitter, from by
		return func(x float64) float64 { return f((x - by.Seconds()) / jitter.Seconds()) }
	}
	distributions := map[chaos.Distribution]func(float64) float64{
		chaos.Uniform: scaled(func(z float64) float64 { return min(max((z+1)/2, 0), 1) }),
		chaos.Normal:  scaled(func(z float64) float64 { return (1 + math.Erf(z/math.Sqrt2)) / 2 }),
		chaos.Pareto:  scaled(func(z float64) float64 { return 1 - math.Pow(1+max(z, 0), -3) }),
	}
	for is := range distributions {
		for _, ordered := range []bool{false, true} {
			inBubble(t, fmt.Sprintf("%s, ordered %v", is, ordered), func(t *testing.T) {
				v := newVirtualUDP(t)
				v.ToServer.Set(chaos.Delay{By: by, Jitter: jitter, Distribution: is, Ordered: ordered})
				apart := time.Duration(0)
				if ordered {
					apart = time.Minute // one that waits for another would be no sample
				}
				v.client(t).sendsNumbered(t, many, func(int) time.Duration { return apart })
				time.Sleep(time.Hour)
				heard := v.server.took()
				delays := make([]float64, 0, many)
				for i, n := range numbersOf(heard) {
					delays = append(delays, (heard[i].at - time.Duration(n)*apart).Seconds())
				}
				if len(delays) != many {
					t.Fatalf("got %d datagrams, want %d", len(delays), many)
				}
				for other, f := range distributions {
					d, most := kolmogorov(delays, f), 1.628/math.Sqrt(many)
					if (d <= most) != (is == other) {
						t.Errorf("the distance from %s: got %.4f, where %.4f is what it may be", other, d, most)
					}
				}
			})
		}
	}
}

func TestJitterOvertakesUnlessOrdered(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		inBubble(t, fmt.Sprint(ordered), func(t *testing.T) {
			v := newVirtualUDP(t)
			v.ToServer.Set(chaos.Delay{By: 20 * time.Millisecond, Jitter: 10 * time.Millisecond, Ordered: ordered})
			v.client(t).sendsNumbered(t, 1000, func(int) time.Duration { return time.Millisecond })
			time.Sleep(time.Second)
			heard := v.server.took()
			if len(heard) != 1000 || slices.IsSorted(numbersOf(heard)) != ordered {
				t.Errorf("got %d of 1000, in order: %v, want %v", len(heard), slices.IsSorted(numbersOf(heard)), ordered)
			}
			for i, n := range numbersOf(heard) {
				if late := heard[i].at - time.Duration(n)*time.Millisecond; late < 10*time.Millisecond || late > 30*time.Millisecond {
					t.Fatalf("datagram %d: got a delay of %v, want 10ms to 30ms", n, late)
				}
			}
		})
	}
}

func TestCorruptionIsAsAsked(t *testing.T) {
	const size = 20
	for _, flip := range []chaos.Flip{chaos.FlipBytes, chaos.FlipBits} {
		for _, rate := range []float64{0.0001, 0.01, 0.3} {
			inBubble(t, fmt.Sprintf("%v of %s", rate, flip), func(t *testing.T) {
				v := newVirtualUDP(t)
				imposed := v.ToServer.Add(chaos.Corrupt{Rate: rate, Flip: flip})
				v.client(t).says(t, slices.Repeat([]string{strings.Repeat("\x00", size)}, many)...)
				heard := v.server.took()
				hits, positions := 0, make([]int, size)
				for _, h := range heard {
					if len(h.data) != size {
						t.Fatalf("got %d bytes, want %d", len(h.data), size)
					}
					for i, b := range []byte(h.data) {
						if b != 0 {
							hits++
							positions[i]++
						}
						if flip == chaos.FlipBits && b&(b-1) != 0 {
							t.Fatalf("got %08b, want one bit changed", b)
						}
					}
				}
				if lo, hi := binomialTails(many*size, rate, 0.01); len(heard) != many || hits < lo || hits > hi {
					t.Errorf("got %d datagrams and %d bytes changed, want %d, and %d to %d", len(heard), hits, many, lo, hi)
				}
				if got := imposed.Hits(); got != int64(hits) {
					t.Errorf("got %d hits, want %d", got, hits)
				}
				for i, n := range positions { // a datagram's every byte is hit as often; 20 of them are looked at, so at a 20th of the level
					if lo, hi := binomialTails(many, rate, 0.01/size); n < lo || n > hi {
						t.Errorf("byte %d: got %d hits, want %d to %d", i, n, lo, hi)
					}
				}
			})
		}
	}
}

// floods sends datagrams of a size at a rate for a time.
func (p *udpPeer) floods(t *testing.T, size int, rate float64, lasts time.Duration) (sent int) {
	t.Helper()
	apart := time.Duration(float64(size) / rate * 1e9)
	for end := p.v.elapsed() + lasts; p.v.elapsed() < end; sent++ {
		if _, err := p.to.Write(append(nthDatagram(sent), make([]byte, size-8)...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(apart)
	}
	return sent
}

// TestBandwidthOfDatagrams floods a line with twice what it carries, with and without delays around it.
func TestBandwidthOfDatagrams(t *testing.T) {
	const rate, size, queue, lasts = 1_000_000, 1000, 50_000, 5 * time.Second
	line := chaos.Bandwidth{Rate: rate, Queue: queue, Burst: 1}
	jitter := chaos.Delay{By: 300 * time.Millisecond, Jitter: 100 * time.Millisecond}
	tests := []struct {
		name     string
		faults   []chaos.Fault
		from, to time.Duration // when the line is busy for certain, as the server sees it
		exact    bool          // it sees the line's own moments
	}{
		{"alone", []chaos.Fault{line}, 0, lasts, true},
		{"behind a delay", []chaos.Fault{chaos.Delay{By: time.Minute}, line}, time.Minute, time.Minute + lasts, true},
		{"before a delay", []chaos.Fault{line, chaos.Delay{By: time.Minute}}, time.Minute, time.Minute + lasts, true},
		{"behind jitter", []chaos.Fault{jitter, line}, 500 * time.Millisecond, lasts, true},
		{"before jitter", []chaos.Fault{line, jitter}, 500 * time.Millisecond, lasts, false},
		{"shared", []chaos.Fault{chaos.Bandwidth{Rate: rate, Queue: queue, Burst: 1, Shared: true}}, 0, lasts, true},
	}
	for _, test := range tests {
		inBubble(t, test.name, func(t *testing.T) {
			v := newVirtualUDP(t)
			v.ToServer.Set(test.faults...)
			sent := v.client(t).floods(t, size, 2*rate, lasts)
			time.Sleep(2 * time.Minute)
			heard := v.server.took()
			if got := v.Stats().Lost; got != int64(sent-len(heard)) {
				t.Errorf("Stats.Lost: got %d, want %d of %d", got, sent-len(heard), sent)
			}
			for from := test.from; from+time.Second <= test.to; from += 250 * time.Millisecond {
				bytes := 0.
				for _, h := range heard {
					if from < h.at && h.at <= from+time.Second {
						bytes += float64(len(h.data))
					}
				}
				off := 0.01
				if !test.exact {
					off = 0.1 // what jitter carries in at one end and out at the other
				}
				if math.Abs(bytes-rate) > off*rate {
					t.Errorf("in the second after %v: got %v bytes, want %d within %v", from, bytes, rate, off)
				}
			}
			if !test.exact {
				return
			}
			for i := range heard[1:] { // the line is never faster: a datagram takes 1 ms
				if apart := heard[i+1].at - heard[i].at; apart < time.Millisecond {
					t.Fatalf("datagrams %d and %d came %v apart, want 1ms", i, i+1, apart)
				}
			}
		})
	}
}

// TestBandwidthDropsTheTail works out which datagrams find too much waiting.
func TestBandwidthDropsTheTail(t *testing.T) {
	inBubble(t, "at once", func(t *testing.T) {
		v := newVirtualUDP(t)
		imposed := v.ToServer.Add(chaos.Bandwidth{Rate: 1000, Queue: 500})
		c := v.client(t)
		send := func(n int) {
			for i := range n {
				c.says(t, fmt.Sprintf("%-100d", i))
			}
		}
		// The n-th finds 100·(n-1) bytes. The sixth finds no more than 500.
		send(10)
		if got := v.Stats().Lost; got != 4 {
			t.Errorf("at once: got %d lost, want 4", got)
		}
		time.Sleep(250*time.Millisecond + time.Nanosecond) // 250 bytes have left
		send(10)                                           // they find 350, 450, 550
		if got := v.Stats().Lost; got != 12 {
			t.Errorf("after 250 ms: got %d lost, want 4 and 8", got)
		}
		time.Sleep(time.Minute)
		var got []string
		for _, h := range v.server.took() {
			got = append(got, fmt.Sprintf("%s@%v", strings.TrimSpace(h.data), h.at))
		}
		want := []string{"0@100ms", "1@200ms", "2@300ms", "3@400ms", "4@500ms", "5@600ms", "0@700ms", "1@800ms"}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got := imposed.Hits(); got != 20 {
			t.Errorf("got %d hits, want one for each datagram that waited or was dropped: 20", got)
		}
	})
	inBubble(t, "an empty datagram takes nothing", func(t *testing.T) {
		v := newVirtualUDP(t)
		v.ToServer.Add(chaos.Bandwidth{Rate: 1000, Queue: 500})
		c := v.client(t)
		c.says(t, strings.Repeat("x", 501), "", "y", "z")
		time.Sleep(time.Minute)
		var got []string
		for _, h := range v.server.took() {
			got = append(got, fmt.Sprintf("%d@%v", len(h.data), h.at))
		}
		// The second and third find 501 bytes. An empty one waits for its turn, as any.
		if want := []string{"501@501ms"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	inBubble(t, "the default", func(t *testing.T) {
		v := newVirtualUDP(t)
		v.ToServer.Add(chaos.Bandwidth{Rate: 1000})
		c := v.client(t)
		for range 100 {
			c.says(t, strings.Repeat("x", 1024))
		}
		if got := v.Stats().Lost; got != 35 { // the n-th finds 1024·(n-1): 64 KiB are the 65th's
			t.Errorf("64 KiB: got %d lost, want 35", got)
		}
		v.ToServer.Set(chaos.Bandwidth{Rate: 10_000_000})
		before := v.Stats().Lost
		for range 1000 {
			c.says(t, strings.Repeat("x", 1000))
		}
		time.Sleep(time.Minute)
		if got := v.Stats().Lost - before; got != 0 { // 100 ms of 10 MB/s are 1 MB
			t.Errorf("1 MB: got %d lost, want none", got)
		}
	})
}

// TestBandwidthQueueIsBounded looks at random traffic: nothing that leaves has found more than Queue waiting, and what has found less has left.
func TestBandwidthQueueIsBounded(t *testing.T) {
	const rate, queue = 100_000, 20_000
	for _, seed := range []uint64{1, 2, 3, 4, 5} {
		inBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			v := newVirtualUDP(t, func(g *chaos.Gate) { g.Seed = seed })
			v.ToServer.Set(chaos.Bandwidth{Rate: rate, Queue: queue, Burst: 1})
			c := v.client(t)
			came, sizes := make([]time.Duration, 2000), make([]int, 2000)
			for i := range came {
				came[i], sizes[i] = v.elapsed(), 8+rng.IntN(1400)
				c.says(t, string(nthDatagram(i))+strings.Repeat(".", sizes[i]-8))
				if rng.IntN(3) > 0 {
					time.Sleep(time.Duration(rng.IntN(15)) * time.Millisecond)
				}
			}
			time.Sleep(time.Minute)
			left := make(map[int]time.Duration)
			heard := v.server.took()
			for i, n := range numbersOf(heard) {
				left[n] = heard[i].at
			}
			lost := 0
			free := time.Duration(0) // when the line is
			for i, at := range came {
				waiting := max(0, free-at).Seconds() * rate
				when, passed := left[i]
				switch {
				case !passed && waiting < queue-1:
					t.Fatalf("datagram %d was dropped when %.0f bytes were waiting, of %d", i, waiting, queue)
				case passed && waiting > queue+1:
					t.Fatalf("datagram %d passed when %.0f bytes were waiting, of %d", i, waiting, queue)
				case !passed:
					lost++
					continue
				}
				free = max(free, at) + time.Duration(float64(sizes[i])/rate*1e9)
				if off := when - free; off < -50*time.Microsecond || off > 50*time.Microsecond { // a byte is 10 µs
					t.Fatalf("datagram %d left after %v, want %v", i, when, free)
				}
				free = when
			}
			if lost == 0 || lost == len(came) {
				t.Errorf("%d of %d were lost, which shows nothing", lost, len(came))
			}
		})
	}
}

// fates are what becomes of the n-th datagram of the n-th session, in a direction, through faults that decide by chance.
func fates(t *testing.T, seed uint64, dir chaos.Direction, pause func(i int) time.Duration) (sessions [3]string) {
	const n = 300
	synctest.Test(t, func(t *testing.T) {
		v := newVirtualUDP(t, func(g *chaos.Gate) { g.Seed = seed })
		flow := &v.ToServer
		if dir == chaos.ToClient {
			flow = &v.ToClient
		}
		flow.Set(chaos.Lose{Chance: 0.2, Burst: 2}, chaos.Duplicate{Chance: 0.2}, chaos.Lose{P: 0.1, R: 0.5}, chaos.Corrupt{Rate: 0.01})
		clients := v.clients(t, len(sessions))
		backs := make([]string, len(sessions))
		for i, c := range clients {
			if dir == chaos.ToClient { // it is the client who begins
				c.says(t, "hello")
			} else {
				c.sendsNumbered(t, 1, nil)
			}
			backs[i] = v.conn(t).Info().Back
		}
		from := 1
		if dir == chaos.ToClient {
			from = 0
		}
		for k := from; k < n; k++ {
			for i, c := range clients {
				if dir == chaos.ToClient {
					v.server.answers(t, backs[i], string(nthDatagram(k)))
				} else {
					c.says(t, string(nthDatagram(k)))
				}
			}
			time.Sleep(pause(k))
		}
		time.Sleep(time.Minute)
		if dir == chaos.ToClient {
			for i, c := range clients {
				sessions[i] = fmt.Sprintf("%q", c.texts())
			}
			return
		}
		heard := v.server.took()
		for i := range sessions {
			var mine []string
			for _, h := range heard {
				if h.from == backs[i] {
					mine = append(mine, h.data)
				}
			}
			sessions[i] = fmt.Sprintf("%q", mine)
		}
	})
	return sessions
}

// TestSameSeedSameFates: the same seed gives the same fate to the n-th datagram of the n-th session, whenever it comes; and
// seeds, sessions and directions have different ones.
func TestSameSeedSameFates(t *testing.T) {
	at := func(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }
	paces := []func(int) time.Duration{at(0), at(17 * time.Millisecond), func(i int) time.Duration { return time.Duration(i*i%31) * time.Second }}
	seen := map[string]string{}
	for seed := uint64(1); seed <= 3; seed++ {
		for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
			want := fates(t, seed, dir, paces[0])
			for i, pace := range paces[1:] {
				if got := fates(t, seed, dir, pace); got != want {
					t.Errorf("seed %d, %v, pace %d: got other fates than at once", seed, dir, i+1)
				}
			}
			for i, fate := range want {
				is := fmt.Sprintf("seed %d, %v, session %d", seed, dir, i+1)
				if other, twice := seen[fate]; twice {
					t.Errorf("%s has the fates of %s", is, other)
				}
				seen[fate] = is
			}
		}
	}
}

package chaos_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"pgregory.net/rapid"
)

// losesNothing draws a fault that loses and changes nothing.
func losesNothing(rt *rapid.T, depth int) chaos.Fault {
	ms := func(label string, most int) time.Duration {
		return time.Duration(rapid.IntRange(1, most).Draw(rt, label)) * time.Millisecond
	}
	size := func(most int) int { return rapid.IntRange(1, most).Draw(rt, "size") }
	kinds := 13
	if depth > 2 {
		kinds = 9
	}
	switch rapid.IntRange(0, kinds-1).Draw(rt, "kind") {
	case 0:
		return chaos.Delay{By: ms("by", 500)}
	case 1:
		return chaos.Delay{By: ms("by", 100), Jitter: ms("jitter", 200), Distribution: rapid.SampledFrom([]chaos.Distribution{"", chaos.Normal, chaos.Pareto}).Draw(rt, "distribution")}
	case 2:
		return chaos.Bandwidth{Rate: int64(1000 * size(100)), Shared: rapid.Bool().Draw(rt, "shared")}
	case 3:
		n := size(500)
		return chaos.Slice{Size: n, Vary: n / 2, Gap: time.Duration(size(1000)) * time.Microsecond}
	case 4:
		return chaos.Concat{Size: size(5000), Within: ms("within", 300)}
	case 5:
		return chaos.Stall{}
	case 6:
		return chaos.SlowClose{By: ms("by", 1000)}
	case 7:
		return chaos.Substitute{Pattern: rapid.SampledFrom([]string{"no(t|thing)+ of the kind", `\x00\x00(\x00)+`, "(?s)\xff.{5}\xff.{3}\xff"}).Draw(rt, "pattern"), With: "$0"}
	case 8:
		return chaos.Through(func(dst io.Writer, src io.Reader) error { _, err := io.Copy(dst, src); return err })
	case 9:
		return chaos.Sometimes{Chance: 0.5, Fault: losesNothing(rt, depth+1)}
	case 10:
		return chaos.After{Bytes: int64(size(3000)), Fault: losesNothing(rt, depth+1)}
	case 11:
		n := ms("for", 300)
		return chaos.During{Start: ms("start", 500), For: n, Every: 2 * n, Fault: losesNothing(rt, depth+1)}
	default:
		return chaos.Only{First: 1, Fault: losesNothing(rt, depth+1)}
	}
}

// A withoutDeadline is a test that rapid does not ask for its deadline, which in a bubble means nothing.
type withoutDeadline struct{ testing.TB }

// A walk is a connection through a gate, both of whose streams are written step by step.
type walk struct {
	v       *virtual
	flows   []*chaos.Flow
	peers   [2]net.Conn
	sent    [2][]byte
	imposed []*chaos.Imposed
}

// TestSwitchingLosesNothing switches lossless faults on, off and over at random offsets of random streams: what arrives must
// be what was sent, in both directions.
func TestSwitchingLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(withoutDeadline{t}, func(rt *rapid.T) {
			v := newVirtual(t, func(g *chaos.Gate) { g.Seed = rapid.Uint64().Draw(rt, "seed") | 1 })
			defer v.Close()
			w := &walk{v: v}
			w.peers[0], w.peers[1] = v.connect(t)
			conn := v.conn()
			w.flows = []*chaos.Flow{&v.ToServer, &v.ToClient, &conn.ToServer, &conn.ToClient}
			for range rapid.IntRange(1, 25).Draw(rt, "steps") {
				w.step(t, rt)
			}
			w.finish(t, rt)
		})
	})
}

// step does one thing at random.
func (w *walk) step(t *testing.T, rt *rapid.T) {
	flow := rapid.SampledFrom(w.flows)
	switch rapid.SampledFrom([]string{"write", "write", "write", "sleep", "set", "add", "lift", "change", "heal"}).Draw(rt, "step") {
	case "write":
		at := rapid.IntRange(0, 1).Draw(rt, "by")
		data := rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(rt, "data")
		if _, err := w.peers[at].Write(data); err != nil {
			rt.Fatal(err)
		}
		w.sent[at] = append(w.sent[at], data...)
	case "sleep":
		time.Sleep(time.Duration(rapid.IntRange(1, 500_000).Draw(rt, "µs")) * time.Microsecond)
	case "set":
		faults := make([]chaos.Fault, rapid.IntRange(0, 3).Draw(rt, "faults"))
		for i := range faults {
			faults[i] = losesNothing(rt, 0)
		}
		w.imposed = append(w.imposed, flow.Draw(rt, "flow").Set(faults...)...)
	case "add":
		w.imposed = append(w.imposed, flow.Draw(rt, "flow").Add(losesNothing(rt, 0)))
	case "lift":
		if len(w.imposed) > 0 {
			rapid.SampledFrom(w.imposed).Draw(rt, "imposed").Lift()
		}
	case "change":
		if len(w.imposed) > 0 {
			rapid.SampledFrom(w.imposed).Draw(rt, "imposed").Change(losesNothing(rt, 0))
		}
	case "heal":
		if err := w.v.Heal(); err != nil {
			rt.Fatal(err)
		}
	}
	if rapid.Bool().Draw(rt, "settle") {
		synctest.Wait()
	}
}

// finish ends both streams, heals the gate some time later and checks all that arrived.
func (w *walk) finish(t *testing.T, rt *rapid.T) {
	for _, c := range w.peers {
		closeWrite(t, c)
	}
	time.Sleep(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "ms")) * time.Millisecond)
	if err := w.v.Heal(); err != nil {
		rt.Fatal(err)
	}
	for at, c := range w.peers {
		if err := c.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
			rt.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if want := w.sent[1-at]; err != nil || !bytes.Equal(got, want) {
			rt.Fatalf("peer %d: got %d bytes and %v, want %d, which they begin: %v", at, len(got), err, len(want), bytes.HasPrefix(want, got))
		}
		c.Close()
	}
}

// decides draws a fault that decides by positions, and not by time.
func decides(rt *rapid.T, depth int) chaos.Fault {
	size := func(most int) int64 { return rapid.Int64Range(1, int64(most)).Draw(rt, "size") }
	kinds := 10
	if depth > 2 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds-1).Draw(rt, "kind") {
	case 0:
		return chaos.Corrupt{Rate: rapid.SampledFrom([]float64{0, 0.001, 0.01, 0.5}).Draw(rt, "rate")}
	case 1:
		return chaos.Corrupt{Rate: 0.1, Flip: chaos.FlipBits}
	case 2:
		return chaos.Limit{Bytes: size(20_000), Reset: rapid.Bool().Draw(rt, "reset")}
	case 3:
		return chaos.Substitute{Pattern: rapid.SampledFrom([]string{"a+b", "[c-e]{2,9}f", "(?s)a.(.)"}).Draw(rt, "pattern"), With: "<$1>"}
	case 4:
		return chaos.Edit(shout) // byte by byte, for it does not see how they were cut
	case 5:
		return chaos.Delay{By: time.Duration(size(50)) * time.Millisecond}
	case 6:
		return chaos.Slice{Size: int(size(99))}
	case 7:
		return chaos.Sometimes{Chance: 0.5, Fault: decides(rt, depth+1)}
	case 8:
		return chaos.After{Bytes: size(3000), Fault: decides(rt, depth+1)}
	default:
		return chaos.Only{Every: 2, Fault: decides(rt, depth+1)}
	}
}

// TestSameSeedSameFaults sends the same bytes through two gates of the same seed, cut in different ways: the same must come out.
func TestSameSeedSameFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(withoutDeadline{t}, func(rt *rapid.T) {
			seed := rapid.Uint64().Draw(rt, "seed") | 1
			faults := make([]chaos.Fault, rapid.IntRange(1, 3).Draw(rt, "faults"))
			for i := range faults {
				faults[i] = decides(rt, 0)
			}
			data := rapid.SliceOfN(rapid.ByteRange('a', 'h'), 1, 30_000).Draw(rt, "data")
			var want []string
			for try := range 3 {
				most := rapid.SampledFrom([]int{40_000, 10, 1000}).Draw(rt, "most")
				if len(data) > 3000 && most == 10 {
					most = 100 // it takes long enough
				}
				got := sameFaults(t, rt, seed, faults, data, func() int { return rapid.IntRange(1, most).Draw(rt, "write") })
				if try == 0 {
					want = got
				}
				if !slices.Equal(got, want) {
					rt.Fatalf("cut differently:\ngot  %.900q\nwant %.900q", got, want)
				}
			}
		})
	})
}

// sameFaults sends data through three connections of a new gate, both ways, and returns what came of it.
func sameFaults(t *testing.T, rt *rapid.T, seed uint64, faults []chaos.Fault, data []byte, cut func() int) (came []string) {
	v := newVirtual(t, func(g *chaos.Gate) { g.Seed, g.Observe = seed, nil })
	defer v.Close()
	v.ToServer.Set(faults...)
	v.ToClient.Set(faults...)
	for range 3 {
		client, server := v.connect(t)
		for _, way := range []struct{ from, to net.Conn }{{client, server}, {server, client}} {
			for rest := data; len(rest) > 0; {
				n := min(len(rest), cut())
				way.from.Write(rest[:n]) // the connection may have ended
				rest = rest[n:]
			}
			way.from.(interface{ CloseWrite() error }).CloseWrite()
			if err := way.to.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
				rt.Fatal(err)
			}
			got, err := io.ReadAll(way.to)
			came = append(came, fmt.Sprintf("%s %v", got, err != nil))
		}
		client.Close()
		server.Close()
	}
	return came
}

// TestSeeds looks at what a seed decides: the same one the same, another one something else.
func TestSeeds(t *testing.T) {
	decisions := func(t *testing.T, v *virtual) (hit string) {
		v.ToServer.Set(chaos.Sometimes{Chance: 0.5, Fault: chaos.Edit(bytes.ToUpper)})
		for range 64 {
			client, server := v.connect(t)
			says(t, client, "x")
			b := make([]byte, 1)
			if _, err := server.Read(b); err != nil {
				t.Fatal(err)
			}
			hit += string(b)
			client.Close()
			server.Close()
			synctest.Wait()
		}
		return hit
	}
	synctest.Test(t, func(t *testing.T) {
		seeded := func(seed uint64) *virtual { return newVirtual(t, func(g *chaos.Gate) { g.Seed = seed }) }
		one := seeded(1)
		first := decisions(t, one)
		if n := bytes.Count([]byte(first), []byte("X")); n < 16 || n > 48 {
			t.Errorf("a chance of one half hit %d of 64 connections", n)
		}
		if got := decisions(t, seeded(1)); got != first {
			t.Errorf("the same seed: got %s, want %s", got, first)
		}
		if got := decisions(t, seeded(2)); got == first {
			t.Errorf("another seed: got %s as well", got)
		}
		if got := decisions(t, one); got == first {
			t.Errorf("later connections of the gate: got %s as well", got)
		}
		one.Reseed(1)
		if got := decisions(t, one); got != first {
			t.Errorf("seeded anew: got %s, want %s", got, first)
		}
		if one.Seed != 1 {
			t.Errorf("the gate says its seed is %d", one.Seed)
		}
		if drawn := seeded(0).Seed; drawn == 0 {
			t.Error("no seed was drawn")
		}
	})
}

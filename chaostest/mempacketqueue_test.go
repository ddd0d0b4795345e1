package chaostest

import (
	"bytes"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestDatagramsAreAQueue(t *testing.T) {
	type datagram struct {
		data string
		from netip.AddrPort
	}
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 10_000).Draw(rt, "limit")
		q := memDatagrams{limit: limit}
		var want []datagram // what it should hold
		used := 0
		for i := range rapid.IntRange(1, 200).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"put", "put", "take", "take", "clear"}).Draw(rt, "step") {
			case "put":
				size := rapid.IntRange(0, 1500).Draw(rt, "size")
				d := datagram{string(bytes.Repeat([]byte{byte(i)}, size)), netip.AddrPortFrom(netip.IPv6Loopback(), uint16(i))}
				cost := size + datagramCost
				fits := len(want) == 0 || used+cost <= limit
				if got := q.put([]byte(d.data), d.from); got != fits {
					rt.Fatalf("put %d bytes: got %v, want %v", size, got, fits)
				}
				if fits {
					want, used = append(want, d), used+cost
				}
			case "take":
				if len(want) == 0 {
					continue
				}
				p := make([]byte, rapid.IntRange(0, 2000).Draw(rt, "read"))
				n, from := q.take(p)
				if d := want[0]; string(p[:n]) != d.data[:min(len(p), len(d.data))] || from != d.from {
					rt.Fatalf("take: got %d bytes from %v, want those of %v", n, from, d.from)
				}
				used -= len(want[0].data) + datagramCost
				want = want[1:]
			case "clear":
				if i%10 == 0 {
					q.clear()
					want, used = nil, 0
				}
			}
			if q.size() != len(want) {
				rt.Fatalf("size: got %d, want %d", q.size(), len(want))
			}
		}
	})
}

func TestDatagramsKeepTheirPlace(t *testing.T) {
	q := memDatagrams{limit: 1 << 20}
	from := netip.AddrPortFrom(netip.IPv6Loopback(), 1)
	for range 50 {
		q.put(make([]byte, 1000), from)
	}
	p := make([]byte, 1000)
	for range 10_000 { // never empty, never more than 51
		q.put(p, from)
		q.take(p)
	}
	if most := 4 * 51 * 1000; cap(q.data) > most {
		t.Errorf("the place of 51,000 bytes: got %d bytes, want at most %d", cap(q.data), most)
	}
	if most := 4 * 51; cap(q.sizes) > most {
		t.Errorf("the place of 51 datagrams: got %d, want at most %d", cap(q.sizes), most)
	}
}

package chaos_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

// TestSharedLimit has connections take from one limit in turn. Nobody but the faults is at work, so a connection that another one ends notices
// it when its next byte comes.
func TestSharedLimit(t *testing.T) {
	now := time.Unix(0, 0)
	flow := new(chaos.Flow)
	limit := flow.Add(chaos.Limit{Bytes: 5, Shared: true})
	gate := &chaos.Gate{Seed: 1}
	accept := func(n uint64) *chaos.BareLine { return chaos.NewBareLine(gate, n, "", false, now) }
	obey := func(b *chaos.BareLine) *chaos.BareLine {
		b.Flow = flow
		b.Obey()
		b.Advance(now)
		return b
	}
	open := func(n uint64) *chaos.BareLine { return obey(accept(n)) }
	push := func(b *chaos.BareLine, data string) string {
		b.Push([]byte(data), chaos.More)
		var got strings.Builder
		for data, end, _, ok := b.Due(); ok; data, end, _, ok = b.Due() {
			got.Write(data)
			if end != chaos.More {
				got.WriteString(" " + end.String())
			}
			b.Sent()
		}
		if how, _, _ := b.Ending(); how != chaos.More {
			got.WriteString(" now " + how.String())
		}
		return got.String()
	}
	live := []*chaos.BareLine{open(1), open(2), open(3), accept(4)}
	first := func() *chaos.BareLine { return live[0] }
	second := func() *chaos.BareLine { return live[1] }
	third := func() *chaos.BareLine { return live[2] }
	tests := []struct {
		name string
		b    func() *chaos.BareLine
		data string
		want string
	}{
		{"one takes some", first, "ab", "ab"},
		{"another takes the last", second, "cdef", "cde close"},
		{"and nothing more", second, "g", ""},
		{"the first delivers nothing more", first, "h", " now close"},
		{"nor does one that had not begun", third, "i", " now close"},
		{"nor one that was accepted, and was not at work yet", func() *chaos.BareLine { return obey(live[3]) }, "j", " now close"},
		{"a later one counts anew", func() *chaos.BareLine { return open(5) }, "klmn", "klmn"},
		{"and so does the next, with it", func() *chaos.BareLine { return open(6) }, "op", "o close"},
	}
	for _, tt := range tests {
		if got := push(tt.b(), tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := limit.Hits(); got != 5 {
		t.Errorf("got %d hits, want 5: each connection that was ended", got)
	}
}

// TestSharedLimitIsExact has connections race for the bytes of a limit through a real gate. All that is reserved is delivered.
func TestSharedLimitIsExact(t *testing.T) {
	const limit, conns = 300_000, 6
	var delivered atomic.Int64
	var served sync.WaitGroup
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served.Go(func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				n, _ := io.Copy(io.Discard, conn)
				delivered.Add(n)
			})
		}
	})
	for range 20 {
		gate := chaostest.NewGate(t, server.Addr().String())
		gate.ToServer.Set(chaos.Limit{Bytes: limit, Shared: true})
		var clients sync.WaitGroup
		var open []net.Conn
		for range conns {
			conn, err := net.Dial("tcp", gate.Addr())
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, conn)
		}
		if err := gate.WaitConns(t.Context(), conns); err != nil {
			t.Fatal(err)
		}
		before := delivered.Load()
		for _, conn := range open {
			clients.Go(func() {
				defer conn.Close()
				for data := make([]byte, 7001); ; {
					if _, err := conn.Write(data); err != nil {
						return
					}
				}
			})
		}
		clients.Wait()
		if err := gate.Close(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(5 * time.Second); delivered.Load()-before < limit && time.Now().Before(end); {
			time.Sleep(time.Millisecond) // until the server has read what its kernel has
		}
		if got := delivered.Load() - before; got != limit {
			t.Fatalf("got %d bytes delivered, want %d", got, limit)
		}
	}
	server.Close()
	served.Wait()
}

// TestSharedBandwidth has two connections share a rate: what the one uses the other waits for.
func TestSharedBandwidth(t *testing.T) {
	t.Run("streams", func(t *testing.T) { shareBandwidth(t, false) })
	t.Run("datagrams", func(t *testing.T) { shareBandwidth(t, true) })
}

func shareBandwidth(t *testing.T, datagrams bool) {
	now := time.Unix(0, 0)
	flow := new(chaos.Flow)
	flow.Add(chaos.Bandwidth{Rate: 1000, Shared: true})
	var lines []*chaos.BareLine
	for n := range uint64(2) {
		b := chaos.NewBareLine(&chaos.Gate{Seed: 1}, n+1, "", datagrams, now)
		b.Flow = flow
		b.Obey()
		lines = append(lines, b)
	}
	for range 5 {
		for _, b := range lines {
			b.Push(make([]byte, 100), chaos.More)
		}
	}
	for left := 0; left < 1000; {
		var moment time.Time
		for _, b := range lines {
			if n := b.Next(); !n.IsZero() && (moment.IsZero() || n.Before(moment)) {
				moment = n
			}
		}
		for _, b := range lines {
			b.Advance(moment)
			for data, _, _, ok := b.Due(); ok; data, _, _, ok = b.Due() {
				left += len(data)
				b.Sent()
			}
		}
		if got, most := left, int(moment.Sub(now).Milliseconds()); got > most {
			t.Fatalf("after %v: got %d bytes, want at most %d", moment.Sub(now), got, most)
		}
		if got := moment.Sub(now); left == 1000 && got != time.Second {
			t.Errorf("got the last byte after %v, want 1s", got)
		}
	}
}

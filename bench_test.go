package chaos_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// A wire is one way from a client to a server.
type wire struct {
	name string
	open func(b *testing.B, server string) (address string)
}

// wires are what the benchmarks compare: no proxy, the proxy that everybody writes first, and a gate.
var wires = []wire{
	{"direct", func(_ *testing.B, server string) string { return server }},
	{"iocopy", func(b *testing.B, server string) string { return plainProxy(b, server) }},
	{"gate", func(b *testing.B, server string) string { return benchGate(b, server).Addr() }},
}

// benchGate starts a gate that imposes faults on both directions.
func benchGate(b *testing.B, server string, faults ...chaos.Fault) *chaos.Gate {
	g := &chaos.Gate{Server: server}
	g.ToServer.Set(faults...)
	g.ToClient.Set(faults...)
	if err := g.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { g.Close() })
	return g
}

// plainProxy passes bytes on with io.Copy.
func plainProxy(b *testing.B, server string) string {
	return serve(b, func(client *net.TCPConn) {
		back, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer back.Close()
		go func() {
			io.Copy(back, client)
			back.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(client, back)
	})
}

// serve runs a server on loopback that calls f with each of its connections.
func serve(tb testing.TB, f func(*net.TCPConn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c.(*net.TCPConn))
			}()
		}
	}()
	return ln.Addr().String()
}

// sink is a server that takes everything and answers one byte when its client has finished.
func sink(tb testing.TB) string {
	return serve(tb, func(c *net.TCPConn) {
		buf := make([]byte, 256<<10)
		for {
			if _, err := c.Read(buf); err != nil {
				break
			}
		}
		c.Write([]byte{1})
	})
}

// echoer is a server that says what it hears.
func echoer(tb testing.TB) string {
	return serve(tb, func(c *net.TCPConn) {
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if n > 0 {
				c.Write(buf[:n])
			}
			if err != nil {
				return
			}
		}
	})
}

func connect(tb testing.TB, address string) *net.TCPConn {
	c, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// sendAll sends b.N MiB and waits until the server has all of it.
func sendAll(b *testing.B, address string) {
	c := connect(b, address)
	block := make([]byte, 1<<20)
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(block); err != nil {
			b.Fatal(err)
		}
	}
	c.CloseWrite()
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkThroughput sends 1 MiB an operation. allocs/op are allocations per MiB.
func BenchmarkThroughput(b *testing.B) {
	for _, w := range wires {
		b.Run("pass/"+w.name, func(b *testing.B) { sendAll(b, w.open(b, sink(b))) })
	}
	for _, f := range []struct {
		name  string
		fault chaos.Fault
	}{
		{"edit", chaos.Edit(func(data []byte) []byte { return data })},
		{"delay 20ms", chaos.Delay{By: 20 * time.Millisecond}},
		{"delay 100ms", chaos.Delay{By: 100 * time.Millisecond}},
		{"corrupt 1%", chaos.Corrupt{Rate: 0.01}},
		{"slice 64 B", chaos.Slice{Size: 64}},
		{"slice 1 KiB", chaos.Slice{Size: 1 << 10}},
		{"bandwidth 1 GB/s", chaos.Bandwidth{Rate: 1e9}},
		{"substitute", chaos.Substitute{Pattern: "quicksilver", With: "mercury"}},
	} {
		b.Run("fault/"+f.name, func(b *testing.B) { sendAll(b, benchGate(b, sink(b), f.fault).Addr()) })
	}
}

// BenchmarkRoundTrip sends 64 bytes there and back.
func BenchmarkRoundTrip(b *testing.B) {
	for _, w := range wires {
		b.Run(w.name, func(b *testing.B) {
			c := connect(b, w.open(b, echoer(b)))
			buf := make([]byte, 64)
			b.ReportAllocs()
			for b.Loop() {
				c.Write(buf)
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkConnections opens, uses and closes a connection.
func BenchmarkConnections(b *testing.B) {
	for _, w := range wires {
		b.Run(w.name, func(b *testing.B) {
			address := w.open(b, echoer(b))
			buf := make([]byte, 1)
			for b.Loop() {
				c, err := net.Dial("tcp", address)
				if err != nil {
					b.Fatal(err)
				}
				c.Write(buf)
				io.ReadFull(c, buf)
				c.(*net.TCPConn).SetLinger(0) // leaves no port in TIME_WAIT, of which there are not enough
				c.Close()
			}
		})
	}
}

// BenchmarkIdle tells what an idle connection that was used costs in memory, heap and stacks, and in descriptors.
func BenchmarkIdle(b *testing.B) {
	const conns = 1000
	for _, w := range wires[1:] {
		b.Run(w.name, func(b *testing.B) {
			idleCost(b, w.open(b, echoer(b)), conns) // what is made once is made
			direct, fds := idleCost(b, echoer(b), conns)
			through, more := idleCost(b, w.open(b, echoer(b)), conns)
			for b.Loop() { // it is not time that is measured
			}
			b.ReportMetric(float64(through-direct)/conns, "B/conn")
			b.ReportMetric(float64(more-fds)/conns, "fds/conn")
		})
	}
}

// idleCost returns how many bytes of memory and how many descriptors so many connections take after each was used.
func idleCost(b *testing.B, address string, conns int) (bytes, fds int) {
	used := func() (int, int) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		open, _ := os.ReadDir("/proc/self/fd")
		return int(m.HeapAlloc + m.StackInuse), len(open)
	}
	time.Sleep(300 * time.Millisecond) // what went before is to be gone
	bytes, fds = used()
	buf := make([]byte, 1)
	for range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		c.Write(buf)
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
	after, open := used()
	return after - bytes, open - fds
}

// BenchmarkSet switches a flow with so many live connections between a fault and none.
func BenchmarkSet(b *testing.B) {
	for _, conns := range []int{1, 100, 2000} {
		b.Run(fmt.Sprint(conns), func(b *testing.B) {
			g := benchGate(b, echoer(b))
			for range conns {
				connect(b, g.Addr())
			}
			if err := g.WaitConns(b.Context(), conns); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				g.ToServer.Set(chaos.Delay{By: time.Millisecond})
				g.ToServer.Set()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2/float64(conns), "ns/conn")
		})
	}
}

// BenchmarkDelayError measures how late bytes are that a Delay holds back, beside a control of the machine's noise: how
// late a round trip without any delay is.
func BenchmarkDelayError(b *testing.B) {
	for _, by := range []time.Duration{0, time.Millisecond, 5300 * time.Microsecond, 50 * time.Millisecond} {
		name := by.String()
		if by == 0 {
			name = "control"
		}
		b.Run(name, func(b *testing.B) {
			g := benchGate(b, echoer(b))
			if by > 0 {
				g.ToServer.Set(chaos.Delay{By: by})
			}
			c := connect(b, g.Addr())
			buf := make([]byte, 1)
			var late []time.Duration
			for b.Loop() {
				start := time.Now()
				c.Write(buf)
				io.ReadFull(c, buf)
				late = append(late, time.Since(start)-by)
			}
			slices.Sort(late)
			b.ReportMetric(float64(late[len(late)/2].Microseconds()), "µs-p50")
			b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "µs-p99")
			b.ReportMetric(float64(late[0].Microseconds()), "µs-min")
		})
	}
}

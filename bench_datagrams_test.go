//go:build linux

package chaos_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
	"golang.org/x/sys/unix"
)

// A datagramWay is one way from clients to a server.
type datagramWay struct {
	name string
	most int // sessions, 0 if any number will do
	open func(b *testing.B, server string) (address string)
}

// datagramWays are what the benchmarks of datagrams compare. The plainest tool that does the same has a process for each session, and so
// is not asked for a thousand.
var datagramWays = []datagramWay{
	{name: "direct", open: func(_ *testing.B, server string) string { return server }},
	{name: "gate", open: func(b *testing.B, server string) string {
		g := &chaos.Gate{Network: "udp", Server: server}
		if err := g.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { g.Close() })
		return g.Addr()
	}},
	{name: "socat", most: 1, open: socat},
}

// socat starts socat, which ends with the benchmark, or returns nothing if it is not installed.
func socat(b *testing.B, server string) string {
	path, err := exec.LookPath("socat")
	if err != nil {
		return ""
	}
	free := benchSocket(b, func() (*net.UDPConn, error) { return wiretest.ListenDatagrams("udp4", "127.0.0.1:0") })
	address := free.LocalAddr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(path, "-b65536", "-T60", "UDP4-LISTEN:"+port+",bind=127.0.0.1,fork,reuseaddr,rcvbuf=4194304", "UDP4:"+server+",rcvbuf=4194304")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // with those that it forks
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) { // until it listens
		bound, err := wiretest.DatagramSockets(portNumber(b, address))
		if err != nil {
			b.Fatal(err)
		}
		if len(bound) > 0 {
			return address
		}
	}
	b.Fatal("socat does not listen")
	return ""
}

func portNumber(b *testing.B, address string) int {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		b.Fatal(err)
	}
	return int(at.Port())
}

// benchSocket opens a socket that is closed when the benchmark ends.
func benchSocket(b *testing.B, open func() (*net.UDPConn, error)) *net.UDPConn {
	c, err := open()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// A datagramLane is a way that is open: a server and clients with what is between them.
type datagramLane struct {
	way     datagramWay
	address string // where the clients send
	server  *net.UDPConn
	clients []*net.UDPConn
	counted atomic.Int64 // datagrams that the server has received
}

// openLanes opens the ways that can have so many sessions, each session with a datagram that has gone there and back.
func openLanes(b *testing.B, sessions int, echo bool) (lanes []*datagramLane) {
	for _, way := range datagramWays {
		if way.most != 0 && sessions > way.most {
			continue
		}
		l := &datagramLane{way: way}
		l.server = benchSocket(b, func() (*net.UDPConn, error) { return wiretest.ListenDatagrams("udp4", "127.0.0.1:0") })
		var serving sync.WaitGroup
		b.Cleanup(serving.Wait) // when the server is closed, which is done below and so before
		address := way.open(b, l.server.LocalAddr().String())
		if address == "" {
			b.Logf("%s is not installed", way.name)
			continue
		}
		l.address = address
		var quiet atomic.Bool // it does not answer any more
		serving.Go(func() { l.serve(&quiet) })
		b.Cleanup(func() { l.server.Close() })
		for range sessions {
			c := benchSocket(b, func() (*net.UDPConn, error) { return wiretest.DialDatagrams(address) })
			l.clients = append(l.clients, c)
			if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				b.Fatal(err)
			}
			if _, err := l.trip(c, make([]byte, 64)); err != nil {
				b.Fatalf("%s: %v", way.name, err)
			}
			if err := c.SetDeadline(time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
		quiet.Store(!echo)
		lanes = append(lanes, l)
	}
	return lanes
}

// serve counts what comes, and sends it back unless it is to be quiet.
func (l *datagramLane) serve(quiet *atomic.Bool) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := l.server.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		l.counted.Add(1)
		if !quiet.Load() {
			_, _ = l.server.WriteToUDPAddrPort(buf[:n], from)
		}
	}
}

// trip sends a datagram and waits for the answer.
func (l *datagramLane) trip(c *net.UDPConn, buf []byte) (time.Duration, error) {
	start := time.Now()
	if _, err := c.Write(buf); err != nil {
		return 0, err
	}
	_, err := c.Read(buf)
	return time.Since(start), err
}

// sockets returns what the kernel has dropped before the way and before the server, and how many bytes wait there.
func (l *datagramLane) sockets(b *testing.B) (dropped, queued int64) {
	ports := []int{portNumber(b, l.address), wiretest.PortOf(l.server.LocalAddr())}
	all, err := wiretest.DatagramSockets(ports...)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range all {
		if slices.Contains(ports, int(s.Local.Port())) {
			dropped += s.Drops
			queued += s.Queued
		}
	}
	return dropped, queued
}

// A flooded is what came of a flood.
type flooded struct {
	sent, got int64
	vanished  int64 // although no receive buffer was full
	took      time.Duration
}

// flood sends by all clients in turn for a while, as fast as one goroutine can, and waits until all has arrived that will.
func (l *datagramLane) flood(b *testing.B, size int, during time.Duration) (f flooded) {
	before := l.counted.Load()
	dropped, _ := l.sockets(b)
	buf := make([]byte, size)
	start := time.Now()
	for time.Since(start) < during {
		for range 100 {
			if _, err := l.clients[f.sent%int64(len(l.clients))].Write(buf); err != nil && !errors.Is(err, unix.ENOBUFS) {
				b.Fatal(err)
			}
			f.sent++
		}
	}
	last := time.Now()
	f.took = last.Sub(start)
	for was := l.counted.Load(); time.Since(last) < 100*time.Millisecond; { // a busy machine may do something else for so long
		time.Sleep(2 * time.Millisecond)
		_, queued := l.sockets(b)
		if now := l.counted.Load(); now != was || queued > 0 {
			was, last = now, time.Now()
			f.took = last.Sub(start)
		}
	}
	f.got = l.counted.Load() - before
	after, _ := l.sockets(b)
	f.vanished = f.sent - f.got - (after - dropped)
	return f
}

// pingPong makes round trips by all clients, a few at a time, and returns how long they took.
func (l *datagramLane) pingPong(b *testing.B, size int, during time.Duration) (took []time.Duration) {
	const most = 16
	var mu sync.Mutex // guards took
	var running sync.WaitGroup
	workers := min(most, len(l.clients))
	for w := range workers {
		running.Go(func() {
			buf := make([]byte, size)
			var own []time.Duration
			start := time.Now()
			for i := w; time.Since(start) < during; i += workers {
				if i >= len(l.clients) {
					i = w
				}
				_ = l.clients[i].SetReadDeadline(start.Add(during + 10*time.Second))
				d, err := l.trip(l.clients[i], buf)
				if err != nil {
					b.Errorf("%s: %v", l.way.name, err)
					return
				}
				own = append(own, d)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	running.Wait()
	slices.Sort(took)
	return took
}

// benchTurns is how often each way has its turn, and benchTurn how long that is: what the machine does besides meets all of them.
const (
	benchTurns = 5
	benchTurn  = 200 * time.Millisecond
)

// BenchmarkDatagrams sends datagrams one way as fast as a client can, and there and back, directly and through what is compared, in
// turns. Loss is that of a flood: what no buffer had room for.
func BenchmarkDatagrams(b *testing.B) {
	for _, sessions := range []int{1, 1000} {
		for _, size := range []int{64, 1200} {
			b.Run(fmt.Sprintf("one way/%d sessions/%d B", sessions, size), func(b *testing.B) { benchOneWay(b, sessions, size) })
			b.Run(fmt.Sprintf("ping-pong/%d sessions/%d B", sessions, size), func(b *testing.B) { benchPingPong(b, sessions, size) })
		}
	}
}

func benchOneWay(b *testing.B, sessions, size int) {
	lanes := openLanes(b, sessions, false)
	all := make([]flooded, len(lanes))
	for range benchTurns {
		for i, l := range lanes {
			f := l.flood(b, size, benchTurn)
			all[i].sent += f.sent
			all[i].got += f.got
			all[i].vanished += f.vanished
			all[i].took += f.took
		}
	}
	for b.Loop() { // it is not an operation that is measured
	}
	b.ReportMetric(0, "ns/op")
	rate := func(f flooded) float64 { return float64(f.got) / f.took.Seconds() }
	for i, l := range lanes {
		f := all[i]
		b.ReportMetric(rate(f), "/s-"+l.way.name)
		b.ReportMetric(100*float64(f.sent-f.got)/float64(f.sent), "%lost-"+l.way.name)
		if l.way.name != "socat" { // whose sessions have sockets that nothing tells of
			b.ReportMetric(float64(f.vanished), "vanished-"+l.way.name)
		}
		if i > 0 {
			b.ReportMetric(rate(f)/rate(all[0]), l.way.name+"/direct")
		}
	}
}

func benchPingPong(b *testing.B, sessions, size int) {
	lanes := openLanes(b, sessions, true)
	took := make([][]time.Duration, len(lanes))
	for range benchTurns {
		for i, l := range lanes {
			took[i] = append(took[i], l.pingPong(b, size, benchTurn)...)
		}
	}
	for b.Loop() { // it is not an operation that is measured
	}
	b.ReportMetric(0, "ns/op")
	micro := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	for i, l := range lanes {
		slices.Sort(took[i])
		n := len(took[i])
		b.ReportMetric(float64(n)/(benchTurns*benchTurn).Seconds(), "/s-"+l.way.name)
		b.ReportMetric(micro(took[i][n/2]), "µs-p50-"+l.way.name)
		b.ReportMetric(micro(took[i][n*99/100]), "µs-p99-"+l.way.name)
		if i > 0 {
			b.ReportMetric(float64(n)/float64(len(took[0])), l.way.name+"/direct")
		}
	}
}

// BenchmarkDatagramSession tells what an idle session costs a process that has nothing but a gate: memory that is its own, and
// descriptors.
func BenchmarkDatagramSession(b *testing.B) {
	sessions, err := wiretest.CrowdSize(1000)
	if err != nil {
		b.Fatal(err)
	}
	server := benchSocket(b, func() (*net.UDPConn, error) { return wiretest.ListenDatagrams("udp4", "127.0.0.1:0") })
	child := startChild(b, "udp", server.LocalAddr().String(), 0)
	l := &datagramLane{server: server}
	var quiet atomic.Bool
	var serving sync.WaitGroup
	serving.Go(func() { l.serve(&quiet) })
	b.Cleanup(serving.Wait)
	b.Cleanup(func() { server.Close() })
	join := func() {
		c := benchSocket(b, func() (*net.UDPConn, error) { return wiretest.DialDatagrams(child.addr) })
		for range 10 {
			if _, err := l.trip(c, make([]byte, 1200)); err != nil {
				b.Fatal(err)
			}
		}
	}
	join() // starts what is started once
	child.tidy(b)
	memory, fds := child.resident(b), child.descriptors(b)
	for range sessions {
		join()
	}
	child.tidy(b)
	for b.Loop() { // it is not an operation that is measured
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(child.resident(b)-memory)/float64(sessions), "B/session")
	b.ReportMetric(float64(child.descriptors(b)-fds)/float64(sessions), "fds/session")
}

// TestWireDatagramAllocations holds that a datagram costs no allocation, plain or through a fault that keeps it for a while.
func TestWireDatagramAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates for itself")
	}
	for _, f := range []struct {
		name   string
		faults []chaos.Fault
	}{
		{"plain", nil},
		{"edit", []chaos.Fault{chaos.Edit(func(b []byte) []byte { return b })}},
		{"delay", []chaos.Fault{chaos.Delay{By: 10 * time.Microsecond}}},
		{"corrupt", []chaos.Fault{chaos.Corrupt{Rate: 0.5}}},
	} {
		t.Run(f.name, func(t *testing.T) {
			leavesNothing(t)
			p := newDatagramPair(t, nil)
			p.greet(t, p.client)
			p.gate.ToServer.Set(f.faults...)
			p.gate.ToClient.Set(f.faults...)
			end := time.Now().Add(20 * time.Second)
			if err := errors.Join(p.server.SetDeadline(end), p.client.SetDeadline(end)); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 1200)
			got := testing.AllocsPerRun(2000, func() {
				for range 5 { // so that fewer than one in ten datagrams shows
					_, err := p.client.Write(buf)
					n, from, rerr := p.server.ReadFromUDPAddrPort(buf)
					_, werr := p.server.WriteToUDPAddrPort(buf[:n], from)
					_, err2 := p.client.Read(buf)
					if err != nil || rerr != nil || werr != nil || err2 != nil {
						t.Fatal(err, rerr, werr, err2)
					}
				}
			})
			if got != 0 {
				t.Errorf("ten datagrams cost %v allocations", got)
			}
		})
	}
}

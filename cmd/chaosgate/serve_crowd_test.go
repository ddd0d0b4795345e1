package main

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
)

// TestCrowd has a daemon with a thousand connections whose peers neither read nor go away, ten thousand connections to its API that ask nothing,
// and some that send their requests byte by byte. Every call is answered, and bytes pass. How fast is told, and judged only where waiting
// for one of them would show.
func TestCrowd(t *testing.T) {
	stalled, idle, slow := 1000, 10_000, 50
	if testing.Short() || runtime.GOOS != "linux" {
		stalled, idle = 100, 500
	}
	if room := openFiles(t) - 3*stalled - 500; idle > room { // the daemon has two for each that is stalled
		idle = max(room, 100)
	}
	// What its peers do not take stays in buffers of the kernel's, of which there are so many: when they are used up all of TCP is slow.
	small := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { setReceiveBuffer(fd, 16<<10) })
	}}
	deaf, err := small.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	echo := echoForCrowd(t)
	d := startDaemon(t, "--log-level", "error", "--gate", "deaf=127.0.0.1:0,"+deaf.Addr().String(), "--gate", "echo=127.0.0.1:0,"+echo)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := client.New(d.url, client.Options{By: "crowd"})
	if err != nil {
		t.Fatal(err)
	}
	gate, err := c.Gate(ctx, "deaf")
	if err != nil {
		t.Fatal(err)
	}
	through, err := c.Gate(ctx, "echo")
	if err != nil {
		t.Fatal(err)
	}
	pinger := dialForCrowd(t, through.Listen)
	alone := pings(t, pinger, 500)

	fill, blocked := make([]byte, 64<<10), 0
	for range stalled {
		conn := dialForCrowd(t, gate.Listen)
		conn.(*net.TCPConn).SetWriteBuffer(16 << 10)
		conn.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
		for range 16 {
			if _, err := conn.Write(fill); err != nil {
				blocked++
				break
			}
		}
	}
	if blocked < stalled/10 {
		t.Errorf("%d of %d connections could not write any more: the test proves nothing", blocked, stalled)
	}
	api := strings.TrimPrefix(d.url, "http://")
	for range idle {
		dialForCrowd(t, api)
	}
	for range slow {
		conn := dialForCrowd(t, api)
		go func() { // ends with the connection
			for _, b := range []byte("GET /v1/gates HTTP/1.1\r\nHost: localhost\r\nX-Long: " + strings.Repeat("x", 1<<10)) {
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond) // that is what makes it slow
			}
		}()
	}
	if _, err := c.WaitConns(ctx, "deaf", stalled); err != nil {
		t.Fatal(err)
	}
	type call struct {
		name string
		do   func() error
	}
	at := client.Where{Gate: "deaf", Direction: chaos.ToServer}
	calls := []call{
		{"list gates", func() error { _, err := c.Gates(ctx); return err }},
		{"list connections", func() error { _, err := c.Conns(ctx, "deaf"); return err }},
		{"impose", func() error { _, err := c.Add(ctx, at, spec.EntriesOf(chaos.Delay{By: time.Hour})); return err }},
		{"change", func() error {
			_, err := c.Change(ctx, at, "delay", client.Change{Fault: chaos.Delay{By: 2 * time.Hour}})
			return err
		}},
		{"replace", func() error { _, err := c.Set(ctx, at, spec.EntriesOf(chaos.Stall{})); return err }},
		{"door", func() error { _, err := c.SetDoor(ctx, "deaf", client.DoorSetting{Door: chaos.Hold}); return err }},
		{"heal", func() error { _, err := c.Heal(ctx, "deaf"); return err }},
		{"lease", func() error { _, err := c.Lease(ctx, "l", time.Minute); return err }},
		{"reset ten", func() error { _, err := c.CloseConns(ctx, "deaf", 10, chaos.RST); return err }},
		{"close ten", func() error { _, err := c.CloseConns(ctx, "deaf", 10, chaos.FIN); return err }},
	}
	var report []string
	for round := range 3 {
		for _, call := range calls {
			begin := time.Now()
			if err := call.do(); err != nil {
				t.Fatalf("%s, round %d: %v", call.name, round+1, err)
			}
			took := time.Since(begin)
			report = append(report, fmt.Sprintf("%s %.1f ms", call.name, float64(took.Microseconds())/1000))
			if took > 5*time.Second {
				t.Errorf("%s took %v: it has waited for a peer", call.name, took)
			}
		}
	}
	crowded := pings(t, pinger, 500)
	begin := time.Now()
	if err := c.Remove(ctx, "deaf"); err != nil {
		t.Error(err)
	}
	report = append(report, fmt.Sprintf("remove %.1f ms", float64(time.Since(begin).Microseconds())/1000))
	t.Logf("%d connections whose server does not read, %d of them full, %d idle ones to the API, %d slow: %s", stalled, blocked, idle, slow, strings.Join(report, ", "))
	t.Logf("64 bytes there and back through another gate, median of 500: %v alone, %v in the crowd", alone, crowded)
}

func dialForCrowd(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// echoForCrowd starts a server that sends back what it gets.
func echoForCrowd(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 64)
				for {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					conn.Write(buf[:n])
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// pings returns the median of how long so many round trips take.
func pings(t *testing.T, conn net.Conn, n int) time.Duration {
	t.Helper()
	conn.SetDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 64)
	var took []time.Duration
	for range n {
		begin := time.Now()
		if _, err := conn.Write(buf); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < len(buf); {
			k, err := conn.Read(buf[got:])
			if err != nil {
				t.Fatal(err)
			}
			got += k
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[n/2]
}

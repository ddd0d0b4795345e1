//go:build linux

package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"golang.org/x/sys/unix"
)

// A real is a connection through a gate on real sockets, seen from the direction in which a fault works: what from sends arrives
// at to.
type real struct {
	gate     *chaos.Gate
	servers  net.Listener
	dir      chaos.Direction
	flow     *chaos.Flow
	from, to net.Conn
}

// realPatience is how long anything may take on a busy machine.
const realPatience = 20 * time.Second

// newReal starts a server and a gate, and connects a client.
func newReal(t *testing.T, network string, dir chaos.Direction, faults ...chaos.Fault) *real {
	t.Helper()
	address, listen := "127.0.0.1:0", ""
	if network == "unix" {
		folder := t.TempDir()
		address, listen = filepath.Join(folder, "server"), filepath.Join(folder, "gate")
	}
	servers, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { servers.Close() })
	r := &real{servers: servers, dir: dir}
	r.gate = &chaos.Gate{Network: network, Listen: listen, Server: servers.Addr().String(), Seed: 1}
	r.flow = &r.gate.ToServer
	if dir == chaos.ToClient {
		r.flow = &r.gate.ToClient
	}
	startWireGate(t, r.gate)
	r.flow.Set(faults...)
	r.connect(t)
	return r
}

// connect connects one more client, and makes it the one that is looked at.
func (r *real) connect(t *testing.T) {
	t.Helper()
	client, err := net.Dial(r.servers.Addr().Network(), r.gate.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if err := r.servers.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now().Add(realPatience)); err != nil {
		t.Fatal(err)
	}
	server, err := r.servers.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	end := time.Now().Add(realPatience)
	if err := errors.Join(client.SetDeadline(end), server.SetDeadline(end)); err != nil {
		t.Fatal(err)
	}
	if r.from, r.to = client, server; r.dir == chaos.ToClient {
		r.from, r.to = server, client
	}
}

// ending reads until the connection ends and returns what came, and how it ended: "FIN", "RST" or what went wrong.
func ending(c net.Conn) (data []byte, end string) {
	data, err := io.ReadAll(c)
	switch {
	case err == nil:
		return data, "FIN"
	case errors.Is(err, unix.ECONNRESET):
		return data, "RST"
	}
	return data, err.Error()
}

// ends checks what arrives until the connection ends, and that both peers see the same end.
func (r *real) ends(t *testing.T, want, end string) {
	t.Helper()
	if got, how := ending(r.to); string(got) != want || how != end {
		t.Errorf("the receiver: got %d bytes, then %s, want %d bytes, then %s", len(got), how, len(want), end)
	}
	if got, how := ending(r.from); len(got) > 0 || how != end {
		t.Errorf("the sender: got %d bytes, then %s, want nothing, then %s", len(got), how, end)
	}
}

// sends writes what is to arrive changed or late.
func (r *real) sends(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(r.from, text); err != nil {
		t.Fatalf("writing: %v", err)
	}
}

// shuts ends the stream.
func (r *real) shuts(t *testing.T) {
	t.Helper()
	if err := r.from.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// gets reads as much as is wanted.
func (r *real) gets(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r.to, got); err != nil || string(got) != want {
		t.Fatalf("got %.80q, %v, want %.80q", got[:n], err, want)
	}
}

// getsEnd reads the end of the stream.
func (r *real) getsEnd(t *testing.T) {
	t.Helper()
	if n, err := r.to.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		t.Fatalf("got %d bytes and %v, want EOF", n, err)
	}
}

// silent checks that nothing arrives at a peer for a while, long enough for what would have been on its way.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
		t.Errorf("got %d bytes and %v, want silence", n, err)
	}
	if err := c.SetReadDeadline(time.Now().Add(realPatience)); err != nil {
		t.Fatal(err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// writeUntilFull writes until nothing is taken any more, and returns how much was.
func writeUntilFull(t *testing.T, c net.Conn) (written int) {
	t.Helper()
	buf := make([]byte, 256<<10)
	for {
		if err := c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := c.Write(buf)
		if written += n; isTimeout(err) {
			return written
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// fires waits until a fault has fired, and so until what was sent has reached it.
func (r *real) fires(t *testing.T, n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), realPatience)
	defer cancel()
	if err := r.flow.Imposed()[0].Wait(ctx, n); err != nil {
		t.Fatalf("%d hits: %v", n, err)
	}
}

// since checks that at least so much time has gone by: a fault may be late on a busy machine, and must never be early.
func since(t *testing.T, start time.Time, atLeast time.Duration) {
	t.Helper()
	if took := time.Since(start); took < atLeast || took > atLeast+realPatience/2 {
		t.Errorf("it took %v, want %v, and hardly more", took, atLeast)
	}
}

// realFaults says for each fault what the peers see of it.
var realFaults = []struct {
	name  string
	fault chaos.Fault
	see   func(t *testing.T, r *real)
}{
	{"delay", chaos.Delay{By: 40 * time.Millisecond}, func(t *testing.T, r *real) {
		start := time.Now()
		r.sends(t, "late")
		r.gets(t, "late")
		since(t, start, 40*time.Millisecond)
		start = time.Now()
		r.shuts(t)
		r.getsEnd(t)
		since(t, start, 40*time.Millisecond)
	}},
	{"bandwidth", chaos.Bandwidth{Rate: 1_000_000, Burst: 1000}, func(t *testing.T, r *real) {
		start := time.Now()
		r.sends(t, strings.Repeat("x", 100_000))
		r.gets(t, strings.Repeat("x", 100_000))
		since(t, start, 99*time.Millisecond)
	}},
	{"slice", chaos.Slice{Size: 3, Gap: 30 * time.Millisecond}, func(t *testing.T, r *real) {
		start := time.Now()
		r.sends(t, "abcdefgh")
		var sizes []int
		for read := 0; read < 8; {
			buf := make([]byte, 8)
			n, err := r.to.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, n)
			read += n
		}
		// A reader that slept for 30 ms finds pieces joined; the gaps are there all the same.
		if got := fmt.Sprint(sizes); got != "[3 3 2]" && time.Since(start) < 90*time.Millisecond {
			t.Errorf("got pieces of %s, want 3, 3 and 2", got)
		}
		since(t, start, 60*time.Millisecond)
	}},
	{"concat", chaos.Concat{Size: 10}, func(t *testing.T, r *real) {
		r.sends(t, "1234")
		r.fires(t, 1)
		r.sends(t, "567")
		silent(t, r.to)
		r.sends(t, "89A")
		buf := make([]byte, 99)
		if n, err := r.to.Read(buf); string(buf[:n]) != "123456789A" || err != nil {
			t.Errorf("got %q, %v, want all of it at once", buf[:n], err)
		}
	}},
	{"concat until the end", chaos.Concat{Size: 10}, func(t *testing.T, r *real) {
		r.sends(t, "123")
		r.shuts(t)
		r.gets(t, "123")
		r.getsEnd(t)
	}},
	{"corrupt", chaos.Corrupt{}, func(t *testing.T, r *real) {
		sent := strings.Repeat("all of it ", 1000)
		r.sends(t, sent)
		r.shuts(t)
		got, end := ending(r.to)
		if len(got) != len(sent) || end != "FIN" {
			t.Fatalf("got %d bytes, then %s, want %d, then FIN", len(got), end, len(sent))
		}
		for i := range got {
			if got[i] == sent[i] {
				t.Fatalf("byte %d is as it was", i)
			}
		}
	}},
	{"substitute", chaos.Substitute{Pattern: "t(ru)e", With: "false$1"}, func(t *testing.T, r *real) {
		r.sends(t, `{"ok": true, "t": tr`)
		r.sends(t, "ue, untrue tru")
		r.shuts(t)
		r.gets(t, `{"ok": falseru, "t": falseru, unfalseru tru`)
		r.getsEnd(t)
	}},
	{"stall", chaos.Stall{}, func(t *testing.T, r *real) {
		r.sends(t, "patience")
		r.fires(t, 1)
		silent(t, r.to)
		r.shuts(t)
		silent(t, r.to)
		r.flow.Set()
		r.gets(t, "patience")
		r.getsEnd(t)
	}},
	{"stall is felt", chaos.Stall{}, func(t *testing.T, r *real) {
		n := writeUntilFull(t, r.from)
		r.flow.Set()
		if got, err := io.CopyN(io.Discard, r.to, int64(n)); err != nil {
			t.Errorf("got %d of %d bytes, %v", got, n, err)
		}
	}},
	{"discard", chaos.Discard{}, func(t *testing.T, r *real) {
		r.sends(t, strings.Repeat("lost", 1<<18)) // more than buffers hold: it is really read
		r.shuts(t)
		r.getsEnd(t)
	}},
	{"discard lifted", chaos.Discard{}, func(t *testing.T, r *real) {
		r.sends(t, "lost")
		r.fires(t, 1)
		silent(t, r.to)
		r.flow.Set()
		r.ends(t, "", "RST")
	}},
	{"discard resumed", chaos.Discard{Resume: true}, func(t *testing.T, r *real) {
		r.sends(t, "lost")
		r.fires(t, 1)
		r.flow.Set()
		r.sends(t, "found")
		r.gets(t, "found")
	}},
	{"vanish", chaos.Vanish{}, func(t *testing.T, r *real) {
		r.sends(t, "lost")
		r.shuts(t)
		r.fires(t, 2)
		silent(t, r.to)
		silent(t, r.from)
		if n := len(r.gate.Conns()); n != 1 {
			t.Errorf("got %d connections, want 1", n)
		}
		r.flow.Set()
		r.ends(t, "", "RST")
	}},
	{"vanish and a reset", chaos.Vanish{}, func(t *testing.T, r *real) {
		// Before the server was reached a reset would just end the dialling, and no fault is at work yet.
		if err := r.gate.WaitConns(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.from.(*net.TCPConn).SetLinger(0), r.from.Close()); err != nil {
			t.Fatal(err)
		}
		r.fires(t, 1)
		silent(t, r.to)
		r.flow.Set()
		if _, end := ending(r.to); end != "RST" {
			t.Errorf("lifted: got %s, want RST", end)
		}
	}},
	{"close", chaos.Close{After: 20 * time.Millisecond}, func(t *testing.T, r *real) { r.ends(t, "", "FIN") }},
	{"close by reset", chaos.Close{After: 20 * time.Millisecond, Reset: true}, func(t *testing.T, r *real) { r.ends(t, "", "RST") }},
	{"close abruptly", chaos.Close{After: 20 * time.Millisecond, Reset: true, Abrupt: true}, func(t *testing.T, r *real) { r.ends(t, "", "RST") }},
	{"close_on_data", chaos.CloseOnData{}, func(t *testing.T, r *real) {
		silent(t, r.to)
		r.sends(t, "a")
		r.ends(t, "", "FIN")
	}},
	{"close_on_data by reset", chaos.CloseOnData{Reset: true}, func(t *testing.T, r *real) {
		r.sends(t, "a")
		r.ends(t, "", "RST")
	}},
	{"limit", chaos.Limit{Bytes: 5}, func(t *testing.T, r *real) {
		r.sends(t, "123456789")
		r.ends(t, "12345", "FIN")
	}},
	{"limit by reset", chaos.Limit{Bytes: 5, Reset: true}, func(t *testing.T, r *real) {
		r.sends(t, "123456789")
		r.ends(t, "12345", "RST")
	}},
	{"lifetime", chaos.Lifetime{For: 60 * time.Millisecond}, func(t *testing.T, r *real) {
		r.sends(t, "a")
		r.gets(t, "a")
		r.ends(t, "", "FIN")
	}},
	{"lifetime from data by reset", chaos.Lifetime{For: 40 * time.Millisecond, From: chaos.FromData, Reset: true}, func(t *testing.T, r *real) {
		silent(t, r.to)
		start := time.Now()
		r.sends(t, "a")
		r.ends(t, "a", "RST")
		since(t, start, 40*time.Millisecond)
	}},
	{"idle", chaos.Idle{For: 40 * time.Millisecond}, func(t *testing.T, r *real) {
		start := time.Now()
		r.sends(t, "a")
		r.ends(t, "a", "FIN")
		since(t, start, 40*time.Millisecond)
	}},
	{"idle by reset", chaos.Idle{For: 40 * time.Millisecond, Reset: true}, func(t *testing.T, r *real) { r.ends(t, "", "RST") }},
	{"slow_close", chaos.SlowClose{By: 50 * time.Millisecond}, func(t *testing.T, r *real) {
		start := time.Now()
		r.sends(t, "in time")
		r.shuts(t)
		r.gets(t, "in time")
		r.getsEnd(t)
		since(t, start, 50*time.Millisecond)
	}},
	{"sometimes, always", chaos.Sometimes{Chance: 1, Fault: chaos.Limit{Bytes: 2}}, func(t *testing.T, r *real) {
		r.sends(t, "abc")
		r.ends(t, "ab", "FIN")
	}},
	{"sometimes, never", chaos.Sometimes{Fault: chaos.Limit{Bytes: 2}}, func(t *testing.T, r *real) {
		r.sends(t, "abc")
		r.gets(t, "abc")
	}},
	{"after bytes", chaos.After{Bytes: 3, Fault: chaos.Edit(bytes.ToUpper)}, func(t *testing.T, r *real) {
		r.sends(t, "abcdef")
		r.gets(t, "abcDEF")
	}},
	{"after a time", chaos.After{Time: 40 * time.Millisecond, Fault: chaos.Close{Reset: true}}, func(t *testing.T, r *real) {
		r.ends(t, "", "RST")
	}},
	{"during", chaos.During{For: 60 * time.Millisecond, Fault: chaos.Stall{}}, func(t *testing.T, r *real) {
		r.sends(t, "held for a while")
		r.gets(t, "held for a while")
		r.sends(t, "and then no more")
		r.gets(t, "and then no more")
	}},
	{"only", chaos.Only{Nth: 2, Fault: chaos.CloseOnData{}}, func(t *testing.T, r *real) {
		r.sends(t, "first")
		r.gets(t, "first")
		r.connect(t)
		r.sends(t, "second")
		r.ends(t, "", "FIN")
		r.connect(t)
		r.sends(t, "third")
		r.gets(t, "third")
	}},
	{"edit", chaos.Edit(bytes.ToUpper), func(t *testing.T, r *real) {
		r.sends(t, "loud")
		r.gets(t, "LOUD")
	}},
	{"through", chaos.Through(echoTwice), func(t *testing.T, r *real) {
		r.sends(t, "ab")
		r.shuts(t)
		r.gets(t, "aabb")
		r.getsEnd(t)
	}},
	{"through an error", chaos.Through(failAtOnce), func(t *testing.T, r *real) {
		r.sends(t, "a")
		r.ends(t, "", "RST")
	}},
	{"through nil", chaos.Through(func(io.Writer, io.Reader) error { return nil }), func(t *testing.T, r *real) { r.getsEnd(t) }},
}

// echoTwice writes every byte twice.
func echoTwice(dst io.Writer, src io.Reader) error {
	var b [1]byte
	for {
		if _, err := src.Read(b[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if _, err := dst.Write([]byte{b[0], b[0]}); err != nil {
			return err
		}
	}
}

// failAtOnce reads one byte and fails.
func failAtOnce(_ io.Writer, src io.Reader) error {
	if _, err := src.Read(make([]byte, 1)); err != nil {
		return err
	}
	return errors.New("that byte was too much")
}

// TestRealFaults is what client and server see of each fault, in both directions.
func TestRealFaults(t *testing.T) {
	leavesNothing(t)
	for _, network := range []string{"tcp", "unix"} {
		for _, test := range realFaults {
			if network == "unix" && (chaos.Check("unix", test.fault) != nil || seesRST(test.name)) {
				continue // a unix socket has no reset
			}
			for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
				t.Run(fmt.Sprintf("%s/%s/%v", network, test.name, dir), func(t *testing.T) {
					t.Parallel()
					r := newReal(t, network, dir, test.fault)
					test.see(t, r)
				})
			}
		}
	}
}

// seesRST names the tests that end in a reset although no parameter of their fault says so.
func seesRST(name string) bool {
	switch name {
	case "discard lifted", "vanish", "vanish and a reset", "through an error", "after a time":
		return true
	}
	return false
}

// TestRealFaultsAreComplete holds the table to the catalogue.
func TestRealFaultsAreComplete(t *testing.T) {
	// What needs a service has tests of its own: TestRealDetour, TestRealDatagramDetour.
	streams, datagrams := map[string]bool{"detour": true}, map[string]bool{"detour": true}
	for _, test := range realFaults {
		streams[chaos.KindOf(test.fault)] = true
	}
	for _, test := range realDatagramFaults {
		datagrams[chaos.KindOf(test.fault)] = true
	}
	for _, kind := range catalogue() {
		if !streams[kind.Name] && !kind.OnlyDatagrams {
			t.Errorf("%s is not tried on real sockets", kind.Name)
		}
		if !datagrams[kind.Name] && !kind.NoDatagrams {
			t.Errorf("%s is not tried on real sockets of datagrams", kind.Name)
		}
	}
}

// TestRealDetour sends a direction's bytes through a service in another address.
func TestRealDetour(t *testing.T) {
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		t.Run(dir.String(), func(t *testing.T) {
			leavesNothing(t)
			services, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var running sync.WaitGroup
			running.Go(func() {
				c, err := services.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				if err := echoTwice(c, c); err != nil {
					t.Errorf("the service: %v", err)
				}
			})
			defer running.Wait()
			defer services.Close()
			r := newReal(t, "tcp", dir, chaos.Detour{Address: services.Addr().String()})
			r.sends(t, "ab")
			r.gets(t, "aabb")
			r.sends(t, "c")
			r.shuts(t)
			r.gets(t, "cc")
			r.getsEnd(t)
		})
	}
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		for _, ends := range []bool{false, true} {
			t.Run(fmt.Sprintf("the service closes/ends=%v/%v", ends, dir), func(t *testing.T) {
				leavesNothing(t)
				services, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer services.Close()
				go func() {
					c, err := services.Accept()
					if err != nil {
						return
					}
					defer c.Close()
					io.ReadFull(c, make([]byte, 2))
					io.WriteString(c, "sorry")
				}()
				r := newReal(t, "tcp", dir, chaos.Detour{Address: services.Addr().String(), Ends: ends})
				r.sends(t, "ab")
				if ends {
					r.ends(t, "sorry", "FIN")
				} else {
					r.gets(t, "sorry")
					r.getsEnd(t)
				}
			})
		}
	}
	t.Run("nobody there", func(t *testing.T) {
		leavesNothing(t)
		services, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		services.Close()
		r := newReal(t, "tcp", chaos.ToServer)
		r.flow.Set(chaos.Detour{Address: services.Addr().String()})
		r.ends(t, "", "RST")
	})
}

// TestRealLimitIsExact has readers of all speeds read all that a limit lets pass.
func TestRealLimitIsExact(t *testing.T) {
	runs := sized(100, 10_000)
	for _, limit := range []chaos.Limit{{Bytes: 70_000}, {Bytes: 70_000, Reset: true}} {
		for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
			t.Run(fmt.Sprintf("reset=%v/%v", limit.Reset, dir), func(t *testing.T) {
				leavesNothing(t)
				end := "FIN"
				if limit.Reset {
					end = "RST"
				}
				r := newReal(t, "tcp", dir)
				data := make([]byte, 200_000)
				for i := range data {
					data[i] = byte(i * 7 >> 3)
				}
				rng := rand.New(rand.NewPCG(1, 2))
				for run := range runs {
					bytes := 1 + rng.Int64N(limit.Bytes)
					r.flow.Set(chaos.Limit{Bytes: bytes, Reset: limit.Reset})
					r.connect(t)
					r.limited(t, data, bytes, end, rng)
					if t.Failed() {
						t.Fatalf("at run %d", run)
					}
				}
			})
		}
	}
}

// limited sends more than a limit allows to a reader that takes its time.
func (r *real) limited(t *testing.T, data []byte, limit int64, end string, rng *rand.Rand) {
	var sending sync.WaitGroup
	sending.Go(func() { r.from.Write(data) }) // it fails, somewhere behind the limit
	var got []byte
	buf := make([]byte, 1+rng.IntN(30_000))
	slow := rng.IntN(3) == 0
	var err error
	for err == nil {
		if slow {
			time.Sleep(time.Duration(rng.IntN(500)) * time.Microsecond) // a reader that is busy otherwise
		}
		var n int
		n, err = r.to.Read(buf)
		got = append(got, buf[:n]...)
	}
	sending.Wait()
	if (err == io.EOF) != (end == "FIN") || errors.Is(err, unix.ECONNRESET) != (end == "RST") {
		t.Errorf("the end: got %v, want %s", err, end)
	}
	if int64(len(got)) != limit || !bytes.Equal(got, data[:len(got)]) {
		t.Errorf("got %d bytes, want %d, and they are the same: %v", len(got), limit, bytes.HasPrefix(data, got))
	}
	r.from.Close()
	r.to.Close()
}

//go:build linux

package chaos_test

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// TestConcatKeepsToTheMemory has many connections wait for far more than the gate may hold: what there is no room for leaves early,
// and nothing is lost.
func TestConcatKeepsToTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const conns, each, memory = 20, 4 << 20, 1 << 20
		v := newVirtual(t, func(g *chaos.Gate) { g.Memory, g.Window = memory, memory })
		v.ToServer.Set(chaos.Concat{Size: 64 << 20})
		var servers []net.Conn
		for range conns {
			client, server := v.connect(t)
			servers = append(servers, server)
			go func() {
				for range each / (64 << 10) {
					client.Write(make([]byte, 64<<10))
				}
				client.(interface{ CloseWrite() error }).CloseWrite()
			}()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		// Each connection may find room that others take at the same time.
		if got, most := v.Stats().Held, int64(memory+2*conns*(64<<10)); got > most {
			t.Errorf("got %d KiB held, want at most %d", got>>10, most>>10)
		}
		for _, server := range servers {
			if got, err := io.Copy(io.Discard, server); got != each || err != nil {
				t.Errorf("got %d bytes, %v, want %d and EOF", got, err, each)
			}
		}
		synctest.Wait()
		if got := v.Stats().Held; got != 0 {
			t.Errorf("got %d held in the end, want 0", got)
		}
	})
}

// TestImposeBehindAFullPipe imposes a fault that at once passes on a mark of its own, while bytes that came before it are in the pipe
// of a direction without faults: they stay before the mark.
func TestImposeBehindAFullPipe(t *testing.T) {
	for round := range 4 { // whether bytes stop in the pipe or in a buffer is a matter of luck
		t.Run(strconv.Itoa(round), imposeBehindAFullPipe)
	}
}

func imposeBehindAFullPipe(t *testing.T) {
	leavesNothing(t)
	r := newReal(t, "tcp", chaos.ToServer)
	sent := writeUntilFull(t, r.from) // of zeros
	r.flow.Set(chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
		next(chaos.Segment{Data: []byte("|"), Due: st.Now()})
		return func(s chaos.Segment) {
			for i := range s.Data {
				s.Data[i] = 'b'
			}
			next(s)
		}
	}))
	r.shuts(t)
	got, end := ending(r.to)
	before, behind, marked := bytes.Cut(got, []byte("|"))
	if len(got) != sent+1 || end != "FIN" || !marked {
		t.Fatalf("got %d bytes, marked: %v, then %s, want %d with a mark, then FIN", len(got), marked, end, sent+1)
	}
	if old := bytes.Count(behind, []byte{0}); old > 0 || len(behind) == 0 {
		t.Errorf("behind the mark: got %d of %d bytes as they were, want none of some", old, len(behind))
	}
	if early := bytes.Count(before, []byte("b")); early > 0 || len(before) == 0 {
		t.Errorf("before the mark: got %d of %d bytes changed, want none of some", early, len(before))
	}
}

// TestLiftedCodeGivesBackOnce ends a connection whose lifted code still keeps bytes: they are held no more, and not even less when
// the code returns at last.
func TestLiftedCodeGivesBackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		client, _ := v.connect(t)
		release := make(chan struct{}) // closed when the code may return
		lifted := v.ToServer.Add(chaos.Through(func(_ io.Writer, src io.Reader) error {
			<-release
			_, err := io.Copy(io.Discard, src)
			return err
		}))
		says(t, client, strings.Repeat("x", 1<<20))
		synctest.Wait()
		if got := v.Stats().Held; got == 0 {
			t.Fatal("got nothing held, want what the code has not read")
		}
		lifted.Lift()
		v.CloseConns(chaos.All)
		time.Sleep(2 * time.Second)
		close(release)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := v.Stats().Held; got != 0 {
			t.Errorf("got %d held, want 0", got)
		}
	})
}

// TestBytesBehindAFaultsFIN lifts a fault that has ended one direction: what the source still sends is forgotten, and the other
// direction lives.
func TestBytesBehindAFaultsFIN(t *testing.T) {
	leavesNothing(t)
	r := newReal(t, "tcp", chaos.ToServer, chaos.Through(func(io.Writer, io.Reader) error { return nil }))
	r.getsEnd(t)
	r.flow.Imposed()[0].Lift()
	for range 2 {
		r.sends(t, "more")
		silent(t, r.from) // so long that a reset of what was sent would be noticed
	}
	if _, err := io.WriteString(r.to, "answer"); err != nil {
		t.Fatal(err)
	}
	closeWrite(t, r.to)
	if got, end := ending(r.from); string(got) != "answer" || end != "FIN" {
		t.Errorf("got %q, then %s, want the answer, then FIN", got, end)
	}
}

// TestDroppedAndDeliveredAddUp ends a connection whose server has read nothing: each byte was delivered or was dropped.
func TestDroppedAndDeliveredAddUp(t *testing.T) {
	leavesNothing(t)
	const total = 8 << 20
	var read atomic.Int64 // what has come to the delay
	counts := chaos.Edit(func(b []byte) []byte { read.Add(int64(len(b))); return b })
	r := newReal(t, "tcp", chaos.ToServer, counts, chaos.Delay{By: time.Hour})
	if _, err := r.from.Write(make([]byte, total)); err != nil {
		t.Fatal(err)
	}
	comesTrue(t, "all is held", func() bool { return read.Load() == total })
	conn := r.gate.Conns()[0]
	r.flow.Imposed()[1].Lift()
	comesTrue(t, "some is delivered", func() bool { return conn.Info().ToServer > 0 })
	conn.Close()
	comesTrue(t, "it is closed", func() bool { return conn.Info().State == chaos.Closed })
	got, _ := ending(r.to)
	if i := conn.Info(); i.ToServer != int64(len(got)) || i.ToServer+i.Dropped != total || i.Dropped == 0 {
		t.Errorf("got %d delivered and %d dropped, and the server has read %d, want in all %d", i.ToServer, i.Dropped, len(got), total)
	}
}

// comesTrue waits for what nothing reports.
func comesTrue(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(realPatience); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("%s: got no after %v, want yes", what, realPatience)
		}
		time.Sleep(time.Millisecond) // real, because a kernel's progress is awaited
	}
}

//go:build linux

package chaos_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
)

// TestWireDatagramRate is row 31 with the gate in hand: both ways at once, and each datagram is accounted for.
func TestWireDatagramRate(t *testing.T) {
	t.Run("row31_each_datagram_is_accounted_for", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		p.greet(t, p.client)
		seen := p.seen.(*net.UDPAddr).AddrPort()
		for range 3 {
			before := p.gate.Stats()
			var there, back wiretest.Tally
			var terr, berr error
			var ways sync.WaitGroup
			ways.Go(func() {
				s := wiretest.Paced{Send: sendTo(p.client, netip.AddrPort{}), Receiver: p.server, Rate: wiretest.SteadyRate, For: 2 * time.Second}
				there, terr = s.Run()
			})
			ways.Go(func() {
				s := wiretest.Paced{Send: sendTo(p.server, seen), Receiver: p.client, Rate: wiretest.SteadyRate, For: 2 * time.Second}
				back, berr = s.Run()
			})
			ways.Wait()
			if err := errors.Join(terr, berr); err != nil {
				t.Fatal(err)
			}
			st := p.gate.Stats()
			t.Logf("to the server %+v, to the client %+v, dropped by the kernel before the gate %d", there, back, st.KernelDrops-before.KernelDrops)
			if lost := int64(there.Lost() + back.Lost()); lost != st.KernelDrops-before.KernelDrops {
				t.Fatalf("%d were lost, and the kernel has dropped %d before the gate", lost, st.KernelDrops-before.KernelDrops)
			}
			if st.Lost+st.Overflowed+st.SendErrors+st.Refused != 0 {
				t.Fatalf("the gate lost some itself: %+v", st)
			}
			if there.Lost()+back.Lost() == 0 {
				return
			}
		}
		t.Errorf("some were lost in each of three attempts")
	})
}

// sendTo sends by a socket, to an address if it is not connected.
func sendTo(c *net.UDPConn, to netip.AddrPort) func(b []byte) error {
	return func(b []byte) (err error) {
		if to.IsValid() {
			_, err = c.WriteToUDPAddrPort(b, to)
		} else {
			_, err = c.Write(b)
		}
		return err
	}
}

// TestWireDatagramOverrun is the rest of row 31: when the kernel is made to drop at a socket of the gate's, the gate says how many it
// were, exactly; and the buffer has room for far more than the 92 datagrams that it has by default.
func TestWireDatagramOverrun(t *testing.T) {
	t.Run("row31_at_the_front", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		p.greet(t, p.client)
		setDoor(t, p.gate.Gate, chaos.Hold)
		sent := floodUntilDropped(t, sendTo(p.client, netip.AddrPort{}), func() int64 { return drops(t, p.gate.port(t)) })
		read := countNumbered(t, p.server, func() { setDoor(t, p.gate.Gate, chaos.Open) })
		accountedFor(t, p, sent, read, drops(t, p.gate.port(t)), drops(t, wiretest.PortOf(p.server.LocalAddr())))
	})
	t.Run("row31_at_a_session", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		p.greet(t, p.client)
		seen := p.seen.(*net.UDPAddr).AddrPort()
		busy, release := make(chan struct{}), make(chan struct{}) // closed when the gate is inside of Edit, and when it may go on
		p.gate.ToServer.Set(chaos.Edit(func([]byte) []byte {
			close(busy) // an Edit must not wait; this one does, to have a gate that does not read
			<-release
			return nil
		}))
		write(t, p.client, []byte("x"))
		<-busy
		sent := floodUntilDropped(t, sendTo(p.server, seen), func() int64 { return drops(t, int(seen.Port())) })
		read := countNumbered(t, p.client, func() { close(release) })
		dropped := drops(t, int(seen.Port()))
		accountedFor(t, p, sent, read, dropped, drops(t, wiretest.PortOf(p.client.LocalAddr())))
		// What was dropped at a session's socket is not forgotten with it.
		p.gate.CloseConns(chaos.All)
		if got := p.gate.Stats().KernelDrops; got != dropped {
			t.Errorf("after the session's end: the gate says %d, want %d", got, dropped)
		}
	})
}

// accountedFor checks that what was sent was read or dropped by a kernel, and that the gate says so.
func accountedFor(t *testing.T, p *datagramPair, sent, read int, dropped, elsewhere int64) {
	t.Helper()
	st := p.gate.Stats()
	t.Logf("%d sent, %d read, %d dropped before the gate and %d behind it; the gate says %d", sent, read, dropped, elsewhere, st.KernelDrops)
	if st.KernelDrops != dropped {
		t.Errorf("the gate says that the kernel has dropped %d, and it were %d", st.KernelDrops, dropped)
	}
	if int64(sent) != int64(read)+dropped+elsewhere {
		t.Errorf("of %d sent %d were read, %d and %d dropped: the gate has lost %d", sent, read, dropped, elsewhere, int64(sent-read)-dropped-elsewhere)
	}
	if most := int(receiveBuffer(t) / 4096); read < min(10*92, most) { // a kernel takes 2304 bytes for one of 1,200
		t.Errorf("only %d fitted into the receive buffer", read)
	}
	if st.Lost > 1 || st.Overflowed+st.SendErrors != 0 { // the one that Edit took
		t.Errorf("got %+v, want none lost by the gate", st)
	}
	if err := p.client.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if st.Live != 1 {
		t.Errorf("%d sessions are live, want 1", st.Live)
	}
}

// receiveBuffer returns what a receive buffer may have at least: the system's maximum, doubled as the kernel does.
func receiveBuffer(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/core/rmem_max")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return 2 * n
}

// drops returns what the kernel has dropped at the sockets of a port.
func drops(t *testing.T, port int) int64 {
	t.Helper()
	n, err := wiretest.Drops(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// floodUntilDropped sends datagrams of 1,200 bytes that begin with their number, until the kernel has dropped some hundred.
func floodUntilDropped(t *testing.T, send func([]byte) error, dropped func() int64) (sent int) {
	t.Helper()
	b := make([]byte, 1200)
	for sent < 1_000_000 {
		for range 500 {
			binary.BigEndian.PutUint32(b, uint32(sent))
			if err := send(b); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		if dropped() > 300 {
			return sent
		}
	}
	t.Fatalf("%d datagrams fitted into a receive buffer", sent)
	return 0
}

// countNumbered counts what arrives from begin on until nothing does, and checks its order.
func countNumbered(t *testing.T, c *net.UDPConn, begin func()) (n int) {
	t.Helper()
	begin()
	buf := make([]byte, 2000)
	for last := -1; ; n++ {
		if n%64 == 0 || n > 800 { // the deadline costs more than the read
			if err := c.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
		}
		size, err := c.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return n
		}
		if err != nil || size != 1200 {
			t.Fatalf("read %d bytes, %v", size, err)
		}
		if nth := int(binary.BigEndian.Uint32(buf)); nth <= last {
			t.Fatalf("number %d came behind number %d", nth, last)
		} else {
			last = nth
		}
	}
}

// TestWireDatagramOverflow holds that what does not fit into Window or Memory is thrown away and counted, exactly, and the rest waits.
func TestWireDatagramOverflow(t *testing.T) {
	for _, f := range []struct {
		name    string
		prepare func(*chaos.Gate)
	}{
		{"row31_window", func(g *chaos.Gate) { g.Window = 1 << 20 }},
		{"row31_memory", func(g *chaos.Gate) { g.Memory = 1 << 20 }},
	} {
		t.Run(f.name, func(t *testing.T) {
			leavesNothing(t)
			p := newDatagramPair(t, f.prepare)
			p.greet(t, p.client)
			imposed := p.gate.ToServer.Set(chaos.Stall{})
			const sent = 1500
			b := make([]byte, 1200)
			for i := range sent {
				binary.BigEndian.PutUint32(b, uint32(i))
				write(t, p.client, b)
			}
			p.gate.takesAll(t)
			lost := p.gate.Stats().Overflowed
			// What they are kept in comes in pieces of 64 KiB.
			if held := p.gate.Stats().Held; held < 1<<20 || held > 1<<20+100<<10 {
				t.Errorf("%d bytes are held back, want %d and a little", held, 1<<20)
			}
			read := countNumbered(t, p.server, imposed[0].Lift)
			if int64(read)+lost != sent || read < 500 || read > 1<<20/1200 {
				t.Errorf("of %d datagrams of 1200 bytes %d were read and %d thrown away", sent, read, lost)
			}
			if st := p.gate.Stats(); st.Held != 0 || st.Overflowed != lost || st.Lost+st.KernelDrops != 0 {
				t.Errorf("got %+v, want %d thrown away and nothing held back", st, lost)
			}
		})
	}
}

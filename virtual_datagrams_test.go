package chaos_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

// A virtualUDP is a gate of datagrams on a network in memory, in the virtual time of a testing/synctest bubble.
type virtualUDP struct {
	*chaos.Gate
	net    *chaostest.Network
	server *udpPeer
	start  time.Time

	mu     sync.Mutex // guards events
	events []chaos.Event
}

// A udpPeer is a client or the server, and what has arrived at it.
type udpPeer struct {
	net.PacketConn
	v  *virtualUDP
	to net.Conn // a client's, nil for a server

	mu    sync.Mutex // guards heard
	heard []heardDatagram
	errs  []error // what reads have failed with
}

// A heardDatagram is one that has arrived.
type heardDatagram struct {
	at   time.Duration // since the test began
	from string
	data string
}

// newVirtualUDP starts a gate. It is called in a bubble, and everything ends with it.
func newVirtualUDP(t testing.TB, configure ...func(*chaos.Gate)) *virtualUDP {
	t.Helper()
	v := &virtualUDP{net: &chaostest.Network{Buffer: 32 << 20}, start: time.Now()}
	v.server = v.listen(t, "")
	v.Gate = &chaos.Gate{
		Network: "udp", Server: v.server.LocalAddr().String(), Seed: 1, ListenPacket: v.net.ListenPacket, DialContext: v.net.Dial, Observe: v.observe,
	}
	for _, f := range configure {
		f(v.Gate)
	}
	if err := v.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait() // for the readers
	})
	return v
}

func (v *virtualUDP) observe(e chaos.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events = append(v.events, e)
}

func (v *virtualUDP) elapsed() time.Duration { return time.Since(v.start) }

// listen makes a server.
func (v *virtualUDP) listen(t testing.TB, address string) *udpPeer {
	t.Helper()
	pc, err := v.net.ListenPacket(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	return v.peer(t, pc)
}

// client makes a client of the gate.
func (v *virtualUDP) client(t testing.TB) *udpPeer {
	t.Helper()
	conn, err := v.net.Dial(t.Context(), "udp", v.Addr())
	if err != nil {
		t.Fatal(err)
	}
	p := v.peer(t, conn.(net.PacketConn))
	p.to = conn
	return p
}

// clients makes several.
func (v *virtualUDP) clients(t testing.TB, n int) []*udpPeer {
	t.Helper()
	cs := make([]*udpPeer, n)
	for i := range cs {
		cs[i] = v.client(t)
	}
	return cs
}

func (v *virtualUDP) peer(t testing.TB, pc net.PacketConn) *udpPeer {
	p := &udpPeer{PacketConn: pc, v: v}
	t.Cleanup(func() { pc.Close() })
	go p.listen()
	return p
}

// listen takes what arrives, until the peer is closed.
func (p *udpPeer) listen() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := p.ReadFrom(buf)
		p.mu.Lock()
		switch {
		case errors.Is(err, net.ErrClosed):
			p.mu.Unlock()
			return
		case err != nil:
			p.errs = append(p.errs, err)
		default:
			p.heard = append(p.heard, heardDatagram{p.v.elapsed(), from.String(), string(buf[:n])})
		}
		p.mu.Unlock()
	}
}

// took returns what has arrived since it was asked last, when all that can happen now has happened.
func (p *udpPeer) took() []heardDatagram {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := p.heard
	p.heard = nil
	return heard
}

// texts returns what took does, without when and from where.
func (p *udpPeer) texts() []string { return textsOf(p.took()) }

func textsOf(heard []heardDatagram) []string {
	var texts []string
	for _, h := range heard {
		texts = append(texts, h.data)
	}
	return texts
}

// says sends texts to the gate.
func (p *udpPeer) says(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := p.to.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

// answers sends texts to where a datagram came from.
func (p *udpPeer) answers(t testing.TB, to string, texts ...string) {
	t.Helper()
	at, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if _, err := p.WriteTo([]byte(text), at); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

// conn returns the session that began last.
func (v *virtualUDP) conn(t testing.TB) *chaos.Conn {
	t.Helper()
	conns := v.Conns()
	if len(conns) == 0 {
		t.Fatal("got no session")
	}
	return conns[len(conns)-1]
}

// nthDatagram is the n-th datagram of many, from 0.
func nthDatagram(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// numbersOf returns the numbers of datagrams.
func numbersOf(heard []heardDatagram) []int {
	ns := make([]int, len(heard))
	for i, h := range heard {
		ns[i] = int(binary.BigEndian.Uint64([]byte(h.data)))
	}
	return ns
}

// sendsNumbered sends n numbered datagrams, waiting between them as told.
func (p *udpPeer) sendsNumbered(t testing.TB, n int, pause func(i int) time.Duration) {
	t.Helper()
	for i := range n {
		if _, err := p.to.Write(nthDatagram(i)); err != nil {
			t.Fatal(err)
		}
		if pause != nil {
			time.Sleep(pause(i))
		}
	}
	synctest.Wait()
}

// lostOf tells for each of n numbers whether it is missing.
func lostOf(n int, arrived []int) []bool {
	lost := slices.Repeat([]bool{true}, n)
	for _, i := range arrived {
		lost[i] = false
	}
	return lost
}

func count(bs []bool) (n int) {
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}

// slowly makes a dial take a time.
func slowly(dial func(ctx context.Context, network, address string) (net.Conn, error), takes time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		timer := time.NewTimer(takes)
		defer timer.Stop()
		select {
		case <-timer.C:
			return dial(ctx, network, address)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// connSockets are what a test has put in the place of the real network, or what package net has where descriptors are of no use. Each
// socket has a goroutine that reads one datagram and waits until the exchange has taken it.
type connSockets struct {
	gate    *Gate
	address string
	front   *packetFront
	arrived chan arrival  // a datagram, from its reader to the exchange
	taken   chan struct{} // the exchange is done with it
	wake    chan struct{} // capacity 1: a kick
	end     chan struct{} // closed with the sockets
	timer   *time.Timer
	readers sync.WaitGroup
}

// An arrival is a datagram that was read, or why none was.
type arrival struct {
	s    *session // whose socket it was; nil for the front
	to   socket
	of   address
	data []byte
	err  error
}

// A packetFront is the front's socket, and its reader.
type packetFront struct {
	net.PacketConn
	mu     sync.Mutex    // guards what follows
	resume chan struct{} // not nil while it is not to be read; closed when it is again
	gone   bool          // it was closed, and is to be opened again
}

func listenConns(ctx context.Context, g *Gate, address string) (sockets, error) {
	c := &connSockets{
		gate: g, arrived: make(chan arrival), taken: make(chan struct{}), wake: make(chan struct{}, 1), end: make(chan struct{}),
	}
	pc, err := c.listen(ctx, address)
	if err != nil {
		return nil, err
	}
	c.front, c.address = &packetFront{PacketConn: pc}, pc.LocalAddr().String()
	if at, err := netip.ParseAddrPort(c.address); err == nil && at.Addr().IsUnspecified() && g.ListenPacket == nil {
		pc.Close()
		return nil, fmt.Errorf("listen: got %s, want one address: a gate that listens on all cannot answer from the one that a client "+
			"used%s: %w", address, where(), errors.ErrUnsupported)
	}
	c.readers.Go(c.readFront)
	return c, nil
}

// where names what cannot do what Linux can by itself.
func where() string {
	if runtime.GOOS == "linux" {
		return " when it dials by a test's own DialContext"
	}
	return " on " + runtime.GOOS
}

func (c *connSockets) listen(ctx context.Context, address string) (net.PacketConn, error) {
	if c.gate.ListenPacket == nil {
		return new(net.ListenConfig).ListenPacket(ctx, c.gate.network(), address)
	}
	pc, err := c.gate.ListenPacket(ctx, c.gate.network(), address)
	if err == nil && isNil(pc) {
		err = errors.New("got no connection and no error")
	}
	if err != nil {
		return nil, fmt.Errorf("ListenPacket: %w", err)
	}
	return pc, nil
}

func (c *connSockets) addr() string { return c.address }

func (c *connSockets) quick(string) bool { return false }

// A connSocket is a connection to the server.
type connSocket struct{ net.Conn }

func (s connSocket) addrs() (own, peer string) {
	return s.LocalAddr().String(), s.RemoteAddr().String()
}

func (s connSocket) drops() int64 { return dropsOf(s.Conn) }
func (s connSocket) close()       { s.Conn.Close() }

// retire leaves what has arrived to the reader, where a connection can tell it from what comes later.
func (s connSocket) retire(receiver) {
	if c, ok := s.Conn.(interface{ CloseRead() error }); !ok || c.CloseRead() != nil {
		s.close()
	}
}

// dropsOf returns how many datagrams a connection says that it has dropped.
func dropsOf(conn any) int64 {
	if d, ok := conn.(interface{ Drops() int64 }); ok {
		return d.Drops()
	}
	return 0
}

func (c *connSockets) connect(ctx context.Context, _ string) (socket, error) {
	conn, err := c.gate.dial(ctx)
	if err != nil {
		return nil, err
	}
	return connSocket{conn}, nil
}

// watch starts a session's reader. It ends when the socket is closed.
func (c *connSockets) watch(s *session) {
	to := s.server
	conn := to.(connSocket).Conn
	c.readers.Go(func() {
		buf := make([]byte, datagramBuffer)
		for again := true; again; {
			n, err := conn.Read(buf)
			again = c.tell(arrival{s: s, to: to, data: buf[:n], err: err})
		}
	})
}

// datagramBuffer is above the largest datagram.
const datagramBuffer = 64 << 10

// tell hands an arrival to the exchange and reports whether there can be more.
func (c *connSockets) tell(a arrival) bool {
	if errors.Is(a.err, net.ErrClosed) {
		return false
	}
	select {
	case c.arrived <- a:
		<-c.taken
	case <-c.end:
		return false
	}
	if a.err == nil || errors.Is(a.err, syscall.ECONNREFUSED) {
		return true
	}
	if a.err == io.EOF {
		return false
	}
	pause := time.NewTimer(firstPause) // whatever it is, it does not pass at once
	defer pause.Stop()
	select {
	case <-pause.C:
		return true
	case <-c.end:
		return false
	}
}

// readFront reads the front, unless a door keeps it from that.
func (c *connSockets) readFront() {
	f := c.front
	buf := make([]byte, datagramBuffer)
	for {
		conn := f.awaits(c.end)
		if conn == nil {
			return
		}
		n, from, err := conn.ReadFrom(buf)
		if err != nil && f.interrupted() {
			continue
		}
		a := arrival{data: buf[:n], err: err}
		if err == nil {
			a.of = addressOf(from)
		}
		if !c.tell(a) {
			return
		}
	}
}

// awaits returns what to read, as soon as that is allowed; nil when the end has come.
func (f *packetFront) awaits(end <-chan struct{}) net.PacketConn {
	f.mu.Lock()
	resume := f.resume
	conn := f.PacketConn
	f.mu.Unlock()
	if resume == nil {
		return conn
	}
	select {
	case <-resume:
		return f.awaits(end)
	case <-end:
		return nil
	}
}

// interrupted reports whether the reader is not to read.
func (f *packetFront) interrupted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.resume != nil
}

// addressOf returns whose datagram it is that has come from a network's address.
func addressOf(from net.Addr) address {
	if u, ok := from.(*net.UDPAddr); ok {
		return address{peer: u.AddrPort()}
	}
	return address{name: from.String()}
}

// destination finds the client's address again; a network of another kind has its own.
func (c *connSockets) destination(of address) any {
	if of.name != "" {
		return namedAddr{c.gate.network(), of.name}
	}
	return net.UDPAddrFromAddrPort(of.peer)
}

// A namedAddr is the address of a network that has other addresses than UDP.
type namedAddr struct{ network, name string }

func (a namedAddr) Network() string { return a.network }
func (a namedAddr) String() string  { return a.name }

func (c *connSockets) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *connSockets) wait(until time.Time, to receiver) {
	var rings <-chan time.Time
	if !until.IsZero() {
		if d := time.Until(until); c.timer == nil {
			c.timer = time.NewTimer(d)
		} else {
			c.timer.Reset(d)
		}
		rings = c.timer.C
	}
	select {
	case a := <-c.arrived:
		to.arriving()
		c.take(a, to)
		to.flush()
		c.taken <- struct{}{}
	case <-c.wake:
	case <-rings:
	}
}

// take tells what has arrived.
func (c *connSockets) take(a arrival, to receiver) {
	switch {
	case a.s == nil && a.err != nil:
		to.failed(a.err)
	case a.s == nil:
		to.fromClient(a.of, a.data)
	case a.s.server != a.to && a.err != nil: // another has taken its place meanwhile
		a.to.close()
	case a.err == io.EOF:
		a.s.endAs("server")
	case errors.Is(a.err, syscall.ECONNREFUSED):
		to.refused(a.s)
	case a.err != nil:
		to.failed(fmt.Errorf("from the server: %w", a.err))
	default:
		to.fromServer(a.s, a.data)
	}
}

func (c *connSockets) send(ms []message) (n int, err error) {
	m := &ms[0]
	if m.dir == ToServer {
		_, err = m.s.server.(connSocket).Write(m.data)
	} else {
		_, err = c.front.WriteTo(m.data, m.s.to.(net.Addr))
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

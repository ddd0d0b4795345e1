package chaostest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A packetSocket is what a real UDP socket and one of the memory network have in common.
type packetSocket interface {
	net.Conn
	net.PacketConn
}

// A packetPlayer is a UDP socket in a script.
type packetPlayer struct {
	packetSocket
	cast     *packetCast
	patience time.Duration // how long a call is waited for
	past     bool          // the script has set the deadline, and it is not to be touched
	parked   chan string   // carries the outcome of a parked call
}

// A packetCast is who plays in a script: the server s; its clients c and d; u, who is connected to nobody; and e, whom nobody
// hears. They have these names in traces instead of their ports.
type packetCast struct {
	players map[string]*packetPlayer
	names   map[uint16]string
	again   func() (packetSocket, error) // makes another server, where the first one was
	sent    uint32                       // the number of the datagram that was sent last
}

// playPackets runs the script and returns its trace. settle returns when a step has had all its effects.
func playPackets(t *testing.T, script string, cast *packetCast, settle func(), patience time.Duration) string {
	t.Helper()
	for name, p := range cast.players {
		p.cast, p.patience = cast, patience
		cast.names[portOf(p.LocalAddr())] = name
		defer func() { p.Close() }()
	}
	var trace strings.Builder
	for line := range strings.SplitSeq(script, "; ") {
		words := strings.Fields(line)
		fmt.Fprintf(&trace, "%s: %s\n", line, cast.players[words[0]].do(t, words[1], append(words[2:], "0")))
		settle()
	}
	return trace.String()
}

func portOf(a net.Addr) uint16 { return a.(*net.UDPAddr).AddrPort().Port() }

// do does one thing and returns what is seen of it.
func (p *packetPlayer) do(t *testing.T, verb string, args []string) string {
	t.Helper()
	size := func(i int) int {
		n, err := strconv.Atoi(args[i])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	switch verb {
	case "write": // of so many bytes, to the peer
		p.hurry()
		return seen(p.Write(p.cast.payload(size(0))))
	case "send": // to whom, of so many bytes
		p.hurry()
		return seen(p.WriteTo(p.cast.payload(size(1)), p.addressOf(args[0])))
	case "flood": // so many Writes of so many bytes: more than any buffer takes
		p.hurry()
		for range size(0) {
			if _, err := p.Write(p.cast.payload(size(1))); err != nil {
				return seen(-1, err)
			}
		}
		return "done"
	case "read": // into so many bytes
		p.hurry()
		return p.read(size(0))
	case "recv": // a read that sees the sender
		p.hurry()
		return p.recv(size(0))
	case "drain": // reads until nothing comes, of which it is told whether some in the middle are lost
		p.hurry()
		return p.drain()
	case "park": // a Read that goes on while the script does
		return p.park(func() string { return p.read(100) })
	case "join":
		return <-p.parked
	case "past": // the deadline is over, until "future"
		p.past = true
		return seen(-1, p.SetDeadline(time.Unix(1, 0)))
	case "future":
		p.past = false
		return seen(-1, p.SetDeadline(time.Time{}))
	case "close":
		return seen(-1, p.Close())
	case "again": // makes another socket at the server's address
		s, err := p.cast.again()
		if err == nil {
			p.packetSocket, p.past = s, false
		}
		return seen(-1, err)
	}
	t.Fatalf("a script does %q", verb)
	return ""
}

// payload makes a datagram that says which one it is.
func (c *packetCast) payload(size int) []byte {
	c.sent++
	p := make([]byte, max(size, 4))
	binary.LittleEndian.PutUint32(p, c.sent)
	return p[:size]
}

// told is what a read has returned.
func told(p []byte, n int, err error) string {
	if err != nil {
		return seen(n, err)
	}
	return fmt.Sprintf("%d nil, #%d", n, binary.LittleEndian.Uint32(append(p[:n:n], 0, 0, 0, 0)))
}

func (p *packetPlayer) read(size int) string {
	b := make([]byte, size)
	n, err := p.Read(b)
	return told(b, n, err)
}

func (p *packetPlayer) recv(size int) string {
	b := make([]byte, size)
	n, from, err := p.ReadFrom(b)
	if err != nil {
		return told(b, n, err)
	}
	u := from.(*net.UDPAddr)
	return fmt.Sprintf("%s, from %s at %v of %d bytes", told(b, n, err), p.cast.names[portOf(u)], u.IP, len(u.IP))
}

// drain tells nothing of how many there are, which depends on the buffer.
func (p *packetPlayer) drain() string {
	b := make([]byte, 64<<10)
	var last uint32
	for got := 0; ; got++ {
		n, err := p.Read(b)
		switch {
		case err != nil && got > 0:
			return "one after the other, then " + seen(-1, err)
		case err != nil:
			return seen(-1, err)
		case n < 4:
			continue
		}
		if now := binary.LittleEndian.Uint32(b); last != 0 && now != last+1 {
			return fmt.Sprintf("#%d after #%d", now, last)
		} else {
			last = now
		}
	}
}

// addressOf is where a player is to be found: the server where its clients find it, and everybody else at home.
func (p *packetPlayer) addressOf(name string) net.Addr {
	switch name {
	case "nobody":
		return p.cast.players["e"].RemoteAddr()
	case "s":
		return p.cast.players["c"].RemoteAddr()
	case "any": // the wildcard, at the server's port
		return &net.UDPAddr{Port: int(portOf(p.cast.players["c"].RemoteAddr()))}
	case "nowhere": // the port 0
		return &net.UDPAddr{IP: p.cast.players["c"].LocalAddr().(*net.UDPAddr).IP}
	}
	return p.cast.players[name].LocalAddr()
}

// hurry bounds the next call, unless the script says how long it may take.
func (p *packetPlayer) hurry() {
	if !p.past {
		p.SetDeadline(time.Now().Add(p.patience))
	}
}

func (p *packetPlayer) park(call func() string) string {
	p.SetDeadline(time.Now().Add(100 * p.patience)) // so that a call which is never woken is seen in the trace
	p.parked = make(chan string, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		p.parked <- call()
	}()
	<-begun
	return "parked"
}

// A packetNetwork is what a cast is made on.
type packetNetwork struct {
	listen func(network, address string) (net.PacketConn, error)
	dial   func(network, address string) (net.Conn, error)
}

// newPacketCast makes the sockets of a script: the server is bound to one host, and its clients call it by another.
func newPacketCast(t *testing.T, n packetNetwork, bound, called string) *packetCast {
	t.Helper()
	var failed error
	listen := func(host string) packetSocket {
		c, err := n.listen("udp", host+":0")
		failed = errors.Join(failed, err)
		s, _ := c.(packetSocket)
		return s
	}
	dial := func(address string) packetSocket {
		c, err := n.dial("udp", address)
		failed = errors.Join(failed, err)
		s, _ := c.(packetSocket)
		return s
	}
	home := called
	if ip, err := netip.ParseAddr(called); err == nil && ip.Is4() {
		home = "127.0.0.1"
	}
	s, u := listen(bound), listen(home)
	if failed != nil {
		t.Fatal(failed)
	}
	address := fmt.Sprintf("%s:%d", called, portOf(s.LocalAddr()))
	players := map[string]*packetPlayer{
		"s": {packetSocket: s}, "u": {packetSocket: u},
		"c": {packetSocket: dial(address)}, "d": {packetSocket: dial(address)},
		"e": {packetSocket: dial(home + ":1")},
	}
	if failed != nil {
		t.Fatal(failed)
	}
	return &packetCast{
		players: players,
		names:   map[uint16]string{},
		again: func() (packetSocket, error) {
			c, err := n.listen("udp", fmt.Sprintf("%s:%d", bound, portOf(s.LocalAddr())))
			if err != nil {
				return nil, os.NewSyscallError("bind", errors.Unwrap(errors.Unwrap(err)))
			}
			return c.(packetSocket), nil
		},
	}
}

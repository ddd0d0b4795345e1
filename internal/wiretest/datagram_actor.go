//go:build linux

package wiretest

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A datagramPlay is one run of a script of datagrams.
type datagramPlay struct {
	env     *Env
	server  string // its address
	target  string // where the clients send
	sockets map[string]*net.UDPConn
	sent    []sentDatagram   // by everybody, in order
	peers   []netip.AddrPort // the server's: A, B, …
	owners  []string         // of the peers: which client it is
	buf     []byte
}

// A sentDatagram is one that was sent in a run.
type sentDatagram struct {
	from, to string // actors
	nth      int    // among what its sender has sent
	size     int
	read     bool
}

// content writes what a datagram consists of: its bytes tell who sent it, and which it is.
func (d sentDatagram) content(buf []byte) []byte {
	seeds := map[string]uint64{"client": 1, "server": 2, "other": 3}
	buf = sized(buf, int64(d.size))
	fillPattern(buf, seeds[d.from], int64(d.nth)<<16)
	return buf
}

// do performs a step and says what came of it.
func (p *datagramPlay) do(st datagramStep) string {
	c := p.sockets[st.actor]
	if c == nil && st.verb != "connect" && st.verb != "listen" {
		return "no socket"
	}
	switch st.verb {
	case "connect":
		return errName(p.open(st.actor, func() (*net.UDPConn, error) { return DialDatagrams(p.target) }))
	case "listen":
		return errName(p.open("server", func() (*net.UDPConn, error) { return ListenDatagrams(p.env.network(), p.server) }))
	case "close":
		p.sockets[st.actor] = nil
		return errName(c.Close())
	case "quiet":
		return pollSocket(c, unix.POLLIN, st.pause, "quiet")
	case "send":
		return p.send(c, st)
	default: // read, hears
		return p.read(c, st)
	}
}

func (p *datagramPlay) open(actor string, open func() (*net.UDPConn, error)) error {
	c, err := open()
	if err == nil {
		p.sockets[actor] = c
	}
	return err
}

// send sends datagrams.
func (p *datagramPlay) send(c *net.UDPConn, st datagramStep) string {
	to, address := "server", netip.AddrPort{}
	if st.actor == "server" {
		i := strings.Index("ABCDEFGHIJKLMNOPQRSTUVWXYZ", st.to)
		if i >= len(p.peers) {
			return "no such peer"
		}
		to, address = p.owners[i], p.peers[i]
	}
	nth := 0
	for _, d := range p.sent {
		if d.from == st.actor {
			nth++
		}
	}
	for i := range len(st.sizes) * st.times {
		if i > 0 && st.gap > 0 {
			time.Sleep(st.gap) // the script's own pace, on real sockets
		}
		d := sentDatagram{from: st.actor, to: to, nth: nth + i, size: st.sizes[i%len(st.sizes)]}
		p.sent = append(p.sent, d)
		p.buf = d.content(p.buf)
		err := writeDatagram(c, p.buf, address)
		if st.stubborn && errors.Is(err, unix.ECONNREFUSED) {
			err = writeDatagram(c, p.buf, address)
		}
		if err != nil {
			return fmt.Sprintf("sent %d, %s", i, errName(err))
		}
	}
	return fmt.Sprintf("sent %d", len(st.sizes)*st.times)
}

// writeDatagram sends to an address, or without one to where the socket is connected.
func writeDatagram(c *net.UDPConn, b []byte, address netip.AddrPort) (err error) {
	if address.IsValid() {
		_, err = c.WriteToUDPAddrPort(b, address)
		return err
	}
	_, err = c.Write(b)
	return err
}

// read receives datagrams and says which they are.
func (p *datagramPlay) read(c *net.UDPConn, st datagramStep) string {
	_ = c.SetReadDeadline(time.Now().Add(p.env.patience()))
	buf := make([]byte, 1<<16)
	var got []receivedDatagram
	for len(got) < max(1, st.count) {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if st.stubborn && errors.Is(err, unix.ECONNREFUSED) {
			n, from, err = c.ReadFromUDPAddrPort(buf)
		}
		if err != nil {
			return strings.TrimPrefix(describe(got)+", "+errName(err), ", ")
		}
		r := p.identify(st.actor, buf[:n])
		if st.actor == "server" {
			r.peer = p.peer(from, r.from)
		}
		got = append(got, r)
	}
	if p.env.Overtaking {
		slices.SortStableFunc(got, func(a, b receivedDatagram) int { return cmp.Compare(a.peer, b.peer) })
	}
	return "read " + describe(got)
}

// peer names an address that the server has received from.
func (p *datagramPlay) peer(a netip.AddrPort, owner string) string {
	i := slices.Index(p.peers, a)
	if i < 0 {
		i = len(p.peers)
		p.peers, p.owners = append(p.peers, a), append(p.owners, owner)
	}
	return " from " + string(rune('A'+i))
}

// A receivedDatagram is one that was read, as far as it is known.
type receivedDatagram struct {
	from string // who sent it; empty if nobody did
	nth  int
	what string // what is wrong with it; empty if nothing is
	peer string // from where it came
}

// identify finds out which datagram a reader has received. Of several that are alike, as empty ones are, it is the first that
// nobody has read and that comes behind what was read, or else the first that nobody has read.
func (p *datagramPlay) identify(reader string, b []byte) receivedDatagram {
	last := map[string]int{} // the number of what was read last, by sender
	for _, d := range p.sent {
		if d.read {
			last[d.from] = d.nth
		}
	}
	var fits, overtaken, again, part *sentDatagram
	for i := range p.sent {
		d := &p.sent[i]
		if d.from == reader || fits != nil {
			continue
		}
		p.buf = d.content(p.buf)
		same := int(differAt(b, p.buf))
		whole := len(b) == d.size && same == d.size
		switch behind, any := last[d.from]; {
		case whole && d.read:
			again = d
		case whole && any && d.nth < behind && overtaken == nil:
			overtaken = d
		case whole:
			fits = d
		case part == nil && same >= 8:
			part = d
		}
	}
	switch d := cmp.Or(fits, overtaken); {
	case d != nil:
		d.read = true
		r := receivedDatagram{from: d.from, nth: d.nth}
		if d.to != reader {
			r.what = ", which was for the " + d.to
		}
		return r
	case again != nil:
		return receivedDatagram{from: again.from, nth: again.nth, what: ", not for the first time"}
	case part != nil:
		return receivedDatagram{from: part.from, nth: part.nth, what: fmt.Sprintf(", of %d bytes, as one of %d", part.size, len(b))}
	}
	return receivedDatagram{what: fmt.Sprintf("%d bytes that nobody sent", len(b))}
}

// describe names datagrams, those that follow each other in one piece.
func describe(got []receivedDatagram) string {
	var b strings.Builder
	for i := 0; i < len(got); {
		r, n := got[i], 1
		for i+n < len(got) && r.what == "" && got[i+n] == (receivedDatagram{from: r.from, nth: r.nth + n, peer: r.peer}) {
			n++
		}
		if i > 0 {
			b.WriteString("; ")
		}
		switch {
		case r.from == "":
		case n == 1:
			fmt.Fprintf(&b, "%s's %d", r.from, r.nth)
		default:
			fmt.Fprintf(&b, "%s's %d–%d", r.from, r.nth, r.nth+n-1)
		}
		b.WriteString(r.what + r.peer)
		i += n
	}
	return b.String()
}

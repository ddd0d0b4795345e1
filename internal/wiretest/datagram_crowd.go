//go:build linux

package wiretest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Crowd is many clients of one server of datagrams.
type Crowd struct {
	Server  *net.UDPConn
	Clients []*net.UDPConn

	env    *Env
	target string
	rounds int                    // exchanged so far
	seen   map[int]netip.AddrPort // where the server has seen each client
	owner  map[netip.AddrPort]int
}

// CrowdSize returns n, or less if this process may not open so many sockets: a client's, and one in what is under test.
func CrowdSize(n int) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	return int(min(uint64(n), (limit.Cur-100)/2)), nil
}

// NewCrowd opens a server, has e.Via put something before it, and opens n clients.
func NewCrowd(e *Env, n int) (*Crowd, error) {
	server, err := ListenDatagrams(e.network(), e.datagramAddress())
	if err != nil {
		return nil, err
	}
	c := &Crowd{Server: server, env: e, seen: map[int]netip.AddrPort{}, owner: map[netip.AddrPort]int{}}
	c.target = e.Via(server.LocalAddr().String())
	for range n {
		if _, err := c.Join(); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// Join opens one more client and returns its number.
func (c *Crowd) Join() (int, error) {
	client, err := DialDatagrams(c.target)
	if err != nil {
		return 0, err
	}
	c.Clients = append(c.Clients, client)
	return len(c.Clients) - 1, nil
}

// Close closes all sockets.
func (c *Crowd) Close() {
	c.Server.Close()
	for _, client := range c.Clients {
		client.Close()
	}
}

// Seen returns the address from which the server has seen a client.
func (c *Crowd) Seen(client int) netip.AddrPort { return c.seen[client] }

// Forget has the server forget where it has seen the clients.
func (c *Crowd) Forget() {
	clear(c.seen)
	clear(c.owner)
}

// request returns what a client sends in a round: who it is, which round it is, and a pattern of some length.
func request(client, round int) []byte {
	buf := make([]byte, 8+(client*31+round*97+97)%1400)
	fillPattern(buf, uint64(client)+10, int64(round)<<16)
	binary.BigEndian.PutUint32(buf, uint32(client))
	binary.BigEndian.PutUint32(buf[4:], uint32(round))
	return buf
}

// answer makes a request its answer.
func answer(request []byte) { request[0] ^= 0x80 }

// underWay is how many clients of a crowd wait for their answer at once. So many datagrams fit into any receive buffer.
const underWay = 64

// Exchange has every client send in so many rounds, each at its own pace, and the server answer them in another order than they
// have come. It fails if one does not get the answer that is its own, and only that, or if the server sees one from two
// addresses, or two from one.
func (c *Crowd) Exchange(rounds int) error {
	var serving, clients sync.WaitGroup
	var done, over atomic.Bool // the clients have ended; one has failed
	var failed error           // of the server
	serving.Go(func() {
		failed = c.serve(&done)
		over.Store(failed != nil)
	})
	turns := make(chan struct{}, underWay)   // holds one for each client that waits for its answer
	errs := make(chan error, len(c.Clients)) // one from each that has met an error
	for i := range c.Clients {
		clients.Go(func() {
			for round := c.rounds; round < c.rounds+rounds; round++ {
				turns <- struct{}{}
				var err error
				if !over.Load() { // else the others' errors would only follow from the first
					err = c.ask(i, round)
				}
				<-turns
				if err != nil {
					over.Store(true)
					errs <- fmt.Errorf("client %d, round %d: %w", i, round, err)
					return
				}
			}
		})
	}
	clients.Wait()
	close(errs)
	c.rounds += rounds
	done.Store(true)
	serving.Wait()
	return errors.Join(failed, <-errs) // one of the clients' tells enough
}

// ask sends one request and checks the answer.
func (c *Crowd) ask(client, round int) error {
	conn := c.Clients[client]
	want := request(client, round)
	if _, err := conn.Write(want); err != nil {
		return err
	}
	answer(want)
	return c.expect(client, want)
}

// expect reads a datagram at a client and checks it.
func (c *Crowd) expect(client int, want []byte) error {
	conn := c.Clients[client]
	if err := conn.SetReadDeadline(time.Now().Add(c.env.patience())); err != nil {
		return err
	}
	got := make([]byte, 4096)
	n, err := conn.Read(got)
	if err != nil {
		return errors.New(errName(err))
	}
	if !bytes.Equal(got[:n], want) {
		return fmt.Errorf("read %d bytes that begin as %x, want %d as %x", n, got[:min(n, 8)], len(want), want[:8])
	}
	return nil
}

// CallAll has the server send to every client unasked, where it has seen it, and checks that each hears what is for it.
func (c *Crowd) CallAll() error {
	const call = 1 << 20 // a round that is never reached
	for last := len(c.Clients); last > 0; last -= underWay {
		first := max(0, last-underWay)
		for i := last - 1; i >= first; i-- {
			if _, err := c.Server.WriteToUDPAddrPort(request(i, call), c.seen[i]); err != nil {
				return err
			}
		}
		for i := first; i < last; i++ {
			if err := c.expect(i, request(i, call)); err != nil {
				return fmt.Errorf("client %d, called by the server: %w", i, err)
			}
		}
	}
	return nil
}

// Quiet fails if something lies unread at a client.
func (c *Crowd) Quiet() error {
	for i, client := range c.Clients {
		if got := pollSocket(client, unix.POLLIN, 0, ""); got != "" {
			return fmt.Errorf("client %d is %s, and has had all its answers", i, got)
		}
	}
	return nil
}

// serve answers requests, several at once and the last first, until it is done.
func (c *Crowd) serve(done *atomic.Bool) error {
	type request struct {
		from netip.AddrPort
		data []byte
	}
	var batch []request
	buf := make([]byte, 4096)
	for !done.Load() {
		// Once there is one, the others have a millisecond to come, too.
		if err := c.Server.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return err
		}
		n, from, err := c.Server.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			if err := c.note(buf[:n], from); err != nil {
				return err
			}
			batch = append(batch, request{from, bytes.Clone(buf[:n])})
			if len(batch) < underWay/2 {
				continue
			}
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
		for len(batch) > 0 {
			last := batch[len(batch)-1]
			batch = batch[:len(batch)-1]
			answer(last.data)
			if _, err := c.Server.WriteToUDPAddrPort(last.data, last.from); err != nil {
				return err
			}
		}
	}
	return nil
}

// note checks that a client has one address, and an address one client.
func (c *Crowd) note(data []byte, from netip.AddrPort) error {
	if len(data) < 8 {
		return fmt.Errorf("the server received %d bytes, which nobody has sent", len(data))
	}
	client := int(binary.BigEndian.Uint32(data))
	if was, ok := c.seen[client]; ok && was != from {
		return fmt.Errorf("the server sees client %d at %v, and has seen it at %v", client, from, was)
	}
	if was, ok := c.owner[from]; ok && was != client {
		return fmt.Errorf("the server sees client %d at %v, where it has seen client %d", client, from, was)
	}
	c.seen[client], c.owner[from] = from, client
	return nil
}

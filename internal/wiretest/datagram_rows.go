//go:build linux

package wiretest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"time"
)

// manyClients is row 30: each client gets its own answers, and the server sees it at one address for the whole time.
func manyClients(e *Env) error {
	n, err := CrowdSize(1000)
	if err != nil {
		return err
	}
	c, err := NewCrowd(e, n)
	if err != nil {
		return err
	}
	defer c.Close()
	for range 2 {
		if err := c.Exchange(2); err != nil {
			return err
		}
		if err := c.CallAll(); err != nil {
			return err
		}
	}
	e.logf("%d clients, each with one address at the server", n)
	return c.Quiet()
}

// sessionDescriptors is row 26 for datagrams: an idle session has one socket, the one towards the server.
func sessionDescriptors(e *Env) error {
	c, err := NewCrowd(e, 1)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Exchange(1); err != nil { // starts what is started once
		return err
	}
	before, err := Descriptors()
	if err != nil {
		return err
	}
	const n = 100
	for range n {
		if _, err := c.Join(); err != nil {
			return err
		}
	}
	if err := c.Exchange(2); err != nil {
		return err
	}
	if now, err := Descriptors(); err != nil || now > before+2*n+8 {
		return errors.Join(err, fmt.Errorf("%d descriptors, before %d sessions it were %d, want one more for each, and one for its client", now, n, before))
	}
	return nil
}

// sessionCost is row 27 for datagrams: idle sessions take no processor time and wake nobody up.
func sessionCost(e *Env) error {
	n, err := CrowdSize(1000)
	if err != nil {
		return err
	}
	c, err := NewCrowd(e, n)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Exchange(1); err != nil {
		return err
	}
	runtime.GC() // whose end would fall into the second that is looked at
	var costly error
	for range 3 {
		cpu, sleeps, err := idleSecond()
		if err != nil {
			return err
		}
		e.logf("%d idle sessions: %v of processor time and %d wake-ups in a second", n, cpu, sleeps)
		if cpu < 30*time.Millisecond && sleeps < 90 { // see idleCost
			return c.Exchange(1)
		}
		costly = fmt.Errorf("%d idle sessions took %v of processor time and woke up %d times in a second", n, cpu, sleeps)
	}
	return costly
}

// datagramRoundTrips holds that a datagram does not wait for others, nor for a clock that ticks.
func datagramRoundTrips(e *Env) error {
	var err error
	for range 3 {
		direct, derr := datagramPings(e, Direct)
		through, terr := datagramPings(e, e.Via)
		if err := errors.Join(derr, terr); err != nil {
			return err
		}
		e.logf("round trip of 64 bytes: directly %v, through %v at the median", direct, through)
		if through < direct+2*time.Millisecond {
			return nil
		}
		err = fmt.Errorf("a round trip took %v at the median, directly %v", through, direct)
	}
	return err
}

// datagramPings returns the median of some round trips.
func datagramPings(e *Env, via func(string) string) (time.Duration, error) {
	with := *e
	with.Via = via
	c, err := NewCrowd(&with, 1)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	end := time.Now().Add(e.patience())
	if err := errors.Join(c.Server.SetDeadline(end), c.Clients[0].SetDeadline(end)); err != nil {
		return 0, err
	}
	var echoed error // of the server; read when its goroutine has ended
	done := make(chan struct{})
	const n = 300
	go func() {
		defer close(done)
		echoed = echoDatagrams(c.Server, n)
	}()
	took := make([]time.Duration, n)
	buf := make([]byte, 64)
	for i := range took {
		start := time.Now()
		if _, err := c.Clients[0].Write(buf); err != nil {
			return 0, err
		}
		if _, err := c.Clients[0].Read(buf); err != nil {
			c.Server.Close()
			<-done
			return 0, fmt.Errorf("round trip %d: %w", i, err)
		}
		took[i] = time.Since(start)
	}
	<-done
	return median(took), echoed
}

// echoDatagrams sends back n datagrams.
func echoDatagrams(c *net.UDPConn, n int) error {
	buf := make([]byte, 1<<16)
	for range n {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		if _, err := c.WriteToUDPAddrPort(buf[:n], from); err != nil {
			return err
		}
	}
	return nil
}

// serverAway is row 32, at any moment: the server goes while datagrams are sent and comes back. What is sent while it is there
// arrives, each once and in order and from the address that the server knows; nothing of it is lost to the error that an earlier
// one has met. What was sent while it was not there may arrive once, or not at all.
func serverAway(e *Env) error {
	c, err := NewCrowd(e, 1)
	if err != nil {
		return err
	}
	defer func() { c.Close() }()
	if err := c.Exchange(1); err != nil {
		return err
	}
	known, address, client := c.Seen(0), c.Server.LocalAddr().String(), c.Clients[0]
	next := uint32(0) // numbers datagrams
	send := func() error {
		b := numbered(next)
		next++
		return stubbornly(func() error { return writeDatagram(client, b, netip.AddrPort{}) })
	}
	for round := range e.Pick(60, 1000) {
		if err := c.Server.Close(); err != nil {
			return err
		}
		for range round % 5 {
			if err := send(); err != nil {
				return err
			}
		}
		if pause := time.Duration(round%7) * 300 * time.Microsecond; pause > 0 {
			time.Sleep(pause) // as long as the error may need to come back
		}
		if c.Server, err = ListenDatagrams(e.network(), address); err != nil {
			return err
		}
		up := next // the first that must arrive
		for range 3 {
			if err := send(); err != nil {
				return err
			}
		}
		if err := awaitNumbered(c.Server, known, up-uint32(round%5), up, next, e.patience()); err != nil {
			return fmt.Errorf("round %d, %d sent while the server was away: %w", round, round%5, err)
		}
	}
	return nil
}

// awaitNumbered reads datagrams of one sender: those from up to end must come, in order; those from first to up may.
func awaitNumbered(c *net.UDPConn, known netip.AddrPort, first, up, end uint32, patience time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	var read []uint32
	for want := up; want < end; {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return fmt.Errorf("number %d of %d to %d: %s; read were %v", want, up, end-1, errName(err), read)
		}
		nth, err := numberOf(buf[:n])
		switch {
		case err != nil:
			return err
		case from != known:
			return fmt.Errorf("number %d came from %v, and the server knows its sender at %v", nth, from, known)
		case nth < first || nth >= up && nth != want || slices.Contains(read, nth):
			return fmt.Errorf("number %d came, want %d; read were %v", nth, want, read)
		case nth == want:
			want++
		}
		read = append(read, nth)
	}
	return nil
}

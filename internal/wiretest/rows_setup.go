//go:build linux

package wiretest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// setupChecks are the rows on how connections come about.
func setupChecks() []Check {
	return []Check{
		{Row: 17, Name: "client_reset_during_the_dial", Run: resetDuringDial},
		{Row: 17, Name: "client_FIN_during_the_dial", Run: finDuringDial},
		{Row: 17, Name: "client_reset_as_it_connects", Run: resetAsItConnects},
		{Row: 18, Name: "server_refuses", Run: serverRefuses},
		{Row: 18, Name: "server_is_a_black_hole", Run: serverBlackHole},
		{Row: 19, Name: "server_starts_later", Run: serverStartsLater},
		{Row: 20, Name: "simultaneous_connects", Unix: true, Run: simultaneousConnects},
		{Row: 20, Name: "one_hanging_dial_delays_nobody", Run: oneHangingDial},
		{Row: 21, Name: "as_many_connections_as_clients", Run: asManyConnections},
		{Row: 22, Name: "plain_TCP", Run: plainTCP},
	}
}

// simultaneousConnects is row 20: clients that all connect at once are all served.
func simultaneousConnects(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	n := e.Pick(500, 2000)
	var serving, clients sync.WaitGroup
	serving.Go(func() { r.serveEchoes(&serving) })
	failed := make(chan error, n) // one for each client
	begin := make(chan struct{})  // closed to let all begin
	for range n {
		clients.Go(func() {
			<-begin
			failed <- oneEcho(e, r.target)
		})
	}
	close(begin)
	clients.Wait()
	close(failed)
	r.close()
	serving.Wait()
	for err := range failed {
		if err != nil {
			return fmt.Errorf("of %d simultaneous clients: %w", n, err)
		}
	}
	return nil
}

// serveEchoes serves until the listener is closed.
func (r *rig) serveEchoes(serving *sync.WaitGroup) {
	for {
		c, err := r.ln.Accept()
		if err != nil {
			return
		}
		serving.Go(func() {
			defer c.Close()
			echo(c.(stream))
		})
	}
}

// oneEcho connects, sends one byte and waits for it to come back.
func oneEcho(e *Env, target string) error {
	c, err := e.dial(target, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(e.patience())); err != nil {
		return err
	}
	_, err = pings(c, 1)
	return err
}

// oneHangingDial is row 20: while one connection's dial hangs, others are as quick as ever.
func oneHangingDial(e *Env) error {
	hole, err := NewBlackHole()
	if err != nil {
		return err
	}
	defer hole.Close()
	target := e.Via(hole.Addr())
	hanging := make(chan error, 1) // what becomes of the hanging one: directly, its connect hangs itself
	go func() { hanging <- oneEcho(e, target) }()
	time.Sleep(20 * time.Millisecond) // its SYN is lost by then
	ln, err := hole.Release()
	if err != nil {
		return err
	}
	r := &rig{e, ln, target}
	var serving sync.WaitGroup
	serving.Go(func() { r.serveEchoes(&serving) })
	var took []time.Duration
	for range 100 {
		start := time.Now()
		if err := oneEcho(e, target); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	herr := <-hanging // its next SYN, after a second, is answered
	ln.Close()
	serving.Wait()
	if herr != nil {
		return fmt.Errorf("the hanging one: %w", herr)
	}
	slices.Sort(took)
	e.logf("beside a hanging dial: %v at the median, %v at most", median(took), took[99])
	// Two of a hundred may meet a busy machine; a dial that is in the way holds up at least the first.
	if took[97] > 50*time.Millisecond || took[99] > 700*time.Millisecond {
		return fmt.Errorf("beside a hanging dial others took %v and, at most, %v", took[97], took[99])
	}
	return nil
}

// asManyConnections is row 21: each client is one connection at the server, whether it talks, shuts or resets.
func asManyConnections(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	for i := range e.Pick(100, 1000) {
		client, server, err := r.pair()
		if err != nil {
			return err
		}
		switch i % 4 {
		case 0:
			_, err = client.Write([]byte("x"))
		case 1:
			err = client.CloseWrite()
		case 2:
			err = Reset(client)
		}
		if err := errors.Join(err, server.Close()); err != nil {
			return err
		}
		client.Close() // some are closed already
	}
	if c, err := accept(r.ln, 100*time.Millisecond); err == nil {
		c.Close()
		return fmt.Errorf("the server has one connection more than there were clients")
	}
	return nil
}

// plainTCP is row 22: no socket of what stands between speaks Multipath TCP.
func plainTCP(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	client, server, err := r.pair()
	if err != nil {
		return err
	}
	defer client.Close()
	defer server.Close()
	all, err := OwnSockets()
	if err != nil {
		return err
	}
	serverPort, targetPort := r.ports()
	checked := 0
	for _, s := range all {
		if !slices.Contains([]int{serverPort, targetPort}, s.Local) && !slices.Contains([]int{serverPort, targetPort}, s.Remote) {
			continue
		}
		checked++
		p, err := protocol(s.FD)
		if err != nil {
			return err
		}
		if p != unix.IPPROTO_TCP {
			return fmt.Errorf("socket %+v has protocol %d, want %d", s, p, unix.IPPROTO_TCP)
		}
	}
	if checked < 3 {
		return fmt.Errorf("only %d sockets found", checked)
	}
	return nil
}

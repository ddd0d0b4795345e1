package main

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
)

// blackholeClients wait before a black hole together.
const blackholeClients = 20

// nextSYN is when Linux asks again for the first time: tcp(7), RFC 6298.
const nextSYN = time.Second

// echoing answers every connection of a listener with what it says, until the listener is closed.
func echoing(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			var buf [64]byte
			for {
				n, err := c.Read(buf[:])
				if err != nil {
					return
				}
				c.Write(buf[:n])
			}
		}()
	}
}

// liftBlackhole opens the door some time after clients have begun to connect. What is returned is from each client's beginning to its first byte
// back, less a second: it asks again by its own clock, however early the door has opened.
func liftBlackhole(w *wire) (took []time.Duration, err error) {
	go echoing(w.listener)
	address, open := w.address(), func() error { return w.gate.SetDoor(chaos.Open) }
	if w.gate == nil {
		hole, err := wiretest.NewBlackHole()
		if err != nil {
			return nil, err
		}
		defer hole.Close()
		var released net.Listener
		address, open = hole.Addr(), func() error {
			l, err := hole.Release()
			if err == nil {
				released = l
				go echoing(l)
			}
			return err
		}
		defer func() {
			if released != nil {
				released.Close()
			}
		}()
	} else if err := w.gate.SetDoor(chaos.Blackhole); err != nil {
		return nil, err
	}
	took, errs := make([]time.Duration, blackholeClients), make([]error, blackholeClients)
	var waiting sync.WaitGroup
	for i := range took {
		waiting.Go(func() { took[i], errs[i] = ask(address, clock()+nextSYN) })
	}
	time.Sleep(50*time.Millisecond + rand.N(700*time.Millisecond)) // the SYNs are gone, and the next are not yet due
	opened := open()
	waiting.Wait()
	return took, errors.Join(opened, errors.Join(errs...))
}

// ask connects, says a byte, and returns how long after a moment it comes back.
func ask(address string, from time.Duration) (time.Duration, error) {
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte{1}); err != nil {
		return 0, err
	}
	_, err = c.Read(make([]byte, 1))
	return clock() - from, err
}

// liftHold opens the door to a client that waits in the queue; the control is a server that begins to accept.
func liftHold(w *wire) ([]time.Duration, error) {
	if w.gate != nil {
		go echoing(w.listener)
		if err := w.gate.SetDoor(chaos.Hold); err != nil {
			return nil, err
		}
	}
	c, err := net.DialTimeout("tcp", w.address(), patience)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.Write([]byte{1}); err != nil {
		return nil, err
	}
	when := firstRead(c, nil)
	if w.gate == nil {
		start := clock()
		go echoing(w.listener)
		return since(start, when)
	}
	if err := w.fires(nil); err != nil {
		return nil, err
	}
	start := clock()
	if err := w.gate.SetDoor(chaos.Open); err != nil {
		return nil, err
	}
	return since(start, when)
}

// liftRefuse opens the door to a client that tries again and again; the control is a server that begins to listen.
func liftRefuse(w *wire) ([]time.Duration, error) {
	address := w.address()
	open := func() error { return w.gate.SetDoor(chaos.Open) }
	if w.gate != nil {
		if err := w.gate.SetDoor(chaos.Refuse); err != nil {
			return nil, err
		}
	} else {
		if err := w.listener.Close(); err != nil {
			return nil, err
		}
		open = func() error {
			l, err := net.Listen("tcp", address)
			if err == nil {
				w.listener = l.(*net.TCPListener)
			}
			return err
		}
	}
	when := make(chan time.Duration, 1)
	go func() {
		defer close(when)
		for begin := time.Now(); time.Since(begin) < patience; {
			if c, err := net.Dial("tcp", address); err == nil {
				when <- clock()
				c.Close()
				return
			}
		}
	}()
	time.Sleep(2 * time.Millisecond) // it tries, and is refused
	start := clock()
	if err := open(); err != nil {
		return nil, err
	}
	return since(start, when)
}

// liftPacketDoor opens the door of datagrams; the control's datagram just arrives.
func liftPacketDoor(w *wire) ([]time.Duration, error) {
	c, err := w.openSession()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	when := firstRead(w.packets, nil)
	if w.gate != nil {
		if err := w.gate.SetDoor(chaos.Blackhole); err != nil {
			return nil, err
		}
		if _, err := c.Write([]byte{1}); err != nil {
			return nil, err
		}
		if err := w.fires(nil); err != nil {
			return nil, err
		}
	}
	start := clock()
	if w.gate != nil {
		if err := w.gate.SetDoor(chaos.Open); err != nil {
			return nil, err
		}
	}
	if _, err := c.Write([]byte{2}); err != nil {
		return nil, err
	}
	return since(start, when)
}

// liftPacketStall lifts a stall of datagrams; the control's datagram just arrives.
func liftPacketStall(w *wire) ([]time.Duration, error) {
	c, err := w.openSession()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	when := firstRead(w.packets, nil)
	if w.gate == nil {
		start := clock()
		if _, err := c.Write([]byte{1}); err != nil {
			return nil, err
		}
		return since(start, when)
	}
	imposed := w.gate.ToServer.Add(chaos.Stall{})
	if _, err := c.Write([]byte{1}); err != nil {
		return nil, err
	}
	if err := w.fires(imposed); err != nil {
		return nil, err
	}
	start := clock()
	imposed.Lift()
	return since(start, when)
}

// openSession opens a client of datagrams, of which one has arrived.
func (w *wire) openSession() (net.Conn, error) {
	c, err := net.Dial("udp", w.address())
	if err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte{0}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	w.packets.SetReadDeadline(time.Now().Add(patience))
	if _, err := w.packets.Read(make([]byte, 1)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

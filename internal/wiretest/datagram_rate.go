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
	"time"

	"golang.org/x/sys/unix"
)

// numberedSize is the size of a numbered datagram: what a careful program sends over the internet.
const numberedSize = 1200

// numbered returns a datagram that tells its number, in every part of it.
func numbered(nth uint32) []byte {
	b := make([]byte, numberedSize)
	number(b, nth)
	return b
}

func number(b []byte, nth uint32) {
	fillPattern(b, 7, int64(nth)<<16)
	binary.BigEndian.PutUint32(b, nth)
}

// numberOf returns the number of a datagram, or what is wrong with it.
func numberOf(b []byte) (uint32, error) {
	if len(b) != numberedSize {
		return 0, fmt.Errorf("read %d bytes, want %d", len(b), numberedSize)
	}
	nth := binary.BigEndian.Uint32(b)
	if at := differAt(b, numbered(nth)); at < numberedSize {
		return 0, fmt.Errorf("number %d differs at byte %d", nth, at)
	}
	return nth, nil
}

// stubbornly tries again what was answered with the error that an earlier datagram has met.
func stubbornly(try func() error) error {
	err := try()
	for range 10 {
		if !errors.Is(err, unix.ECONNREFUSED) {
			break
		}
		err = try()
	}
	return err
}

// A Tally is what became of numbered datagrams.
type Tally struct {
	Sent, Read int
	OwnDrops   int64 // found the receiver's own buffer full, which has nothing to do with what is under test
	Late       time.Duration
}

// Lost returns how many have vanished between the sender's socket and the receiver's.
func (t Tally) Lost() int { return t.Sent - t.Read - int(t.OwnDrops) }

// A Paced stream is numbered datagrams at a steady rate.
type Paced struct {
	Send     func(b []byte) error // sends one
	Receiver *net.UDPConn
	Rate     int // datagrams a second
	For      time.Duration
}

// Run sends and receives. Order, content and that none comes twice are checked here; how many may be lost the caller knows.
func (s *Paced) Run() (Tally, error) {
	var t Tally
	before, err := Drops(PortOf(s.Receiver.LocalAddr()))
	if err != nil {
		return t, err
	}
	total := int(s.For.Seconds() * float64(s.Rate))
	var receiving sync.WaitGroup
	var failed error // of the receiver
	receiving.Go(func() { t.Read, failed = receiveNumbered(s.Receiver, total) })
	start := time.Now()
	b := make([]byte, numberedSize)
	for t.Sent < total && err == nil {
		due := min(total, int(time.Since(start).Seconds()*float64(s.Rate)))
		// Who has overslept makes it good at no more than double the rate: a flood is not what is looked at here.
		for due = min(due, t.Sent+2+2*s.Rate/1000); t.Sent < due && err == nil; t.Sent++ {
			number(b, uint32(t.Sent))
			err = s.Send(b)
		}
		time.Sleep(time.Millisecond) // the stream's own pace
	}
	t.Late = time.Since(start) - s.For
	receiving.Wait()
	after, derr := Drops(PortOf(s.Receiver.LocalAddr()))
	t.OwnDrops = after - before
	return t, errors.Join(err, derr, failed)
}

// receiveNumbered reads until the last number has come, or nothing for half a second after something, and counts.
func receiveNumbered(c *net.UDPConn, total int) (read int, err error) {
	buf := make([]byte, numberedSize+1)
	want := make([]byte, numberedSize)
	next := uint32(0)
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, err
	}
	for next < uint32(total) {
		n, err := c.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return read, nil
		case errors.Is(err, unix.ECONNREFUSED):
			continue
		case err != nil:
			return read, err
		case n < 4:
			return read, fmt.Errorf("after number %d came %d bytes", next, n)
		}
		nth := binary.BigEndian.Uint32(buf)
		if number(want, nth); !bytes.Equal(buf[:n], want) {
			return read, fmt.Errorf("after number %d came %d bytes that nobody has sent", next, n)
		}
		if nth < next {
			return read, fmt.Errorf("number %d came behind number %d", nth, next-1)
		}
		next = nth + 1
		if read++; read%256 == 0 || next > uint32(total)-256 {
			if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				return read, err
			}
		}
	}
	return read, nil
}

// SteadyRate is the rate of row 31, in datagrams of 1,200 bytes a second. A receive buffer of 4 MiB, which is what the kernel gives
// to everybody on most machines, bridges a third of a second at this rate, in which a busy machine may well do something else.
const SteadyRate = 10_000

// steadyRate is row 31: at a steady rate nothing is lost, and the order is kept.
func steadyRate(e *Env) error {
	c, err := NewCrowd(e, 1)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Exchange(1); err != nil {
		return err
	}
	client := c.Clients[0]
	for _, s := range []struct {
		name     string
		send     func(b []byte) error
		receiver *net.UDPConn
	}{
		{"to the server", func(b []byte) error { return writeDatagram(client, b, netip.AddrPort{}) }, c.Server},
		{"to the client", func(b []byte) error { return writeDatagram(c.Server, b, c.Seen(0)) }, client},
	} {
		p := &Paced{Send: s.send, Receiver: s.receiver, Rate: SteadyRate, For: pick(e, 400*time.Millisecond, 20*time.Second)}
		var t Tally
		for range 3 { // a busy machine may lose some where nobody can help it
			if t, err = p.Run(); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			e.logf("%s: %d sent, %d read, %d dropped by the receiver's own buffer, late by %v", s.name, t.Sent, t.Read, t.OwnDrops, t.Late)
			if t.Lost() == 0 {
				break
			}
		}
		if t.Lost() != 0 {
			return fmt.Errorf("%s: of %d datagrams %d were read and %d lost in the receiver's own buffer", s.name, t.Sent, t.Read, t.OwnDrops)
		}
	}
	return nil
}

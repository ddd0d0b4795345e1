package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// loadPatience is how much longer than it should a load may take before it counts as failed.
const loadPatience = 30 * time.Second

// dial opens a connection that fails when it takes much longer than it should, or when the context ends.
func dial(ctx context.Context, addr string, length time.Duration) (*net.TCPConn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(length + loadPatience))
	context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	return c.(*net.TCPConn), nil
}

// reset closes connections in a way that leaves no port in TIME_WAIT.
func reset(conns ...*net.TCPConn) {
	for _, c := range conns {
		c.SetLinger(0)
		c.Close()
	}
}

// together calls f so many times at once and returns the errors.
func together(n int, f func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// A stream is upload or download.
type stream func(w *wire, ctx context.Context, conns int, length time.Duration) ([]span, error)

// streamed moves a stream and returns, with what was seen of it, the processor time that the contender needed.
func (w *wire) streamed(ctx context.Context, load stream, conns int, length time.Duration) (spans []span, cpu time.Duration, err error) {
	cpu, err = w.spent(func() (err error) {
		spans, err = load(w, ctx, conns, length)
		return err
	})
	return spans, cpu, err
}

// upload sends for so long over some connections, and returns what the server, a sink, has seen of it.
func (w *wire) upload(ctx context.Context, conns int, length time.Duration) ([]span, error) {
	open := make([]*net.TCPConn, conns)
	err := together(conns, func(i int) (err error) {
		if open[i], err = dial(ctx, w.addr, length); err != nil {
			return err
		}
		if err := send(open[i], length); err != nil {
			return err
		}
		return open[i].CloseWrite()
	})
	var spans []span
	if err == nil {
		var text string
		if text, err = w.server.ask(strconv.Itoa(conns)); err == nil {
			err = json.Unmarshal([]byte(text), &spans)
		}
	}
	for _, c := range open {
		if c != nil {
			c.Close()
		}
	}
	return spans, err
}

// download has the server, a source, send for so long over some connections, and returns what arrives.
func (w *wire) download(ctx context.Context, conns int, length time.Duration) ([]span, error) {
	spans := make([]span, conns)
	err := together(conns, func(i int) error {
		c, err := dial(ctx, w.addr, length)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write(binary.BigEndian.AppendUint64(nil, uint64(length))); err != nil {
			return err
		}
		if spans[i] = receive(c); spans[i].Bytes == 0 {
			return errors.New("nothing arrived")
		}
		return nil
	})
	return spans, err
}

// message is what goes there and back in a round trip.
const message = 64

// roundTrip sends a message and waits for it to come back.
func roundTrip(c *net.TCPConn, buf []byte) error {
	if _, err := c.Write(buf); err != nil {
		return err
	}
	_, err := io.ReadFull(c, buf)
	return err
}

// roundTrips sends messages there and back, one after the other on each of some connections, for so long. It returns how
// long each took, sorted, and how long all did. The server is an echo.
func (w *wire) roundTrips(ctx context.Context, conns int, length time.Duration) ([]time.Duration, time.Duration, error) {
	open, err := w.open(ctx, conns, length)
	defer reset(open...)
	if err != nil {
		return nil, 0, err
	}
	took := make([][]time.Duration, conns)
	start := time.Now()
	err = together(conns, func(i int) error {
		buf := make([]byte, message)
		for at := start; at.Sub(start) < length; {
			if err := roundTrip(open[i], buf); err != nil {
				return err
			}
			now := time.Now()
			took[i] = append(took[i], now.Sub(at))
			at = now
		}
		return nil
	})
	elapsed := time.Since(start)
	all := slices.Concat(took...)
	slices.Sort(all)
	return all, elapsed, err
}

// openers is how many connections are opened at once where many are wanted.
const openers = 16

// open opens so many connections and uses each for one round trip. The server is an echo.
func (w *wire) open(ctx context.Context, conns int, length time.Duration) ([]*net.TCPConn, error) {
	open := make([]*net.TCPConn, conns)
	var next atomic.Int64
	err := together(min(openers, conns), func(int) error {
		buf := make([]byte, message)
		for i := int(next.Add(1)) - 1; i < conns; i = int(next.Add(1)) - 1 {
			c, err := dial(ctx, w.addr, length)
			if err != nil {
				return err
			}
			open[i] = c
			if err := roundTrip(c, buf); err != nil {
				return fmt.Errorf("connection %d of %d: %w", i+1, conns, err)
			}
		}
		return nil
	})
	return slices.DeleteFunc(open, func(c *net.TCPConn) bool { return c == nil }), err
}

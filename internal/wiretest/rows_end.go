//go:build linux

package wiretest

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// endChecks are the rows on the ends of connections that are more than one script.
func endChecks() []Check {
	return []Check{
		{Row: 10, Name: "both_FINs_close_both_legs", Run: bothFINs},
		{Row: 10, Name: "both_shut_at_once", Unix: true, Run: shutAtOnce},
		{Row: 15, Name: "half_closed_and_idle", Unix: true, Run: halfClosed(func(text string) string { return text })},
		{Row: 15, Name: "half_closed_and_idle_mirrored", Unix: true, Run: halfClosed(Mirror)},
		{Row: 16, Name: "both_close_at_once", Run: closeAtOnce},
	}
}

// readAll reads to the end of the stream.
func readAll(c stream) ([]byte, error) { return io.ReadAll(c) }

// bothFINs is row 10: when both sides have shut, and before either program closes its socket, nothing is left of the connection.
func bothFINs(e *Env) error {
	direct, err := fastestEnd(e, Direct)
	if err != nil {
		return err
	}
	through, err := fastestEnd(e, e.Via)
	if err != nil {
		return err
	}
	e.logf("both FINs to both closed: directly %v, through %v at best", direct, through)
	// The direct run's share is mostly that of reading the kernel's table of sockets, which takes a busy machine long.
	if through > 3*direct+50*time.Millisecond {
		return fmt.Errorf("closed %v after both FINs at best, directly %v", through, direct)
	}
	return nil
}

// fastestEnd returns the least time from both FINs to nothing being left, of six.
func fastestEnd(e *Env, via func(string) string) (time.Duration, error) {
	r, err := newRig(e, via)
	if err != nil {
		return 0, err
	}
	defer r.close()
	least := time.Hour
	for i := range 6 {
		took, err := r.shutBoth(i)
		if err != nil {
			return 0, err
		}
		least = min(least, took)
	}
	return least, nil
}

// shutBoth shuts one side, the other, or both at once, and measures until no socket is left.
func (r *rig) shutBoth(i int) (time.Duration, error) {
	client, server, err := r.pair()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	defer server.Close()
	first, second := client, server
	if i%3 == 1 {
		first, second = server, client
	}
	if err := first.CloseWrite(); err != nil {
		return 0, err
	}
	if i%3 != 2 {
		if _, err := readAll(second); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	if err := second.CloseWrite(); err != nil {
		return 0, err
	}
	serverPort, targetPort := r.ports()
	left, err := Gone(2*time.Second, serverPort, targetPort)
	if err != nil {
		return 0, err
	}
	if len(left) > 0 {
		return 0, fmt.Errorf("2s after both FINs there is still %v", left)
	}
	return time.Since(start), nil
}

// shutAtOnce is row 10 for two FINs that cross: each side reads the end of stream, and nobody is reset.
func shutAtOnce(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	for i := range e.Pick(300, 10000) {
		if err := r.crossFINs(i); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

// crossFINs shuts both sides of one connection in the same moment, every other one behind some bytes.
func (r *rig) crossFINs(i int) error {
	client, server, err := r.pair()
	if err != nil {
		return err
	}
	defer client.Close()
	defer server.Close()
	size := i % 2 * (i % 300 << 10)
	sides := [][2]stream{{client, server}, {server, client}}
	results := make(chan error, 2*len(sides)) // of each side's writing and reading
	for _, side := range sides {
		go func() {
			_, err := side[0].Write(make([]byte, size))
			results <- errors.Join(err, side[0].CloseWrite())
		}()
		go func() {
			got, err := readAll(side[1])
			if err == nil && len(got) != size {
				err = fmt.Errorf("%d bytes arrived of %d", len(got), size)
			}
			results <- err
		}()
	}
	for range cap(results) {
		err = errors.Join(err, <-results)
	}
	return err
}

// halfClosed is row 15: a connection of which one side has shut lives on, as long as a kernel's timeout for orphans, and longer.
func halfClosed(turn func(string) string) func(e *Env) error {
	return func(e *Env) error {
		return Compare(e, turn(fmt.Sprintf(`
			open
			client shut
			server read all
			client quiet %v
			server say late
			client read 4
			server shut
			client read all`, pick(e, 700*time.Millisecond, 75*time.Second))))
	}
}

// closeAtOnce is row 16: both programs close, or one resets, in the same moment, idle or in mid-exchange, thousands of times.
func closeAtOnce(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	before, err := Descriptors()
	if err != nil {
		return err
	}
	for i := range e.Pick(500, 10000) {
		if err := r.closeTogether(i); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	serverPort, targetPort := r.ports()
	left, err := Gone(5*time.Second, serverPort, targetPort)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%d sockets left, such as %v", len(left), left[0])
	}
	return e.descriptorsBack(before)
}

// closeTogether ends one connection from both sides at once. Odd ones have bytes under way.
func (r *rig) closeTogether(i int) error {
	client, server, err := r.pair()
	if err != nil {
		return err
	}
	if i%2 == 1 {
		_, err1 := client.Write(make([]byte, 1000))
		_, err2 := server.Write(make([]byte, 1000))
		if err1 != nil || err2 != nil {
			return fmt.Errorf("writing: %v, %v", err1, err2)
		}
	}
	var ready, done sync.WaitGroup
	ready.Add(2)
	for side, c := range []stream{client, server} {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			if i%5 == side+1 {
				_ = Reset(c) // a close that fails on a dead connection closes it all the same
			} else {
				_ = c.Close()
			}
		})
	}
	done.Wait()
	return nil
}

// descriptorsBack waits until the process has no more descriptors than before.
func (e *Env) descriptorsBack(before int) error {
	for end := time.Now().Add(min(e.patience(), 5*time.Second)); ; {
		n, err := Descriptors()
		switch {
		case err != nil:
			return err
		case n <= before:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%d descriptors are open, before it were %d", n, before)
		}
		time.Sleep(5 * time.Millisecond) // nothing tells when a descriptor is closed
	}
}

// readErr reads one byte and returns the error's name, or what was read.
func readErr(c stream) string {
	buf := make([]byte, 1)
	n, err := c.Read(buf)
	if n > 0 {
		return fmt.Sprintf("read %q", buf[:n])
	}
	return errName(err)
}

// protocol returns a socket's protocol number.
func protocol(fd int) (int, error) { return unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL) }

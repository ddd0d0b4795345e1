//go:build linux

package wiretest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// latencyChecks are the rows on small messages, which must not wait for anything.
func latencyChecks() []Check {
	return []Check{
		{Row: 5, Name: "ping_pong", Unix: true, Run: pingPong},
		{Row: 5, Name: "write_write_read_with_Nagle", Run: writeWriteRead},
		{Row: 6, Name: "delivered_before_the_next_write", Unix: true, Run: deliveredBeforeTheNext},
	}
}

// pingPong is row 5: one byte there and back. What waits for a delayed acknowledgement (40 ms) or a cork (200 ms) shows as samples
// near these times that the direct run does not have. Late ones anywhere else are a busy machine's; three attempts are made.
func pingPong(e *Env) error {
	var err error
	for range 3 {
		direct, derr := roundTrips(e, Direct, e.Pick(1000, 10000))
		through, terr := roundTrips(e, e.Via, e.Pick(1000, 10000))
		if err := errors.Join(derr, terr); err != nil {
			return err
		}
		e.logf("1-byte round trip: directly %v, through %v at the median", median(direct), median(through))
		if held(through) <= held(direct) {
			return nil
		}
		err = fmt.Errorf("%d of %d round trips took about 40, 80 or 200 ms, directly %d; the longest %v",
			held(through), len(through), held(direct), slices.Max(through))
	}
	return err
}

// held counts the round trips that took about as long as the kernel holds back an acknowledgement, once or on both ways, or a
// segment that is not full.
func held(took []time.Duration) (n int) {
	for _, d := range took {
		for _, timer := range []time.Duration{40 * time.Millisecond, 80 * time.Millisecond, 200 * time.Millisecond} {
			if d >= timer-2*time.Millisecond && d < timer+8*time.Millisecond {
				n++
			}
		}
	}
	return n
}

// roundTrips measures n round trips of one byte.
func roundTrips(e *Env, via func(string) string, n int) ([]time.Duration, error) {
	r, err := newRig(e, via)
	if err != nil {
		return nil, err
	}
	defer r.close()
	client, server, err := r.pair()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	defer server.Close()
	echoed := make(chan struct{}) // closed when the echo has ended
	go func() {
		defer close(echoed)
		echo(server)
	}()
	took, err := pings(client, n)
	client.Close()
	<-echoed
	return took, err
}

// echo sends back what comes until the stream ends.
func echo(c stream) {
	buf := make([]byte, 1024)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

// pings measures n round trips to an echo.
func pings(c stream, n int) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	buf := make([]byte, 1)
	for i := range took {
		buf[0] = byte(i)
		start := time.Now()
		if _, err := c.Write(buf); err != nil {
			return nil, fmt.Errorf("round trip %d: %w", i, err)
		}
		if _, err := c.Read(buf); err != nil {
			return nil, fmt.Errorf("round trip %d: %w", i, err)
		}
		took[i] = time.Since(start)
		if buf[0] != byte(i) {
			return nil, fmt.Errorf("round trip %d: byte %d came back as %d", i, byte(i), buf[0])
		}
	}
	return took, nil
}

func median(took []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(took))
	return s[len(s)/2]
}

// writeWriteRead is the rest of row 5: with Nagle on, the second small write waits for the acknowledgement of the first. What that
// costs directly it may cost through, and no more.
func writeWriteRead(e *Env) error {
	measure := func(via func(string) string) (time.Duration, error) {
		r, err := newRig(e, via)
		if err != nil {
			return 0, err
		}
		defer r.close()
		client, server, err := r.pair()
		if err != nil {
			return 0, err
		}
		defer client.Close()
		defer server.Close()
		if err := setOption(client, unix.IPPROTO_TCP, unix.TCP_NODELAY, 0); err != nil {
			return 0, err
		}
		buf := make([]byte, 1)
		var took []time.Duration
		for range 30 {
			start := time.Now()
			_, err1 := client.Write(buf)
			_, err2 := client.Write(buf)
			_, err3 := server.Read(buf)
			_, err4 := server.Read(buf)
			_, err5 := server.Write(buf)
			_, err6 := client.Read(buf)
			if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
				return 0, err
			}
			took = append(took, time.Since(start))
		}
		return median(took), nil
	}
	var err error
	for range 3 {
		direct, derr := measure(Direct)
		through, terr := measure(e.Via)
		if err := errors.Join(derr, terr); err != nil {
			return err
		}
		e.logf("write-write-read with Nagle: directly %v, through %v at the median", direct, through)
		if through <= direct+10*time.Millisecond {
			return nil
		}
		err = fmt.Errorf("write-write-read took %v at the median, directly %v", through, direct)
	}
	return err
}

// deliveredBeforeTheNext is row 6: what is followed by 5 ms of silence is there before the next write. A busy machine misses some
// directly, too.
func deliveredBeforeTheNext(e *Env) error {
	measure := func(via func(string) string) (missed int, err error) {
		r, err := newRig(e, via)
		if err != nil {
			return 0, err
		}
		defer r.close()
		client, server, err := r.pair()
		if err != nil {
			return 0, err
		}
		defer client.Close()
		defer server.Close()
		buf := make([]byte, 1+4096)
		reader := &actor{conn: server}
		for i := range 60 {
			size := []int{1, 100, 1400, 4096}[i%4]
			if _, err := client.Write(buf[:size]); err != nil {
				return 0, err
			}
			time.Sleep(5 * time.Millisecond) // the silence that the row speaks of
			if reader.poll(unix.POLLIN, 0, "") != "readable" {
				missed++
			}
			for got := 0; got < size; {
				n, err := server.Read(buf[got:size])
				if err != nil {
					return 0, err
				}
				got += n
			}
		}
		return missed, nil
	}
	var err error
	for range 3 {
		direct, derr := measure(Direct)
		through, terr := measure(e.Via)
		if err := errors.Join(derr, terr); err != nil {
			return err
		}
		if through <= direct+3 {
			return nil
		}
		err = fmt.Errorf("%d of 60 writes were not delivered after 5 ms of silence, directly %d", through, direct)
	}
	return err
}

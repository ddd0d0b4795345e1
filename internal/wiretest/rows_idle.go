//go:build linux

package wiretest

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// usage returns the processor time that this process has used, and how often one of its threads went to sleep.
func usage() (cpu time.Duration, sleeps int64, err error) {
	var ru unix.Rusage
	err = unix.Getrusage(unix.RUSAGE_SELF, &ru)
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano()), ru.Nvcsw, err
}

// idleCost is row 27: idle connections take no processor time and wake nobody up, and are not ended for being idle.
func idleCost(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	conns, err := r.idlePairs(e.Pick(100, 1000))
	defer closeAll(conns)
	if err != nil {
		return err
	}
	var costly error
	for range 3 {
		cpu, sleeps, err := idleSecond()
		if err != nil {
			return err
		}
		e.logf("%d idle connections: %v of processor time and %d wake-ups in a second", len(conns)/2, cpu, sleeps)
		// The runtime's own housekeeping is some tens of wake-ups; one per connection and second would be a hundred.
		if cpu < 30*time.Millisecond && sleeps < 90 {
			return stillAlive(conns)
		}
		costly = fmt.Errorf("%d idle connections took %v of processor time and woke up %d times in a second", len(conns)/2, cpu, sleeps)
	}
	return costly
}

// idleSecond returns what the process uses in a second in which nothing should happen.
func idleSecond() (cpu time.Duration, sleeps int64, err error) {
	before, sleepsBefore, err := usage()
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(time.Second) // idleness itself is what is measured
	after, sleepsAfter, err := usage()
	return after - before, sleepsAfter - sleepsBefore, err
}

// stillAlive moves one byte each way through each connection.
func stillAlive(conns []stream) error {
	for i := 0; i < len(conns); i += 2 {
		for _, way := range [][2]stream{{conns[i], conns[i+1]}, {conns[i+1], conns[i]}} {
			if _, err := way[0].Write([]byte("x")); err != nil {
				return fmt.Errorf("connection %d: %w", i/2, err)
			}
			if got := readErr(way[1]); got != `read "x"` {
				return fmt.Errorf("connection %d: %s", i/2, got)
			}
		}
	}
	return nil
}

package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A sleeper is one who asks the kernel to be woken up at a precise moment, again and again. How late it is woken is the machine's
// doing, and what a gate that must wake up to release bytes cannot do better.
type sleeper struct {
	late []time.Duration
	stop chan struct{} // closed when it is to end
	done chan error    // says how it ended
}

// startSleeper sets a sleeper to work, for times from 1 to 5 ms.
func startSleeper(seed uint64) *sleeper {
	s := &sleeper{stop: make(chan struct{}), done: make(chan error, 1)}
	go func() { s.done <- s.run(rand.New(rand.NewPCG(seed, 0))) }()
	return s
}

// end ends the sleeper and returns how late it was woken each time.
func (s *sleeper) end() ([]time.Duration, error) {
	close(s.stop)
	err := <-s.done
	return s.late, err
}

func (s *sleeper) run(rng *rand.Rand) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	timer := os.NewFile(uintptr(fd), "timer") // nonblocking: it is waited for as a socket is
	for {
		select {
		case <-s.stop:
			return timer.Close()
		default:
		}
		rest := time.Millisecond + time.Duration(rng.Int64N(int64(4*time.Millisecond)))
		due := clock() + rest
		if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(rest))}, nil); err != nil {
			return errors.Join(err, timer.Close())
		}
		var count [8]byte
		if _, err := timer.Read(count[:]); err != nil {
			return errors.Join(err, timer.Close())
		}
		s.late = append(s.late, clock()-due)
	}
}

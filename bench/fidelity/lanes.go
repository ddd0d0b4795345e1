package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// epoch is when the clock of the measurements began.
var epoch = time.Now()

// clock returns the time since the epoch, by the monotonic clock.
func clock() time.Duration { return time.Since(epoch) }

// A message says whose it is and when it was sent, and takes 16 bytes.
type message struct {
	lane int
	sent time.Duration
}

const messageSize = 16

func (m message) put(buf []byte) {
	binary.BigEndian.PutUint64(buf, uint64(m.lane))
	binary.BigEndian.PutUint64(buf[8:], uint64(m.sent))
}

func readMessage(buf []byte) message {
	return message{int(binary.BigEndian.Uint64(buf)), time.Duration(binary.BigEndian.Uint64(buf[8:]))}
}

// lanes are clients of one wire that send messages side by side. Each learns how long its messages took, in order of arrival.
type lanes struct {
	senders   []net.Conn
	stops     []func() error       // end the receivers
	took      []chan time.Duration // what a lane's messages took
	receiving sync.WaitGroup
}

// mostUnderWay is how many messages of one lane may be under way; a receiver that finds more would wait and be late.
const mostUnderWay = 1 << 14

// newLanes connects so many clients. One message of each has passed: what a first one costs is over.
func newLanes(w *wire, n int) (*lanes, error) {
	l := &lanes{took: make([]chan time.Duration, n)}
	for i := range l.took {
		l.took[i] = make(chan time.Duration, mostUnderWay)
	}
	if w.packets != nil {
		w.packets.SetReadDeadline(time.Time{}) // lanes before these may have stopped by it
		l.receives(w.packets, func() error { return w.packets.SetReadDeadline(time.Now()) })
	}
	for i := range n {
		var client, server net.Conn
		var err error
		if w.packets != nil {
			client, err = net.Dial("udp", w.address())
		} else {
			client, server, err = w.connectThrough()
		}
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		if l.senders = append(l.senders, client); server != nil {
			client.SetDeadline(time.Time{})
			server.SetDeadline(time.Time{})
			l.receives(server, server.Close)
		}
		if _, err := l.single(i, 1, func() {}); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

// close ends the clients and the receivers.
func (l *lanes) close() error {
	var errs []error
	for _, s := range l.senders {
		errs = append(errs, s.Close())
	}
	for _, stop := range l.stops {
		errs = append(errs, stop())
	}
	l.receiving.Wait()
	return errors.Join(errs...)
}

// receives starts a receiver, which tells the lanes what their messages took until it is stopped.
func (l *lanes) receives(conn net.Conn, stop func() error) {
	l.stops = append(l.stops, stop)
	l.receiving.Go(func() {
		buf := make([]byte, 64<<10)
		for kept := 0; ; {
			n, err := conn.Read(buf[kept:])
			now := clock()
			kept += n
			rest := buf[:kept]
			for ; len(rest) >= messageSize; rest = rest[messageSize:] {
				m := readMessage(rest)
				l.took[m.lane] <- now - m.sent
			}
			kept = copy(buf, rest)
			if err != nil {
				return
			}
		}
	})
}

// send sends one message of a lane.
func (l *lanes) send(lane int) error {
	var buf [messageSize]byte
	message{lane, clock()}.put(buf[:])
	_, err := l.senders[lane].Write(buf[:])
	return err
}

// errSilent is what awaiting a message ends with that does not come. It is a finding and no failure of the program.
var errSilent = fmt.Errorf("a message did not arrive within %v", patience)

// await returns what a lane's next message to arrive took.
func (l *lanes) await(lane int) (time.Duration, error) {
	select {
	case d := <-l.took[lane]:
		return d, nil
	case <-time.After(patience):
		return 0, errSilent
	}
}

// single sends messages of a lane one by one, each when the one before has arrived and a pause is over.
func (l *lanes) single(lane, count int, pause func()) (took []time.Duration, err error) {
	for range count {
		if err := l.send(lane); err != nil {
			return nil, err
		}
		d, err := l.await(lane)
		if err != nil {
			return nil, err
		}
		took = append(took, d)
		pause()
	}
	return took, nil
}

// bursts sends a lane's messages in bursts and waits for none but at the end: they are under way together.
func (l *lanes) bursts(lane, count, burst int, pause func()) (took []time.Duration, err error) {
	for i := range count {
		if err := l.send(lane); err != nil {
			return nil, err
		}
		if i%burst == burst-1 {
			pause()
		}
	}
	for range count {
		d, err := l.await(lane)
		if err != nil {
			return nil, err
		}
		took = append(took, d)
	}
	return took, nil
}

// each runs f for all lanes side by side, and returns what all of them took.
func (l *lanes) each(f func(lane int) ([]time.Duration, error)) (all []time.Duration, err error) {
	took, errs := make([][]time.Duration, len(l.senders)), make([]error, len(l.senders))
	var running sync.WaitGroup
	for lane := range l.senders {
		running.Go(func() { took[lane], errs[lane] = f(lane) })
	}
	running.Wait()
	for _, t := range took {
		all = append(all, t...)
	}
	return all, errors.Join(errs...)
}

// pausing returns a pause of rest and up to vary more: messages are to meet each moment of a timer's tick alike.
func pausing(seed uint64, lane int, rest, vary time.Duration) func() {
	rng := rand.New(rand.NewPCG(seed, uint64(lane)))
	return func() { time.Sleep(rest + time.Duration(rng.Int64N(int64(vary)))) }
}

// stagger waits before a lane begins, so that the messages of all lanes come due one behind the other: those of one moment wait for one another's
// sake in any receiver.
func stagger(lane, lanes int, over time.Duration) {
	time.Sleep(over * time.Duration(lane) / time.Duration(lanes))
}

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chaosgate/chaos"
)

// losingCount is how many datagrams each fault is measured with.
const losingCount = 40_000

// losingSigmas is how far a share may be from what was asked: further is once in 1000 times by chance.
const losingSigmas = 3.29

// A losingCase is a fault of datagrams and the share of them that it is to change.
type losingCase struct {
	name  string
	fault chaos.Fault
	count func(came []int, sent int) int // how many datagrams the fault has changed, by the numbers of those that came, in order
	want  float64
	// Variance of the share, times the number of datagrams: want·(1-want) if each is drawn by itself.
	variance float64
}

var losingCases = []losingCase{
	{"lose chance=1%", chaos.Lose{Chance: 0.01}, missing, 0.01, 0.01 * 0.99},
	{"lose chance=30%", chaos.Lose{Chance: 0.3}, missing, 0.3, 0.3 * 0.7},
	{"lose chance=10% burst=5", chaos.Lose{Chance: 0.1, Burst: 5}, missing, 0.1, burstVariance(0.1, 5)},
	{"lose p=2% r=20%", chaos.Lose{P: 0.02, R: 0.2}, missing, 0.02 / 0.22, gilbertVariance(0.02, 0.2)},
	{"lose every=7", chaos.Lose{Every: 7}, missing, 1. / 7, 0},
	{"duplicate chance=10%", chaos.Duplicate{Chance: 0.1}, doubled, 0.1, 0.1 * 0.9},
	{"reorder chance=5%", chaos.Reorder{Chance: 0.05}, overtaken, 0.05, 0.05 * 0.95},
}

// burstVariance is the variance of losses in runs of some length, times the number of datagrams: a run and the pause before
// it are drawn anew each time, and the law of renewals gives mean²·Var(pause)/mean length of both.
func burstVariance(chance, length float64) float64 {
	q := chance / (length - chance*(length-1)) // the chance of a run to begin
	return chance * chance * (1 - q) / (q * q) / (length / chance)
}

// gilbertVariance is that of a chain of two states: neighbours are correlated by 1-p-r.
func gilbertVariance(p, r float64) float64 {
	bad := p / (p + r)
	return bad * (1 - bad) * (2 - p - r) / (p + r)
}

// measureLosing measures the share of datagrams that are lost, doubled and overtaken.
func measureLosing(_ context.Context, o options) (*table, error) {
	t := &table{
		title: "Datagrams: what share is lost, doubled, overtaken",
		rule: fmt.Sprintf("Numbered datagrams, in bunches that the sockets' buffers hold. Overtaken is one behind which a later one has arrived sooner. Target: within %g standard deviations of a fault that is exactly as "+
			"asked, and within one datagram where nothing is drawn. Others: changed in another way than asked. Inconclusive: the kernel, or the gate for want of room, has dropped some, or the control, without a gate, has lost or moved any.", losingSigmas),
		head: []string{"fault", "n", "asked", "share", "within", "others", "control lost, moved"},
	}
	for _, c := range losingCases {
		n := o.of(losingCount, 500)
		control, err := c.send(nil, n, o)
		if err != nil {
			return nil, err
		}
		f, err := c.send(c.fault, n, o)
		if err != nil {
			return nil, err
		}
		moved := missing(control.came, n) + doubled(control.came, n) + overtaken(control.came, n)
		f.disturbed = f.disturbed || moved > 0
		others := missing(f.came, n) + doubled(f.came, n) + overtaken(f.came, n) - c.count(f.came, n)
		share, within := float64(c.count(f.came, n))/float64(n), c.within(n)
		t.add(f.judge(share-c.want, within, others), c.name, fmt.Sprint(n), fmt.Sprintf("%.3f %%", 100*c.want), fmt.Sprintf("%.3f %%", 100*share),
			fmt.Sprintf("± %.3f %%", 100*within), fmt.Sprint(others), fmt.Sprint(moved))
	}
	return t, nil
}

// within is how far the share of n datagrams may be from what was asked.
func (c losingCase) within(n int) float64 {
	return max(losingSigmas*math.Sqrt(c.variance/float64(n)), 1/float64(n))
}

// A losingFinding is the numbers of the datagrams that came, in order, and whether more was lost than a fault has taken.
type losingFinding struct {
	came      []int
	disturbed bool
}

func (f losingFinding) judge(offBy, within float64, others int) verdict {
	switch {
	case f.disturbed:
		return inconclusive
	case math.Abs(offBy) > within || others > 0:
		return off
	}
	return ok
}

// missing counts the datagrams that have not come.
func missing(came []int, sent int) int {
	seen := make(map[int]bool, len(came))
	for _, k := range came {
		seen[k] = true
	}
	return sent - len(seen)
}

// doubled counts those that came more than once.
func doubled(came []int, sent int) int { return len(came) - (sent - missing(came, sent)) }

// overtaken counts those that came behind a later one.
func overtaken(came []int, _ int) (n int) {
	latest := -1
	for _, k := range came {
		if k < latest {
			n++
		}
		latest = max(latest, k)
	}
	return n
}

// bunch is how many datagrams are sent at once: what a socket's buffer holds without trouble.
const bunch = 50

// send sends numbered datagrams through a gate with a fault, or straight if it is nil.
func (c losingCase) send(fault chaos.Fault, n int, o options) (f losingFinding, err error) {
	w, err := newWire("udp", fault != nil, o.seed)
	if err != nil {
		return f, err
	}
	client, err := net.Dial("udp", w.address())
	if err != nil {
		return f, errors.Join(err, w.close())
	}
	defer client.Close()
	if fault != nil {
		w.impose(fault)
	}
	r := &numbered{sent: make(chan struct{}), done: make(chan struct{})}
	go r.receive(w.packets)
	var buf [8]byte
	for i := range n {
		binary.BigEndian.PutUint64(buf[:], uint64(i))
		if _, err = client.Write(buf[:]); err != nil {
			break
		}
		if i%bunch == bunch-1 {
			r.keepUp(i)
		}
	}
	close(r.sent)
	<-r.done
	f.came = r.came
	f.disturbed = kernelDrops(w.packets.LocalAddr().(*net.UDPAddr).Port) > 0
	if w.gate != nil {
		s := w.gate.Stats()
		f.disturbed = f.disturbed || s.KernelDrops+s.Overflowed > 0
	}
	return f, errors.Join(err, w.close())
}

// A numbered receiver notes the numbers of the datagrams that come.
type numbered struct {
	came   []int
	latest atomic.Int64  // the last that came
	sent   chan struct{} // closed when no more are sent
	done   chan struct{} // closed when no more come
}

// silence is how long nothing has arrived when all has: longer than a datagram waits to be overtaken.
const silence = 300 * time.Millisecond

// receive receives until all are sent and there is silence.
func (r *numbered) receive(c *net.UDPConn) {
	defer close(r.done)
	buf := make([]byte, 64)
	for last := false; ; {
		c.SetReadDeadline(time.Now().Add(silence))
		n, err := c.Read(buf)
		switch {
		case n == 8:
			r.came = append(r.came, int(binary.BigEndian.Uint64(buf)))
			r.latest.Store(int64(r.came[len(r.came)-1]))
		case last:
			return
		case err != nil:
			select {
			case <-r.sent:
				last = true // all were sent before this silence ends, but perhaps not before it began
			default:
			}
		}
	}
}

// keepUp waits until the receiver is near a number, or as long as it takes if those near to it are lost.
func (r *numbered) keepUp(number int) {
	for range 20 {
		if r.latest.Load() >= int64(number-bunch/4) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// kernelDrops returns how many datagrams the kernel has thrown away before the socket of a port because its buffer was full.
func kernelDrops(port int) (dropped int) {
	text, _ := os.ReadFile("/proc/net/udp")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 2 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			n, _ := strconv.Atoi(fields[len(fields)-1])
			dropped += n
		}
	}
	return dropped
}

package chaostest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// A trial holds one fault to one rule, in one direction.
type trial struct {
	testing.TB
	fault    chaos.Fault
	traits   Traits
	lossless bool // the fault loses and changes nothing as long as the connection lives
	dir      chaos.Direction
	silent   bool // nothing is reported

	said sync.Map // the rules, as keys, that were reported as broken: once will do
}

// fails reports that a rule is broken. It may be called by any goroutine.
func (c *trial) fails(rule Rule, format string, args ...any) {
	c.Helper()
	if c.silent || c.traits.Except[rule] != "" {
		return
	}
	if _, again := c.said.LoadOrStore(rule, true); !again {
		c.Errorf("%s breaks the rule %q %v: "+format, append([]any{chaos.KindOf(c.fault), rule, c.dir}, args...)...)
	}
}

// A run is a stream of Data that goes through a gate, its end, and what is done to the fault meanwhile. In the end the fault
// is lifted, if the stream has not ended before.
type run struct {
	fault    chaos.Fault              // what is imposed: the trial's own if nil
	none     bool                     // nothing is imposed
	before   chaos.Fault              // stands before the fault, if not nil
	bare     bool                     // no probes around the fault
	scribble bool                     // the probes spoil all that must not be used
	cut      func(i int) int          // how long the i-th write is; all at once if nil
	each     func(r *rig)             // called between two writes
	lift     bool                     // the fault is lifted when Data was sent, and more is sent behind
	after    time.Duration            // so long after Data was sent
	halt     func(r *rig, moment int) // called at each of the moments of the run
}

// The moments of a run.
const (
	opened = iota
	halfway
	sent
	ended
	waited
	moments
)

// A rig is a gate between a client and a server, on a network of its own.
type rig struct {
	*trial
	gate    *chaos.Gate
	flow    *chaos.Flow // that of the trial's direction
	faults  []chaos.Fault
	imposed *chaos.Imposed // the fault's
	gone    atomic.Bool    // the fault was lifted
	servers net.Listener
	network *Network
}

// newRig starts a gate that imposes what a run asks for.
func (c *trial) newRig(r run) *rig {
	c.Helper()
	rig := &rig{trial: c, network: NewNetwork()}
	if c.traits.Start != nil {
		c.traits.Start(c.TB, rig.network)
	}
	var err error
	if rig.servers, err = rig.network.Listen(context.Background(), "tcp", ""); err != nil {
		c.Fatal(err)
	}
	rig.gate = &chaos.Gate{
		Server: rig.servers.Addr().String(), Seed: 1, ListenFunc: rig.network.Listen, DialContext: rig.network.Dial,
	}
	rig.flow = &rig.gate.ToServer
	if c.dir == chaos.ToClient {
		rig.flow = &rig.gate.ToClient
	}
	rig.impose(r)
	if err := rig.gate.Start(); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(rig.close)
	return rig
}

func (r *rig) impose(run run) {
	fault := run.fault
	if fault == nil {
		fault = r.fault
	}
	if run.before != nil {
		r.faults = append(r.faults, run.before)
	}
	at := len(r.faults)
	switch {
	case run.none:
		return
	case run.bare:
		r.faults = append(r.faults, fault)
	default:
		r.faults = append(r.faults, r.probeBefore(run.scribble), fault, r.probeBehind(run.scribble))
		at++
	}
	r.imposed = r.flow.Set(r.faults...)[at]
}

// close ends the rig. It may have ended already.
func (r *rig) close() {
	if err := r.gate.Close(); err != nil {
		r.fails(RuleClose, "%v", err)
	}
	r.servers.Close()
}

// lift takes the fault away, if there is one.
func (r *rig) lift() {
	if r.imposed != nil {
		r.imposed.Lift()
		r.gone.Store(true)
	}
}

// A stream is one connection through a rig: what is written at one end, and what has been read at the other.
type stream struct {
	*rig
	from, to net.Conn
	conn     *chaos.Conn
	outcome
}

// connect opens one more connection.
func (r *rig) connect() *stream {
	r.Helper()
	client, err := r.network.Dial(context.Background(), "tcp", r.gate.Addr())
	if err != nil {
		r.Fatal(err)
	}
	server, err := r.servers.Accept()
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		client.Close()
		server.Close()
	})
	s := &stream{rig: r, from: client, to: server, outcome: outcome{start: time.Now()}}
	if r.dir == chaos.ToClient {
		s.from, s.to = server, client
	}
	if conns := r.gate.Conns(); len(conns) > 0 { // the fault may have ended it already
		s.conn = conns[len(conns)-1]
	}
	synctest.Wait()
	return s
}

// send writes data, cut as asked. A connection that has ended takes nothing, which is none of the writer's business.
func (s *stream) send(data []byte, cut func(int) int, each func(*rig)) {
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if cut != nil {
			n = min(n, cut(i))
		}
		s.from.SetWriteDeadline(time.Now().Add(s.traits.Wait))
		s.from.Write(data[:n])
		data = data[n:]
		if each != nil {
			synctest.Wait()
			each(s.rig)
		}
	}
	synctest.Wait()
}

// finish sends the end of the stream.
func (s *stream) finish() {
	s.from.(interface{ CloseWrite() error }).CloseWrite()
	synctest.Wait()
}

// collect reads what arrives, for a time at most.
func (s *stream) collect(wait time.Duration) {
	if s.end != "" {
		return
	}
	s.to.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, 64<<10)
	for s.end == "" {
		n, err := s.to.Read(buf)
		at := time.Since(s.start)
		s.add(at, buf[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case errors.Is(err, syscall.ECONNRESET):
			s.end, s.endAt = "a reset", at
		case err == io.EOF:
			s.end, s.endAt = "EOF", at
		case err != nil:
			s.end, s.endAt = err.Error(), at
		}
	}
}

// run streams Data through a new gate.
func (c *trial) run(r run) outcome {
	c.Helper()
	s := c.newRig(r).connect()
	defer s.close()
	halt := func(moment int) {
		if r.halt != nil {
			r.halt(s.rig, moment)
		}
	}
	halt(opened)
	data := c.traits.Data
	s.send(data[:len(data)/2], r.cut, r.each)
	halt(halfway)
	s.send(data[len(data)/2:], r.cut, r.each)
	halt(sent)
	if r.lift {
		s.collect(r.after)
		s.liftAndGoOn()
	}
	s.finish()
	halt(ended)
	s.collect(c.traits.Wait)
	halt(waited)
	s.lift()
	s.collect(c.traits.Wait)
	s.settle()
	c.judge(s)
	return s.outcome
}

// afterLift is what is sent when a fault was lifted.
var afterLift = noise(2, 256)

// liftAndGoOn lifts the fault and sends what is to pass untouched.
func (s *stream) liftAndGoOn() {
	s.lift()
	s.lifted = time.Since(s.start)
	s.send(afterLift, nil, nil)
}

// settle notes how it came out.
func (s *stream) settle() {
	synctest.Wait()
	if s.imposed != nil {
		s.hits = s.imposed.Hits()
	}
	s.cutShort = true
	if s.conn != nil {
		switch s.conn.Info().By {
		case "", "client", "server":
			s.cutShort = false
		}
	}
}

// judge holds an outcome to the rules that every run has to keep.
func (c *trial) judge(s *stream) {
	all := c.traits.Data
	if s.lifted > 0 || bytes.HasSuffix(s.bytes(), afterLift) {
		all = append(bytes.Clone(all), afterLift...)
	}
	if why := disorder(all, s.bytes()); why != "" {
		c.fails(RuleOrder, "%s", why)
	}
	if c.lossless && !s.unharmed(all) {
		c.fails(RuleLossless, "%d bytes were sent and %d arrived, then %s: %s", len(all), len(s.bytes()), s.ending(), firstDifference(s.bytes(), all))
	}
}

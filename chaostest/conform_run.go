package chaostest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// A trial holds one fault to one rule, in one direction.
type trial struct {
	testing.TB
	network  string // "tcp" or "udp"
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
// is lifted, if the stream has not ended before. Datagrams have no end.
type run struct {
	fault    chaos.Fault              // what is imposed: the trial's own if nil
	none     bool                     // nothing is imposed
	before   chaos.Fault              // stands before the fault, if not nil
	bare     bool                     // no probes around the fault
	scribble bool                     // the probes spoil all that must not be used
	shape                             // how Data is sent
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
	client, err := r.net.Dial(context.Background(), "tcp", r.gate.Addr())
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
	if c.datagrams() {
		return c.runDatagrams(r)
	}
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

// datagrams reports whether the trial is one with datagrams.
func (c *trial) datagrams() bool { return c.network == "udp" }

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

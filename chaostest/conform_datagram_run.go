package chaostest

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// sessions are the clients of a rig of datagrams, and its server: one socket, at which those of all clients arrive.
type sessions struct {
	server net.PacketConn

	mu      sync.Mutex // guards what follows
	closed  bool
	conns   []*chaos.Conn
	clients []*session
}

// A session is one client of a rig: what is sent at one end, and what has arrived at the other. If the fault ends it, and the
// client goes on, the gate makes it a new Conn.
type session struct {
	*rig
	client net.Conn
	outcome
	other outcome // what has arrived in the other direction
}

// forever is how long a session may be silent: nothing is to end it but the fault.
const forever = 100 * 365 * 24 * time.Hour

// listenPacket makes the rig one for datagrams. What is imposed on the other flow only takes note of the sessions.
func (r *rig) listenPacket(other *chaos.Flow) {
	r.Helper()
	var err error
	if r.server, err = r.net.ListenPacket(context.Background(), r.network, ""); err != nil {
		r.Fatal(err)
	}
	r.gate.Server, r.gate.ListenPacket, r.gate.Expire = r.server.LocalAddr().String(), r.net.ListenPacket, forever
	other.Set(chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.conns = append(r.conns, st.Conn())
		return next
	}))
	go r.serve()
}

// serve takes what arrives at the server.
func (r *rig) serve() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := r.server.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if s := r.whose(from); s != nil && err == nil {
			s.arrived(chaos.ToServer, buf[:n])
		}
	}
}

// listenTo takes what arrives at the client.
func (s *session) listenTo() {
	buf := make([]byte, 64<<10)
	for {
		n, err := s.client.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			s.arrived(chaos.ToClient, buf[:n])
		}
	}
}

func (s *session) arrived(dir chaos.Direction, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := &s.outcome
	if dir != s.dir {
		to = &s.other
	}
	to.add(time.Since(s.start), data)
}

// whose tells which client's datagrams come from an address of the gate's.
func (r *rig) whose(from net.Addr) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.clients) == 1 {
		return r.clients[0]
	}
	for _, c := range slices.Backward(r.conns) {
		if i := c.Info(); i.Back == from.String() {
			return r.clients[slices.IndexFunc(r.clients, func(s *session) bool { return s.client.LocalAddr().String() == i.Client })]
		}
	}
	return nil
}

// mine returns the Conns that the gate has made for the client, the last of which is the current one.
func (s *session) mine() (conns []*chaos.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if c.Info().Client == s.client.LocalAddr().String() {
			conns = append(conns, c)
		}
	}
	return conns
}

func (s *sessions) close() {
	if s.server == nil {
		return
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.server.Close()
	for _, c := range s.clients {
		c.client.Close()
	}
	synctest.Wait()
}

// enter makes one more client. One that is to receive something has to say something first: the gate has no session for it else.
func (r *rig) enter() *session {
	r.Helper()
	client, err := r.net.Dial(context.Background(), r.network, r.gate.Addr())
	if err != nil {
		r.Fatal(err)
	}
	s := &session{rig: r, client: client}
	r.mu.Lock()
	r.clients = append(r.clients, s)
	r.mu.Unlock()
	go s.listenTo()
	if r.dir == chaos.ToClient {
		s.say(chaos.ToServer, []byte("hello"))
		synctest.Wait()
	}
	s.outcome = outcome{start: time.Now(), packets: true}
	s.other = s.outcome
	return s
}

// say sends a datagram. A server answers at the address that the gate has for the session now, even if it has heard nothing
// from there. What cannot be sent is lost, as it is on a wire.
func (s *session) say(dir chaos.Direction, data []byte) {
	if dir == chaos.ToServer {
		s.client.Write(data)
		return
	}
	conns := s.mine()
	if len(conns) == 0 {
		return
	}
	if at, err := net.ResolveUDPAddr("udp", conns[len(conns)-1].Info().Back); err == nil && at.IP != nil {
		s.server.WriteTo(data, at)
	}
}

// send sends datagrams in the trial's direction.
func (s *session) send(datagrams [][]byte, pace func(int) time.Duration, each func(*rig)) {
	for i, data := range datagrams {
		s.say(s.dir, data)
		if pace != nil {
			synctest.Wait()
			time.Sleep(pace(i))
		}
		if each != nil {
			synctest.Wait()
			each(s.rig)
		}
	}
	synctest.Wait()
}

// collect lets what arrives within a time arrive.
func (s *session) collect(wait time.Duration) {
	time.Sleep(wait)
	synctest.Wait()
}

// runDatagrams sends Data as datagrams through a new gate.
func (c *trial) runDatagrams(r run) outcome {
	c.Helper()
	s := c.newRig(r).enter()
	defer s.rig.close()
	halt := func(moment int) {
		if r.halt != nil {
			r.halt(s.rig, moment)
		}
	}
	halt(opened)
	data := datagramsOf(c.traits.Data)
	s.send(data[:len(data)/2], r.pace, r.each)
	halt(halfway)
	s.send(data[len(data)/2:], r.pace, r.each)
	halt(sent)
	if r.lift {
		s.collect(r.after)
		s.lift()
		s.lifted = time.Since(s.start)
		s.send(datagramsOf(afterLift), nil, nil)
	}
	halt(ended)
	s.collect(c.traits.Wait)
	halt(waited)
	s.lift()
	s.collect(c.traits.Wait)
	s.settle()
	all := data
	if r.lift {
		all = append(all, datagramsOf(afterLift)...)
	}
	c.judgeDatagrams(s, all)
	return s.outcome
}

// settle notes how it came out.
func (s *session) settle() {
	synctest.Wait()
	if s.imposed != nil {
		s.hits = s.imposed.Hits()
	}
	s.mu.Lock()
	s.cutShort = s.closed
	s.mu.Unlock()
	s.cutShort = s.cutShort || s.ended()
}

// ended reports whether a session of the client has been ended.
func (s *session) ended() bool {
	return slices.ContainsFunc(s.mine(), func(c *chaos.Conn) bool { return c.Info().By != "" })
}

package chaos

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// An exchange moves the datagrams of a gate. One goroutine, that of run, reads the front socket and those of all sessions, and
// drives both lines of each, so that no session waits for another: nothing it does waits, save for something to do.
//
// All its state belongs to that goroutine, but for what mu guards. Others have it do something by post, or by do, which
// waits; neither can be kept waiting by a peer.
type exchange struct {
	gate     *Gate
	net      sockets
	sessions map[address]*session
	recent   recency // the sessions by when they were last heard of
	timers   timers  // those that wait for a moment
	graves   graves
	out      []message // passed and not sent yet, all by one socket
	one      [1]message
	now      time.Time
	ctx      context.Context // ends with the exchange
	end      context.CancelFunc
	away     chan struct{} // closed when the front is
	drops    int64         // datagrams that the kernel has dropped at sockets that are closed

	door      atomic.Uint32 // a Door: what becomes of what arrives at the front
	swallowed atomic.Int64  // datagrams that a black-holed door has thrown away since it was set

	mu      sync.Mutex // guards what follows; held shortly
	running bool
	closing bool
	dirty   []*session // those that are to look at everything again
	posts   []func()
}

// sockets are how an exchange reads and writes: by descriptors, or by whatever a test has put in their place. All calls are the
// exchange's own, but for kick.
type sockets interface {
	// addr returns the address that clients use.
	addr() string
	// connect returns a new socket that is connected to the server. It may wait, for a name to be resolved say, unless quick says no.
	connect(ctx context.Context, server string) (socket, error)
	// quick reports whether connect does not wait.
	quick(server string) bool
	// watch has what arrives at a session's socket told by wait.
	watch(s *session)
	// destination returns what send needs to reach a client.
	destination(of address) any
	// wait waits for datagrams, for a moment unless it is zero, or for a kick, and tells what has arrived.
	wait(until time.Time, to receiver)
	// kick ends wait, or the next one.
	kick()
	// send sends messages by one socket, and returns how many of them were sent, and why not the next.
	send(ms []message) (int, error)
	// drain tells what has arrived at the front already.
	drain(to receiver)
	// turn makes the front socket do what a door means.
	turn(from, to Door) error
	// allows says why the door cannot take a position here, or nothing.
	allows(d Door) error
	// empty throws away what has arrived at the front already, and returns how many datagrams that were.
	empty() int64
	// hits returns what the front's own door has met. It may be called by any goroutine.
	hits(now Door) int64
	// frontDrops returns how many datagrams the kernel has dropped at the front.
	frontDrops() int64
	close() error
}

// A socket is a session's, connected to the server.
type socket interface {
	addrs() (own, peer string)
	drops() int64       // how many datagrams the kernel has dropped because the receive buffer was full
	retire(to receiver) // another takes its place: what has arrived already is told, and then it is closed
	close()
}

// A receiver is told what has arrived. The data is the caller's, and stays as it is until flush was called.
type receiver interface {
	arriving() // something has arrived just now: look at the clock
	fromClient(of address, data []byte)
	fromServer(s *session, data []byte)
	refused(s *session) // the server's host says that nobody listens
	failed(err error)   // the front could not be read
	flush()
}

// A message is a datagram that is to be sent.
type message struct {
	s     *session
	dir   Direction
	data  []byte
	tried bool // an error that was none of its own has kept it from being sent
}

// batchSize is how many datagrams are read or sent at once.
const batchSize = 32

func newExchange(g *Gate, net sockets) *exchange {
	x := &exchange{gate: g, net: net, sessions: make(map[address]*session), graves: newGraves(), away: make(chan struct{})}
	x.ctx, x.end = context.WithCancel(context.Background())
	return x
}

// run moves datagrams until the gate is closed and no session is left.
func (x *exchange) run() {
	for x.look() {
		x.net.wait(x.next(), x)
	}
	x.end()
	x.drops += x.net.frontDrops()
	x.net.close()
	close(x.away)
	x.mu.Lock()
	x.running = false
	posts := x.posts
	x.mu.Unlock()
	for _, f := range posts {
		f()
	}
}

// look looks at everything that may have changed, and reports whether there is more to come.
func (x *exchange) look() bool {
	x.now = time.Now()
	for again := true; again; {
		x.mu.Lock()
		posts, dirty := x.posts, x.dirty
		x.posts, x.dirty = nil, nil
		for _, s := range dirty {
			s.dirty = false
		}
		x.mu.Unlock()
		for _, f := range posts {
			f()
		}
		for _, s := range dirty {
			s.look()
		}
		again = len(posts)+len(dirty) > 0
	}
	for s := x.timers.due(x.now); s != nil; s = x.timers.due(x.now) {
		s.look()
	}
	x.expire()
	x.flush()
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.closing || len(x.sessions) > 0 || len(x.posts)+len(x.dirty) > 0
}

// next returns when there is something to do, the zero time if never.
func (x *exchange) next() (t time.Time) {
	if t = x.timers.next(); len(x.sessions) > 0 {
		t = first(t, x.expires())
	}
	return t
}

// mark has a session look at everything again. It may be called by any goroutine.
func (x *exchange) mark(s *session) {
	x.mu.Lock()
	fresh := !s.dirty
	if fresh {
		s.dirty = true
		x.dirty = append(x.dirty, s)
	}
	x.mu.Unlock()
	if fresh {
		x.net.kick()
	}
}

// post has f called on the exchange's goroutine. It may be called by any other. It reports whether it will be.
func (x *exchange) post(f func()) bool {
	x.mu.Lock()
	if !x.running {
		x.mu.Unlock()
		return false
	}
	x.posts = append(x.posts, f)
	x.mu.Unlock()
	x.net.kick()
	return true
}

// do has f called on the exchange's goroutine, or here if that is not there, and returns when it was.
func (x *exchange) do(f func()) {
	done := make(chan struct{})
	if x.post(func() {
		f()
		close(done)
	}) {
		<-done
	} else {
		f()
	}
}

// stop has run end when the last session has gone.
func (x *exchange) stop() error {
	x.mu.Lock()
	x.closing = true
	running := x.running
	x.mu.Unlock()
	if !running {
		return x.net.close()
	}
	x.net.kick()
	return nil
}

// kernelDrops returns how many datagrams the kernel has dropped at the exchange's sockets. It may be called by any goroutine.
func (x *exchange) kernelDrops() (n int64) {
	if x == nil {
		return 0
	}
	x.do(func() {
		n = x.drops + x.net.frontDrops()
		for _, s := range x.sessions {
			if s.server != nil {
				n += s.server.drops()
			}
		}
	})
	return n
}

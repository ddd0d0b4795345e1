package chaos

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Gate stands between clients and one server. It listens where the clients connect, connects each of them to the server,
// and imposes on the traffic what its two flows say. A gate that imposes nothing is a perfect wire.
//
// The fields are set before Start and not changed afterwards; ToServer and ToClient may be changed at any time.
// All methods may be called by any goroutine. None of them waits for a peer, save Close, for 5 s at most.
type Gate struct {
	// Network is "tcp" if empty; "tcp4", "tcp6", "unix", and for datagrams "udp", "udp4" and "udp6" are the others.
	Network string
	// Listen is the address that clients connect to: "127.0.0.1:0" if empty (for unix sockets a path in a temporary
	// folder). The port survives Stop and Start.
	Listen string
	// Server is the address to connect to. It is resolved anew for every connection.
	Server string
	// Seed is what all randomness comes from. If zero it is drawn at Start.
	Seed uint64
	// Window is how many bytes one direction of one connection may hold back; 64 MiB if zero. Past it the gate stops
	// reading, and Stats counts it.
	Window int
	// Memory is how many bytes all queues of the gate may hold back together; 256 MiB if zero.
	Memory int
	// Sessions is how many sessions a gate of datagrams has at most; 10,000 if zero. When it has as many, the one that was
	// silent for longest makes room for the next: it ends, by "evicted".
	Sessions int
	// Expire is how long a session of datagrams may be silent, both ways, before it ends, by "expired"; 5 minutes if zero.
	Expire time.Duration
	// ListenFunc listens in place of the real network, if it is not nil.
	ListenFunc func(ctx context.Context, network, address string) (net.Listener, error)
	// ListenPacket is what ListenFunc is, for datagrams.
	ListenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)
	// DialContext reaches the server in place of the real network, if it is not nil. What it returns must survive an
	// expired write deadline, which a *tls.Conn does not. Of datagrams, each Read returns one and each Write sends one.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Permit, if it is not nil, is asked before each connect of the gate's own, to the server or for a [Detour], with the
	// address that the name was resolved to. Its error is why that address is not connected to.
	Permit func(network, address string) error
	// Observe, if it is not nil, is told what happens, in order. It runs on a goroutine of the gate's own and may call
	// anything but Close; when it is slow the oldest events are lost, and counted.
	Observe func(Event)

	// ToServer and ToClient are the traffic towards the server and towards the client, of all connections.
	ToServer, ToClient Flow

	memory    memory
	stats     stats
	conns     sync.WaitGroup // the connections that something is left of
	impatient atomic.Bool    // Close has waited long enough
	code      code           // what runs of a test's own code

	changing sync.Mutex // serializes Start, Stop, Close and SetDoor

	mu       sync.Mutex // guards what follows; held shortly
	state    gateState
	front    *front
	exchange *exchange // of a gate of datagrams
	events   *events
	live     map[*Conn]struct{} // in Conns
	ending   map[*Conn]struct{} // not in Conns any more, and not gone
	first    Door               // the door to start with
	seq      uint64
	seed     uint64
	changed  chan struct{} // closed and made anew when live changes
}

type gateState uint8

const (
	unstarted gateState = iota
	running
	stopped
	closed
)

// ErrClosed is what Start returns for a gate that was closed.
var ErrClosed = errors.New("the gate is closed")

// Start makes the gate listen. After a Stop it listens on the same port again.
func (g *Gate) Start() error {
	g.changing.Lock()
	defer g.changing.Unlock()
	state, f := g.stand()
	var err error
	switch state {
	case running:
		return nil
	case closed:
		return ErrClosed
	case stopped:
		g.become(running)
		if err = f.restore(); err == nil {
			g.events.add(Event{Type: EventStarted, Addr: g.Addr()})
		}
	default:
		err = g.open()
	}
	if err != nil {
		g.become(state)
	}
	return err
}

// stand returns the gate's state and front.
func (g *Gate) stand() (gateState, *front) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state, g.front
}

// become sets the gate's state and returns what it was.
func (g *Gate) become(s gateState) (was gateState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was, g.state = g.state, s
	return was
}

// open starts the gate for the first time.
func (g *Gate) open() error {
	if err := g.check(); err != nil {
		return err
	}
	f, x, err := g.listen()
	if err != nil {
		return err
	}
	if g.DialContext == nil && isItself(f.addr(), g.Server) {
		err := fmt.Errorf("server: got %s, want another address than the gate's own", g.Server)
		return errors.Join(err, f.close())
	}
	if err := f.setDoor(g.Door()); err != nil {
		return errors.Join(err, f.close())
	}
	if g.Seed == 0 {
		g.Seed = drawSeed()
	}
	f.onError = g.acceptFailed
	if err := shareProcess(); err != nil {
		unshareProcess()
		return errors.Join(err, f.close())
	}
	g.mu.Lock()
	g.state, g.seed, g.front, g.exchange, g.memory.limit = running, g.Seed, f, x, int64(cmp.Or(g.Memory, 256<<20))
	g.live, g.ending = make(map[*Conn]struct{}), make(map[*Conn]struct{})
	g.events = newEvents(g.Observe)
	g.mu.Unlock()
	g.events.add(Event{Type: EventStarted, Addr: f.addr()})
	if d := f.door(); d != Open {
		g.events.add(Event{Type: EventDoor, Door: d})
	}
	g.ToServer.bind(g, ToServer, 0, 0)
	g.ToClient.bind(g, ToClient, 0, 0)
	if x != nil {
		x.running = true // nobody else knows it yet
		g.conns.Go(x.run)
	} else {
		g.conns.Go(func() { g.accept(f) })
	}
	return nil
}

// listen opens the gate's front, and for datagrams what moves them.
func (g *Gate) listen() (*front, *exchange, error) {
	if !datagrams(g.network()) {
		f, err := listen(context.Background(), g.network(), g.Listen, g.ListenFunc)
		return f, nil, err
	}
	net, err := listenPacket(context.Background(), g)
	if err != nil {
		return nil, nil, err
	}
	x := newExchange(g, net)
	return newFront(net.addr(), &packetDoorway{x}, nil), x, nil
}

// drawSeed returns a seed that is not zero.
func drawSeed() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// Addr returns the address that clients connect to, empty before the first Start.
func (g *Gate) Addr() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.front == nil {
		return ""
	}
	return g.front.addr()
}

// Stop makes the gate refuse new connections and ends those that it has, with FIN. It returns when they have left
// Conns. The port is kept, and what is imposed stays, for the next Start.
func (g *Gate) Stop() error {
	g.changing.Lock()
	defer g.changing.Unlock()
	state, f := g.stand()
	if state != running {
		return nil
	}
	g.become(stopped)
	err := f.shut()
	g.CloseConns(All)
	g.events.add(Event{Type: EventStopped})
	return err
}

// Heal lifts every fault, those of single connections too, and opens the door.
func (g *Gate) Heal() error {
	barriers := []*barrier{g.ToServer.liftAll(), g.ToClient.liftAll()}
	for _, c := range g.Conns() {
		barriers = append(barriers, c.ToServer.liftAll(), c.ToClient.liftAll())
	}
	for _, b := range barriers {
		b.wait()
	}
	if g.Door() == Open {
		return nil
	}
	return g.SetDoor(Open)
}

// Reseed sets the seed and begins to count connections anew, so that a test that shares a gate with others meets the same
// faults as alone. Connections that are open keep what they have.
func (g *Gate) Reseed(seed uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Seed, g.seed, g.seq = seed, seed, 0
}

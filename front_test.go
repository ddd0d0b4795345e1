//go:build linux

package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// frontEcho is a front whose connections are echoed, and that checks at the end of its
// test that nothing is left.
type frontEcho struct {
	*front
	network  string
	accepted atomic.Int64
	errs     atomic.Int64
	wg       sync.WaitGroup
}

func startFront(t testing.TB, network, address string, custom listenFunc) *frontEcho {
	t.Helper()
	fds, goroutines := openDescriptors(t), runtime.NumGoroutine()
	f, err := listen(t.Context(), network, address, custom)
	if err != nil {
		t.Fatal(err)
	}
	e := &frontEcho{front: f, network: network}
	f.onError = func(error) { e.errs.Add(1) }
	e.wg.Go(func() {
		for {
			c, err := f.accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("accept: got %v, want net.ErrClosed", err)
				}
				return
			}
			e.accepted.Add(1)
			e.wg.Go(func() {
				defer c.Close()
				// Plain copying: the pipes that io.Copy splices with are freed by the collector.
				io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
			})
		}
	})
	t.Cleanup(func() {
		if err := f.close(); err != nil {
			t.Errorf("close: %v", err)
		}
		e.wg.Wait()
		if err := errors.Join(f.setDoor(Hold), f.shut(), f.restore()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after close: got %v, want net.ErrClosed", err)
		}
		eventually(t, "descriptors and goroutines back", func() bool {
			return openDescriptors(t) <= fds && runtime.NumGoroutine() <= goroutines
		})
	})
	return e
}

func (e *frontEcho) set(t testing.TB, d Door) {
	t.Helper()
	if err := e.setDoor(d); err != nil {
		t.Fatal(err)
	}
}

// dial connects, for at most a while.
func (e *frontEcho) dial(t testing.TB, within time.Duration) (net.Conn, error) {
	network := "tcp"
	if e.network == "unix" {
		network = "unix"
	}
	d := net.Dialer{Timeout: within}
	c, err := d.Dial(network, e.addr())
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// connect is a dial that must succeed.
func (e *frontEcho) connect(t testing.TB) net.Conn {
	t.Helper()
	c, err := e.dial(t, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// frontEchoes reports whether what is written to c comes back.
func frontEchoes(c net.Conn, word string) error {
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, word); err != nil {
		return err
	}
	got := make([]byte, len(word))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != word {
		return fmt.Errorf("got %q, want %q", got, word)
	}
	return nil
}

var frontPlaces = []struct{ name, network, address string }{
	{"tcp", "tcp", ""},
	{"named", "tcp", "localhost:0"},
	{"every address", "tcp", ":0"},
	{"tcp4", "tcp4", "0.0.0.0:0"},
	{"tcp6", "tcp6", ""},
	{"every tcp6", "tcp6", "[::]:0"},
	{"unix", "unix", ""},
	{"abstract", "unix", fmt.Sprint("@chaos-front-test-", os.Getpid())},
}

func TestFrontDoors(t *testing.T) {
	for _, p := range frontPlaces {
		t.Run(p.name, func(t *testing.T) {
			e := startFront(t, p.network, p.address, nil)
			live := e.connect(t)
			steps := []struct {
				door Door
				try  func(*testing.T, *frontEcho)
			}{
				{Open, frontOpen},
				{Hold, frontHold},
				{Refuse, frontRefuse},
				{Blackhole, frontBlackhole},
				{Hold, frontHold},
				{Blackhole, frontBlackhole},
				{Refuse, frontRefuse},
				{Open, frontOpen},
			}
			for _, s := range steps {
				if s.door == Blackhole && p.network == "unix" {
					if err := e.setDoor(Blackhole); !errors.Is(err, errors.ErrUnsupported) {
						t.Errorf("blackhole: got %v, want it unsupported", err)
					}
					continue
				}
				e.set(t, s.door)
				if got := e.door(); got != s.door {
					t.Errorf("door: got %v, want %v", got, s.door)
				}
				s.try(t, e)
				if err := frontEchoes(live, "still here"); err != nil {
					t.Errorf("live connection behind %v: %v", s.door, err)
				}
			}
			if got := e.errs.Load(); got != 0 {
				t.Errorf("errors of accepting: got %d, want 0", got)
			}
		})
	}
}

func frontOpen(t *testing.T, e *frontEcho) {
	for range 10 {
		if err := frontEchoes(e.connect(t), "hello"); err != nil {
			t.Errorf("open: %v", err)
		}
	}
	if got := e.hits(); got != 0 {
		t.Errorf("open hits: got %d, want 0", got)
	}
}

// frontHold leaves ten clients in the queue.
func frontHold(t *testing.T, e *frontEcho) {
	before := e.accepted.Load()
	queue := e.hits()
	if queue != 0 {
		t.Errorf("hold hits at first: got %d, want 0", queue)
	}
	for range 10 {
		io.WriteString(e.connect(t), "hello")
	}
	eventually(t, "ten in the queue", func() bool { return e.hits() == 10 })
	if got := e.accepted.Load() - before; got != 0 {
		t.Errorf("hold accepted: got %d, want 0", got)
	}
	e.set(t, Refuse) // so that the next step finds an empty queue
	e.set(t, Hold)
}

func frontRefuse(t *testing.T, e *frontEcho) {
	before := e.accepted.Load()
	for range 10 {
		if _, err := e.dial(t, 5*time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("refuse: got %v, want ECONNREFUSED", err)
		}
	}
	if got := e.accepted.Load() - before; got != 0 {
		t.Errorf("refuse accepted: got %d, want 0", got)
	}
}

func frontBlackhole(t *testing.T, e *frontEcho) {
	before := e.accepted.Load()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			_, err := e.dial(t, 300*time.Millisecond)
			if n, ok := err.(net.Error); !ok || !n.Timeout() {
				t.Errorf("blackhole: got %v, want a timeout", err)
			}
		})
	}
	wg.Wait()
	if got := e.accepted.Load() - before; got != 0 {
		t.Errorf("blackhole accepted: got %d, want 0", got)
	}
	if got := e.hits(); got < 10 {
		t.Errorf("blackhole hits: got %d, want 10 or more", got)
	}
}

func TestFrontHoldServesInOrder(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			f, err := listen(t.Context(), network, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer f.close()
			f.setDoor(Hold)
			e := &frontEcho{front: f, network: network}
			for i := range 10 {
				c := e.connect(t)
				c.Write([]byte{byte(i)})
			}
			f.setDoor(Open)
			for i := range 10 {
				c, err := f.accept()
				if err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 1)
				io.ReadFull(c, b)
				if int(b[0]) != i {
					t.Errorf("got client %d, want %d", b[0], i)
				}
				c.Close()
			}
		})
	}
}

func TestFrontRefuseResetsTheQueue(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			e := startFront(t, network, "", nil)
			e.set(t, Hold)
			c := e.connect(t)
			e.set(t, Refuse)
			c.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want ECONNRESET", err)
			}
		})
	}
}

func TestFrontBlackholeLetsWaitingClientsIn(t *testing.T) {
	for _, then := range []Door{Open, Hold} {
		t.Run(then.String(), func(t *testing.T) {
			e := startFront(t, "tcp", "", nil)
			e.set(t, Blackhole)
			done := make(chan error, 1)
			go func() {
				c, err := e.dial(t, 10*time.Second)
				if err == nil {
					if then == Hold {
						e.setDoor(Open)
					}
					err = frontEchoes(c, "in")
				}
				done <- err
			}()
			eventually(t, "a dropped SYN", func() bool { return e.hits() > 0 })
			e.set(t, then)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got := e.accepted.Load(); got != 1 {
				t.Errorf("accepted: got %d, want 1 without our own", got)
			}
		})
	}
}

// Clients that already stand in the queue keep their places behind a black hole.
func TestFrontBlackholeKeepsTheQueue(t *testing.T) {
	e := startFront(t, "tcp", "", nil)
	e.set(t, Hold)
	var queue []net.Conn
	for range 5 {
		queue = append(queue, e.connect(t))
	}
	e.set(t, Blackhole)
	if _, err := e.dial(t, 100*time.Millisecond); err == nil {
		t.Error("got a connection, want a timeout")
	}
	e.set(t, Hold)
	if got := e.hits(); got != 5 {
		t.Errorf("queue: got %d, want 5", got)
	}
	e.set(t, Open)
	for _, c := range queue {
		if err := frontEchoes(c, "waited"); err != nil {
			t.Error(err)
		}
	}
}

// After setDoor has returned no connection is received the old way, however many are
// arriving at that moment.
func TestFrontDoorHoldsWhenSet(t *testing.T) {
	e := startFront(t, "tcp", "", nil)
	for range 200 {
		e.set(t, Open)
		before := e.accepted.Load()
		dialled := make(chan int64)
		go func() {
			var n int64
			for range 10 {
				if c, err := e.dial(t, 5*time.Second); err == nil {
					n++
					c.Close()
				}
			}
			dialled <- n
		}()
		e.set(t, Hold)
		n := <-dialled
		// What is not in the queue was accepted before, though perhaps not counted yet.
		held := e.hits()
		eventually(t, "the others counted", func() bool { return e.accepted.Load()-before == n-held })
		e.set(t, Refuse)
	}
}

func TestFrontKeepsItsAddress(t *testing.T) {
	for _, p := range frontPlaces {
		t.Run(p.name, func(t *testing.T) {
			e := startFront(t, p.network, p.address, nil)
			want := e.addr()
			for range 1000 {
				if err := e.shut(); err != nil {
					t.Fatal(err)
				}
				if _, err := e.dial(t, 5*time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Fatalf("shut: got %v, want ECONNREFUSED", err)
				}
				if err := e.restore(); err != nil {
					t.Fatal(err)
				}
				if err := frontEchoes(e.connect(t), "x"); err != nil {
					t.Fatal(err)
				}
			}
			if got := e.addr(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestFrontShutIsApartFromTheDoor(t *testing.T) {
	e := startFront(t, "tcp", "", nil)
	check := func(d Door, hits int64) {
		t.Helper()
		if got := e.door(); got != d {
			t.Errorf("door: got %v, want %v", got, d)
		}
		if got := e.hits(); got != hits {
			t.Errorf("hits: got %d, want %d", got, hits)
		}
	}
	e.set(t, Hold)
	e.connect(t)
	check(Hold, 1)
	e.shut()
	e.shut()
	check(Hold, 0)
	frontRefuse(t, e)
	e.restore()
	e.restore()
	check(Hold, 0)
	e.connect(t)
	check(Hold, 1)
	e.shut()
	e.set(t, Blackhole)
	frontRefuse(t, e)
	e.restore()
	frontBlackhole(t, e)
	e.shut()
	e.set(t, Refuse)
	e.restore()
	frontRefuse(t, e)
	e.set(t, Open)
	frontOpen(t, e)
}

func TestFrontManyRandomDoors(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			e := startFront(t, network, "", nil)
			stop := make(chan struct{})
			var clients sync.WaitGroup
			for range 3 {
				clients.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						time.Sleep(time.Millisecond) // real: a pause that leaves the processor to the doors
						if c, err := (&net.Dialer{Timeout: 20 * time.Millisecond}).Dial(network, e.addr()); err == nil {
							c.SetDeadline(time.Now().Add(20 * time.Millisecond))
							io.WriteString(c, "x")
							c.Read(make([]byte, 1))
							c.Close()
						}
					}
				})
			}
			rng := rand.New(rand.NewPCG(5, 6))
			doors := []Door{Open, Hold, Refuse, Blackhole}
			if network == "unix" {
				doors = doors[:3]
			}
			for range 200 {
				began := time.Now()
				switch n := rng.IntN(len(doors) + 2); {
				case n < len(doors):
					e.set(t, doors[n])
				case n == len(doors):
					e.shut()
				default:
					e.restore()
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("a change took %v, want it to wait for nobody", took)
				}
				e.hits()
				time.Sleep(time.Duration(rng.IntN(2)) * time.Millisecond) // real, so that clients come between
			}
			close(stop)
			clients.Wait()
			e.restore()
			e.set(t, Refuse) // empties the queue
			e.set(t, Open)
			frontOpen(t, e)
			if got := e.errs.Load(); got != 0 {
				t.Errorf("errors of accepting: got %d, want 0", got)
			}
		})
	}
}

func TestFrontSockets(t *testing.T) {
	for _, p := range frontPlaces[:6] {
		t.Run(p.name, func(t *testing.T) {
			f, err := listen(t.Context(), p.network, p.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer f.close()
			e := &frontEcho{front: f, network: p.network}
			e.connect(t)
			c, err := f.accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			option := func(c any, level, name int) (v int) {
				control(c, func(fd int) { v, _ = unix.GetsockoptInt(fd, level, name) })
				return v
			}
			tests := []struct {
				name string
				got  int
				want int
			}{
				{"the listener's protocol", option(f.way.listener(), unix.SOL_SOCKET, unix.SO_PROTOCOL), unix.IPPROTO_TCP},
				{"no delay", option(c, unix.IPPROTO_TCP, unix.TCP_NODELAY), 1},
				{"keep-alive", option(c, unix.SOL_SOCKET, unix.SO_KEEPALIVE), 1},
				{"keep-alive's idle seconds", option(c, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE), 15},
				{"keep-alive's interval in seconds", option(c, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL), 15},
				{"keep-alive's probes", option(c, unix.IPPROTO_TCP, unix.TCP_KEEPCNT), 9},
				{"urgent bytes inline", option(c, unix.SOL_SOCKET, unix.SO_OOBINLINE), 1},
			}
			for _, tt := range tests {
				if tt.got != tt.want {
					t.Errorf("%s: got %d, want %d", tt.name, tt.got, tt.want)
				}
			}
		})
	}
}

func TestFrontRefusesBadAddresses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct{ name, network, address, want string }{
		{"network", "sctp", "", `network "sctp"`},
		{"port", "tcp", "127.0.0.1:x", "unknown port"},
		{"no port", "tcp", "127.0.0.1", "missing port"},
		{"host", "tcp", "host.invalid:0", "host.invalid"},
		{"foreign", "tcp", "192.0.2.1:0", "cannot assign"},
		{"taken", "tcp", taken.Addr().String(), "in use"},
		{"folder", "unix", "/nonexistent/s", "no such file"},
		{"door", "", "", `network ""`},
	}
	fds := openDescriptors(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := listen(t.Context(), tt.network, tt.address, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	if got := openDescriptors(t); got > fds {
		t.Errorf("descriptors: got %d, want %d", got, fds)
	}
	e := startFront(t, "tcp", "", nil)
	if err := e.setDoor(Door(9)); err == nil || e.door() != Open {
		t.Errorf("door 9: got %v and %v, want an error and open", err, e.door())
	}
}

func TestFrontUnixFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	e := startFront(t, "unix", path, nil)
	os.Chmod(path, 0o640)
	for range 10 {
		if err := errors.Join(e.shut(), e.restore()); err != nil {
			t.Fatal(err)
		}
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("mode after shut and restore: got %v, %v, want 0640", st.Mode(), err)
	}
	if got, _ := os.ReadDir(dir); len(got) != 1 {
		t.Errorf("folder: got %v, want the one socket", got)
	}
	if err := frontEchoes(e.connect(t), "x"); err != nil {
		t.Error(err)
	}

	// Another's file is neither replaced nor removed.
	e.shut()
	os.Rename(path, path+".old") // kept, so that its inode number is not used again
	os.WriteFile(path, []byte("another's"), 0o600)
	if err := e.restore(); err == nil {
		t.Error("restore over another's file: got nil, want an error")
	}
	if err := e.close(); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "another's" {
		t.Errorf("another's file: got %q, want it as it was", got)
	}
}

func TestFrontUnixFolderGoes(t *testing.T) {
	f, err := listen(t.Context(), "unix", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(f.addr())
	if _, err := os.Stat(f.addr()); err != nil {
		t.Error(err)
	}
	f.setDoor(Refuse)
	f.close()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder: got %v, want it gone", err)
	}
}

func TestFrontCloseEndsAccept(t *testing.T) {
	for _, d := range []Door{Open, Hold, Refuse, Blackhole} {
		t.Run(d.String(), func(t *testing.T) {
			e := startFront(t, "tcp", "", nil)
			e.set(t, d)
			var c net.Conn
			if d == Hold {
				c = e.connect(t)
			}
			e.close()
			e.wg.Wait()
			if c != nil {
				c.SetDeadline(time.Now().Add(5 * time.Second))
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("queued: got %v, want ECONNRESET", err)
				}
			}
		})
	}
}

// frontListener wraps a listener so that only what a test wants of it shows.
type frontListener struct{ net.Listener }

// frontDeadliner can be interrupted, too.
type frontDeadliner struct{ *net.TCPListener }

// frontOwnDoor keeps its own door.
type frontOwnDoor struct {
	net.Listener
	doors []Door
}

func (l *frontOwnDoor) SetDoor(d Door) error {
	if d == Blackhole {
		return errors.New("no black holes here")
	}
	l.doors = append(l.doors, d)
	return nil
}

func (l *frontOwnDoor) DoorHits() int64 { return 7 }

func TestFrontCustomListeners(t *testing.T) {
	wrap := func(w func(*net.TCPListener) net.Listener) listenFunc {
		return func(_ context.Context, network, address string) (net.Listener, error) {
			ln, err := net.Listen(network, address)
			if err != nil {
				return nil, err
			}
			return w(ln.(*net.TCPListener)), nil
		}
	}
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	named := held.Addr().String()
	held.Close()

	tests := []struct {
		name    string
		address string
		listen  listenFunc
		can     []Door
	}{
		{"tcp by its port", named, wrap(func(l *net.TCPListener) net.Listener { return l }), []Door{Open, Hold, Refuse, Blackhole}},
		{"tcp of any port", "", wrap(func(l *net.TCPListener) net.Listener { return l }), []Door{Open, Hold}},
		{"with deadlines", "", wrap(func(l *net.TCPListener) net.Listener { return frontDeadliner{l} }), []Door{Open, Hold}},
		{"without deadlines", "", wrap(func(l *net.TCPListener) net.Listener { return frontListener{l} }), []Door{Open}},
		{"with doors", "", wrap(func(l *net.TCPListener) net.Listener { return &frontOwnDoor{Listener: l} }), []Door{Open, Hold, Refuse}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := startFront(t, "tcp", tt.address, tt.listen)
			addr := e.addr()
			for d := Open; d <= Blackhole; d++ {
				err := e.setDoor(d)
				can := false
				for _, c := range tt.can {
					can = can || c == d
				}
				if (err == nil) != can {
					t.Errorf("%v: got %v, want allowed %t", d, err, can)
				}
				if own, ok := e.way.listener().(*frontOwnDoor); ok {
					if can && d != Open && (len(own.doors) == 0 || own.doors[len(own.doors)-1] != d) {
						t.Errorf("own door: got %v, want %v", own.doors, d)
					}
					if got, want := e.hits(), int64(7); d == Hold && got != want {
						t.Errorf("own hits: got %d, want %d", got, want)
					}
					continue
				}
				if d == Hold && can {
					before := e.accepted.Load()
					c := e.connect(t)
					io.WriteString(c, "held")
					time.Sleep(20 * time.Millisecond) // real: the client must not be served in it
					if got := e.accepted.Load(); got != before {
						t.Errorf("hold accepted: got %d, want %d", got, before)
					}
				}
				if d == Refuse && can {
					frontRefuse(t, e)
				}
			}
			e.set(t, Open)
			if err := frontEchoes(e.connect(t), "open again"); err != nil {
				t.Error(err)
			}
			if _, ok := e.way.(*ownDoorway); ok {
				return
			}
			for range 20 {
				if err := e.shut(); err != nil {
					t.Fatal(err)
				}
				frontRefuse(t, e)
				if err := e.restore(); err != nil {
					t.Fatal(err)
				}
			}
			if err := frontEchoes(e.connect(t), "back"); err != nil || e.addr() != addr {
				t.Errorf("after shut and restore: got %v at %s, want %s", err, e.addr(), addr)
			}
		})
	}
}

// frontFaulty returns errors from Accept before it works.
type frontFaulty struct {
	net.Listener
	errs []error
}

func (l *frontFaulty) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, err
	}
	return l.Listener.Accept()
}

func TestFrontAcceptSurvivesErrors(t *testing.T) {
	errs := []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ECONNABORTED, io.ErrUnexpectedEOF}
	e := startFront(t, "tcp", "", func(_ context.Context, network, address string) (net.Listener, error) {
		ln, err := net.Listen(network, address)
		return &frontFaulty{ln, errs}, err
	})
	if err := frontEchoes(e.connect(t), "after all"); err != nil {
		t.Error(err)
	}
	if got := e.errs.Load(); got != int64(len(errs)) {
		t.Errorf("errors told: got %d, want %d", got, len(errs))
	}
}

// A listener that its owner closes ends accept, instead of being tried for ever.
func TestFrontListenerClosedByItsOwner(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := listen(t.Context(), "tcp", "", func(context.Context, string, string) (net.Listener, error) { return ln, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	ln.Close()
	if _, err := f.accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

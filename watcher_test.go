//go:build linux

package chaos

import (
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// watcherFor keeps the watcher running for a test and then looks for what is left.
func watcherFor(t testing.TB) {
	t.Helper()
	fds, goroutines := openDescriptors(t), runtime.NumGoroutine()
	if err := watcherStart(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		watcherStop()
		eventually(t, "descriptors and goroutines back", func() bool {
			return openDescriptors(t) <= fds && runtime.NumGoroutine() <= goroutines
		})
	})
}

func TestWatcherHearsAResetThatNobodyReads(t *testing.T) {
	watcherFor(t)
	tests := []struct {
		name string
		data string
		fin  bool // the watched side has half-closed before
		late bool // the reset comes before the watching
	}{
		{name: "idle"},
		{name: "with data waiting", data: "waiting"},
		{name: "half-closed", fin: true},
		{name: "reset before it is watched", late: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := socketPair(t, "tcp")
			if tt.fin {
				b.(*net.TCPConn).CloseWrite()
			}
			a.Write([]byte(tt.data))
			eventually(t, "arrived", func() bool { return unsent(a) == 0 })
			if tt.late {
				socketReset(a)
			}
			heard := make(chan bool, 2)
			stop := watch(b, hearerFunc(func() { heard <- wasReset(b) }))
			defer stop.end()
			if !tt.late {
				socketReset(a)
			}
			select {
			case reset := <-heard:
				if !reset {
					t.Error("heard: got no reset, want one")
				}
			case <-time.After(5 * time.Second):
				t.Fatal("got nothing within 5s, want a reset")
			}
			got, err := io.ReadAll(b)
			if string(got) != tt.data || !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read after it: got %q, %v, want %q and a reset", got, err, tt.data)
			}
		})
	}
}

func TestWatcherIsSilentForDataAndEnds(t *testing.T) {
	watcherFor(t)
	a, b := socketPair(t, "tcp")
	var calls atomic.Int64
	for _, c := range []net.Conn{a, b} {
		defer watch(c, hearerFunc(func() { calls.Add(1) })).end()
	}
	a.Write([]byte("data"))
	io.ReadFull(b, make([]byte, 4))
	a.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, b)
	b.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, a)
	eventually(t, "closed", func() bool { return closedState(b) })

	// A reset of another pair is heard after whatever those events might have said.
	c, d := socketPair(t, "tcp")
	heard := make(chan struct{})
	defer watch(d, hearerFunc(func() { close(heard) })).end()
	socketReset(c)
	<-heard
	if got := calls.Load(); got != 0 {
		t.Errorf("calls for data and two FINs: got %d, want 0", got)
	}
}

func TestWatcherStopIsObeyed(t *testing.T) {
	watcherFor(t)
	a, b := socketPair(t, "tcp")
	var calls atomic.Int64
	stop := watch(b, hearerFunc(func() { calls.Add(1) }))
	stop.end()
	stop.end()
	heard := make(chan struct{})
	defer watch(b, hearerFunc(func() { close(heard) })).end() // a second time, by another
	socketReset(a)
	<-heard
	if got := calls.Load(); got != 0 {
		t.Errorf("calls after stop: got %d, want 0", got)
	}
}

// A socket that is closed while it is watched, its descriptor soon another's, must never
// be taken for that other.
func TestWatcherKnowsSocketsFromDescriptors(t *testing.T) {
	watcherFor(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 300 {
				a, b := socketPair(t, "tcp")
				wrong := make(chan struct{}, 1)
				stopA := watch(a, hearerFunc(func() { wrong <- struct{}{} }))
				heard := make(chan struct{}, 1)
				stopB := watch(b, hearerFunc(func() { heard <- struct{}{} }))
				socketReset(a)
				<-heard
				b.Close()
				stopA.end()
				stopB.end()
				select {
				case <-wrong:
					t.Error("the side that resets: got a reset, want none")
				default:
				}
			}
		})
	}
	wg.Wait()
}

func TestWatcherStopsWithTheLastUser(t *testing.T) {
	fds, goroutines := openDescriptors(t), runtime.NumGoroutine()
	for range 50 {
		a, b := socketPair(t, "tcp")
		for range 2 {
			if err := watcherStart(); err != nil {
				t.Fatal(err)
			}
		}
		heard := make(chan struct{})
		stop := watch(b, hearerFunc(func() { close(heard) }))
		watcherStop()
		socketReset(a)
		<-heard
		watcherStop()
		stop.end() // harmless when the watcher has gone
		b.Close()
		watch(b, hearerFunc(func() { t.Error("called without a watcher") })).end()
	}
	eventually(t, "descriptors and goroutines back", func() bool {
		return openDescriptors(t) <= fds && runtime.NumGoroutine() <= goroutines
	})
}

// A gate in a bubble of virtual time starts the watcher and the pacer like any other.
func TestWatcherAndPacerLetVirtualTimePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := errors.Join(watcherStart(), pacerStart()); err != nil {
			t.Fatal(err)
		}
		c := &watcherMemory{}
		var calls int
		stop := watch(c, hearerFunc(func() { calls++ }))
		began := time.Now()
		time.Sleep(time.Hour) // virtual
		if got := time.Since(began); got != time.Hour {
			t.Errorf("slept: got %v, want 1h", got)
		}
		c.reset()
		c.reset()
		stop.end()
		if calls != 1 {
			t.Errorf("calls: got %d, want 1", calls)
		}
		stopped := watch(c, hearerFunc(func() { t.Error("called after stop") }))
		stopped.end()
		c.reset()
		pacerStop()
		watcherStop()
	})
}

// watcherMemory is a connection that says itself when it is reset.
type watcherMemory struct {
	net.Conn
	reset func()
}

func (m *watcherMemory) OnReset(f func()) { m.reset = f }

// BenchmarkWatcher measures how soon a reset is heard.
func BenchmarkWatcher(b *testing.B) {
	watcherFor(b)
	var late []time.Duration
	for b.Loop() {
		x, y := socketPair(b, "tcp")
		heard := make(chan time.Time, 1)
		stop := watch(y, hearerFunc(func() { heard <- time.Now() }))
		time.Sleep(time.Millisecond) // real, so that the watcher sleeps in the kernel
		began := time.Now()
		socketReset(x)
		late = append(late, (<-heard).Sub(began))
		stop.end()
		y.Close()
	}
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Microseconds()), "µs-median")
}

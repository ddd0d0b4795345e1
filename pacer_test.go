//go:build linux

package chaos

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// pacerFor keeps the pacer running for a test.
func pacerFor(t testing.TB) {
	t.Helper()
	if err := pacerStart(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pacerStop)
}

func TestPacerIsNeverEarly(t *testing.T) {
	pacerFor(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var wg sync.WaitGroup
	for range 500 {
		due := time.Now().Add(time.Duration(rng.IntN(50_000)) * time.Microsecond)
		wg.Add(1)
		newWake(func() {
			defer wg.Done()
			if early := time.Until(due); early > 0 {
				t.Errorf("early: got %v, want never", early)
			}
		}).at(due)
	}
	wg.Wait() // every one is called
}

func TestPacerCallsInOrder(t *testing.T) {
	pacerFor(t)
	for {
		base := time.Now().Add(20 * time.Millisecond)
		order := make(chan int, 10)
		for _, i := range []int{3, 9, 0, 5, 1, 8, 2, 7, 6, 4} {
			newWake(func() { order <- i }).at(base.Add(time.Duration(i) * time.Millisecond))
		}
		late := time.Now().After(base) // on a busy machine: some may have been called already
		for want := range 10 {
			if got := <-order; got != want && !late {
				t.Errorf("got %d, want %d", got, want)
			}
		}
		if !late {
			return
		}
	}
}

func TestWakeHasOneMoment(t *testing.T) {
	pacerFor(t)
	const soon = 50 * time.Millisecond
	tests := []struct {
		name string
		ask  func(w *wake, now time.Time)
		want int64
	}{
		{"asked for once", func(w *wake, now time.Time) { w.at(now.Add(soon)) }, 1},
		{"put off", func(w *wake, now time.Time) { w.at(now.Add(soon)); w.at(now.Add(time.Hour)) }, 0},
		{"put off a little", func(w *wake, now time.Time) { w.at(now.Add(soon)); w.at(now.Add(soon + time.Millisecond)) }, 1},
		{"brought forward", func(w *wake, now time.Time) { w.at(now.Add(time.Hour)); w.at(now.Add(soon)) }, 1},
		{"unchanged", func(w *wake, now time.Time) { w.at(now.Add(soon)); w.at(now.Add(soon)) }, 1},
		{"cancelled", func(w *wake, now time.Time) { w.at(now.Add(soon)); w.cancel(); w.cancel() }, 0},
		{"cancelled by the zero time", func(w *wake, now time.Time) { w.at(now.Add(soon)); w.at(time.Time{}) }, 0},
		{"cancelled and asked for again", func(w *wake, now time.Time) { w.at(now.Add(soon)); w.cancel(); w.at(now.Add(soon)) }, 1},
		{"passed", func(w *wake, now time.Time) { w.at(now.Add(-time.Second)) }, 1},
		{"before the process began", func(w *wake, _ time.Time) { w.at(time.Unix(1, 0)) }, 1},
		{"without a monotonic reading", func(w *wake, now time.Time) { w.at(now.Add(soon).Round(0)) }, 1},
		{"farther than durations go", func(w *wake, _ time.Time) { w.at(time.Unix(1<<40, 0)) }, 0},
		{"never asked for", func(*wake, time.Time) {}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for {
				var calls atomic.Int64
				w := newWake(func() { calls.Add(1) })
				now := time.Now()
				tt.ask(w, now)
				if time.Since(now) > soon/2 {
					w.cancel()
					continue // the machine was too busy to ask in time
				}
				// Another wake, later than any of these, shows that no more calls come.
				passed := make(chan struct{})
				newWake(func() { close(passed) }).at(time.Now().Add(2 * soon))
				<-passed
				w.cancel()
				if got := calls.Load(); got != tt.want {
					t.Errorf("calls: got %d, want %d", got, tt.want)
				}
				return
			}
		})
	}
}

// A wake may be asked for from its own function, and by many goroutines for many wakes.
func TestPacerFromEverywhere(t *testing.T) {
	pacerFor(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(i)))
			called := make(chan struct{}, 1)
			w := newWake(func() {
				select {
				case called <- struct{}{}:
				default:
				}
			})
			for range 100 {
				w.at(time.Now().Add(time.Duration(rng.IntN(3_000_000))))
				switch rng.IntN(3) {
				case 0:
					w.cancel()
				case 1:
					w.at(time.Now().Add(time.Duration(rng.IntN(1_000_000))))
					<-called
				case 2:
					<-called
				}
			}
			w.cancel()
		})
	}
	wg.Wait()

	left := 100
	done := make(chan struct{})
	var again *wake
	again = newWake(func() {
		if left--; left == 0 {
			close(done)
			return
		}
		again.at(time.Now())
	})
	again.at(time.Now())
	<-done
}

func TestPacerAllocatesNothing(t *testing.T) {
	pacerFor(t)
	w := newWake(func() {})
	soon := time.Now().Add(time.Hour)
	w.at(soon)
	defer w.cancel()
	if got := testing.AllocsPerRun(500, func() {
		soon = soon.Add(-time.Second) // earlier each time, so that the timer is set
		w.at(soon)
		w.cancel()
		w.at(soon)
	}); got != 0 {
		t.Errorf("allocations: got %v, want 0", got)
	}
}

func TestPacerStopsWithTheLastUser(t *testing.T) {
	fds, goroutines := openDescriptors(t), runtime.NumGoroutine()
	for range 50 {
		for range 2 {
			if err := pacerStart(); err != nil {
				t.Fatal(err)
			}
		}
		called := make(chan struct{}, 1)
		w := newWake(func() { called <- struct{}{} })
		w.at(time.Now())
		<-called
		pacerStop()
		w.at(time.Now())
		<-called
		w.at(time.Now().Add(time.Hour))
		pacerStop()
		w.at(time.Now())
		w.cancel()
		none := newWake(func() { t.Error("called without a pacer") })
		none.at(time.Now())
		none.cancel()
	}
	var absent *wake
	absent.at(time.Now())
	absent.cancel()
	eventually(t, "descriptors and goroutines back", func() bool {
		return openDescriptors(t) <= fds && runtime.NumGoroutine() <= goroutines
	})
}

// BenchmarkLateness measures how late a wake is, beside what Go's own timer does.
func BenchmarkLateness(b *testing.B) {
	const wait = 3300 * time.Microsecond
	median := func(b *testing.B, one func(due time.Time) time.Time) {
		var late []time.Duration
		for b.Loop() {
			due := time.Now().Add(wait)
			late = append(late, one(due).Sub(due))
		}
		slices.Sort(late)
		b.ReportMetric(float64(late[len(late)/2].Nanoseconds())/1e3, "µs-late-median")
		b.ReportMetric(float64(late[len(late)*99/100].Nanoseconds())/1e3, "µs-late-p99")
	}
	b.Run("pacer", func(b *testing.B) {
		pacerFor(b)
		called := make(chan time.Time, 1)
		w := newWake(func() { called <- time.Now() })
		median(b, func(due time.Time) time.Time {
			w.at(due)
			return <-called
		})
	})
	b.Run("sleep", func(b *testing.B) {
		median(b, func(due time.Time) time.Time {
			time.Sleep(time.Until(due)) // real: it is what is measured
			return time.Now()
		})
	})
}

// BenchmarkWakeAt measures what asking costs a pump.
func BenchmarkWakeAt(b *testing.B) {
	pacerFor(b)
	w := newWake(func() {})
	defer w.cancel()
	far := time.Now().Add(1000 * time.Hour)
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			w.at(far)
		}
	})
	b.Run("later", func(b *testing.B) {
		for b.Loop() {
			far = far.Add(time.Microsecond)
			w.at(far)
		}
	})
	b.Run("earlier", func(b *testing.B) {
		far = time.Now().Add(1000 * time.Hour)
		w.at(far)
		for b.Loop() {
			far = far.Add(-time.Microsecond)
			w.at(far)
		}
	})
}

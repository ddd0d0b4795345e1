package chaostest

import (
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// Fired fails the test for each fault that has not fired: a fault that never fired proves nothing.
func Fired(t testing.TB, imposed ...*chaos.Imposed) {
	t.Helper()
	for _, i := range imposed {
		if i.Hits() == 0 {
			t.Errorf("%s never fired", chaos.KindOf(i.Fault()))
		}
	}
}

// recoverPause is how long Recovers waits between two attempts.
const recoverPause = 10 * time.Millisecond

// Recovers calls f until it succeeds, and returns how long that took. It fails the test, with f's last error, when f has
// not succeeded within the given time. A call that is under way when the time is over is waited for.
func Recovers(t testing.TB, within time.Duration, f func() error) time.Duration {
	t.Helper()
	start := time.Now()
	for attempts := 1; ; attempts++ {
		err := f()
		took := time.Since(start)
		switch {
		case err == nil && took <= within:
			t.Logf("recovered after %v, at attempt %d", took.Round(time.Microsecond), attempts)
			return took
		case err == nil:
			t.Errorf("recovered after %v, at attempt %d: later than the %v allowed", took, attempts, within)
			return took
		case took >= within: // also when it is just over: in virtual time no pause would follow
			t.Errorf("not recovered after %v and %d attempts: %v", took, attempts, err)
			return took
		}
		time.Sleep(min(recoverPause, within-took))
	}
}

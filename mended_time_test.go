package chaos_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// TestLiftTakesBackOnlyItsOwnTime lifts what has delayed a segment beside another delay, however deep it is carried.
func TestLiftTakesBackOnlyItsOwnTime(t *testing.T) {
	delay := chaos.Delay{By: 3 * time.Second}
	always := func(f chaos.Fault) chaos.Fault { return chaos.Sometimes{Chance: 1, Fault: f} }
	first := func(f chaos.Fault) chaos.Fault { return chaos.Only{First: 9, Fault: f} }
	tests := []struct {
		name   string
		lifted chaos.Fault
	}{
		{"by itself", delay},
		{"in a selector", always(delay)},
		{"in a selector in a selector", always(first(delay))},
		{"three deep", first(always(first(delay)))},
		{"beside a selector's own time", chaos.During{For: time.Minute, Fault: always(delay)}},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			client, server := v.connect(t)
			v.ToServer.Add(chaos.Delay{By: 10 * time.Second})
			lifted := v.ToServer.Add(test.lifted)
			says(t, client, "x")
			time.Sleep(time.Second)
			lifted.Lift()
			hears(t, server, "x")
			if got := v.elapsed(); got != 10*time.Second {
				t.Errorf("%s: got it after %v, want %v", test.name, got, 10*time.Second)
			}
		})
	}
}

// TestChangedCarrierStillTakesTimeBack changes a selector while what it carries has delayed a segment: when the selector's time is
// over, that delay goes as it would have without the change.
func TestChangedCarrierStillTakesTimeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		client, server := v.connect(t)
		delay := chaos.Delay{By: time.Minute}
		d := v.ToServer.Add(chaos.During{For: 10 * time.Second, Fault: delay})
		time.Sleep(time.Second)
		says(t, client, "x")
		time.Sleep(time.Second)
		d.Change(chaos.During{For: 9 * time.Second, Fault: delay})
		hears(t, server, "x")
		if got := v.elapsed(); got != 9*time.Second {
			t.Errorf("got it after %v, want %v", got, 9*time.Second)
		}
	})
}

// TestLiftedDelayFreesTheLineBehind lifts a delay before a fault that remembers when its line is free: it must not go on
// waiting for a moment that will not come any more.
func TestLiftedDelayFreesTheLineBehind(t *testing.T) {
	tests := []struct {
		name   string
		behind chaos.Fault
		atMost time.Duration // what the fault itself may keep the second byte for
	}{
		{"bandwidth", chaos.Bandwidth{Rate: 1_000_000}, 2 * time.Microsecond},
		{"shared bandwidth", chaos.Bandwidth{Rate: 1_000_000, Shared: true}, 2 * time.Microsecond},
		{"slice", chaos.Slice{Size: 100, Gap: time.Millisecond}, time.Millisecond},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			v := newVirtual(t)
			client, server := v.connect(t)
			d := v.ToServer.Add(chaos.Delay{By: time.Minute})
			v.ToServer.Add(test.behind)
			says(t, client, "x")
			time.Sleep(time.Second)
			d.Lift()
			for _, text := range []string{"x", "y"} {
				if text == "y" {
					says(t, client, text)
				}
				hears(t, server, text)
				if got := v.elapsed() - time.Second; got < 0 || got > test.atMost {
					t.Errorf("%s: got %s %v after the delay was lifted, want at most %v", test.name, text, got, test.atMost)
				}
			}
		})
	}
}

// TestLiftedDelayLetsIdleBegin lifts a delay before Idle: the quiet begins when the bytes pass, not when they were to pass.
func TestLiftedDelayLetsIdleBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quiet = 5 * time.Minute
		v := newVirtual(t)
		client, server := v.connect(t)
		d := v.ToServer.Add(chaos.Delay{By: time.Minute})
		v.ToServer.Add(chaos.Idle{For: quiet})
		says(t, client, "x")
		time.Sleep(time.Second)
		d.Lift()
		if got, err := io.ReadAll(server); string(got) != "x" || err != nil {
			t.Errorf("got %q, %v, want x and EOF", got, err)
		}
		if got := v.elapsed(); got < quiet || got > quiet+time.Second {
			t.Errorf("ended after %v, want between %v and a second more", got, quiet)
		}
	})
}

// TestSharedBandwidthIsNotTakenAhead has one connection's byte an hour away from the line that all share: another's passes
// at once.
func TestSharedBandwidthIsNotTakenAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		late, _ := v.connect(t)
		client, server := v.connect(t)
		v.ToServer.Set(chaos.Only{Nth: 1, Fault: chaos.Delay{By: time.Hour}}, chaos.Bandwidth{Rate: 1_000_000, Shared: true})
		says(t, late, "x")
		synctest.Wait()
		says(t, client, "y")
		hears(t, server, "y")
		if got := v.elapsed(); got > 2*time.Microsecond {
			t.Errorf("got it after %v, want at once", got)
		}
	})
}

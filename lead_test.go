//go:build linux

package chaos

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestLeadLearnsWhatAWakeTakesAtLeast(t *testing.T) {
	const us = time.Microsecond
	tests := []struct {
		name        string
		least, most time.Duration // of what a wake takes
		wakes       int
		from, to    time.Duration // where the lead is then
	}{
		{"always the same", 60 * us, 60 * us, 200, 55 * us, 61 * us},
		{"at random", 40 * us, 90 * us, 2000, 40 * us, 65 * us},
		{"a machine that is never idle", 0, 2 * us, 100, 0, 5 * us},
		{"a machine that is too slow", 3000 * us, 9000 * us, 500, mostLead, mostLead},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			l := lead{firstLead}
			for range tt.wakes {
				l.learn(tt.least + time.Duration(rng.Int64N(int64(tt.most-tt.least)+1)))
			}
			if l.by < tt.from || l.by > tt.to {
				t.Errorf("lead: got %v, want %v to %v", l.by, tt.from, tt.to)
			}
		})
	}
}

func TestLeadFallsFasterThanItRises(t *testing.T) {
	l := lead{mostLead}
	wakes := 0
	for ; l.by > 0; wakes++ {
		l.learn(0)
	}
	if want := int(mostLead / lessLead); wakes != want {
		t.Errorf("wakes until there is no lead: got %d, want %d", wakes, want)
	}
}

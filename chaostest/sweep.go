package chaostest

import (
	"context"
	"testing"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/sweep"
)

// Sweep cuts what probe and its server say to one another at every point, and tells what comes of it: one subtest for each range of points of which the
// same has come. A subtest fails when the client hangs, is wrong, panics, opens connections in a loop, or does not recover.
//
// The probe connects to the gate, and is called as in [Matrix]; what it says has to be the same each time, so it opens a connection
// for itself, or the sweep begins in the middle of one. Each function given may set the sweep's fields before it begins: its
// actions, a budget, a check.
//
// The gate is healed before each point. The seed is the gate's, and the report is returned.
func Sweep(t *testing.T, gate *chaos.Gate, probe func(context.Context) error, configure ...func(*sweep.Sweep)) *sweep.Report {
	t.Helper()
	seed := gate.Seed
	s := &sweep.Sweep{Run: matrix.Run{
		Subject: matrix.Subject{Kind: "go", Probe: t.Name()},
		Gate:    gate, Seed: spec.Seed(seed),
		Probe: func(ctx context.Context, _ string) (matrix.Answer, error) { return matrix.Answer{}, probe(ctx) },
	}}
	for _, f := range configure {
		f(s)
	}
	report, err := s.Do(t.Context())
	gate.Reseed(seed)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range report.LeftOut {
		t.Logf("left out: %s", left)
	}
	for _, strip := range report.Strips {
		for _, r := range strip.Ranges {
			t.Run(strip.ID(r), func(t *testing.T) {
				switch {
				case r.Verdict.Bad():
					t.Errorf("%s, %d points from there: %s", r.Verdict.Words(), r.To-r.From+1, r.Says)
				case r.Verdict == matrix.NotExercised, r.Verdict == matrix.Skipped:
					t.Skipf("%s: %s", r.Verdict.Words(), r.Says)
				default:
					t.Logf("%s, %d points from there: %s", r.Verdict.Words(), r.To-r.From+1, r.Says)
				}
			})
		}
	}
	return report
}

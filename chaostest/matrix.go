package chaostest

import (
	"context"
	"testing"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

// Matrix tries every condition in every direction and at every moment on the client that probe uses, which connects to the
// gate, one subtest a cell: "go test -run 'TestClient/stall/to_client'" runs some of them. What the probe keeps between two
// calls, such as a pool of connections, is tried as well.
//
// A probe returns nil for the right answer, an error that wraps [matrix.ErrWrong] for a wrong one that the client took for
// right, and any other error that the client reports. A subtest fails when the client hangs, is wrong, panics, opens
// connections in a loop, or does not recover; it is skipped when the condition never fired, which proves nothing. Each function
// given may set the run's fields before it begins: what is expected, how long a deadline is, which cells.
//
// The gate is healed before each cell. The seed is the gate's, and the report is returned.
func Matrix(
	t *testing.T, gate *chaos.Gate, conditions []matrix.Condition, probe func(context.Context) error, configure ...func(*matrix.Run),
) *matrix.Report {
	t.Helper()
	seed := gate.Seed
	run := &matrix.Run{
		Subject: matrix.Subject{Kind: "go", Probe: t.Name()},
		Gate:    gate, Conditions: conditions, Seed: spec.Seed(seed),
		Probe: func(ctx context.Context, _ string) (matrix.Answer, error) { return matrix.Answer{}, probe(ctx) },
	}
	for _, f := range configure {
		f(run)
	}
	cells, err := run.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Reseed(seed)
	for _, id := range cells.Cells() {
		t.Run(id, func(t *testing.T) {
			cell, err := cells.Try(t.Context(), id)
			switch {
			case err != nil:
				t.Fatal(err)
			case cell.Worse:
				t.Errorf("%s: %s (imposed: %s)", cell.Verdict.Words(), cell.Says, cell.Imposed)
				if cell.Expected != "" {
					t.Errorf("expected: %s", cell.Expected.Words())
				}
			case cell.Verdict == matrix.NotExercised, cell.Verdict == matrix.Skipped:
				t.Skipf("%s: %s", cell.Verdict.Words(), cell.Says)
			default:
				t.Logf("%s: %s", cell.Verdict.Words(), cell.Says)
			}
		})
	}
	if err := cells.Close(); err != nil {
		t.Errorf("the gate cannot be healed: %v", err)
	}
	return cells.Report()
}

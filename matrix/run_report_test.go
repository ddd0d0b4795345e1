package matrix_test

import (
	"testing"
	"testing/synctest"

	"github.com/chaosgate/chaos/matrix"
)

// TestRunSatisfiesTheSchema holds what a run records to what the schema says, however it ended.
func TestRunSatisfiesTheSchema(t *testing.T) {
	tests := []struct {
		name   string
		change func(*matrix.Run)
	}{
		{"all cells", func(*matrix.Run) {}},
		{"a quick choice", func(r *matrix.Run) { r.Quick, r.Only = true, []string{"stall", "corrupt"} }},
		{"with expectations", func(r *matrix.Run) {
			r.Only = []string{"hold"}
			r.Expect = &matrix.Expectations{Cells: map[string]matrix.Verdict{"hold/both/idle": matrix.OK}}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var report *matrix.Report
			synctest.Test(t, func(t *testing.T) {
				run := newLab(t).run()
				test.change(run)
				var err error
				if report, err = run.Do(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
			for _, wrong := range againstSchema(t, report) {
				t.Error(wrong)
			}
		})
	}
}

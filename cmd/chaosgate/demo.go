package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

const (
	// demoDeadline is more than all the client's timeouts and retries in a row.
	demoDeadline = 4 * time.Second
	// demoPatience is how long the client may take to work again. Its library tries once a second to connect when that has
	// failed often.
	demoPatience = 10 * time.Second
)

func newDemo() *cobra.Command {
	var seed spec.Seed
	var file string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show what every condition does to a real client, on an embedded server, in under a minute",
		Long: `demo starts a server that speaks Redis's protocol, and runs the matrix on a real client of it: go-redis,
with a pool, short timeouts and one retry, which stores a value and reads it back. It imposes every
condition in every direction, before the client connects, on its idle connections, and in the middle of
an answer; shows what the client met; lifts the condition, and measures how long the client takes to work
again. It needs nothing, and leaves nothing behind but its report.

The grid goes to stdout, what happens meanwhile to stderr. Answers that are wrong because bytes were corrupted
are what Redis's protocol, which has no checksums, cannot prevent; for anything else that is bad, and for a
condition that did not fire, the exit code is 1.`,
		Args:    arguments(cobra.NoArgs),
		Example: `  chaosgate demo --seed 42`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			run := &matrix.Run{Seed: seed}
			return demo(cmd.Context(), cmd.Root().DisplayName(), run, file, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	addSeed(cmd.Flags(), &seed)
	cmd.Flags().StringVar(&file, "report", "", "write the report to `FILE`, its form by its ending: "+formNames(matrixForms)+"; without it to a temporary folder")
	return cmd
}

// demo runs the matrix on the embedded server, writes its report to a file, and says how to go on with program. It is its own test: the error
// tells of cells that are not as they must be.
func demo(ctx context.Context, program string, run *matrix.Run, file string, stdout, stderr io.Writer) error {
	file = cmp.Or(file, filepath.Join(os.TempDir(), "chaosgate-demo"+matrixForms[0].ending))
	if _, err := formOf(matrixForms, file); err != nil {
		return usage(fmt.Errorf("--report: %w", err))
	}
	server, err := startDemoServer()
	if err != nil {
		return fmt.Errorf("cannot start the embedded server: %w", err)
	}
	defer server.close()
	run.Server, run.Open = server.addr(), openDemoClient
	run.Deadline, run.Patience = cmp.Or(run.Deadline, demoDeadline), cmp.Or(run.Patience, demoPatience)
	run.Subject = matrix.Subject{Name: "demo", Kind: "go", Probe: fmt.Sprintf(
		"go-redis stores %d KiB and reads them back: %d connections, timeouts of %d ms, %d retry",
		valueSize>>10, clientPool, clientTimeout.Milliseconds(), clientRetries,
	)}
	show := newMatrixProgress(stderr)
	run.Progress = show.tell
	report, err := run.Do(ctx)
	show.clear()
	switch {
	case report == nil && ctx.Err() != nil:
		return interrupted(ctx)
	case err != nil:
		return err
	}
	report.Tool = "chaosgate " + versionText()
	if err := writeGrid(stdout, report); err != nil {
		return err
	}
	if err := writeReports(matrixForms, report, []string{file}, stderr); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return interrupted(ctx)
	}
	instruct(stdout, program)
	return judgeDemo(report)
}

// openDemoClient is a run's Open.
func openDemoClient(_ context.Context, addr string) (matrix.Probe, func(), error) {
	client := newDemoClient(addr)
	return client.probe, client.close, nil
}

// judgeDemo returns an error if a cell proves nothing, or is bad for another reason than that bytes were corrupted.
func judgeDemo(report *matrix.Report) error {
	var errs []error
	for _, c := range report.Cells {
		damaged := c.Verdict == matrix.Wrong && c.Group == "damage"
		if c.Verdict.Bad() && !damaged || c.Fired == 0 || c.Verdict == matrix.Skipped {
			errs = append(errs, fmt.Errorf("%s: %s: %s", c.ID, c.Verdict.Words(), safe(c.Says)))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &exitError{exitFailed, fmt.Errorf("not as it must be: %w", errors.Join(errs...))}
}

// instruct says how to go on with a server of one's own, and this program or the library.
func instruct(w io.Writer, program string) {
	fmt.Fprintf(w, `
Now software of your own, say a client of a server at 127.0.0.1:6379:

    %[1]s matrix --server 127.0.0.1:6379 --probe 'redis-cli -h $CHAOSGATE_HOST -p $CHAOSGATE_PORT get key'

or one condition at a time, with clients that connect to 127.0.0.1:15432:

    %[1]s run 127.0.0.1:15432,127.0.0.1:5432 --to-client 'delay by=200ms jitter=50ms'

or in a Go test:

    gate := chaostest.NewGate(t, "127.0.0.1:5432")  // clients connect to gate.Addr()
    chaostest.Matrix(t, gate, matrix.Standard, func(ctx context.Context) error { … })
`, program)
}

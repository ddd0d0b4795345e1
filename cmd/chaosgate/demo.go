package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/spec"
)

func newDemo() *cobra.Command {
	var seed spec.Seed
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show what every condition does to a real client, on an embedded server, in under a minute",
		Long: `demo starts a server that speaks Redis's protocol, puts a gate before it, and has a real client
library (go-redis, with a pool, short timeouts and one retry) store and read values through the
gate. It then imposes one condition after another on the connections in use, shows what the client
met, lifts the condition and measures how long the client takes to work again. It needs nothing
and leaves nothing behind.

The table goes to stdout, what happens meanwhile to stderr. The exit code is 1 if a condition did
not fire or the client did not recover from it.`,
		Args:    arguments(cobra.NoArgs),
		Example: `  chaosgate demo --seed 42`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), cmd.Root().DisplayName(), uint64(seed), demoConditions(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	addSeed(cmd.Flags(), &seed)
	return cmd
}

// demo tries each condition, reports what it did, and says how to go on with program. It is its own test: the error
// tells of conditions that did not fire or did not pass.
func demo(ctx context.Context, program string, seed uint64, conditions []condition, stdout, stderr io.Writer) error {
	if seed == 0 {
		seed = drawSeed()
	}
	l, err := newLab(seed)
	if err != nil {
		return err
	}
	defer l.close()
	healthy, err := l.baseline(ctx)
	switch {
	case ctx.Err() != nil:
		return interrupted(ctx)
	case err != nil:
		return &exitError{exitFailed, err}
	}
	begin := time.Now()
	introduce(stderr, l, healthy)
	findings, err := l.tryAll(ctx, conditions, newProgress(stderr, len(conditions)))
	if err != nil {
		return err
	}
	report(stdout, findings, paintFor(stdout))
	conclude(stdout, findings, healthy, time.Since(begin), l.gate.Seed)
	if ctx.Err() != nil {
		return interrupted(ctx)
	}
	instruct(stdout, program)
	return judge(findings)
}

// tryAll tries conditions one after another, until it is interrupted.
func (l *lab) tryAll(ctx context.Context, conditions []condition, bar *progress) (findings []finding, err error) {
	defer bar.clear()
	for _, c := range conditions {
		bar.begin(c.String())
		found, err := l.try(ctx, c)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return findings, err
		}
		findings = append(findings, found)
		bar.end(found.line(bar.paint))
	}
	return findings, nil
}

// judge returns an error if a finding proves nothing or is bad.
func judge(findings []finding) error {
	unsound := 0
	for i := range findings {
		if !findings[i].sound() {
			unsound++
		}
	}
	if unsound == 0 {
		return nil
	}
	return &exitError{exitFailed, fmt.Errorf("%d of %d conditions did not fire, or the client did not recover", unsound, len(findings))}
}

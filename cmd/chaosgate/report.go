package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/sweep"
)

func newReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report FILE.json [OUTPUT]...",
		Short: "Make the reports of a matrix or a sweep again, from its record",
		Long: `report reads the record of a matrix or of a sweep and shows it; or, if there are outputs, writes a report to each, its
form by its ending: ` + formNames(matrixForms) + `.`,
		Example: `  chaosgate report matrix.json
  chaosgate report matrix.json matrix.html matrix.xml matrix.md
  chaosgate report sweep.json sweep.html`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			record, err := os.ReadFile(args[0])
			if err != nil {
				return usage(err)
			}
			out, log := cmd.OutOrStdout(), cmd.ErrOrStderr()
			if swept, err := sweep.Read(bytes.NewReader(record)); err == nil {
				return again(sweepForms, swept, args[1:], log, func() error { return swept.WriteText(out) })
			}
			report, err := matrix.Read(bytes.NewReader(record))
			if err != nil {
				return usage(fmt.Errorf("%s: %w", args[0], err))
			}
			return again(matrixForms, report, args[1:], log, func() error { return writeGrid(out, report) })
		},
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return cmd
}

// again writes a report to files, or shows it if there are none.
func again[R any](forms []reportForm[R], report R, files []string, log io.Writer, show func() error) error {
	for _, file := range files {
		if _, err := formOf(forms, file); err != nil {
			return usage(err)
		}
	}
	if len(files) == 0 {
		return show()
	}
	return writeReports(forms, report, files, log)
}

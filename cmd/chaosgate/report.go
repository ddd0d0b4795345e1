package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/matrix"
)

func newReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report FILE.json [OUTPUT]...",
		Short: "Make the reports of a matrix again, from its record",
		Long: `report reads the record of a matrix and shows its grid; or, if there are outputs, writes a report to each, its
form by its ending: ` + formNames(matrixForms) + `.`,
		Example: `  chaosgate report matrix.json
  chaosgate report matrix.json matrix.html matrix.xml matrix.md`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return usage(err)
			}
			defer f.Close()
			report, err := matrix.Read(f)
			if err != nil {
				return usage(fmt.Errorf("%s: %w", args[0], err))
			}
			for _, file := range args[1:] {
				if _, err := formOf(matrixForms, file); err != nil {
					return usage(err)
				}
			}
			if len(args) == 1 {
				return writeGrid(cmd.OutOrStdout(), report)
			}
			return writeReports(matrixForms, report, args[1:], cmd.ErrOrStderr())
		},
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return cmd
}

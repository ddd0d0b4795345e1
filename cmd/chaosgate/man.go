package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of all commands into a folder",
		Hidden: true, // who makes packages needs it
		Long: `man writes a manual page of each command into a folder, which it makes if it is not there. The pages tell what
--help does. They carry the date that $SOURCE_DATE_EPOCH says, or today's.`,
		Example: `  chaosgate man /usr/local/share/man/man1`,
		Args:    named("DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := newRoot("chaosgate") // however it was started here
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{Title: "CHAOSGATE", Section: "1", Source: "chaosgate " + versionText(), Manual: "chaosgate"}, args[0])
		},
	}
}

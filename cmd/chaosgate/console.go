package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func newConsole() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Print where the daemon's web console is",
		Long: `console prints the address of the daemon's web console. Where the daemon has a token, it is a link that lets a browser
in: it works once, and for ten minutes.`,
		Example: `  chaosgate console
  xdg-open "$(chaosgate console)"`,
		Args: arguments(cobra.NoArgs),
	}
	return talking(cmd, func(ctx context.Context, t *talk, _ []string) error {
		url, till, err := t.Console(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(t.out, url)
		if !till.IsZero() {
			fmt.Fprintf(t.errs, "it lets one browser in, until %s\n", till.Local().Format(time.TimeOnly))
		}
		return nil
	})
}

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// healthPatience is how long a daemon may take to say that it is well.
const healthPatience = 5 * time.Second

func newHealthcheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "healthcheck",
		Short:   "Ask whether the daemon is there and serves: exit code 0, or 3 if not",
		Example: `  chaosgate healthcheck --daemon http://127.0.0.1:9000`,
		Long: `healthcheck asks whether the daemon is there and serves, and waits 5 s at most. It needs no token, and is made for
container runtimes:

    HEALTHCHECK CMD ["chaosgate", "healthcheck"]`,
		Args: arguments(cobra.NoArgs),
	}
	return talking(cmd, func(ctx context.Context, t *talk, _ []string) error {
		asking, cancel := context.WithTimeout(ctx, healthPatience)
		defer cancel()
		if err := t.Ready(asking); err != nil {
			if asking.Err() != nil && ctx.Err() == nil {
				return fmt.Errorf("the daemon at %s has not answered within %v", t.URL(), healthPatience)
			}
			return err
		}
		fmt.Fprintln(t.out, "ok")
		return nil
	})
}

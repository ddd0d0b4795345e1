package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/config"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Look after the files in which gates are written down",
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigCheck())
	return cmd
}

func newConfigCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Tell what is wrong with a file of gates, and where",
		Long: `check reads a file of gates as serve --config does, in YAML or JSON, and shows the line in which something
is wrong. With - it reads standard input. Nothing is listened on, and nothing is connected to.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := loadConfig(args[0], cmd.InOrStdin())
			if err != nil {
				return usage(err)
			}
			if leases := file.Leases(); len(leases) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: hangs on leases that a daemon has not got when it starts: %s\n", args[0], strings.Join(leases, ", "))
			}
			gates, faults := plural(int64(len(file.Gates)), "gate"), plural(int64(file.Faults()), "fault")
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %s, nothing wrong\n", args[0], gates, faults)
			return err
		},
	}
}

// loadConfig reads a file of gates, or standard input if it is called -.
func loadConfig(name string, stdin io.Reader) (*config.File, error) {
	if name != "-" {
		return config.Load(name)
	}
	data, err := config.Bytes(stdin)
	if err != nil {
		return nil, err
	}
	return config.Read("standard input", data)
}

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// variable returns the name of the environment variable that stands for a flag.
func variable(flag string) string {
	return "CHAOSGATE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// showEnvironment adds to the help of each flag the environment variable that stands for it.
func showEnvironment(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) { f.Usage += " [$" + variable(f.Name) + "]" })
}

// fromEnvironment sets each flag that the command line does not from its environment variable. An empty variable is
// as good as none.
func fromEnvironment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		value, _ := lookup(variable(f.Name))
		if f.Changed || value == "" || f.Name == "help" || err != nil {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = usage(fmt.Errorf("environment variable %s: %w", variable(f.Name), flagError(flags, e)))
		}
	})
	return err
}

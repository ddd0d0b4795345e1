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

// withoutVariable marks a flag for which no environment variable stands.
const withoutVariable = "without variable"

// notFromEnvironment has no environment variables stand for flags.
func notFromEnvironment(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flags.Lookup(name).Annotations = map[string][]string{withoutVariable: nil}
	}
}

// hasVariable reports whether an environment variable stands for a flag.
func hasVariable(f *pflag.Flag) bool {
	_, without := f.Annotations[withoutVariable]
	return !without && f.Name != "help"
}

// showEnvironment adds to the help of each flag the environment variable that stands for it.
func showEnvironment(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if hasVariable(f) {
			f.Usage += " [$" + variable(f.Name) + "]"
		}
	})
}

// fromEnvironment sets each flag that the command line does not from its environment variable. An empty variable is
// as good as none.
func fromEnvironment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		value, _ := lookup(variable(f.Name))
		if f.Changed || value == "" || !hasVariable(f) || err != nil {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = usage(fmt.Errorf("environment variable %s: %w", variable(f.Name), flagError(flags, e)))
		}
	})
	return err
}

package main

import (
	"encoding"
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/chaosgate/chaos/spec"
)

// A textFlag is a flag whose value reads its own text.
type textFlag struct {
	value interface {
		encoding.TextUnmarshaler
		fmt.Stringer
	}
}

// Set reads the flag's value.
func (f textFlag) Set(text string) error { return f.value.UnmarshalText([]byte(text)) }

// String returns the value, nothing for the zero flag, by which pflag recognises a default.
func (f textFlag) String() string {
	if f.value == nil {
		return ""
	}
	return f.value.String()
}

// addSeed adds the flag --seed.
func addSeed(flags *pflag.FlagSet, seed *spec.Seed) {
	flags.Var(textFlag{seed}, "seed", "draw all randomness from `SEED`, a number; without it one is drawn")
	flags.Lookup("seed").DefValue = "0" // so that help shows no default
}

// Type returns what help shows in the value's place.
func (f textFlag) Type() string { return "" }

// An output is a form in which a command writes data.
type output string

const (
	outputText output = "text"
	outputJSON output = "json"
)

// String returns the form's name.
func (o *output) String() string {
	if *o == "" {
		return string(outputText)
	}
	return string(*o)
}

// UnmarshalText reads the form's name.
func (o *output) UnmarshalText(text []byte) error {
	switch name := output(text); name {
	case outputText, outputJSON:
		*o = name
		return nil
	default:
		names := []string{string(outputText), string(outputJSON)}
		return fmt.Errorf("got %q, want text or json%s", text, didYouMean(string(text), names))
	}
}

// addOutput adds the flag --output of a command that writes events.
func addOutput(cmd *cobra.Command, o *output) {
	cmd.Flags().VarP(textFlag{o}, "output", "o", "write events as `FORMAT`: text, or json, one object a line")
	complete(cmd, "output", string(outputText), string(outputJSON))
}

// noDefault has help show no default for flags whose zero means another.
func noDefault(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flags.Lookup(name).DefValue = "0"
	}
}

// drawSeed returns a seed that is not zero, and short enough to be typed again.
func drawSeed() uint64 { return uint64(max(rand.Uint32(), 1)) }

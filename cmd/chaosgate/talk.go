package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/chaosgate/chaos/client"
)

// A talk is what a command that speaks to a daemon needs: the daemon, and where to write what it says.
type talk struct {
	*client.Client
	in      io.Reader
	out     io.Writer
	errs    io.Writer
	paint   paint
	program string // what to type to start this program
}

// daemonFlags are the flags by which a command finds its daemon.
type daemonFlags struct{ url, token, by string }

// add adds the flags.
func (f *daemonFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.url, "daemon", client.DefaultURL, "speak to the daemon at `URL`")
	flags.StringVar(&f.token, "token", "", "show the daemon `TOKEN`, if it wants one")
	flags.StringVar(&f.by, "by", "", "tell the daemon that `NAME` asks; without it, the user's name")
}

// open returns a client of the daemon.
func (f *daemonFlags) open() (*client.Client, error) {
	user := cmp.Or(os.Getenv("USER"), os.Getenv("USERNAME")) // the latter is Windows's
	c, err := client.New(f.url, client.Options{Token: f.token, By: cmp.Or(f.by, user)})
	if err != nil {
		return nil, fmt.Errorf("--%w", err)
	}
	return c, nil
}

// talking makes a command one that speaks to a daemon.
func talking(cmd *cobra.Command, do func(ctx context.Context, t *talk, args []string) error) *cobra.Command {
	var flags daemonFlags
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := flags.open()
		if err != nil {
			return usage(err)
		}
		defer c.Close()
		out := cmd.OutOrStdout()
		t := &talk{c, cmd.InOrStdin(), out, cmd.ErrOrStderr(), paintFor(out), cmd.Root().DisplayName()}
		return t.explained(cmd.Context(), do(cmd.Context(), t, args))
	}
	return cmd
}

// explained returns an error as the program ends with it: with its exit code, and with what can be done about it.
func (t *talk) explained(ctx context.Context, err error) error {
	if _, ready := errors.AsType[*exitError](err); err == nil || ready {
		return err
	}
	if context.Cause(ctx) != nil && errors.Is(err, context.Cause(ctx)) {
		return interrupted(ctx)
	}
	said, advice := safeLines(err.Error()), ""
	switch {
	case errors.Is(err, client.ErrUnreachable):
		if u, e := url.Parse(t.URL()); e == nil && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.")) {
			advice = fmt.Sprintf("\nstart one by '%s serve', or say by --daemon where it is", t.program)
		} else {
			advice = "\n--daemon says where it is"
		}
	case errors.Is(err, client.ErrUnauthorized):
		advice = "\n--token, or $" + variable("token") + ", is shown to the daemon"
	}
	return &exitError{talkCode(err), &explainedError{said + advice, err}}
}

// An explainedError is an error of a daemon's in the words of this program.
type explainedError struct {
	text string
	err  error
}

// Error returns the words.
func (e *explainedError) Error() string { return e.text }

// Unwrap returns the daemon's error.
func (e *explainedError) Unwrap() error { return e.err }

// talkCode returns the exit code that an error of a daemon's stands for.
func talkCode(err error) int {
	for _, sort := range []error{client.ErrUnknown, client.ErrTaken, client.ErrInvalid, client.ErrForbidden, client.ErrUnauthorized} {
		if errors.Is(err, sort) {
			return exitUsage
		}
	}
	if errors.Is(err, client.ErrTimedOut) {
		return exitTimedOut
	}
	return exitCannotRun
}

// safeLines returns text that came over a wire in a form that cannot command a terminal, line by line.
func safeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = safe(line)
	}
	return strings.Join(lines, "\n")
}

// A form is how a command shows what it was asked for.
type form string

const (
	formTable form = "table"
	formJSON  form = "json"
)

// String returns the form's name.
func (f *form) String() string { return cmp.Or(string(*f), string(formTable)) }

// UnmarshalText reads the form's name.
func (f *form) UnmarshalText(text []byte) error {
	switch name := form(text); name {
	case formTable, formJSON:
		*f = name
	case form(outputText): // what run calls it, and the environment says to all
		*f = formTable
	default:
		return fmt.Errorf("got %q, want table or json%s", text, didYouMean(string(text), []string{string(formTable), string(formJSON)}))
	}
	return nil
}

// addForm adds the flag --output.
func addForm(cmd *cobra.Command, f *form) {
	cmd.Flags().VarP(textFlag{f}, "output", "o", "write as `FORMAT`: table, or json")
	complete(cmd, "output", string(formTable), string(formJSON))
}

// show writes a value as JSON if that is asked for, and otherwise has it written for people.
func (t *talk) show(f form, value any, people func()) error {
	if f != formJSON {
		people()
		return nil
	}
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s\n", data)
	return err
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/spec"
)

func newFaultKinds() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:   "kinds [KIND]",
		Short: "List the kinds of faults, or the parameters of one",
		Long: `kinds lists what can be imposed, as this program knows it; no daemon is asked. A fault is written as its kind and
its parameters, KEY=VALUE; a flag may stand alone. A selector stands before the fault that it selects for.`,
		Example: `  chaosgate fault kinds
  chaosgate fault kinds delay`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			kinds, out := spec.Describe(), cmd.OutOrStdout()
			var shown any = kinds
			people := func() { showKinds(out, paintFor(out), kinds) }
			if len(args) == 1 {
				kind, err := kindOf(kinds, args[0])
				if err != nil {
					return usage(err)
				}
				shown, people = kind, func() { showKind(out, paintFor(out), kind) }
			}
			if form != formJSON {
				people()
				return nil
			}
			data, err := json.MarshalIndent(shown, "", "  ")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "%s\n", data)
			return err
		},
	}
	addForm(cmd, &form)
	cmd.ValidArgsFunction = func(_ *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(before) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offered(kindNames(), word)
	}
	return cmd
}

// kindOf returns the kind of a name.
func kindOf(kinds []spec.Description, name string) (spec.Description, error) {
	at := slices.IndexFunc(kinds, func(d spec.Description) bool { return d.Name == strings.ReplaceAll(name, "-", "_") })
	if at >= 0 {
		return kinds[at], nil
	}
	_, err := spec.ParseFault(name) // it knows what others call things
	if err == nil {
		err = fmt.Errorf("unknown fault %q", name)
	}
	return spec.Description{}, err
}

// showKinds writes a table of kinds.
func showKinds(w io.Writer, p paint, kinds []spec.Description) {
	rows := table{columns: []column{{title: "KIND"}, {title: "PARAMETERS"}, {title: "WHAT IT DOES"}}}
	for _, d := range kinds {
		var params []string
		for _, param := range d.Params {
			params = append(params, param.Name)
		}
		row := plain(d.Name, strings.Join(params, " "), d.Help)
		row[0].paint, row[1].paint = p.bold, p.dim
		rows.rows = append(rows.rows, row)
	}
	rows.writeFit(w, p)
}

// showKind writes all about a kind.
func showKind(w io.Writer, p paint, d spec.Description) {
	fmt.Fprintf(w, "%s: %s\n", p.bold(d.Name), d.Help)
	if len(d.Networks) < 3 {
		fmt.Fprintf(w, "only for %s\n", strings.Join(d.Networks, " and "))
	}
	if len(d.Params) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows := table{columns: []column{{title: "PARAMETER"}, {title: "WANTS"}, {title: "DEFAULT", optional: true}, {title: "WHAT IT IS"}}}
	for _, param := range d.Params {
		byDefault := param.Default
		if param.Required {
			byDefault = "must be given"
		}
		row := plain(param.Name, param.Want, byDefault, param.Help)
		row[0].paint = p.bold
		rows.rows = append(rows.rows, row)
	}
	rows.writeFit(w, p)
}

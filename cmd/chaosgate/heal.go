package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/status"
)

func newHeal() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:   "heal [NAME]",
		Short: "Lift everything and open every door, of a gate or of all",
		Example: `  chaosgate heal
  chaosgate heal redis`,
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	addForm(cmd, &form)
	completing(cmd, gateNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		name := ""
		if len(args) == 1 {
			name = args[0]
			if name == "" { // a variable of a script that is not set must not mean all
				return usage(fmt.Errorf("got an empty NAME, want a gate's, or none for all"))
			}
		}
		healed, err := t.Heal(ctx, name)
		if err != nil {
			return err
		}
		return t.show(form, healed, func() { t.healed(healed) })
	})
}

// healed says what was healed.
func (t *talk) healed(healed status.Healed) {
	for _, f := range healed.Faults {
		t.lifted(f.Gate, []status.Fault{f.Fault})
	}
	for _, d := range healed.Doors {
		fmt.Fprintf(t.out, "door %v of %s opened\n", d.Door, safe(d.Gate))
	}
	if len(healed.Faults)+len(healed.Doors) == 0 {
		fmt.Fprintln(t.out, "nothing was imposed, and every door was open")
	}
}

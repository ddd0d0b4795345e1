package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/status"
)

func newFaultLift() *cobra.Command {
	var form form
	cmd := &cobra.Command{
		Use:   "lift NAME [ID...]",
		Short: "Lift faults of a gate, or all of them",
		Long: `lift has faults imposed no more and says how often each has fired; without an ID all faults of the gate, those of
single connections too. The door stays as it is: heal opens it as well.`,
		Example: `  chaosgate fault lift redis delay
  chaosgate fault lift redis`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("got no argument, want NAME [ID]"))
			}
			return nil
		},
	}
	addForm(cmd, &form)
	completing(cmd, gateNames, faultIDs)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		lifted, err := t.lift(ctx, args[0], args[1:])
		if err != nil && len(lifted) == 0 {
			return err
		}
		shown := t.show(form, lifted, func() { t.lifted(args[0], lifted) })
		return cmp.Or(err, shown)
	})
}

// lift lifts faults of a gate, all if there are no ids, and returns those that it has lifted.
func (t *talk) lift(ctx context.Context, gate string, ids []string) ([]status.Fault, error) {
	lifted := []status.Fault{}
	imposed, err := t.AllFaults(ctx, gate)
	if err != nil {
		return lifted, err
	}
	wanted := imposed
	if len(ids) > 0 {
		wanted = nil
	}
	for _, id := range ids {
		i := slices.IndexFunc(imposed, func(f status.Fault) bool { return f.ID == id })
		if i < 0 {
			_, err := t.Find(ctx, gate, id) // says what is near
			return lifted, err
		}
		wanted = append(wanted, imposed[i])
	}
	for _, f := range wanted {
		f, err := t.Lift(ctx, client.Where{Gate: gate, Conn: f.Conn, Direction: f.Direction}, f.ID)
		switch {
		case len(ids) == 0 && errors.Is(err, client.ErrUnknown): // it was lifted meanwhile
		case err != nil:
			return lifted, err
		default:
			lifted = append(lifted, f)
		}
	}
	return lifted, nil
}

// lifted says which faults were lifted.
func (t *talk) lifted(gate string, faults []status.Fault) {
	if len(faults) == 0 {
		fmt.Fprintf(t.out, "nothing was imposed at %s\n", safe(gate))
	}
	for _, f := range faults {
		fmt.Fprintf(t.out, "%s lifted from %s of %s, %s\n", t.paint.bold(faultName(f.ID, f.Kind, f.Text)), whereText(f), safe(gate), t.firedText(f))
	}
}

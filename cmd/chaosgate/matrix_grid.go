package main

import (
	"fmt"
	"io"

	"github.com/chaosgate/chaos/matrix"
)

// writeGrid writes what came of a matrix, for people, and how the worst of the cells that have failed is repeated.
func writeGrid(w io.Writer, r *matrix.Report) error {
	if err := r.WriteText(w, matrix.Terminal{Width: min(columns(w), 120), Colours: bool(paintFor(w))}); err != nil {
		return err
	}
	bad := r.BadCells()
	if len(bad) == 0 || bad[0].Repeat == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nThe worst again (--cell names another, such as %s):\n  %s\n", bad[len(bad)-1].ID, safeLines(bad[0].Repeat))
	return err
}

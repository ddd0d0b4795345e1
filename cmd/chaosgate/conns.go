package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// watchEvery is how often connections are shown anew.
const watchEvery = time.Second

func newConns() *cobra.Command {
	var wait waitFlags
	var count int
	var watch bool
	var form form
	cmd := &cobra.Command{
		Use:   "conns NAME",
		Short: "List, watch or await the live connections of a gate",
		Long: `conns lists the connections that there are through a gate, the oldest first. Their numbers are those by which faults
are imposed on one alone, and one is closed.`,
		Example: `  chaosgate conns redis
  chaosgate conns redis --watch
  chaosgate conns redis --count 2 --wait 5s`,
		Args: named("NAME"),
	}
	cmd.Flags().IntVar(&count, "count", 0, "wait until at least `N` connections are open through to the server")
	noDefault(cmd.Flags(), "count")
	wait.add(cmd)
	cmd.Flags().BoolVar(&watch, "watch", false, "show them again each second, until interrupted")
	addForm(cmd, &form)
	completing(cmd, gateNames, nil)
	return talking(cmd, func(ctx context.Context, t *talk, args []string) error {
		if count < 0 {
			return usage(fmt.Errorf("--count: got %d, want 1 or more", count))
		}
		if count > 0 {
			waiting, cancel := wait.context(ctx)
			defer cancel()
			conns, err := t.WaitConns(waiting, args[0], count)
			if err != nil || !watch {
				return t.showConns(form, conns, err)
			}
		}
		if watch {
			return t.watch(ctx, args[0], form)
		}
		conns, err := t.Conns(ctx, args[0])
		return t.showConns(form, conns, err)
	})
}

// showConns shows connections, unless there was an error.
func (t *talk) showConns(form form, conns []status.Conn, err error) error {
	if err != nil {
		return err
	}
	return t.show(form, conns, func() { connTable(conns, t.paint).writeFit(t.out, t.paint) })
}

// watch shows a gate's connections again and again: in place on a terminal, otherwise one after another.
func (t *talk) watch(ctx context.Context, gate string, form form) error {
	const home, clear = "\x1b[H", "\x1b[2J"
	inPlace := isTerminal(t.out) && form != formJSON
	again := time.NewTicker(watchEvery)
	defer again.Stop()
	for {
		conns, err := t.Conns(ctx, gate)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		var shown bytes.Buffer // written at once, so that a terminal does not flicker
		if inPlace {
			fmt.Fprintf(&shown, "%s%s%s  %s\n\n", home, clear, t.paint.bold(safe(gate)), t.paint.dim(time.Now().Format(time.TimeOnly)))
		}
		if form == formJSON { // one array a line
			err = json.NewEncoder(&shown).Encode(conns)
		} else {
			connTable(conns, t.paint).writeFit(&shown, t.paint)
		}
		if !inPlace && form != formJSON {
			fmt.Fprintln(&shown)
		}
		if err == nil {
			_, err = shown.WriteTo(t.out)
		}
		if err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done(): // as it was meant to end
			return nil
		}
	}
}

// connTable returns a table of connections.
func connTable(conns []status.Conn, p paint) *table {
	rows := &table{columns: []column{
		{title: "CONN", right: true},
		{title: "CLIENT"},
		{title: "STATE"},
		{title: "AGE", right: true},
		{title: "TO SERVER", right: true},
		{title: "TO CLIENT", right: true},
		{title: "ITS OWN FAULTS", optional: true},
	}}
	for _, c := range conns {
		row := plain(connNumber(c), safe(c.Client), c.State.String(), ageText(time.Duration(c.Age*float64(time.Second))),
			carried(c.BytesToServer, c.DatagramsToServer), carried(c.BytesToClient, c.DatagramsToClient), ownFaults(c))
		row[0].paint, row[6].paint = p.bold, p.yellow
		if c.State != chaos.Established {
			row[2].paint = p.yellow
		}
		rows.rows = append(rows.rows, row)
	}
	return rows
}

// connNumber returns the number of a connection as it is typed.
func connNumber(c status.Conn) string { return strconv.FormatUint(c.N, 10) }

// carried returns what was delivered: bytes, and of datagrams their number.
func carried(bytes, datagrams int64) string {
	if datagrams == 0 {
		return size(bytes)
	}
	return fmt.Sprintf("%s in %d", size(bytes), datagrams)
}

// ownFaults returns what is imposed on a connection alone.
func ownFaults(c status.Conn) (text string) {
	for i, f := range slices.Concat(c.ToServer, c.ToClient) {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%v %s", f.Direction, safe(f.ID))
	}
	return text
}

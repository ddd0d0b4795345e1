package toxicli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// nameFirst is what commands about a proxy say when none is named.
const nameFirst = "Proxy name is required as the first argument."

func (c *cli) list(ctx context.Context, args []string) error {
	if err := newFlags().Parse(args); err != nil {
		return &errUsage{err, nil}
	}
	var all map[string]proxy
	if err := c.ask(ctx, "GET", []string{"proxies"}, nil, &all); err != nil {
		return says("Failed to retrieve proxies: %v", err)
	}
	names := slices.Sorted(maps.Keys(all))
	if !c.terminal {
		for _, name := range names {
			p := all[name]
			fmt.Fprintf(c.out, "%s\t%s\t%s\t%s\t%d\n", p.Name, p.Listen, p.Upstream, state(p.Enabled), len(p.Toxics))
		}
		return nil
	}
	if len(names) == 0 {
		fmt.Fprintf(c.out, "%s\n\nHint: create a proxy with `toxiproxy-cli create`\n", red("no proxies"))
		return nil
	}
	table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", green("Name"), blue("Listen"), yellow("Upstream"), magenta("Enabled"), red("Toxics"))
	for _, name := range names {
		p := all[name]
		paint := green
		if !p.Enabled {
			paint = red
		}
		toxics := "None"
		if len(p.Toxics) > 0 {
			toxics = fmt.Sprint(len(p.Toxics))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", paint(p.Name), blue(p.Listen), yellow(p.Upstream), magenta(state(p.Enabled)), red(toxics))
	}
	table.Flush()
	fmt.Fprint(c.out, "\nHint: inspect toxics with `toxiproxy-cli inspect <proxyName>`\n")
	return nil
}

func (c *cli) inspect(ctx context.Context, args []string) error {
	name, err := parse(newFlags(), args, nameFirst)
	if err != nil {
		return err
	}
	p, err := c.retrieve(ctx, name)
	if err != nil {
		return err
	}
	if !c.terminal {
		for _, t := range p.Toxics {
			fmt.Fprintf(c.out, "%s\t%s\n", t.Name, t)
		}
		return nil
	}
	fmt.Fprintf(c.out, "%s%s\t%s%s\t%s%s\n\n", magenta("Name: "), p.Name, blue("Listen: "), p.Listen, yellow("Upstream: "), p.Upstream)
	for _, stream := range []string{"Upstream", "Downstream"} {
		heading := green(stream+" toxics:") + "\n"
		for _, t := range p.Toxics {
			if strings.EqualFold(t.Stream, stream) {
				fmt.Fprintf(c.out, "%s%s\t%s\n", heading, blue(t.Name+":"), t)
				heading = ""
			}
		}
		if heading == "" {
			fmt.Fprintln(c.out)
		}
	}
	if len(p.Toxics) == 0 {
		fmt.Fprintf(c.out, "%s\n\n", red("Proxy has no toxics enabled."))
	}
	fmt.Fprint(c.out, "Hint: add a toxic with `toxiproxy-cli toxic add`\n")
	return nil
}

// String returns what a toxic is, as it is listed.
func (t toxic) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "type=%s\tstream=%s\ttoxicity=%.2f\tattributes=[\t", t.Type, t.Stream, t.Toxicity)
	for _, key := range slices.Sorted(maps.Keys(t.Attributes)) {
		fmt.Fprintf(&b, "%s=%v\t", key, t.Attributes[key])
	}
	return b.String() + "]"
}

func (c *cli) create(ctx context.Context, args []string) error {
	var p proxy
	flags := newFlags()
	for _, name := range []string{"listen", "l"} {
		flags.StringVar(&p.Listen, name, "", "")
	}
	for _, name := range []string{"upstream", "u"} {
		flags.StringVar(&p.Upstream, name, "", "")
	}
	name, err := parse(flags, args, nameFirst)
	if err := cmp.Or(err, required("listen", p.Listen), required("upstream", p.Upstream)); err != nil {
		return err
	}
	p.Name, p.Enabled = name, true
	if err := c.ask(ctx, "POST", []string{"proxies"}, p, nil); err != nil {
		return says("Failed to create proxy: Create: %v", err)
	}
	fmt.Fprintf(c.out, "Created new proxy %s\n", name)
	return nil
}

// retrieve returns a proxy.
func (c *cli) retrieve(ctx context.Context, name string) (p proxy, err error) {
	if err = c.ask(ctx, "GET", []string{"proxies", name}, nil, &p); err != nil {
		err = says("Failed to retrieve proxy %s: %v", name, err)
	}
	return p, err
}

func (c *cli) toggle(ctx context.Context, args []string) error {
	name, err := parse(newFlags(), args, nameFirst)
	if err != nil {
		return err
	}
	p, err := c.retrieve(ctx, name)
	if err != nil {
		return err
	}
	p.Enabled = !p.Enabled
	if err := c.ask(ctx, "POST", []string{"proxies", name}, map[string]bool{"enabled": p.Enabled}, nil); err != nil {
		return says("Failed to toggle proxy %s: %v", name, err)
	}
	shown, is := name, state(p.Enabled)
	if c.terminal {
		paint := green
		if !p.Enabled {
			paint = red
		}
		shown, is = paint(shown), paint(is)
	}
	fmt.Fprintf(c.out, "Proxy %s is now %s\n", shown, is)
	return nil
}

func (c *cli) remove(ctx context.Context, args []string) error {
	name, err := parse(newFlags(), args, nameFirst)
	if err != nil {
		return err
	}
	if _, err := c.retrieve(ctx, name); err != nil {
		return err
	}
	if err := c.ask(ctx, "DELETE", []string{"proxies", name}, nil, nil); err != nil {
		return says("Failed to delete proxy: Delete: %v", err)
	}
	fmt.Fprintf(c.out, "Deleted proxy %s\n", name)
	return nil
}

func (c *cli) toxic(ctx context.Context, args []string) error {
	return c.dispatch(ctx, toxicCommands, args)
}

// within asks for something about a toxic of a proxy that there has to be. The errors are worded as Toxiproxy's command line has them: that the proxy is not
// there is told apart from that the toxic is not.
func (c *cli) within(ctx context.Context, proxy, method string, path []string, body, answer any, failed string) error {
	if err := c.ask(ctx, "GET", []string{"proxies", proxy}, nil, nil); err != nil {
		return says("failed to retrieve proxy with name `%s`: %v", proxy, err)
	}
	if err := c.ask(ctx, method, append([]string{"proxies", proxy, "toxics"}, path...), body, answer); err != nil {
		return says("%s: %v", failed, err)
	}
	return nil
}

func (c *cli) addToxic(ctx context.Context, args []string) error {
	var f toxicFlags
	name, share, err := f.parse(args)
	if err := cmp.Or(err, required("type", f.kind)); err != nil {
		return err
	}
	t := toxic{Name: f.name, Type: f.kind, Stream: "downstream", Toxicity: share, Attributes: f.attributes}
	if f.upstream {
		t.Stream = "upstream"
	}
	failed := fmt.Sprintf("failed to add toxic to proxy %s: AddToxic", name)
	if err := c.within(ctx, name, "POST", nil, t, &t, failed); err != nil {
		return says("Failed to add toxic: %v", err)
	}
	fmt.Fprintf(c.out, "Added %s %s toxic '%s' on proxy '%s'\n", t.Stream, t.Type, t.Name, name)
	return nil
}

// updateToxic updates a toxic. As with Toxiproxy's own command line the toxicity is 1 unless it is said again.
func (c *cli) updateToxic(ctx context.Context, args []string) error {
	var f toxicFlags
	name, share, err := f.parse(args)
	if err := cmp.Or(err, required("toxicName", f.name)); err != nil {
		return err
	}
	change := toxic{Toxicity: share, Attributes: f.attributes}
	failed := fmt.Sprintf("failed to update toxic '%s' of proxy '%s'", f.name, name)
	if err := c.within(ctx, name, "POST", []string{f.name}, change, nil, failed); err != nil {
		return says("Failed to update toxic: %v", err)
	}
	fmt.Fprintf(c.out, "Updated toxic '%s' on proxy '%s'\n", f.name, name)
	return nil
}

func (c *cli) removeToxic(ctx context.Context, args []string) error {
	var f toxicFlags
	name, _, err := f.parse(args)
	if err := cmp.Or(err, required("toxicName", f.name)); err != nil {
		return err
	}
	failed := fmt.Sprintf("failed to remove toxic '%s' from proxy '%s'", f.name, name)
	if err := c.within(ctx, name, "DELETE", []string{f.name}, nil, nil, failed); err != nil {
		return says("Failed to remove toxic: %v", err)
	}
	fmt.Fprintf(c.out, "Removed toxic '%s' on proxy '%s'\n", f.name, name)
	return nil
}

// state returns whether a proxy is enabled, as a word.
func state(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "disabled"
}

// The colours of a terminal.
func colour(code int) func(string) string {
	return func(text string) string { return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, text) }
}

var red, green, yellow, blue, magenta = colour(31), colour(32), colour(33), colour(34), colour(35)

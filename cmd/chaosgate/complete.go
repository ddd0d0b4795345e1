package main

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// completionPatience is how long a daemon may take to say what there is to complete: somebody waits at a keyboard.
const completionPatience = time.Second

// complete has the shell offer words for a flag.
func complete(cmd *cobra.Command, flag string, words ...string) {
	// It fails for a flag that is not there, or has this already: neither can be, and help would show it.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeFault has the shell offer faults for a flag.
func completeFault(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return offered(faultWords(nil, word), word)
	})
}

// offered returns those of some words that go on from what is typed, as the shell is told them.
func offered(words []string, typed string) ([]string, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" || !strings.HasPrefix(w, typed) })
	if slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(w, "=") }) {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return words, directive
}

// A completer returns what the shell may offer for an argument, given those before it.
type completer func(ctx context.Context, daemon *client.Client, before []string, word string) []string

// completing has the shell offer something for each argument; the last completer is for all that follow.
func completing(cmd *cobra.Command, each ...completer) *cobra.Command {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, before []string, word string) ([]string, cobra.ShellCompDirective) {
		which := each[min(len(before), len(each)-1)]
		if which == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return askAndOffer(cmd, which, before, word)
	}
	return cmd
}

// askAndOffer offers what a completer returns, for which it may ask the daemon.
func askAndOffer(cmd *cobra.Command, which completer, before []string, word string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	if fromEnvironment(cmd.Flags(), os.LookupEnv) != nil { // what completes runs nothing before
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	daemon, err := completionFlags(cmd).open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer daemon.Close()
	return offered(which(ctx, daemon, before, word), word)
}

// completionFlags returns where the daemon is, as a command line says that is not complete yet.
func completionFlags(cmd *cobra.Command) *daemonFlags {
	value := func(name string) string {
		if f := cmd.Flags().Lookup(name); f != nil {
			return f.Value.String()
		}
		return ""
	}
	return &daemonFlags{value("daemon"), value("token"), value("by")}
}

// offer offers fixed words.
func offer(words ...string) completer {
	return func(context.Context, *client.Client, []string, string) []string { return slices.Clone(words) }
}

// gateNames offers the names of the daemon's gates.
func gateNames(ctx context.Context, daemon *client.Client, before []string, _ string) (names []string) {
	gates, _ := daemon.Gates(ctx)
	for _, g := range gates {
		if !slices.Contains(before, g.Name) {
			names = append(names, described(g.Name, gateLine(g)))
		}
	}
	return names
}

// faultIDs offers the ids of what is imposed at the gate that is named first.
func faultIDs(ctx context.Context, daemon *client.Client, before []string, _ string) (ids []string) {
	faults, _ := daemon.AllFaults(ctx, before[0])
	for _, f := range faults {
		if !slices.Contains(before[1:], f.ID) {
			ids = append(ids, described(f.ID, f.Direction.String()+" "+f.Text))
		}
	}
	return ids
}

// connNumbers offers the numbers of the connections of the gate that is named first.
func connNumbers(ctx context.Context, daemon *client.Client, before []string, _ string) (numbers []string) {
	conns, _ := daemon.Conns(ctx, before[0])
	for _, c := range conns {
		numbers = append(numbers, described(connNumber(c), "from "+c.Client))
	}
	return numbers
}

// leaseNames offers the names of the daemon's leases.
func leaseNames(ctx context.Context, daemon *client.Client, _ []string, _ string) (names []string) {
	leases, _ := daemon.Leases(ctx)
	for _, l := range leases {
		names = append(names, described(l.Name, "of "+l.TTL.String()))
	}
	return names
}

// kindNames offers the kinds of faults.
func kindNames() (names []string) {
	for _, d := range spec.Describe() {
		names = append(names, described(d.Name, d.Help))
	}
	return names
}

// faultWords offers how a fault goes on: parameters of its kind that are not given yet, values of which there are few, and other kinds.
func faultWords(before []string, word string) (words []string) {
	kinds := spec.Describe()
	named := func(name string) int {
		return slices.IndexFunc(kinds, func(d spec.Description) bool { return d.Name == strings.ReplaceAll(name, "-", "_") })
	}
	done := strings.Fields(strings.Join(before, " "))
	head := "" // of a word in quotes, what is complete in it
	if at := strings.LastIndexByte(word, ' '); at >= 0 {
		head = word[:at+1]
		done = append(done, strings.Fields(head)...)
	}
	given := []string{}
	for i := len(done) - 1; i >= 0; i-- {
		key, _, _ := strings.Cut(done[i], "=")
		given = append(given, key)
		at := named(key)
		if at < 0 {
			continue
		}
		for _, p := range kinds[at].Params {
			switch {
			case slices.Contains(given[:len(given)-1], p.Name), p.Type == "fault":
			case p.Type == "flag":
				words = append(words, described(head+p.Name, p.Help))
			case len(p.Choices) > 0 && strings.HasPrefix(word[len(head):], p.Name+"="):
				for _, choice := range p.Choices {
					words = append(words, head+p.Name+"="+choice)
				}
			default:
				words = append(words, head+p.Name+"=")
			}
		}
		break
	}
	for _, d := range kinds {
		words = append(words, described(head+d.Name, d.Help))
	}
	return words
}

// faultOf offers how a fault goes on that begins behind so many arguments.
func faultOf(behind int) completer {
	return func(_ context.Context, _ *client.Client, before []string, word string) []string {
		return faultWords(before[behind:], word)
	}
}

// doorNames returns the names of the doors.
func doorNames() (names []string) {
	for d := chaos.Open; d <= chaos.Blackhole; d++ {
		names = append(names, d.String())
	}
	return names
}

// described returns a word with what the shell may show beside it.
func described(word, what string) string {
	if safe(word) != word { // it would have to be quoted, each shell in its own way
		return ""
	}
	return word + "\t" + strings.ReplaceAll(safe(what), "\t", " ")
}

// gateLine returns a gate as one line, without its name.
func gateLine(g status.Gate) string {
	return spec.Gate{Network: cmp.Or(g.Network, "tcp"), Listen: g.Listen, Server: g.Server}.Text()
}

package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manual is where the manual is.
const manual = "../../docs"

// ofADaemon are the flags that all commands have that speak to a daemon.
var ofADaemon = []string{"daemon", "token", "by"}

// TestManualHasTheCommandLine holds the reference in the manual to what the commands say of themselves: every command, with an example, and
// every flag. With -update it writes it.
func TestManualHasTheCommandLine(t *testing.T) {
	file := filepath.Join(manual, "command-line.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const title = "\n## Reference\n"
	head, _, ok := strings.Cut(string(text), title)
	if !ok {
		t.Fatalf("%s has no section Reference", file)
	}
	want := head + title
	for cmd := range commands(newRoot("chaosgate")) {
		want += reference(cmd)
	}
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("not what the commands say (-want +got; -update rewrites it):\n%s", diff)
	}
	for _, flag := range ofADaemon {
		if !strings.Contains(head, "`--"+flag+"`") {
			t.Errorf("%s does not tell of --%s, which the reference leaves out", file, flag)
		}
	}
}

// commands yields all commands that are for people, parents before their own.
func commands(cmd *cobra.Command) func(yield func(*cobra.Command) bool) {
	return func(yield func(*cobra.Command) bool) {
		for _, sub := range cmd.Commands() {
			if !sub.IsAvailableCommand() {
				continue
			}
			if !yield(sub) {
				return
			}
			for each := range commands(sub) {
				if !yield(each) {
					return
				}
			}
		}
	}
}

// reference returns what the manual says about a command.
func reference(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", cmd.CommandPath())
	if about := cmd.Long; about != "" {
		fmt.Fprintf(&b, "%s\n", about)
	} else {
		fmt.Fprintf(&b, "%s.\n", cmd.Short)
	}
	examples := cmd.Example
	if examples == "" && !cmd.HasAvailableSubCommands() {
		examples = cmd.UseLine()
	}
	if examples != "" {
		b.WriteString("\n```sh\n")
		for line := range strings.Lines(examples) {
			// What is said of an example stands far behind it.
			line = regexp.MustCompile(`(\S)(\s{2,})(\S)`).ReplaceAllString(strings.TrimSpace(line), "$1$2# $3")
			fmt.Fprintln(&b, line)
		}
		b.WriteString("```\n")
	}
	if cmd.HasAvailableSubCommands() {
		return b.String()
	}
	fmt.Fprintf(&b, "\nUsage: `%s`\n", strings.TrimSuffix(cmd.UseLine(), " [flags]"))
	rows, speaks := "", false
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains(ofADaemon, f.Name) && cmd.Flags().Lookup("daemon") != nil {
			speaks = true
			return
		}
		if f.Name != "help" {
			rows += flagRow(f)
		}
	})
	switch {
	case rows != "":
		fmt.Fprintf(&b, "\n| flag | what it does | variable | default |\n| --- | --- | --- | --- |\n%s", rows)
		if speaks {
			b.WriteString("\nAnd the [flags of a daemon](#which-daemon).\n")
		}
	case speaks:
		b.WriteString("\nIt has the [flags of a daemon](#which-daemon).\n")
	}
	return b.String()
}

// flagRow returns a flag as a row of a table.
func flagRow(f *pflag.Flag) string {
	name, help := pflag.UnquoteUsage(f)
	flag := "--" + f.Name
	if f.Shorthand != "" {
		flag = "-" + f.Shorthand + ", " + flag
	}
	if name != "" {
		flag += " " + name
	}
	help, variable, _ := strings.Cut(strings.TrimSuffix(help, "]"), " [$")
	if variable != "" {
		variable = "`$" + variable + "`"
	}
	byDefault := f.DefValue
	if slices.Contains([]string{"0", "false", "[]", ""}, byDefault) {
		byDefault = ""
	} else {
		byDefault = "`" + byDefault + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |\n", flag, strings.ReplaceAll(help, "|", `\|`), variable, byDefault)
}

// A manualCommand is a command line that stands in the manual.
type manualCommand struct{ page, line string }

var (
	commandLine = regexp.MustCompile(`(?m)^ *(?:\$ )?(?:bin/)?chaosgate .*$`)
	shellWord   = regexp.MustCompile(`(?:'[^']*'|[^\s'])+`)
	blocks      = regexp.MustCompile("(?ms)^```(?:sh|console)\n(.*?)^```|^(?:    .*\n)+")
)

// manualCommands returns the command lines of this program that stand in the manual's blocks.
func manualCommands(t *testing.T) (all []manualCommand) {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(manual, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(manual, "*", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(append(pages, more...), "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range blocks.FindAllString(strings.ReplaceAll(string(text), "\r\n", "\n"), -1) {
			for _, line := range commandLine.FindAllString(block, -1) {
				all = append(all, manualCommand{page, line})
			}
		}
	}
	return all
}

// words returns the words of a command line behind the program's name, as a shell reads them.
func (c manualCommand) words() []string {
	line, _, _ := strings.Cut(c.line, " # ")
	line = strings.TrimSuffix(strings.TrimSpace(line), " &")
	words := shellWord.FindAllString(strings.TrimPrefix(line, "$ "), -1)[1:]
	for i, word := range words {
		words[i] = strings.ReplaceAll(word, "'", "")
	}
	return words
}

// TestManualCommandsCanBeTyped reads each command of the manual as the program would.
func TestManualCommandsCanBeTyped(t *testing.T) {
	all := manualCommands(t)
	if len(all) < 50 {
		t.Errorf("%d commands were found: the manual has more", len(all))
	}
	placeholder := regexp.MustCompile(`[A-Z]{2,}|…`) // of what a page tells the form
	for _, c := range all {
		if placeholder.MatchString(c.line) {
			continue
		}
		cmd, args, err := newRoot("chaosgate").Find(c.words())
		if err == nil {
			err = cmd.ParseFlags(args)
		}
		if err == nil {
			err = cmd.ValidateArgs(cmd.Flags().Args())
		}
		if err == nil && cmd.HasSubCommands() {
			err = fmt.Errorf("%s wants a command", cmd.CommandPath())
		}
		if err != nil {
			t.Errorf("%s: %s: %v", path.Base(c.page), strings.TrimSpace(c.line), err)
		}
	}
}

// TestReadmeIsATranscript finds each command of the README's walk-through in the transcript that runs it.
func TestReadmeIsATranscript(t *testing.T) {
	const title = "\n## The daemon\n"
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(readme), title)
	if !ok {
		t.Fatalf("the README has no section%s", title)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	transcript, err := os.ReadFile("testdata/script/readme.txt")
	if err != nil {
		t.Fatal(err)
	}
	left := string(transcript)
	var found []string
	for _, line := range commandLine.FindAllString(section, -1) {
		line, _, _ = strings.Cut(line, " # ")
		line = strings.TrimSpace(strings.Replace(line, "bin/chaosgate", "chaosgate", 1))
		line = strings.NewReplacer("127.0.0.1:26379", "127.0.0.1:0", "127.0.0.1:6379", "$SERVER").Replace(line)
		want := "\nexec " + line + "\n"
		if line == "chaosgate serve &" {
			want = "\ndaemon\n"
		}
		var is bool
		if _, left, is = strings.Cut(left, want); !is {
			t.Fatalf("the transcript has no %q behind %q", want, found)
		}
		left = "\n" + left
		found = append(found, line)
	}
	if len(found) < 5 {
		t.Errorf("the walk-through has the commands %q, want more", found)
	}
}

package chaos_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// manualSections are the sections of a page about a fault or the doors, in order.
var manualSections = []string{
	"What it is", "What causes it in production", "What the peers see", "Parameters",
	"In Go", "On the command line", "Over HTTP", "In pytest", "What it is not",
}

// doorsPage is the page about the doors, which has the sections of a fault's.
const doorsPage = "docs/doors.md"

// examplesFolder is the package as which the manual's blocks of Go are compiled and run.
const examplesFolder = "docs/testdata/examples"

func TestManualHasAPageForEachFault(t *testing.T) {
	index, readme := readPage(t, "docs/faults/README.md"), readPage(t, "README.md")
	files, err := filepath.Glob("docs/faults/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		if _, ok := manualKind(name); !ok && name != "README" && !slices.Contains(goOnlyFaults, name) {
			t.Errorf("%s is about no kind of fault", file)
		}
	}
	for _, name := range manualFaults(t) {
		if !strings.Contains(index, "]("+name+".md)") {
			t.Errorf("docs/faults/README.md does not list %s", name)
		}
		if !strings.Contains(readme, "(docs/faults/"+name+".md)") {
			t.Errorf("README.md does not list %s", name)
		}
	}
}

func TestManualPagesKeepTheTemplate(t *testing.T) {
	fires := regexp.MustCompile(`(?m)^Fires: once for each `)
	for _, page := range manualTemplatePages(t) {
		t.Run(page, func(t *testing.T) {
			text := readPage(t, page)
			var titles []string
			for _, s := range sections(text) {
				titles = append(titles, s.title)
				if strings.TrimSpace(s.text) == "" {
					t.Errorf("the section %q is empty", s.title)
				}
			}
			if !slices.Equal(titles, manualSections) {
				t.Errorf("got the sections %q, want %q", titles, manualSections)
			}
			if n := len(fires.FindAllString(section(text, "What the peers see"), -1)); n != 1 && page != doorsPage {
				t.Errorf("what the peers see: got %d lines that say what a hit is, want one that begins with Fires", n)
			}
			for _, peer := range []string{"- **The client:** ", "- **The server:** "} {
				if !strings.Contains(section(text, "What the peers see"), peer) {
					t.Errorf("what the peers see: %q is missing", peer)
				}
			}
		})
	}
}

// TestManualSaysWhatKindsSay holds the sentence and the table of each page to the kind. With -update it writes them.
func TestManualSaysWhatKindsSay(t *testing.T) {
	for _, name := range manualFaults(t) {
		kind, ok := manualKind(name)
		if !ok { // Go only
			continue
		}
		t.Run(name, func(t *testing.T) {
			file := "docs/faults/" + name + ".md"
			text := readPage(t, file)
			title, _, _ := strings.Cut(text, "\n")
			if want := "# " + reflect.TypeOf(kind.Fault).Name(); title != want {
				t.Errorf("got the title %q, want %q", title, want)
			}
			head, rest, _ := strings.Cut(text, "\n## What it is\n")
			wantHead := title + "\n\n" + kind.Help + "\n"
			if head != wantHead && !*update {
				t.Errorf("got the beginning %q, want %q", head, wantHead)
			}
			table, wantTable := section(text, "Parameters"), parameterTable(kind)
			if strings.TrimSpace(table) != wantTable && !*update {
				t.Errorf("got the parameters\n%s\nwant\n%s", table, wantTable)
			}
			if *update {
				text = wantHead + "\n## What it is\n" + strings.Replace(rest, "\n## Parameters\n"+table, "\n## Parameters\n\n"+wantTable+"\n\n", 1)
				if err := os.WriteFile(filepath.FromSlash(file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// parameterTable returns a kind's parameters as the manual shows them.
func parameterTable(kind chaos.Kind) string {
	if len(kind.Params) == 0 {
		return "None."
	}
	units := map[string]string{"duration": "`ns` to `h`", "size": "`B`, `KiB`, …", "rate": "`B/s`, `KiB/s`, `Mbit/s`, …", "chance": "0 to 1, or `%`"}
	zeros := map[string]string{"duration": "`0s`", "size": "`0B`", "rate": "`0B/s`", "chance": "`0`", "count": "`0`", "flag": "`false`", "text": "none"}
	dollar := regexp.MustCompile(`\$(?:\$|\w+|\{\w+\})`) // in code, or a page takes it for a formula
	rows := []string{"| key | in Go | type | unit | default | what it is |", "| --- | --- | --- | --- | --- | --- |"}
	for _, p := range kind.Params {
		unit, byDefault, help := units[p.Type], zeros[p.Type], dollar.ReplaceAllString(p.Help, "`$0`")
		switch {
		case p.Required:
			byDefault = "must be given"
		case p.Type == "choice":
			byDefault = "`" + p.Default + "`"
		case p.Default != "":
			byDefault = p.Default
		}
		if p.Type == "choice" {
			help += ": `" + strings.Join(p.Choices, "`, `") + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | `%s` | %s | %s | %s | %s |", p.Name, p.Field, p.Type, unit, byDefault, help))
	}
	return strings.Join(rows, "\n")
}

// TestManualExamplesAreOneFault reads the examples of a page in text, in JSON and in Python, and finds the same fault on the same flow.
func TestManualExamplesAreOneFault(t *testing.T) {
	python := regexp.MustCompile(`^gate\.(to_server|to_client)\.set\((?:"([^"]*)"|'([^']*)')\)$`)
	for _, name := range manualFaults(t) {
		kind, ok := manualKind(name)
		if !ok {
			if _, err := spec.ParseFault(name); err == nil {
				t.Errorf("%s can be written down: its page says that it cannot", name)
			}
			continue
		}
		t.Run(name, func(t *testing.T) {
			text := readPage(t, "docs/faults/"+name+".md")
			command := runCommand(t, onlyFence(t, section(text, "On the command line"), "sh"))
			flow, want := "to_client", command.ToClient.Faults()
			if len(want) == 0 {
				flow, want = "to_server", command.ToServer.Faults()
			}
			if len(want) != 1 || chaos.KindOf(want[0]) != name {
				t.Fatalf("the command line imposes %v, want one %s", want, name)
			}
			if err := chaos.Check(cmp.Or(command.Network, "tcp"), want...); err != nil {
				t.Error(err)
			}

			head, body, _ := strings.Cut(onlyFence(t, section(text, "Over HTTP"), "http"), "\n\n")
			if line, _, _ := strings.Cut(head, "\n"); line != "PUT /v1/gates/db/"+flow {
				t.Errorf("over HTTP: got %q, want the flow of the command line, %s", line, flow)
			}
			var faults spec.Entries
			if err := json.Unmarshal([]byte(body), &faults); err != nil || !reflect.DeepEqual(faults.Faults(), want) {
				t.Errorf("over HTTP: got %v and %v, want %v", faults, err, want)
			}

			call := python.FindStringSubmatch(strings.TrimSpace(onlyFence(t, section(text, "In pytest"), "python")))
			if call == nil || call[1] != flow {
				t.Fatalf("in pytest: got %q, want a call of set of %s", call, flow)
			}
			parsed, err := spec.ParseFaults(call[2] + call[3])
			if err != nil || !reflect.DeepEqual(parsed, want) {
				t.Errorf("in pytest: got %v and %v, want %v", parsed, err, want)
			}

			if inGo := "chaos." + reflect.TypeOf(kind.Fault).Name() + "{"; !strings.Contains(onlyFence(t, section(text, "In Go"), "go"), inGo) {
				t.Errorf("in Go: %s is not used", inGo)
			}
		})
	}
}

func TestManualTellsTheDoors(t *testing.T) {
	text := readPage(t, doorsPage)
	for d := chaos.Open; d <= chaos.Blackhole; d++ {
		for title, want := range map[string]string{"What it is": "\n- `" + d.String() + "`: ", "Parameters": "\n| `" + d.String() + "` | `chaos."} {
			if !strings.Contains(section(text, title), want) {
				t.Errorf("%s: %q is missing", title, want)
			}
		}
	}
	want := runCommand(t, onlyFence(t, section(text, "On the command line"), "sh")).Door
	var body struct{ Door chaos.Door }
	_, data, _ := strings.Cut(onlyFence(t, section(text, "Over HTTP"), "http"), "\n\n")
	if err := json.Unmarshal([]byte(data), &body); err != nil || body.Door != want {
		t.Errorf("over HTTP: got %v and %v, want %v", body.Door, err, want)
	}
	if got, want := strings.TrimSpace(onlyFence(t, section(text, "In pytest"), "python")), fmt.Sprintf("gate.set_door(%q)", want); got != want {
		t.Errorf("in pytest: got %s, want %s", got, want)
	}
}

// TestManualCommands reads each command of the manual as the program and make would.
func TestManualCommands(t *testing.T) {
	makefile := readPage(t, "Makefile")
	checked := 0
	for _, page := range manualPages(t) {
		for _, f := range fences(readPage(t, page)) {
			for line := range strings.Lines(f.text) {
				line, _, _ = strings.Cut(line, " # ")
				words := strings.Fields(line)
				switch {
				case f.lang == "sh" && len(words) > 1 && words[0] == "make":
					if !strings.Contains(makefile, "\n"+words[1]+":") {
						t.Errorf("%s: make has no target %s", page, words[1])
					}
				case f.lang == "sh" && len(words) > 1 && path.Base(words[0]) == "chaosgate" && words[1] == "run": // cmd/chaosgate reads the others
					runCommand(t, line)
				case f.lang == "json":
					if _, err := spec.UnmarshalFault([]byte(f.text)); err != nil {
						t.Errorf("%s: %s: %v", page, f.text, err)
					}
				default:
					continue
				}
				checked++
			}
		}
	}
	if checked < 20 {
		t.Errorf("%d commands were checked: the manual has more", checked)
	}
}

// runCommand returns the gate that a command line of chaosgate run describes.
func runCommand(t *testing.T, line string) spec.Gate {
	t.Helper()
	word := regexp.MustCompile(`'[^']*'|\S+`)
	words := word.FindAllString(strings.TrimSpace(line), -1)
	if len(words) < 3 || len(words)%2 == 0 || path.Base(words[0]) != "chaosgate" || words[1] != "run" {
		t.Fatalf("%q is not a gate and its flags", line)
	}
	gate, err := spec.ParseGate(words[2])
	if err != nil {
		t.Errorf("%s: %v", line, err)
	}
	for i := 3; i < len(words); i += 2 {
		flag, value := words[i], strings.Trim(words[i+1], "'")
		switch flag {
		case "--to-server", "--to-client":
			faults, err := spec.ParseFaults(value)
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			if flag == "--to-server" {
				gate.ToServer = append(gate.ToServer, spec.EntriesOf(faults...)...)
			} else {
				gate.ToClient = append(gate.ToClient, spec.EntriesOf(faults...)...)
			}
		case "--door":
			err = gate.Door.UnmarshalText([]byte(value))
		case "--seed":
			err = gate.Seed.UnmarshalText([]byte(value))
		case "-o": // how events are written says nothing about the gate
		default:
			t.Errorf("%s: flag %s is not known here", line, flag)
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if err := gate.Check(); err != nil {
		t.Errorf("%s: %v", line, err)
	}
	return gate
}

func TestManualLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|(?m:^\[[^\]]+\]: (\S+)$)`)
	code := regexp.MustCompile("(?s)```.*?\n```|`[^`\n]*`")
	checked := 0
	for _, page := range manualPages(t) {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(readPage(t, page), "x"), -1) {
			target := found[1] + found[2]
			if strings.HasPrefix(target, "https://") {
				continue
			}
			checked++
			file, anchor, _ := strings.Cut(target, "#")
			where := page
			if file != "" {
				where = path.Join(path.Dir(page), file)
			}
			if _, err := os.Stat(filepath.FromSlash(where)); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, target)
			} else if anchor != "" && !slices.Contains(anchors(readPage(t, where)), anchor) {
				t.Errorf("%s: the link to %s leads to no heading", page, target)
			}
		}
	}
	if checked < 50 {
		t.Errorf("%d links were checked: the manual has more", checked)
	}
}

// anchors returns what the headings of a page are called in links.
func anchors(text string) []string {
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	var names []string
	for line := range strings.Lines(outsideFences(text)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			title = drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			names = append(names, strings.ReplaceAll(title, " ", "-"))
		}
	}
	return names
}

// TestManualExamplesRun compiles every block of Go in the manual, together with a server and its client, and runs those that are tests.
func TestManualExamplesRun(t *testing.T) {
	dir, replace := t.TempDir(), map[string]string{}
	blocks := 0
	for _, page := range manualPages(t) {
		for _, f := range fences(readPage(t, page)) {
			if f.lang != "go" {
				continue
			}
			blocks++
			file := fmt.Sprintf("block%d_test.go", blocks)
			written := filepath.Join(dir, file)
			if err := os.WriteFile(written, []byte(exampleFile(t, page, f, blocks)), 0o644); err != nil {
				t.Fatal(err)
			}
			replace[filepath.Join(absolute(t, examplesFolder), file)] = written
		}
	}
	if faults := manualFaults(t); blocks < len(faults) {
		t.Fatalf("%d blocks of Go were found for %d faults", blocks, len(faults))
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, data, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"test", "-vet=all", "-count=1", "-timeout=3m", "-overlay=" + overlay, "./" + examplesFolder}
	if testing.Short() || runtime.GOOS != "linux" { // some show what only Linux does
		args = []string{"vet", "-overlay=" + overlay, "./" + examplesFolder}
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", args[0], err, out)
	}
}

// exampleImports are the packages that blocks may use, by their names.
var exampleImports = map[string]string{
	"chaos": modulePath, "chaostest": modulePath + "/chaostest", "matrix": modulePath + "/matrix", "spec": modulePath + "/spec", "sweep": modulePath + "/sweep",
	"store": modulePath + "/" + examplesFolder + "/store", "synctest": "testing/synctest",
}

// exampleFile makes a block a Go file: it adds the imports and, if it is not made of declarations, a function around it.
func exampleFile(t *testing.T, page string, f fence, n int) string {
	t.Helper()
	const head = "package examples\n"
	body := f.text
	parsed, err := parser.ParseFile(token.NewFileSet(), page, head+body, 0)
	if err != nil {
		// The block may declare a gate of its own, and leave it unused.
		body = fmt.Sprintf("func block%d(t *testing.T, gate *chaos.Gate, client *store.Client) {\n{\n%s\n_ = gate\n}\n}\n", n, lineDirective(t, page, f)+body)
		parsed, err = parser.ParseFile(token.NewFileSet(), page, head+body, 0)
	} else {
		body = lineDirective(t, page, f) + body
	}
	if err != nil {
		t.Errorf("%s, line %d: %v", page, f.line, err)
		return head
	}
	imports := map[string]bool{}
	ast.Inspect(parsed, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			if id, ok := selector.X.(*ast.Ident); ok && id.Obj == nil && id.Name != "db" {
				imports[id.Name] = true
			}
		}
		return true
	})
	var out strings.Builder
	out.WriteString(head)
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		importPath, ok := exampleImports[name]
		if !ok {
			importPath = name // of the standard library
		}
		fmt.Fprintf(&out, "import %q\n", importPath)
	}
	return out.String() + body
}

// lineDirective makes the compiler's and the tests' messages name the page.
func lineDirective(t *testing.T, page string, f fence) string {
	return fmt.Sprintf("//line %s:%d\n", absolute(t, page), f.line)
}

// manualFaults returns the names of all faults that have a page.
func manualFaults(t *testing.T) []string {
	t.Helper()
	names := slices.Clone(goOnlyFaults)
	for _, kind := range chaos.Kinds() {
		if _, ok := manualKind(kind.Name); ok {
			names = append(names, kind.Name)
		}
	}
	if len(names) == len(goOnlyFaults) {
		t.Fatal("no kind is registered")
	}
	return names
}

// manualKind returns the kind of a name, unless it is one that only this package's tests have registered.
func manualKind(name string) (chaos.Kind, bool) {
	for _, kind := range chaos.Kinds() {
		if kind.Name == name && reflect.TypeOf(kind.Fault).PkgPath() == modulePath {
			return kind, true
		}
	}
	return chaos.Kind{}, false
}

// manualPages returns all pages, by slash-separated paths.
func manualPages(t *testing.T) []string {
	t.Helper()
	pages := []string{"README.md", "CHANGELOG.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			pages = append(pages, filepath.ToSlash(file))
		}
	}
	return pages
}

// manualTemplatePages returns the pages that are made from the template.
func manualTemplatePages(t *testing.T) []string {
	t.Helper()
	pages := []string{doorsPage}
	for _, name := range manualFaults(t) {
		pages = append(pages, "docs/faults/"+name+".md")
	}
	return pages
}

func readPage(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// A fence is a block of code in a page.
type fence struct {
	lang, text string
	line       int // of the page, at which the text begins
}

// fences returns the blocks of a page.
func fences(text string) []fence {
	var all []fence
	var open *fence
	n := 0
	for line := range strings.Lines(text) {
		n++
		lang, mark := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "```")
		switch {
		case mark && open == nil:
			open = &fence{lang: lang, line: n + 1}
		case mark:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line
		}
	}
	return all
}

// onlyFence returns the text of the only block of a language.
func onlyFence(t *testing.T, text, lang string) string {
	t.Helper()
	all := slices.DeleteFunc(fences(text), func(f fence) bool { return f.lang != lang })
	if len(all) != 1 {
		t.Fatalf("got %d blocks of %s, want one", len(all), lang)
	}
	return all[0].text
}

// outsideFences returns a page without its blocks.
func outsideFences(text string) string {
	return regexp.MustCompile("(?s)```.*?\n```").ReplaceAllString(text, "")
}

// A pageSection is what stands under a heading of the second level.
type pageSection struct{ title, text string }

// sections returns the sections of a page.
func sections(text string) []pageSection {
	var all []pageSection
	code := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if title, ok := strings.CutPrefix(line, "## "); ok && !code {
			all = append(all, pageSection{title: strings.TrimSpace(title)})
		} else if len(all) > 0 {
			all[len(all)-1].text += line
		}
	}
	return all
}

// section returns the text of a section.
func section(text, title string) string {
	for _, s := range sections(text) {
		if s.title == title {
			return s.text
		}
	}
	return ""
}
